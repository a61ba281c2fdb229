/** What a path names. Kubernetes: apiserver pkg/endpoints/request/requestinfo.go. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  /** `` for what is cluster-scoped or spans all namespaces. */
  readonly namespace: string;
  readonly resource: string;
  /** `` for a list. */
  readonly name: string;
  /** `` where there is none. */
  readonly subresource: string;
  /** What follows the subresource, as with `proxy`. */
  readonly rest: readonly string[];
  /** The old form of a watch: `/api/v1/watch/pods`. */
  readonly watch: boolean;
}

const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/** The resource that a path names; undefined for what is no resource, and where a segment is no valid encoding. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const raw = path.split('/').slice(1);
  if (raw.at(-1) === '') raw.pop();
  const segments: string[] = [];
  for (const segment of raw) {
    try {
      segments.push(decodeURIComponent(segment));
    } catch {
      return undefined;
    }
  }
  const [root] = segments;
  let rest: string[];
  let group = '';
  let version: string;
  if (root === 'api' && segments.length >= 3) [version, rest] = [segments[1] as string, segments.slice(2)];
  else if (root === 'apis' && segments.length >= 4)
    [group, version, rest] = [segments[1] as string, segments[2] as string, segments.slice(3)];
  else return undefined;
  const watch = rest[0] === 'watch' && rest.length > 1;
  if (watch) rest = rest.slice(1);
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1] as string;
    // `/namespaces/x` and `/namespaces/x/status` are the namespace itself.
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2] as string)) rest = rest.slice(2);
    else if (rest.length === 2 || rest.length === 3) {
      return { group, version, namespace, resource: 'namespaces', name: namespace, subresource: rest[2] ?? '', rest: [], watch };
    }
  }
  const [resource = '', name = '', subresource = '', ...further] = rest;
  return resource === '' ? undefined : { group, version, namespace, resource, name, subresource, rest: further, watch };
}
