import type { CompactResource, TypeTableData } from '../../engine/object/compact-schema.ts';
import { isJsonObject } from '../../engine/object/json.ts';
import { openApiTypes } from '../../engine/object/openapi-types.ts';
import { ApiError } from './api-error.ts';
import type { KubernetesClient, RequestOptions } from './client.ts';
import { apiVersionOf } from './resource-path.ts';

export interface ClusterTypesOptions extends RequestOptions {
  /** Whether the types of a group and version are wanted; default: all. Those of Kubernetes itself are many. */
  readonly wanted?: (group: string, version: string) => boolean;
}

/** Documents that are read at once: each is parsed whole and may have megabytes. */
const AT_ONCE = 4;
const VERSION_PATH = /^(?:api\/(v[0-9a-z]+)|apis\/([^/]+)\/(v[0-9a-z]+))$/;

/**
 * The kinds that a server serves with their types, by its OpenAPI v3 documents and discovery, for checking rules against the live
 * cluster: data for `createTypeTable`. A group whose document is not to be had (an aggregated API whose server is away) is left out.
 */
export async function clusterTypes(client: KubernetesClient, options: ClusterTypesOptions = {}): Promise<TypeTableData> {
  const { wanted = () => true } = options;
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const [index, served, version] = await Promise.all([
    client.request({ path: '/openapi/v3', ...signal }),
    client.discovery.all(options),
    client.request({ path: '/version', ...signal }),
  ]);
  const paths = isJsonObject(index.body) && isJsonObject(index.body['paths']) ? index.body['paths'] : {};
  const urls = Object.entries(paths).flatMap(([path, entry]) => {
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
  const resources: { [apiVersion: string]: { [resource: string]: CompactResource } } = {};
  for (const type of served) {
    if (!wanted(type.group, type.version)) continue;
    const apiVersion = apiVersionOf(type);
    resources[apiVersion] ??= {};
    resources[apiVersion][type.resource] = {
      kind: `${apiVersion}/${type.kind}`,
      ...(type.namespaced ? { namespaced: true as const } : {}),
      ...(type.subresources.length > 0 ? { subresources: Object.fromEntries(type.subresources.map((name) => [name, ''])) } : {}),
    };
  }
  const gitVersion = isJsonObject(version.body) ? version.body['gitVersion'] : undefined;
  return { kubernetes: typeof gitVersion === 'string' ? gitVersion : '', ...openApiTypes(documents), resources };
}

async function load(client: KubernetesClient, path: string, signal: RequestOptions): Promise<unknown> {
  try {
    return (await client.request({ path, ...signal })).body;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status >= 500)) return undefined;
    throw error;
  }
}
