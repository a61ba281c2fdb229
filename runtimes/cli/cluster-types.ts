import { typesWith } from '../../engine/bundle/compile.ts';
import type { CompactResource } from '../../engine/object/compact-schema.ts';
import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';
import { openApiTypes } from '../../engine/object/openapi-types.ts';
import { formatApiVersion, layerTypes, type TypeTable } from '../../engine/object/type-table.ts';
import type { KubernetesClient, ResourceType } from '../kubernetes/client.ts';

/** Documents in flight at the same time. */
const AT_ONCE = 8;
/** Group versions that are asked for; clusters with hundreds of custom resources have fewer. */
const MAX_DOCUMENTS = 1000;

/** The types of what a cluster serves, over the built-in ones. Rejects where the server is not reached, or publishes no OpenAPI v3. */
export async function clusterTypes(client: KubernetesClient): Promise<TypeTable> {
  const { body } = await client.request({ path: '/openapi/v3' });
  // Kubernetes answers the index as text.
  const root = (typeof body === 'string' ? JSON.parse(body) : body) as Json;
  const index = isJsonObject(root) ? root['paths'] : undefined;
  const urls = Object.entries(isJsonObject(index as Json) ? (index as JsonObject) : {}).flatMap(([path, entry]) => {
    const url = isJsonObject(entry) ? entry['serverRelativeURL'] : undefined;
    return /^apis?\/.*v[0-9]/.test(path) && typeof url === 'string' && url.startsWith('/') ? [url] : [];
  });
  const documents: unknown[] = [];
  for (let at = 0; at < Math.min(urls.length, MAX_DOCUMENTS); at += AT_ONCE) {
    documents.push(...(await Promise.all(urls.slice(at, at + AT_ONCE).map(async (path) => (await client.request({ path })).body))));
  }
  return documentedTypes(documents, await client.discovery.all());
}

/** The types that OpenAPI v3 documents and discovery tell of, over the built-in ones. */
export function documentedTypes(documents: readonly unknown[], served: readonly ResourceType[]): TypeTable {
  const resources: { [apiVersion: string]: { [resource: string]: CompactResource } } = {};
  for (const { group, version, resource, kind, namespaced, subresources } of served) {
    const apiVersion = formatApiVersion(group, version);
    resources[apiVersion] ??= {};
    resources[apiVersion][resource] = {
      kind: `${apiVersion}/${kind}`,
      ...(namespaced ? { namespaced } : {}),
      subresources: Object.fromEntries(subresources.map((name) => [name, name === 'scale' ? 'autoscaling/v1/Scale' : ''])),
    };
  }
  const builtIn = typesWith([]);
  // Of built-in resources the table knows more: which kind the requests of a subresource have.
  for (const [apiVersion, list] of Object.entries(resources)) {
    for (const { group, version, resource } of served.filter((type) => formatApiVersion(type.group, type.version) === apiVersion)) {
      if (builtIn.resource(group, version, resource) !== undefined) delete list[resource];
    }
  }
  return layerTypes({ kubernetes: '', ...openApiTypes(documents), resources }, builtIn);
}
