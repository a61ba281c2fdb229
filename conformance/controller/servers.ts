import type { KubernetesClient } from '../../runtimes/kubernetes/client.ts';
import { fixedCredentials } from '../../runtimes/kubernetes/connection.ts';
import { startEmbeddedCluster } from '../../runtimes/kubernetes/embedded/cluster.ts';
import { createKubernetesClient } from '../../runtimes/kubernetes/kubernetes-client.ts';
import { startCluster } from '../cluster/cluster.ts';
import { runPods } from '../cluster/pods.ts';
import type { SuiteContext } from '../suite.ts';

/** A whole cluster for a controller: an API server, the controllers of Kubernetes' own kinds, and pods that become ready. */
export interface ControlledServer {
  readonly name: 'real' | 'embedded';
  /** As an administrator, or with a token. */
  connect(token?: string): KubernetesClient;
  stop(): Promise<void>;
}

/** The real one; no container runs. */
export async function startReal(context: SuiteContext): Promise<ControlledServer> {
  const cluster = await startCluster({
    log: context.log,
    signal: context.signal,
    // Nobody renews the lease of the one node.
    controllers: ['*', '-node-lifecycle-controller', '-taint-eviction-controller'],
  });
  const pods = await runPods(cluster.admin, { kubeletVersion: cluster.version });
  return {
    name: 'real',
    connect: (token = cluster.adminToken) => clientOf(cluster, token),
    async stop() {
      pods.stop();
      await cluster.stop();
    },
  };
}

/** The one in this process, with its simulation. */
export async function startEmbedded(): Promise<ControlledServer> {
  const server = await startEmbeddedCluster();
  return { name: 'embedded', connect: (token = server.adminToken) => clientOf(server, token), stop: () => server.close() };
}

function clientOf({ url, ca }: { readonly url: string; readonly ca: string | undefined }, token: string): KubernetesClient {
  const credentials = fixedCredentials({ authorization: `Bearer ${token}` });
  return createKubernetesClient({
    connection: { server: url, tls: ca === undefined ? {} : { ca }, credentials, origin: 'the cluster of the suite' },
  });
}
