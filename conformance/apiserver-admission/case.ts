import type { Impersonation } from '../../runtimes/kubernetes/connection.ts';

/** Plain data of a document; `$NS` in any string stands for the case's namespace. */
export type Draft = { readonly [key: string]: unknown };

/** A policy with its bindings; names and the selector that keeps cases apart are filled in. */
export interface PolicyDraft {
  readonly kind: 'ValidatingAdmissionPolicy' | 'MutatingAdmissionPolicy';
  readonly spec: Draft;
  /** Specs of bindings, without `policyName`. */
  readonly bindings: readonly Draft[];
}

export interface RequestDraft {
  readonly name: string;
  /** Key of {@link RESOURCES}. */
  readonly resource: string;
  readonly verb: 'create' | 'update' | 'patch' | 'delete' | 'connect';
  readonly subresource?: string;
  /** The object sent (create, update), or the merge patch (patch). `metadata.name` is `x` when absent. */
  readonly object?: Draft;
  /** Stored beforehand under the same name; needed by all verbs but create. */
  readonly stored?: Draft;
  /** Default: the cluster's admin. */
  readonly as?: Impersonation;
  readonly query?: Readonly<Record<string, string>>;
}

/** Policies and the requests that meet them. Each request is one comparison. */
export interface AdmissionCase {
  readonly name: string;
  readonly policies: readonly PolicyDraft[];
  readonly requests: readonly RequestDraft[];
  /** Parameter objects and whatever else must exist. */
  readonly objects?: readonly Draft[];
  /** Labels and annotations of the case's namespace. */
  readonly namespace?: { readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
  /** Keep cases apart by a label on the objects, not by namespace: for cluster-scoped resources. */
  readonly clusterScoped?: boolean;
}

export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Kinds that cases use. */
export const RESOURCES: Readonly<Record<string, Resource>> = {
  configmaps: { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true },
  secrets: { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true },
  pods: { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true },
  services: { apiVersion: 'v1', kind: 'Service', plural: 'services', namespaced: true },
  serviceaccounts: { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', namespaced: true },
  namespaces: { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false },
  deployments: { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true },
  jobs: { apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true },
  clusterroles: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', plural: 'clusterroles', namespaced: false },
  rolebindings: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', plural: 'rolebindings', namespaced: true },
  roles: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', plural: 'roles', namespaced: true },
  horizontalpodautoscalers: {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
    namespaced: true,
  },
  horizontalpodautoscalersV1: {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
    namespaced: true,
  },
  statefulsets: { apiVersion: 'apps/v1', kind: 'StatefulSet', plural: 'statefulsets', namespaced: true },
  daemonsets: { apiVersion: 'apps/v1', kind: 'DaemonSet', plural: 'daemonsets', namespaced: true },
  cronjobs: { apiVersion: 'batch/v1', kind: 'CronJob', plural: 'cronjobs', namespaced: true },
  ingresses: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', plural: 'ingresses', namespaced: true },
  networkpolicies: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', plural: 'networkpolicies', namespaced: true },
  poddisruptionbudgets: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets', namespaced: true },
  persistentvolumeclaims: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', namespaced: true },
  persistentvolumes: { apiVersion: 'v1', kind: 'PersistentVolume', plural: 'persistentvolumes', namespaced: false },
  storageclasses: { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', plural: 'storageclasses', namespaced: false },
  clusterrolebindings: {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    plural: 'clusterrolebindings',
    namespaced: false,
  },
  widgets: { apiVersion: 'conformance.example/v1', kind: 'Widget', plural: 'widgets', namespaced: true },
  limits: { apiVersion: 'conformance.example/v1', kind: 'Limit', plural: 'limits', namespaced: true },
  clusterlimits: { apiVersion: 'conformance.example/v1', kind: 'ClusterLimit', plural: 'clusterlimits', namespaced: false },
};

/** Path of a collection, or of one object when `name` is given. */
export function resourcePath(resource: Resource, namespace: string, name?: string): string {
  const root = resource.apiVersion.includes('/') ? `/apis/${resource.apiVersion}` : `/api/${resource.apiVersion}`;
  const scope = resource.namespaced ? `/namespaces/${namespace}` : '';
  return `${root}${scope}/${resource.plural}${name === undefined ? '' : `/${name}`}`;
}

/** The resource of an object among {@link RESOURCES}. */
export function resourceOf(object: Draft): Resource {
  for (const resource of Object.values(RESOURCES)) {
    if (resource.apiVersion === object['apiVersion'] && resource.kind === object['kind']) return resource;
  }
  throw new Error(`no resource for ${String(object['apiVersion'])} ${String(object['kind'])}`);
}

/** `resourceRules` of one rule for a resource, for `matchConstraints` and `matchResources`. */
export function rule(resource: string, operations: readonly string[] = ['CREATE', 'UPDATE'], subresource?: string): Draft {
  const { apiVersion, plural } = RESOURCES[resource]!;
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return { apiGroups: [group], apiVersions: [version], operations, resources: [subresource ? `${plural}/${subresource}` : plural] };
}

export function constraints(...rules: readonly Draft[]): Draft {
  return { resourceRules: rules };
}

/** A validation given by its expression alone, or in full. */
export type ValidationDraft = string | Draft;

/**
 * A ValidatingAdmissionPolicy on config maps with one denying binding, unless `spec` and `bindings` say otherwise.
 */
export function vap(validations: readonly ValidationDraft[], spec: Draft = {}, bindings: readonly Draft[] = [{}]): PolicyDraft {
  return {
    kind: 'ValidatingAdmissionPolicy',
    spec: {
      matchConstraints: constraints(rule('configmaps')),
      ...(validations.length > 0
        ? { validations: validations.map((each) => (typeof each === 'string' ? { expression: each } : each)) }
        : {}),
      ...spec,
    },
    bindings: bindings.map((binding) => ({ validationActions: ['Deny'], ...binding })),
  };
}

/** A MutatingAdmissionPolicy on config maps with one binding, unless `spec` and `bindings` say otherwise. */
export function map(mutations: readonly Draft[], spec: Draft = {}, bindings: readonly Draft[] = [{}]): PolicyDraft {
  return {
    kind: 'MutatingAdmissionPolicy',
    spec: { matchConstraints: constraints(rule('configmaps')), reinvocationPolicy: 'Never', failurePolicy: 'Fail', mutations, ...spec },
    bindings,
  };
}

export function apply(expression: string): Draft {
  return { patchType: 'ApplyConfiguration', applyConfiguration: { expression } };
}

export function jsonPatch(expression: string): Draft {
  return { patchType: 'JSONPatch', jsonPatch: { expression } };
}

/** Creates a config map with this data. */
export function createConfigMap(
  data: Readonly<Record<string, string>>,
  metadata: Draft = {},
  more: Partial<RequestDraft> = {},
): RequestDraft {
  return { name: 'create', resource: 'configmaps', verb: 'create', object: { metadata, data }, ...more };
}

/** One policy met by one or more requests. */
export function single(
  name: string,
  policy: PolicyDraft,
  requests: RequestDraft | readonly RequestDraft[] = createConfigMap({ a: '1' }),
  more: Partial<AdmissionCase> = {},
): AdmissionCase {
  return { name, policies: [policy], requests: 'verb' in requests ? [requests] : requests, ...more };
}
