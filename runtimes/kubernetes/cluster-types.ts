import type { CompactResource, TypeTableData } from '../../engine/object/compact-schema.ts';
import { isJsonObject, type JsonObject } from '../../engine/object/json.ts';
import { openApiTypes } from '../../engine/object/openapi-types.ts';
import { formatApiVersion } from '../../engine/object/type-table.ts';
import { type Clock, systemClock } from '../host/clock.ts';
import { parseJsonBody } from '../host/json-body.ts';
import { ApiError } from './api-error.ts';
import type { KubernetesClient, RequestOptions, ResourceType } from './client.ts';
import { pause } from './pause.ts';

export interface ClusterTypesOptions extends RequestOptions {
  /** Whether the types of a group and version are wanted; default: all. Those of Kubernetes itself are many. */
  readonly wanted?: (group: string, version: string) => boolean;
  readonly clock?: Clock;
}

/** Documents that are read at once: each is parsed whole and may have megabytes. */
const AT_ONCE = 4;
/** Milliseconds for which a server that has just started may publish nothing yet, and how often it is asked meanwhile. */
const PATIENCE = 10_000;
const ASK_AGAIN = 250;
const VERSION_PATH = /^(?:api\/(v[0-9a-z]+)|apis\/([^/]+)\/(v[0-9a-z]+))$/;

/**
 * The kinds that a server serves with their types, by its OpenAPI v3 documents and discovery, for checking rules against the live
 * cluster: data for `createTypeTable`. A group whose document is not to be had (an aggregated API whose server is away) is left out.
 */
export async function clusterTypes(client: KubernetesClient, options: ClusterTypesOptions = {}): Promise<TypeTableData> {
  const { wanted = () => true } = options;
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const [index, served, version] = await Promise.all([
    openApiIndex(client, options),
    client.discovery.all(options),
    client.request({ path: '/version', ...signal }),
  ]);
  const urls = Object.entries(index).flatMap(([path, entry]) => {
    const [, core, group = '', grouped] = VERSION_PATH.exec(path) ?? [];
    const url = isJsonObject(entry) ? entry['serverRelativeURL'] : undefined;
    const at = core ?? grouped;
    return at !== undefined && typeof url === 'string' && url.startsWith('/') && wanted(group, at) ? [url] : [];
  });
  const documents: unknown[] = [];
  for (let from = 0; from < urls.length; from += AT_ONCE) {
    const answers = await Promise.all(urls.slice(from, from + AT_ONCE).map((path) => load(client, path, signal)));
    documents.push(...answers);
  }
  const gitVersion = isJsonObject(version.body) ? version.body['gitVersion'] : undefined;
  const kinds = served.filter((type) => wanted(type.group, type.version));
  return documentedTypes(documents, kinds, typeof gitVersion === 'string' ? gitVersion : '');
}

/** What OpenAPI v3 documents and discovery tell of kinds, together. `kubernetes` is the version of the server. */
export function documentedTypes(documents: readonly unknown[], served: readonly ResourceType[], kubernetes = ''): TypeTableData {
  // Names come from a server: none of them may be one that every object has.
  const resources: Record<string, Record<string, CompactResource>> = Object.create(null);
  for (const { group, version, resource, kind, namespaced, subresources } of served) {
    const apiVersion = formatApiVersion(group, version);
    resources[apiVersion] ??= Object.create(null) as Record<string, CompactResource>;
    resources[apiVersion][resource] = {
      kind: `${apiVersion}/${kind}`,
      ...(namespaced ? { namespaced: true as const } : {}),
      ...(subresources.length > 0
        ? { subresources: Object.fromEntries(subresources.map((name) => [name, SUBRESOURCES.get(name) ?? ''])) }
        : {}),
    };
  }
  return { kubernetes, ...openApiTypes(documents), resources };
}

/** Kinds of the requests of subresources, where they are not that of the resource. */
const SUBRESOURCES: ReadonlyMap<string, string> = new Map([['scale', 'autoscaling/v1/Scale']]);

/** The documents by path. Without the core group it is not complete. Rejects where it does not become so. */
async function openApiIndex(client: KubernetesClient, { clock = systemClock, signal }: ClusterTypesOptions): Promise<JsonObject> {
  const until = clock.elapsed() + PATIENCE;
  for (;;) {
    const body = await read(client, '/openapi/v3', signal === undefined ? {} : { signal });
    const paths = isJsonObject(body) ? body['paths'] : undefined;
    if (isJsonObject(paths) && Object.hasOwn(paths, 'api/v1')) return paths;
    if (clock.elapsed() >= until) throw new Error(`${client.server} publishes no OpenAPI v3 of the core group`);
    await pause(clock, ASK_AGAIN, signal);
  }
}

async function load(client: KubernetesClient, path: string, signal: RequestOptions): Promise<unknown> {
  try {
    return await read(client, path, signal);
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status >= 500)) return undefined;
    throw error;
  }
}

/** The API server calls the index of its documents text, although it is JSON. */
async function read(client: KubernetesClient, path: string, signal: RequestOptions): Promise<unknown> {
  const { body } = await client.request({ path, ...signal });
  return typeof body === 'string' ? parseJsonBody(Buffer.from(body)) : body;
}
