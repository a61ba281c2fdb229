import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';
import { parseApiVersion } from '../../engine/object/type-table.ts';
import type { Clock } from '../host/clock.ts';
import { ApiError, ConnectionError } from './api-error.ts';
import type { ApiRequest, ApiResponse, RequestOptions, ResourceDiscovery, ResourceType } from './client.ts';
import { pause } from './pause.ts';
import { groupVersionPath } from './resource-path.ts';

/** A kind that a group gained is found this many milliseconds later at most; one that is gone, too. */
const TTL = 30_000;
/** What was not there is asked for again after this: a CustomResourceDefinition that was just made takes a moment. */
const ABSENT_TTL = 2_000;
const MOST_GROUPS = 500;

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

interface KnownGroup {
  readonly kinds: ReadonlyMap<string, ResourceType>;
  readonly at: number;
}

/** Discovery by group and version, each asked when first needed, remembered for 30 seconds. */
export function createDiscovery(request: (request: ApiRequest) => Promise<ApiResponse>, clock: Clock): ResourceDiscovery {
  const groups = new Map<string, KnownGroup>();
  const loading = new Map<string, Promise<KnownGroup>>();
  let everything: { readonly resources: Promise<readonly ResourceType[]>; readonly at: number } | undefined;
  /** Counts up with every invalidation: an answer that was asked for before one is not remembered. */
  let generation = 0;

  function known(apiVersion: string, kind: string): ResourceType | null | undefined {
    const group = groups.get(apiVersion);
    if (group === undefined) return undefined;
    const age = clock.elapsed() - group.at;
    const found = group.kinds.get(kind);
    if (found !== undefined) return age < TTL ? found : undefined;
    return age < ABSENT_TTL ? null : undefined;
  }

  async function load(apiVersion: string): Promise<KnownGroup> {
    const began = generation;
    const { group, version } = parseApiVersion(apiVersion);
    let resources: readonly ResourceType[] = [];
    try {
      resources = readResourceList((await request({ path: groupVersionPath(group, version) })).body, group, version);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
    const found = { kinds: new Map(resources.map((type) => [type.kind, type])), at: clock.elapsed() };
    if (began === generation) {
      groups.delete(apiVersion);
      groups.set(apiVersion, found);
      for (const oldest of groups.keys()) {
        if (groups.size <= MOST_GROUPS) break;
        groups.delete(oldest);
      }
    }
    return found;
  }

  async function listAll(): Promise<readonly ResourceType[]> {
    const [core, named] = await Promise.all(
      ['/api', '/apis'].map((path) => request({ path, headers: { Accept: AGGREGATED } }).then(({ body }) => body)),
    );
    const aggregated = [core, named].map(readAggregated);
    if (aggregated[0] !== undefined && aggregated[1] !== undefined) return preferred([...aggregated[0], ...aggregated[1]]);
    return preferred(await listLegacy(core, named));
  }

  /** Servers before 1.30, and aggregated API servers in front of them, only have a list for each version. */
  async function listLegacy(core: unknown, named: unknown): Promise<ResourceType[]> {
    const versions = [
      ...stringsOf(fieldOf(core, 'versions')).map((version) => ({ group: '', version })),
      ...objectsOf(fieldOf(named, 'groups')).flatMap((group) => {
        const first = fieldOf(group['preferredVersion'], 'version');
        const all = objectsOf(group['versions']).map((each) => each['version']);
        const ordered = [first, ...all.filter((version) => version !== first)];
        return ordered.flatMap((version) => (typeof version === 'string' ? [{ group: textOf(group['name']), version }] : []));
      }),
    ];
    const lists = await Promise.all(
      versions.map(async ({ group, version }) => {
        try {
          return readResourceList((await request({ path: groupVersionPath(group, version) })).body, group, version);
        } catch (error) {
          // An aggregated API whose server is away must not hide all others.
          if (error instanceof ApiError && (error.status === 404 || error.status >= 500)) return [];
          throw error;
        }
      }),
    );
    return lists.flat();
  }

  return {
    known,
    async resourceOf(apiVersion, kind, options = {}) {
      const now = known(apiVersion, kind);
      if (now !== undefined) return now;
      let pending = loading.get(apiVersion);
      if (pending === undefined) {
        pending = load(apiVersion).finally(() => {
          if (loading.get(apiVersion) === pending) loading.delete(apiVersion);
        });
        loading.set(apiVersion, pending);
      }
      const { kinds } = await unlessAborted(pending, options.signal);
      return kinds.get(kind) ?? null;
    },
    all(options = {}) {
      if (everything === undefined || clock.elapsed() - everything.at >= TTL) {
        const asked = { resources: listAll(), at: clock.elapsed() };
        everything = asked;
        asked.resources.catch(() => {
          if (everything === asked) everything = undefined;
        });
      }
      return unlessAborted(everything.resources, options.signal);
    },
    invalidate(group) {
      generation++;
      everything = undefined;
      for (const apiVersion of groups.keys())
        if (group === undefined || parseApiVersion(apiVersion).group === group) groups.delete(apiVersion);
      loading.clear();
    },
  };
}

/**
 * The resource of a kind once the server serves it: what was just defined appears a moment later. Rejects with an Error that
 * says so when it does not within `timeout` milliseconds.
 */
export async function whenServed(
  discovery: ResourceDiscovery,
  apiVersion: string,
  kind: string,
  options: RequestOptions & { readonly timeout: number; readonly clock: Clock },
): Promise<ResourceType> {
  const { timeout, clock, signal } = options;
  const until = clock.elapsed() + timeout;
  for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
    const found = await discovery.resourceOf(apiVersion, kind, signal === undefined ? {} : { signal });
    if (found !== null) return found;
    if (clock.elapsed() + wait > until) throw new Error(`the API server does not serve kind ${kind} of ${apiVersion} after ${timeout} ms`);
    await pause(clock, wait, signal);
    discovery.invalidate(parseApiVersion(apiVersion).group);
  }
}

/** The first version of each resource: versions are in the order in which the server prefers them. */
function preferred(resources: readonly ResourceType[]): ResourceType[] {
  const found = new Map<string, ResourceType>();
  for (const type of resources) {
    const key = `${type.group}/${type.resource}`;
    if (!found.has(key)) found.set(key, type);
  }
  return [...found.values()];
}

/** Of an APIResourceList. Kubernetes: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go, APIResource. */
function readResourceList(body: unknown, group: string, version: string): ResourceType[] {
  const list = fieldOf(body, 'resources');
  if (!Array.isArray(list)) {
    if (isJsonObject(body) && body['kind'] === 'APIResourceList') return [];
    throw new ConnectionError('the API server answered discovery with something that is not an APIResourceList');
  }
  const found = new Map<string, ResourceType & { readonly subresources: string[] }>();
  const nested: string[] = [];
  for (const item of objectsOf(list)) {
    const { name, kind } = item;
    if (typeof name !== 'string' || typeof kind !== 'string') continue;
    if (name.includes('/')) {
      nested.push(name);
      continue;
    }
    const verbs = stringsOf(item['verbs']);
    const namespaced = item['namespaced'] === true;
    found.set(name, { group, version, resource: name, kind, namespaced, verbs, subresources: [], ...shortNamesOf(item) });
  }
  for (const name of nested) {
    const slash = name.indexOf('/');
    found.get(name.slice(0, slash))?.subresources.push(name.slice(slash + 1));
  }
  return [...found.values()];
}

/** Of an APIGroupDiscoveryList; undefined where the body is something else. Kubernetes: staging/src/k8s.io/api/apidiscovery/v2/types.go. */
function readAggregated(body: unknown): ResourceType[] | undefined {
  if (fieldOf(body, 'kind') !== 'APIGroupDiscoveryList') return undefined;
  const found: ResourceType[] = [];
  for (const group of objectsOf(fieldOf(body, 'items'))) {
    for (const version of objectsOf(group['versions'])) {
      for (const item of objectsOf(version['resources'])) {
        const kind = textOf(fieldOf(item['responseKind'], 'kind'));
        const resource = textOf(item['resource']);
        // A resource that only has subresources has no kind of its own.
        if (kind === '' || resource === '') continue;
        found.push({
          group: textOf(fieldOf(group['metadata'], 'name')),
          version: textOf(version['version']),
          resource,
          kind,
          namespaced: item['scope'] === 'Namespaced',
          verbs: stringsOf(item['verbs']),
          subresources: objectsOf(item['subresources']).map((each) => textOf(each['subresource'])),
          ...shortNamesOf(item),
        });
      }
    }
  }
  return found;
}

function shortNamesOf(item: JsonObject): Pick<ResourceType, 'shortNames'> {
  const shortNames = stringsOf(item['shortNames']);
  return shortNames.length === 0 ? {} : { shortNames };
}

/** The result, unless the signal aborts first: others may wait for the same answer. */
function unlessAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return result;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new ConnectionError('given up', 'ABORT_ERR'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function fieldOf(value: unknown, name: string): Json | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}

function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function stringsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item: Json): item is string => typeof item === 'string') : [];
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
