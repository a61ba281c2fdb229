import { styleText } from 'node:util';
import type { JsonObject } from '../engine/object/json.ts';
import { combineBundles } from '../runtimes/cli/combine-bundles.ts';
import { startLocalCluster } from '../runtimes/cli/local-server.ts';
import { objectLabel, referenceOf } from '../runtimes/cli/object-label.ts';
import { startController } from '../runtimes/controller/controller.ts';
import { fixedBundle } from '../runtimes/host/bundle-watch.ts';
import { createHttpCaller } from '../runtimes/host/http-caller.ts';
import { readRecording } from '../runtimes/host/recording.ts';
import type { KubernetesClient } from '../runtimes/kubernetes/client.ts';
import { embeddedConnection } from '../runtimes/kubernetes/embedded/connection.ts';
import { createKubernetesClient } from '../runtimes/kubernetes/kubernetes-client.ts';
import { isReady, resourceOf, until, whyNotReady } from './cluster-objects.ts';
import type { Library } from './library.ts';
import { startSecretStore } from './secret-store.ts';

/** How the demonstration talks. */
export interface Narrator {
  heading(text: string): void;
  line(text: string): void;
}

export interface ReconcileSummary {
  readonly instances: number;
  readonly objects: number;
  /** Objects that were left behind although their instances are gone. */
  readonly leftBehind: readonly string[];
}

const TOKEN = 'demo';
const milliseconds = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

/**
 * The reconcile rules of the library at work: an API server in this process, the controller, and a client that does what people do with
 * kubectl. Throws where something does not come about.
 */
export async function showReconcile(library: Library, instances: string, { heading, line }: Narrator): Promise<ReconcileSummary> {
  const bundle = combineBundles(library.compiled);
  const store = await startSecretStore(TOKEN);
  const server = await startLocalCluster({ simulation: { leases: false } });
  const connection = embeddedConnection(server, 'the demonstration');
  const controllerClient = createKubernetesClient({ connection });
  const client = createKubernetesClient({ connection });
  const controller = await startController({
    client: controllerClient,
    bundle: fixedBundle(bundle),
    leaderElection: false,
    call: createHttpCaller({ allowedHosts: [store.host] }),
  });
  try {
    heading('5  Reconcile');
    line(`API server at ${server.url}, in this process; controller of ${library.bundles.map(({ name }) => name).join(', ')}`);
    const wanted = [...(await readInstances(instances)), ...secretsFrom(store.url)];
    await create(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    const ready = await bringToReady(client, wanted, line);
    line(`the secret store was asked ${store.count() === 1 ? 'once' : `${store.count()} times`}: what it answered is in the Secret`);

    heading('6  Drift, scale, delete');
    await correctDrift(client, line);
    await scale(client, line);
    const leftBehind = await deleteAll(client, ready.instances, ready.children, line);
    return { instances: ready.instances.length, objects: ready.children.length, leftBehind };
  } finally {
    await controller.stop();
    controllerClient.close();
    client.close();
    await server.close();
    await store.close();
  }
}

async function readInstances(path: string): Promise<readonly JsonObject[]> {
  const { objects, diagnostics } = await readRecording([path]);
  if (diagnostics.length > 0) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return objects.map(({ object }) => object);
}

/** The store has an address of its own every time. */
function secretsFrom(url: string): readonly JsonObject[] {
  const apiVersion = 'secrets.example.com/v1alpha1';
  return [
    {
      apiVersion,
      kind: 'SecretStore',
      metadata: { name: 'store', namespace: 'shop' },
      spec: { url, field: 'value', tokenSecret: { name: 'store-token' } },
    },
    {
      apiVersion,
      kind: 'ExternalSecret',
      metadata: { name: 'payment-keys', namespace: 'shop' },
      spec: { store: 'store', data: [{ secretKey: 'api-key', remoteKey: 'payments/api-key' }] },
    },
  ];
}

async function create(client: KubernetesClient, object: JsonObject): Promise<JsonObject> {
  const { apiVersion, kind } = referenceOf(object);
  return (await resourceOf(client, apiVersion, kind)).create(object);
}

async function bringToReady(client: KubernetesClient, wanted: readonly JsonObject[], line: (text: string) => void) {
  const began = performance.now();
  const instances: JsonObject[] = [];
  const children: string[] = [];
  for (const object of wanted) {
    const made = await create(client, object);
    if (made['kind'] !== 'Secret') instances.push(made);
  }
  for (const instance of instances) {
    const { apiVersion, kind } = referenceOf(instance);
    const resource = await resourceOf(client, apiVersion, kind);
    let last = instance;
    await until(`${objectLabel(instance)} to be ready`, async () => {
      last = (await resource.get(referenceOf(instance))) ?? last;
      return isReady(last) ? last : undefined;
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${whyNotReady(last)}`);
    });
    const owned = await objectsOf(client, last);
    children.push(...owned);
    line(`${styleText('green', 'ready')}   ${objectLabel(instance).padEnd(34)} ${owned.length === 0 ? '' : summarize(owned)}`.trimEnd());
  }
  line(`all of them ready after ${milliseconds(performance.now() - began)}`);
  return { instances, children };
}

/** What the cluster makes of a Service has its labels, and is not the rule's. */
const MIRRORED = new Set(['Event', 'Endpoints', 'EndpointSlice']);

/** The objects that belong to an instance: what its label is on. */
async function objectsOf(client: KubernetesClient, instance: JsonObject): Promise<readonly string[]> {
  const { uid } = instance['metadata'] as { readonly uid: string };
  const found: string[] = [];
  for (const type of await client.discovery.all()) {
    if (!type.verbs.includes('list') || MIRRORED.has(type.kind)) continue;
    const { items } = await client.resource(type).list({ labelSelector: `fairlead.dev/instance=${uid}` });
    found.push(...items.map(objectLabel));
  }
  return found;
}

/** `Service ×2, StatefulSet`: kinds and how many of each. */
function summarize(labels: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const label of labels) {
    const kind = label.slice(0, label.indexOf(' '));
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => (count === 1 ? kind : `${kind} ×${count}`)).join(', ');
}

async function correctDrift(client: KubernetesClient, line: (text: string) => void): Promise<void> {
  const deployments = await resourceOf(client, 'apps/v1', 'Deployment');
  const web = { namespace: 'shop', name: 'web' };
  const patch = [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'registry.example.com/web:mine' }];
  const imageOf = (object: JsonObject | null): string => {
    const spec = object?.['spec'] as { template: { spec: { containers: { image: string }[] } } } | undefined;
    return spec?.template.spec.containers[0]?.image ?? '';
  };
  const edited = imageOf(await deployments.patch(web, 'json', patch, { fieldManager: 'kubectl-edit' }));
  let began = performance.now();
  const corrected = await until('the image to be what the MyApp says', async () => {
    const image = imageOf(await deployments.get(web));
    return image === edited ? undefined : image;
  });
  line(`edited  Deployment shop/web to ${edited}: ${corrected} again after ${milliseconds(performance.now() - began)}`);

  const policies = await resourceOf(client, 'networking.k8s.io/v1', 'NetworkPolicy');
  const policy = { namespace: 'payments-prod', name: 'only-this-team' };
  await policies.delete(policy);
  began = performance.now();
  await until('the network policy to be back', async () => (await policies.get(policy)) ?? undefined);
  line(`deleted NetworkPolicy payments-prod/only-this-team: back after ${milliseconds(performance.now() - began)}`);
}

async function scale(client: KubernetesClient, line: (text: string) => void): Promise<void> {
  const apps = await resourceOf(client, 'apps.example.com/v1alpha1', 'MyApp');
  const web = { namespace: 'shop', name: 'web' };
  const began = performance.now();
  await apps.patch(web, 'merge', { spec: { replicas: 5 } });
  await until('five replicas', async () => {
    const app = await apps.get(web);
    const { availableReplicas } = (app?.['status'] ?? {}) as { readonly availableReplicas?: number };
    return app !== null && isReady(app) && availableReplicas === 5 ? app : undefined;
  });
  line(`scaled  MyApp shop/web from 3 to 5: all available after ${milliseconds(performance.now() - began)}`);
}

/** Deletes the instances, and answers which of their objects stay. */
async function deleteAll(
  client: KubernetesClient,
  instances: readonly JsonObject[],
  children: readonly string[],
  line: (text: string) => void,
): Promise<readonly string[]> {
  const began = performance.now();
  for (const instance of instances) {
    const { apiVersion, kind } = referenceOf(instance);
    await (await resourceOf(client, apiVersion, kind)).delete(referenceOf(instance));
  }
  let remaining: readonly string[] = [];
  const left = await until('everything to be gone', async () => {
    const all = new Set<string>();
    for (const type of await client.discovery.all()) {
      if (type.verbs.includes('list')) for (const item of (await client.resource(type).list()).items) all.add(objectLabel(item));
    }
    const stays = (label: string): boolean => label.startsWith('Namespace ') || label.startsWith('PersistentVolumeClaim ');
    remaining = children.filter((label) => all.has(label));
    const unwanted = [...instances.map(objectLabel), ...remaining].filter((label) => all.has(label) && !stays(label));
    return unwanted.length === 0 ? remaining : undefined;
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${remaining.join(', ')}`);
  });
  line(
    `deleted ${instances.length} instances: ${children.length - left.length} objects gone after ${milliseconds(performance.now() - began)}`,
  );
  line(`        ${left.join(', ')} stay, as their rules say: they hold data`);
  return left;
}
