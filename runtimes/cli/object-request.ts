import { createHash } from 'node:crypto';
import { parseApiVersion, type TypeTable } from '../../engine/object/type-table.ts';
import type { AdmissionRequest, JsonObject, Operation, UserInfo } from '../../engine/rules/admission/decision.ts';

export interface ObjectRequestOptions {
  readonly operation: Operation;
  readonly user: UserInfo;
  /** Namespace of objects that name none and are not known to be cluster-wide. */
  readonly namespace: string;
  readonly types: TypeTable;
  /** The object before an UPDATE. */
  readonly old?: JsonObject | undefined;
}

const OPTIONS_KINDS: Readonly<Record<Operation, string>> = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
  CONNECT: '',
};

/**
 * The request an API server would send about an object. A DELETE has it as the old object. An UPDATE without an old object is one that
 * changes nothing. The uid is made from the content, so that the same run prints the same.
 */
export function objectRequest(object: JsonObject, options: ObjectRequestOptions): AdmissionRequest {
  const { operation, types, user } = options;
  const apiVersion = typeof object['apiVersion'] === 'string' ? object['apiVersion'] : '';
  const kind = typeof object['kind'] === 'string' ? object['kind'] : '';
  const { group, version } = parseApiVersion(apiVersion);
  const served = types.resourceOf(group, version, kind);
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const name = typeof metadata['name'] === 'string' ? metadata['name'] : '';
  const isNamespaced = served?.namespaced ?? true;
  const given = typeof metadata['namespace'] === 'string' && metadata['namespace'] !== '' ? metadata['namespace'] : options.namespace;
  // Admission asks about a Namespace with its own name as the namespace. Kubernetes: apiserver pkg/endpoints/request.
  const namespace = isNamespaced ? given : group === '' && kind === 'Namespace' ? name : undefined;
  const placed = isNamespaced && metadata['namespace'] !== given ? { ...object, metadata: { ...metadata, namespace: given } } : object;
  const gvk = { group, version, kind };
  const resource = { group, version, resource: served?.resource ?? pluralOf(kind) };
  return {
    uid: uidOf(JSON.stringify([operation, apiVersion, kind, namespace ?? '', name])),
    kind: gvk,
    resource,
    requestKind: gvk,
    requestResource: resource,
    ...(name === '' ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    operation,
    userInfo: user,
    object: operation === 'DELETE' ? null : placed,
    oldObject: operation === 'DELETE' ? placed : operation === 'UPDATE' ? (options.old ?? placed) : null,
    dryRun: true,
    options: { apiVersion: 'meta.k8s.io/v1', kind: OPTIONS_KINDS[operation] },
  };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The plural by English rules, which is what generators of CRDs use. */
export function pluralOf(kind: string): string {
  const singular = kind.toLowerCase();
  if (singular.endsWith('endpoints')) return singular;
  if (/(s|x|z|ch|sh)$/.test(singular)) return `${singular}es`;
  if (/[^aeiou]y$/.test(singular)) return `${singular.slice(0, -1)}ies`;
  return `${singular}s`;
}

function uidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
