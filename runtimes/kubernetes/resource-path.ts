import type { AskedFor } from './api-error.ts';
import type { ObjectName, ResourceType } from './client.ts';

/** `/api/v1`, `/apis/apps/v1`. */
export function groupVersionPath(group: string, version: string): string {
  return group === '' ? `/api/${encodeURIComponent(version)}` : `/apis/${encodeURIComponent(group)}/${encodeURIComponent(version)}`;
}

/** Where the objects of a resource are: of one namespace, or of all when it is absent. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const scope = type.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${groupVersionPath(type.group, type.version)}${scope}/${encodeURIComponent(type.resource)}`;
}

/** Where one object is. Throws where a name is missing: the path would be another's. */
export function objectPath(type: ResourceType, { namespace, name }: ObjectName, subresource?: string): string {
  if (name === '') throw new Error(`a name is needed for ${type.resource}`);
  if (type.namespaced && !namespace) throw new Error(`${type.resource} ${JSON.stringify(name)} needs a namespace`);
  return `${collectionPath(type, namespace)}/${encodeURIComponent(name)}${subresource ? `/${subresource}` : ''}`;
}

/** `/path?name=value`, without parameters that are undefined. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/**
 * What a request asks for in the words of RBAC; undefined where it is not about a resource.
 * Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
 */
export function askedFor(method: string, pathAndQuery: string): AskedFor | undefined {
  const { pathname, searchParams } = new URL(pathAndQuery, 'http://server');
  const parts = pathname.split('/').slice(1).map(decodeURIComponent);
  const grouped = parts[0] === 'apis';
  if (!grouped && parts[0] !== 'api') return undefined;
  const group = grouped ? (parts[1] ?? '') : '';
  let rest = parts.slice(grouped ? 3 : 2);
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1]!;
    // A namespace and its subresources are asked for in the namespace.
    if (rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize') rest = rest.slice(2);
  }
  const [resource = '', name = '', subresource = ''] = rest;
  if (resource === '') return undefined;
  return { verb: verbOf(method, name, searchParams.get('watch')), group, resource, subresource, namespace, name };
}

function verbOf(method: string, name: string, watch: string | null): string {
  switch (method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === '' ? 'deletecollection' : 'delete';
    default:
      return watch === '1' || watch === 'true' ? 'watch' : name === '' ? 'list' : 'get';
  }
}
