import { isJsonObject, type JsonObject, ownText, ownValue } from '../../object/json.ts';
import { pluralOf } from '../../object/plural.ts';
import { parseApiVersion, type TypeTable } from '../../object/type-table.ts';
import type { AdmissionRequest, Operation, UserInfo } from './decision.ts';

export interface ObjectRequestOptions {
  readonly operation: Operation;
  readonly user: UserInfo;
  /** Namespace of objects that name none and are not known to be cluster-wide. */
  readonly namespace: string;
  readonly types: TypeTable | undefined;
  /** The object before an UPDATE. Default: the object itself, an update that changes nothing. */
  readonly old?: JsonObject | undefined;
  readonly uid?: string;
}

const OPTIONS_KINDS: Readonly<Record<Operation, string>> = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
  CONNECT: '',
};

/** The request an API server would send about an object. A DELETE has it as the old object. */
export function objectRequest(object: JsonObject, options: ObjectRequestOptions): AdmissionRequest {
  const { operation, types, user } = options;
  const { group, version } = parseApiVersion(ownText(object, 'apiVersion'));
  const kind = ownText(object, 'kind');
  const served = types?.resourceOf(group, version, kind);
  const found = ownValue(object, 'metadata');
  const metadata: JsonObject = isJsonObject(found) ? found : {};
  const name = ownText(metadata, 'name');
  const isNamespaced = served?.namespaced ?? true;
  const given = ownText(metadata, 'namespace') || options.namespace;
  // Admission asks about a Namespace with its own name as the namespace.
  const namespace = isNamespaced ? given : group === '' && kind === 'Namespace' ? name : undefined;
  const placed =
    isNamespaced && ownText(metadata, 'namespace') !== given ? { ...object, metadata: { ...metadata, namespace: given } } : object;
  const gvk = { group, version, kind };
  const resource = { group, version, resource: served?.resource ?? pluralOf(kind) };
  return {
    uid: options.uid ?? '00000000-0000-0000-0000-000000000000',
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
