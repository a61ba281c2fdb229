import { parseApiVersion, type TypeTable } from '../../object/type-table.ts';
import type { GroupVersionKind, GroupVersionResource } from './decision.ts';
import type { EquivalentResource, EquivalentResources } from './resource-match.ts';

/** A kind and the group versions that serve it, newest first. */
interface Family {
  readonly kind: string;
  readonly resource: string;
  readonly groupVersions: readonly string[];
}

/**
 * Kinds that Kubernetes serves, or served in versions that policies still name, under several group versions
 * (`kubectl api-resources` of 1.37, and the deprecation guide for the older ones).
 */
const FAMILIES: readonly Family[] = [
  { kind: 'Deployment', resource: 'deployments', groupVersions: ['apps/v1', 'apps/v1beta2', 'apps/v1beta1', 'extensions/v1beta1'] },
  { kind: 'DaemonSet', resource: 'daemonsets', groupVersions: ['apps/v1', 'apps/v1beta2', 'extensions/v1beta1'] },
  { kind: 'ReplicaSet', resource: 'replicasets', groupVersions: ['apps/v1', 'apps/v1beta2', 'extensions/v1beta1'] },
  { kind: 'StatefulSet', resource: 'statefulsets', groupVersions: ['apps/v1', 'apps/v1beta2', 'apps/v1beta1'] },
  { kind: 'ControllerRevision', resource: 'controllerrevisions', groupVersions: ['apps/v1', 'apps/v1beta2', 'apps/v1beta1'] },
  { kind: 'CronJob', resource: 'cronjobs', groupVersions: ['batch/v1', 'batch/v1beta1'] },
  {
    kind: 'Ingress',
    resource: 'ingresses',
    groupVersions: ['networking.k8s.io/v1', 'networking.k8s.io/v1beta1', 'extensions/v1beta1'],
  },
  { kind: 'IngressClass', resource: 'ingressclasses', groupVersions: ['networking.k8s.io/v1', 'networking.k8s.io/v1beta1'] },
  { kind: 'NetworkPolicy', resource: 'networkpolicies', groupVersions: ['networking.k8s.io/v1', 'extensions/v1beta1'] },
  {
    kind: 'HorizontalPodAutoscaler',
    resource: 'horizontalpodautoscalers',
    groupVersions: ['autoscaling/v2', 'autoscaling/v1', 'autoscaling/v2beta2', 'autoscaling/v2beta1'],
  },
  { kind: 'PodDisruptionBudget', resource: 'poddisruptionbudgets', groupVersions: ['policy/v1', 'policy/v1beta1'] },
  { kind: 'EndpointSlice', resource: 'endpointslices', groupVersions: ['discovery.k8s.io/v1', 'discovery.k8s.io/v1beta1'] },
  { kind: 'Event', resource: 'events', groupVersions: ['v1', 'events.k8s.io/v1', 'events.k8s.io/v1beta1'] },
  { kind: 'RuntimeClass', resource: 'runtimeclasses', groupVersions: ['node.k8s.io/v1', 'node.k8s.io/v1beta1'] },
  ...['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'].map((kind) => ({
    kind,
    resource: `${kind.toLowerCase()}s`,
    groupVersions: ['rbac.authorization.k8s.io/v1', 'rbac.authorization.k8s.io/v1beta1', 'rbac.authorization.k8s.io/v1alpha1'],
  })),
  ...['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment', 'CSIStorageCapacity'].map((kind) => ({
    kind,
    resource:
      kind === 'CSIStorageCapacity' ? 'csistoragecapacities' : kind.endsWith('s') ? `${kind.toLowerCase()}es` : `${kind.toLowerCase()}s`,
    groupVersions: ['storage.k8s.io/v1', 'storage.k8s.io/v1beta1'],
  })),
  { kind: 'PriorityClass', resource: 'priorityclasses', groupVersions: ['scheduling.k8s.io/v1', 'scheduling.k8s.io/v1beta1'] },
  ...['FlowSchema', 'PriorityLevelConfiguration'].map((kind) => ({
    kind,
    resource: `${kind.toLowerCase()}s`,
    groupVersions: ['flowcontrol.apiserver.k8s.io/v1', 'flowcontrol.apiserver.k8s.io/v1beta3', 'flowcontrol.apiserver.k8s.io/v1beta2'],
  })),
  {
    kind: 'CustomResourceDefinition',
    resource: 'customresourcedefinitions',
    groupVersions: ['apiextensions.k8s.io/v1', 'apiextensions.k8s.io/v1beta1'],
  },
  ...['ResourceClaim', 'ResourceClaimTemplate', 'DeviceClass', 'ResourceSlice'].map((kind) => ({
    kind,
    resource: kind.endsWith('s') ? `${kind.toLowerCase()}es` : `${kind.toLowerCase()}s`,
    groupVersions: ['resource.k8s.io/v1', 'resource.k8s.io/v1beta2', 'resource.k8s.io/v1beta1'],
  })),
];

/**
 * Kinds whose objects read the same in every version of the family, so that a policy for one version can be asked about an
 * object of another. The others (Ingress, HorizontalPodAutoscaler, Event...) were reshaped between versions.
 */
const RESHAPED = new Set(['Ingress', 'HorizontalPodAutoscaler', 'Event', 'CustomResourceDefinition', 'EndpointSlice', 'ResourceClaim']);
for (const kind of ['ResourceClaimTemplate', 'DeviceClass', 'ResourceSlice', 'RuntimeClass', 'CSINode', 'FlowSchema']) RESHAPED.add(kind);
RESHAPED.add('PriorityLevelConfiguration');

/** The built-in kinds of Kubernetes that exist under several groups or versions. Subresources keep the group's kinds apart. */
export const builtInEquivalents: EquivalentResources = (resource, subresource) => {
  const family = familyByResource.get(resourceKey(resource));
  if (family === undefined || (subresource !== '' && subresource !== 'status')) return [];
  return family.filter((other) => other.resource.group !== resource.group || other.resource.version !== resource.version);
};

/**
 * The versions of custom resources that the types know. Objects of a custom kind are taken to read the same in all of them, as
 * they do unless a conversion webhook says otherwise.
 */
export function customEquivalents(types: TypeTable): EquivalentResources {
  return (resource, subresource) => {
    if (!resource.group.includes('.') || resource.group.endsWith('.k8s.io')) return [];
    const name = subresource === '' ? resource.resource : `${resource.resource}/${subresource}`;
    return types.versions(resource.group).flatMap((version) => {
      const found = version === resource.version ? undefined : types.resource(resource.group, version, name);
      return found === undefined ? [] : [{ resource: { ...resource, version }, kind: found.kind }];
    });
  };
}

/** Whether an object of this kind may be read as another version of the same kind by changing nothing but `apiVersion`. */
export function readsTheSame(from: GroupVersionKind, to: GroupVersionKind): boolean {
  return from.kind === to.kind && !RESHAPED.has(from.kind);
}

const resourceKey = (resource: GroupVersionResource) => `${resource.group}/${resource.version}/${resource.resource}`;

const familyByResource: ReadonlyMap<string, readonly EquivalentResource[]> = new Map(
  FAMILIES.flatMap((family) => {
    const members = family.groupVersions.map((groupVersion): EquivalentResource => {
      const { group, version } = parseApiVersion(groupVersion);
      return { resource: { group, version, resource: family.resource }, kind: { group, version, kind: family.kind } };
    });
    return members.map((member): [string, readonly EquivalentResource[]] => [resourceKey(member.resource), members]);
  }),
);
