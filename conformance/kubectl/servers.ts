import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedCluster } from '../../runtimes/kubernetes/embedded/cluster.ts';
import { type ApiClient, createClient } from '../cluster/client.ts';
import { startCluster } from '../cluster/cluster.ts';
import { runPods } from '../cluster/pods.ts';
import type { SuiteContext } from '../suite.ts';
import type { Kubectl } from './script.ts';

/** A whole cluster: an API server, controllers, and pods that become ready. */
export interface KubectlServer {
  readonly admin: ApiClient;
  readonly kubectl: Kubectl;
  stop(): Promise<void>;
}

/** The real one; no container runs. */
export async function startReal(context: SuiteContext): Promise<KubectlServer> {
  const cluster = await startCluster({
    log: context.log,
    signal: context.signal,
    // Nobody renews the lease of the one node.
    controllers: ['*', '-node-lifecycle-controller', '-taint-eviction-controller'],
  });
  const pods = await runPods(cluster.admin, { kubeletVersion: cluster.version });
  const home = join(cluster.folder, 'home');
  mkdirSync(home);
  return {
    admin: cluster.admin,
    kubectl: { executable: await cluster.kubectl(), kubeconfig: cluster.kubeconfig, home, patience: 20_000 },
    async stop() {
      pods.stop();
      await cluster.stop();
    },
  };
}

/** The server under test with its simulation. */
export async function startEmbedded(executable: string): Promise<KubectlServer> {
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-embedded-'));
  const server = await startEmbeddedCluster();
  const admin = createClient({ url: server.url, token: server.adminToken });
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, server.kubeconfig, { mode: 0o600 });
  return {
    admin,
    kubectl: { executable, kubeconfig, home: folder, patience: 8_000 },
    async stop() {
      admin.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
