import type { KubernetesClient } from '../../runtimes/kubernetes/client.ts';
import { fixedCredentials } from '../../runtimes/kubernetes/connection.ts';
import { startEmbeddedServer } from '../../runtimes/kubernetes/embedded/server.ts';
import { startSimulation } from '../../runtimes/kubernetes/embedded/simulation/simulation.ts';
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
    connect: (token = cluster.adminToken) =>
      createKubernetesClient({
        connection: {
          server: cluster.url,
          tls: { ca: cluster.ca },
          credentials: fixedCredentials({ authorization: `Bearer ${token}` }),
          origin: 'the cluster of the suite',
        },
      }),
    async stop() {
      pods.stop();
      await cluster.stop();
    },
  };
}

/** The one in this process, with its simulation. */
export async function startEmbedded(): Promise<ControlledServer> {
  const server = await startEmbeddedServer();
  const simulation = startSimulation({ registry: server.registry });
  await simulation.started;
  return {
    name: 'embedded',
    connect: (token = server.adminToken) =>
      createKubernetesClient({
        connection: {
          server: server.url,
          tls: {},
          credentials: fixedCredentials({ authorization: `Bearer ${token}` }),
          origin: 'the embedded server of the suite',
        },
      }),
    async stop() {
      await simulation.close();
      await server.close();
    },
  };
}
