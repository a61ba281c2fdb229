import type { Activation } from '../../cel/program.ts';
import type { CelValue, PlainObject } from '../../cel/values.ts';
import type { AdmissionRequest, GroupVersionKind, GroupVersionResource, JsonObject } from './decision.ts';
import type { FactReader } from './fact-reader.ts';

/** Values of `authorizer` and `authorizer.requestResource` for a request. */
export interface AuthorizerValues {
  readonly authorizer: CelValue;
  readonly requestResource: CelValue;
}

/** Values of the variables that only some kinds of policies declare; absent ones err when read. */
export interface HostValues {
  readonly resource: CelValue;
  readonly image: CelValue;
}

/**
 * What expressions of one request see, by CEL's names. One object of one shape serves all policies of the request: what
 * differs between policies is set from policy to policy, what few policies read is filled in for the first that does.
 */
export interface RequestActivation {
  object: CelValue;
  oldObject: CelValue;
  request: CelValue | undefined;
  namespaceObject: CelValue | undefined;
  params: CelValue | undefined;
  variables: CelValue | undefined;
  authorizer: CelValue | undefined;
  'authorizer.requestResource': CelValue | undefined;
  /** Bound by `forEach`. */
  item: CelValue | undefined;
  index: CelValue | undefined;
  key: CelValue | undefined;
  resource: CelValue | undefined;
  image: CelValue | undefined;
}

/** Variables of {@link RequestActivation} that cost something to fill in. */
export interface UsedVariables {
  readonly request: boolean;
  readonly namespaceObject: boolean;
  readonly authorizer: boolean;
  readonly host: boolean;
}

export function requestActivation(request: AdmissionRequest): RequestActivation {
  return {
    object: (request.object ?? null) as CelValue,
    oldObject: (request.oldObject ?? null) as CelValue,
    request: undefined,
    namespaceObject: undefined,
    params: undefined,
    variables: undefined,
    authorizer: undefined,
    'authorizer.requestResource': undefined,
    item: undefined,
    index: undefined,
    key: undefined,
    resource: undefined,
    image: undefined,
  };
}

/** The activation of validations and mutations, with variables of its own. */
export function withVariables(activation: RequestActivation, variables: CelValue): Activation {
  return { ...activation, variables };
}

/** The activation of message expressions and audit annotations: no `authorizer`. */
export function withoutAuthorizer(activation: RequestActivation, variables: CelValue): Activation {
  return { ...activation, variables, authorizer: undefined, 'authorizer.requestResource': undefined };
}

/**
 * The value of `request`: what a Go AdmissionRequest serializes to, without uid, object and oldObject. Empty strings are
 * left out, as `omitempty` leaves them out.
 */
export function requestValue(request: AdmissionRequest, resource: GroupVersionResource, kind: GroupVersionKind): PlainObject {
  const value: Record<string, CelValue> = {
    kind: gvk(kind),
    resource: gvr(resource),
    requestKind: gvk(request.requestKind ?? request.kind),
    requestResource: gvr(request.requestResource ?? request.resource),
    operation: request.operation,
    userInfo: userInfoValue(request),
    dryRun: request.dryRun ?? false,
    options: request.options ?? null,
  };
  if (request.subResource) value['subResource'] = request.subResource;
  const requestSubResource = request.requestSubResource ?? request.subResource;
  if (requestSubResource) value['requestSubResource'] = requestSubResource;
  if (request.name) value['name'] = request.name;
  if (request.namespace) value['namespace'] = request.namespace;
  return value;
}

const gvk = (kind: GroupVersionKind): PlainObject => ({ group: kind.group, version: kind.version, kind: kind.kind });
const gvr = (resource: GroupVersionResource): PlainObject => ({
  group: resource.group,
  version: resource.version,
  resource: resource.resource,
});

function userInfoValue({ userInfo }: AdmissionRequest): PlainObject {
  const value: Record<string, CelValue> = {};
  if (userInfo?.username) value['username'] = userInfo.username;
  if (userInfo?.uid) value['uid'] = userInfo.uid;
  if (userInfo?.groups?.length) value['groups'] = userInfo.groups;
  if (userInfo?.extra && Object.keys(userInfo.extra).length > 0) value['extra'] = userInfo.extra;
  return value;
}

const NAMESPACE_METADATA = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'finalizers',
];

/**
 * The value of `namespaceObject`: null for requests of cluster-scoped objects and of Namespaces. Undefined: the namespace is
 * not there. May throw NEEDS_FACTS. Kubernetes: apiserver cel/condition.go CreateNamespaceObject.
 */
export function namespaceValue(request: AdmissionRequest, facts: FactReader): CelValue | undefined {
  if (!request.namespace || isNamespaceKind(request.kind)) return null;
  const found = facts.namespace(request.namespace);
  if (found === null) return undefined;
  const metadata: Record<string, CelValue> = {};
  const source = (Object.hasOwn(found, 'metadata') ? found['metadata'] : {}) as JsonObject;
  for (const field of NAMESPACE_METADATA) if (Object.hasOwn(source, field)) metadata[field] = source[field]!;
  const value: Record<string, CelValue> = { metadata, spec: {}, status: {} };
  for (const field of ['spec', 'status']) if (Object.hasOwn(found, field)) value[field] = found[field]!;
  return value;
}

export function isNamespaceKind(kind: GroupVersionKind): boolean {
  return kind.group === '' && kind.version === 'v1' && kind.kind === 'Namespace';
}
