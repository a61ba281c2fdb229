import { isJsonObject, type JsonObject, measureJson, ownText, ownValue } from '../../../engine/object/json.ts';
import { isPodResources, POD_RESOURCES } from '../../../engine/rules/network/node-objects.ts';
import type { NetworkNeeds } from '../../../engine/rules/network/program.ts';
import type { ObjectQuery, ObjectReference } from '../../../engine/rules/reconcile/program.ts';
import { type Clock, systemClock } from '../../host/clock.ts';
import { errorMessage } from '../../host/error-message.ts';
import { type Log, silentLog } from '../../host/log.ts';
import { ttlCache } from '../../host/ttl-cache.ts';
import type { KubernetesClient, ResourceType } from '../../kubernetes/client.ts';
import { createInformer } from '../../kubernetes/create-informer.ts';
import type { Informer } from '../../kubernetes/informer.ts';
import type { NetworkFactsSource } from '../verbs/network-facts-source.ts';
import { kubeletPodDevices, type PodDevices } from './kubelet/pod-devices.ts';

export interface ClusterNetworkFactsOptions {
  readonly client: KubernetesClient;
  readonly nodeName: string;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Default: those that the kubelet of this node tells of. */
  readonly podDevices?: PodDevices;
  /** Milliseconds that an invocation waits for the cluster to answer; default 10 000. */
  readonly patience?: number;
}

/** Queries, and objects by name, that are watched at once; those that were not asked for longest are let go beyond it. */
const MAX_WATCHES = 256;
/** Milliseconds for which a pod is used: one invocation, and the others of the same pod. */
const POD_TTL = 1_000;
/** Milliseconds after which a kind that the server did not have is looked for again. */
const ABSENT_TTL = 10_000;
const MEBIBYTE = 1024 * 1024;

/** One query that is followed. */
interface Followed {
  readonly informer: Informer;
  /** All objects, until one changes. */
  list: readonly JsonObject[] | undefined;
  stop(): void;
}

/**
 * Facts of a live cluster. What is asked for by label, and by name, is followed from then on, so that the node is made true again when it
 * changes. Pods by name are the exception: each is asked for when it is attached, must be seen as it is then, and concerns nobody later.
 */
export function clusterNetworkFacts(options: ClusterNetworkFactsOptions): NetworkFactsSource & { close(): void } {
  const { client, nodeName, clock = systemClock, log = silentLog, patience = 10_000, podDevices = kubeletPodDevices({ clock }) } = options;
  const pods = ttlCache<JsonObject | null>({ ttl: POD_TTL, maxEntries: 4096, maxWeight: 16 * MEBIBYTE, clock });
  const devices = ttlCache<JsonObject>({ ttl: POD_TTL, maxEntries: 4096, maxWeight: MEBIBYTE, clock });
  const absent = ttlCache<null>({ ttl: ABSENT_TTL, maxEntries: 1024, maxWeight: MEBIBYTE, clock });
  const followed = new Map<string, Followed>();
  const callbacks = new Set<() => void>();

  function find(key: string): Followed | undefined {
    const found = followed.get(key);
    if (found === undefined) return undefined;
    // The map keeps the order in which they were asked for.
    followed.delete(key);
    followed.set(key, found);
    return found.informer.synced ? found : undefined;
  }

  function follow(
    key: string,
    type: ResourceType,
    query: { namespace?: string | undefined; labelSelector?: string; fieldSelector?: string },
  ): Followed {
    const known = followed.get(key);
    if (known !== undefined) return known;
    for (const [oldest, { stop }] of followed) {
      if (followed.size < MAX_WATCHES) break;
      followed.delete(oldest);
      stop();
    }
    const informer = createInformer({ client, type, clock, log, ...query, namespace: query.namespace || undefined });
    // Whoever asked waits for the first list; a later one brings what was missed.
    let isListed = false;
    informer.whenSynced().then(
      () => {
        isListed = true;
      },
      () => {},
    );
    const unsubscribe = informer.subscribe(() => {
      entry.list = undefined;
      if (isListed) for (const callback of callbacks) callback();
    });
    const entry: Followed = {
      informer,
      list: undefined,
      stop() {
        unsubscribe();
        informer.close();
      },
    };
    followed.set(key, entry);
    return entry;
  }

  async function typeOf(apiVersion: string, kind: string): Promise<ResourceType | null> {
    const key = kindKey(apiVersion, kind);
    if (absent.get(key) !== undefined) return null;
    const type = await client.discovery.resourceOf(apiVersion, kind);
    if (type === null) await absent.load(key, () => Promise.resolve({ value: null, weight: key.length * 2 }));
    return type;
  }

  async function learnObject(reference: ObjectReference, signal: AbortSignal): Promise<void> {
    const { apiVersion, kind, namespace, name } = reference;
    if (isPodResources(reference)) {
      await devices.load(objectKey(reference), () => learnDevices({ namespace: namespace ?? '', name }, signal));
      return;
    }
    const type = await typeOf(apiVersion, kind);
    if (type === null || name === '' || (type.namespaced && !namespace)) return;
    if (isPod(reference)) {
      await pods.load(objectKey(reference), async () => {
        const value = await client.resource(type).get({ name, namespace });
        return { value, weight: value === null ? 64 : measureJson(value).size };
      });
      return;
    }
    const place = type.namespaced ? { namespace } : {};
    await synced(follow(objectKey(reference), type, { ...place, fieldSelector: `metadata.name=${name}` }), `${kind} ${name}`, signal);
  }

  /** The kubelet keeps some of it by the id that the pod has for it. */
  async function learnDevices(pod: { readonly namespace: string; readonly name: string }, signal: AbortSignal) {
    const known = pods.get(objectKey({ apiVersion: 'v1', kind: 'Pod', ...pod }))?.value ?? null;
    const resources: JsonObject = await podDevices({ ...pod, uid: known === null ? '' : uidForKubelet(known) }, signal);
    return { value: { ...POD_RESOURCES, metadata: { ...pod }, resources }, weight: measureJson(resources).size + 128 };
  }

  async function learnQuery(query: ObjectQuery, signal: AbortSignal): Promise<void> {
    const type = await typeOf(query.apiVersion, query.kind);
    if (type === null) return;
    const { namespace, labelSelector } = query;
    await synced(follow(queryKey(query), type, { namespace, labelSelector }), `${query.kind} objects`, signal);
  }

  async function synced({ informer }: Followed, what: string, signal: AbortSignal): Promise<void> {
    if (informer.synced) return;
    const waiting = new AbortController();
    const giveUp = (): void => waiting.abort();
    const timer = clock.after(patience, giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await informer.whenSynced(waiting.signal);
    } catch (error) {
      throw new Error(`${what}: ${informer.failure() ?? errorMessage(error)}`, { cause: error });
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
    }
  }

  return {
    facts: {
      nodeName,
      object(reference) {
        const { apiVersion, kind, name } = reference;
        if (isPodResources(reference)) return devices.get(objectKey(reference))?.value;
        if (name === '' || absent.get(kindKey(apiVersion, kind)) !== undefined) return null;
        if (isPod(reference)) return pods.get(objectKey(reference))?.value;
        const found = find(objectKey(reference));
        if (found !== undefined) return first(found.informer.store.list()) ?? null;
        const type = client.discovery.known(apiVersion, kind);
        return type?.namespaced === true && !reference.namespace ? null : undefined;
      },
      objects(query) {
        if (absent.get(kindKey(query.apiVersion, query.kind)) !== undefined) return [];
        const found = find(queryKey(query));
        if (found === undefined) return undefined;
        found.list ??= [...found.informer.store.list()].sort(byName);
        return found.list;
      },
    },
    async learn({ objects, queries }: NetworkNeeds, signal) {
      const learning = [...objects.map((each) => learnObject(each, signal)), ...queries.map((each) => learnQuery(each, signal))];
      await abortable(Promise.all(learning), signal);
    },
    onChange(callback) {
      callbacks.add(callback);
      return () => void callbacks.delete(callback);
    },
    close() {
      for (const { stop } of followed.values()) stop();
      followed.clear();
      callbacks.clear();
    },
  };
}

/** Of a static pod, the object in the cluster has another id. Kubernetes: pkg/kubelet/types/constants.go, ConfigHashAnnotationKey. */
function uidForKubelet(pod: JsonObject): string {
  const metadata = ownValue(pod, 'metadata');
  const annotations = isJsonObject(metadata) ? ownValue(metadata, 'annotations') : undefined;
  return ownText(annotations, 'kubernetes.io/config.mirror') || ownText(metadata, 'uid');
}

const isPod = ({ apiVersion, kind }: ObjectReference): boolean => apiVersion === 'v1' && kind === 'Pod';

/** JSON of the parts, so that no part can be mistaken for another. */
const kindKey = (apiVersion: string, kind: string): string => JSON.stringify([apiVersion, kind]);
const objectKey = ({ apiVersion, kind, namespace, name }: ObjectReference): string =>
  JSON.stringify([apiVersion, kind, namespace ?? '', { name }]);
const queryKey = ({ apiVersion, kind, namespace, labelSelector }: ObjectQuery): string =>
  JSON.stringify([apiVersion, kind, namespace ?? '', labelSelector]);

function first<T>(values: Iterable<T>): T | undefined {
  for (const value of values) return value;
  return undefined;
}

/** Plans must not depend on the order in which a server happens to answer. */
function byName(a: JsonObject, b: JsonObject): number {
  const [x, y] = [nameOf(a), nameOf(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function nameOf(object: JsonObject): string {
  const metadata = ownValue(object, 'metadata');
  return isJsonObject(metadata) ? `${ownText(metadata, 'namespace')}/${ownText(metadata, 'name')}` : '';
}

function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => {});
    return Promise.reject(new Error('the time was up'));
  }
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new Error('the time was up'));
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
