import { urlConnection } from '../../runtimes/kubernetes/connect.ts';
import { createInformer } from '../../runtimes/kubernetes/create-informer.ts';
import { createKubernetesClient } from '../../runtimes/kubernetes/kubernetes-client.ts';
import { FIVE_FIELDS } from './watch-pods.ts';

/** Which cache is filled. */
export type CacheKind = 'five fields' | 'everything' | 'client-node';

/** Bytes over what the process held before it listed, objects and buffers, and how many objects it has. */
export interface CacheReport {
  readonly heap: number;
  readonly external: number;
  readonly objects: number;
}

const PODS = { group: '', version: 'v1', resource: 'pods', kind: 'Pod', namespaced: true, verbs: [], subresources: [] };

function held(): { readonly heap: number; readonly external: number } {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed, external };
}

/** Fills a cache from the server at a port, and answers how many objects it holds. */
async function fill(kind: CacheKind, port: number): Promise<() => number> {
  if (kind === 'client-node') return fillClientNode(port);
  const client = createKubernetesClient({ connection: urlConnection(`http://127.0.0.1:${port}`) });
  const informer = createInformer({ client, type: PODS, ...(kind === 'five fields' ? { fields: FIVE_FIELDS } : {}) });
  await informer.whenSynced();
  return () => informer.store.size;
}

async function fillClientNode(port: number): Promise<() => number> {
  const { CoreV1Api, KubeConfig, ListWatch, Watch } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true }, { name: 'u' });
  const api = config.makeApiClient(CoreV1Api);
  const informer = new ListWatch('/api/v1/pods', new Watch(config), () => api.listPodForAllNamespaces(), false);
  await informer.start();
  return () => informer.list().length;
}

async function main(kind: CacheKind, port: number): Promise<void> {
  // What is loaded and compiled for the first object is not what a cache holds.
  if (kind === 'client-node') await import('@kubernetes/client-node');
  const before = held();
  const size = await fill(kind, port);
  const after = held();
  const report: CacheReport = { heap: after.heap - before.heap, external: after.external - before.external, objects: size() };
  process.stdout.write(JSON.stringify(report), () => process.exit());
}

void main(process.argv[2] as CacheKind, Number(process.argv[3]));
