import {
  BOOL,
  type CelType,
  DYN,
  INT,
  listOf,
  mapOf,
  object,
  STRING,
  type StructType,
  TIMESTAMP,
  type TypeProvider,
} from '../../cel/types.ts';

/** A structure with the fields of a table. */
function structType(name: string, fields: Readonly<Record<string, CelType>>): StructType {
  const byName = new Map(Object.entries(fields));
  return { name, field: (field) => byName.get(field), fieldNames: () => byName.keys() };
}

const STRINGS = listOf(STRING);
const LABELS = mapOf(STRING, STRING);

/**
 * The structures behind `request` and `namespaceObject`, with Kubernetes' names, fields and omissions.
 * Kubernetes: apiserver pkg/admission/plugin/cel/compile.go BuildRequestType, BuildNamespaceType.
 */
const TYPES: readonly StructType[] = [
  structType('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING }),
  structType('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING }),
  structType('kubernetes.UserInfo', { username: STRING, uid: STRING, groups: STRINGS, extra: mapOf(STRING, STRINGS) }),
  structType('kubernetes.AdmissionRequest', {
    kind: object('kubernetes.GroupVersionKind'),
    resource: object('kubernetes.GroupVersionResource'),
    subResource: STRING,
    requestKind: object('kubernetes.GroupVersionKind'),
    requestResource: object('kubernetes.GroupVersionResource'),
    requestSubResource: STRING,
    name: STRING,
    namespace: STRING,
    operation: STRING,
    userInfo: object('kubernetes.UserInfo'),
    dryRun: BOOL,
    options: DYN,
  }),
  structType('kubernetes.NamespaceSpec', { finalizers: STRINGS }),
  structType('kubernetes.NamespaceCondition', {
    status: STRING,
    type: STRING,
    lastTransitionTime: TIMESTAMP,
    message: STRING,
    reason: STRING,
  }),
  structType('kubernetes.NamespaceStatus', { conditions: listOf(object('kubernetes.NamespaceCondition')), phase: STRING }),
  structType('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: LABELS,
    annotations: LABELS,
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: STRINGS,
  }),
  structType('kubernetes.Namespace', {
    metadata: object('kubernetes.NamespaceMetadata'),
    spec: object('kubernetes.NamespaceSpec'),
    status: object('kubernetes.NamespaceStatus'),
  }),
];

export const REQUEST_TYPE = object('kubernetes.AdmissionRequest');
export const NAMESPACE_TYPE = object('kubernetes.Namespace');

const byName = new Map(TYPES.map((type) => [type.name, type]));

export const requestTypes: TypeProvider = { structType: (name) => byName.get(name) };

const JSON_PATCH: StructType = {
  ...structType('JSONPatch', { op: STRING, path: STRING, from: STRING, value: DYN }),
  constructible: true,
};

/**
 * `Object`, `Object.<path>` and `JSONPatch`, which mutating expressions construct. Any field of an `Object` is dyn.
 * Kubernetes: apiserver pkg/cel/mutation/typeresolver.go.
 */
export const patchTypes: TypeProvider = {
  structType(name) {
    if (name === 'JSONPatch') return JSON_PATCH;
    if (name !== 'Object' && !name.startsWith('Object.')) return undefined;
    return { name, field: () => DYN, fieldNames: () => [], open: true, constructible: true };
  },
};

/** The first provider that knows a name speaks. */
export function combineTypes(...providers: readonly TypeProvider[]): TypeProvider {
  return {
    structType(name) {
      for (const provider of providers) {
        const found = provider.structType(name);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}
