import type { Quantity } from '../../../../engine/cel/libraries/quantity/quantity.ts';
import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';
import { type KubernetesObject, kind } from '../control-loop/kind.ts';
import type { ServedResource } from '../registry.ts';
import { type PodResources, podAmounts } from '../resource-amounts/pod-requests.ts';
import { addTo, amountsOf, countOf, quantityOf, type ResourceAmounts, type ResourceList } from '../resource-amounts/resource-list.ts';

export interface ResourceQuota extends KubernetesObject {
  readonly spec?: {
    readonly hard?: ResourceList;
    readonly scopes?: readonly string[];
    readonly scopeSelector?: {
      readonly matchExpressions?: readonly { readonly scopeName: string; readonly operator: string; readonly values?: readonly string[] }[];
    };
  };
  readonly status?: { readonly hard?: ResourceList; readonly used?: ResourceList };
}

export const RESOURCE_QUOTAS = kind<ResourceQuota>('', 'v1', 'resourcequotas', 'ResourceQuota');

/** Core resources that are counted under their plain names. */
const COUNTED = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
]);

/** `count/deployments.apps`, `count/pods`. */
const countName = ({ group, resource }: Pick<ServedResource, 'group' | 'resource'>): string =>
  group === '' ? `count/${resource}` : `count/${resource}.${group}`;

/** What one object takes of a quota. Kubernetes: pkg/quota/v1/evaluator/core. */
export function usageOf(type: Pick<ServedResource, 'group' | 'resource'>, object: JsonObject): ResourceAmounts {
  const usage = new Map<string, Quantity>([[countName(type), countOf(1)]]);
  if (type.group !== '') return usage;
  const add = (name: string, amount: Quantity): void => addTo(usage, new Map([[name, amount]]));
  switch (type.resource) {
    case 'pods':
      return isTerminal(object) ? new Map([[countName(type), countOf(1)]]) : podUsage(object);
    case 'services': {
      add('services', countOf(1));
      const spec: JsonObject = isJsonObject(object['spec']) ? object['spec'] : {};
      const ports = Array.isArray(spec['ports']) ? spec['ports'].length : 0;
      if (spec['type'] === 'NodePort') add('services.nodeports', countOf(ports));
      if (spec['type'] === 'LoadBalancer') {
        add('services.loadbalancers', countOf(1));
        if (spec['allocateLoadBalancerNodePorts'] !== false) add('services.nodeports', countOf(ports));
      }
      return usage;
    }
    case 'persistentvolumeclaims': {
      add('persistentvolumeclaims', countOf(1));
      const spec = object['spec'] as
        | { readonly storageClassName?: string; readonly resources?: { readonly requests?: ResourceList } }
        | undefined;
      const storage = quantityOf(spec?.resources?.requests?.['storage']);
      add('requests.storage', storage);
      if (spec?.storageClassName) {
        const prefix = `${spec.storageClassName}.storageclass.storage.k8s.io`;
        add(`${prefix}/requests.storage`, storage);
        add(`${prefix}/persistentvolumeclaims`, countOf(1));
      }
      return usage;
    }
    default:
      if (COUNTED.has(type.resource)) add(type.resource, countOf(1));
      return usage;
  }
}

/** A pod that has ended takes nothing but its place in the count. */
function isTerminal({ status }: JsonObject): boolean {
  const phase = isJsonObject(status) ? status['phase'] : undefined;
  return phase === 'Succeeded' || phase === 'Failed';
}

function podUsage(pod: JsonObject): ResourceAmounts {
  const spec = pod['spec'] as unknown as PodResources;
  const usage = new Map<string, Quantity>([
    ['count/pods', countOf(1)],
    ['pods', countOf(1)],
  ]);
  for (const [name, amount] of podAmounts(spec, 'requests')) {
    usage.set(`requests.${name}`, amount);
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage') usage.set(name, amount);
  }
  for (const [name, amount] of podAmounts(spec, 'limits')) usage.set(`limits.${name}`, amount);
  return usage;
}

const COMPUTE = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

/** Which of the constrained amounts a pod does not name, by container. Kubernetes: pkg/quota/v1/evaluator/core/pods.go Constraints. */
export function missingAmounts(pod: JsonObject, hard: readonly string[]): string | undefined {
  const spec = pod['spec'] as unknown as PodResources;
  const required = hard.filter((name) => COMPUTE.includes(name));
  const missing = new Map<string, Set<string>>();
  for (const { name: container, resources } of [...spec.containers, ...(spec.initContainers ?? [])])
    for (const name of required) {
      const list = name.startsWith('limits.') ? resources?.limits : resources?.requests;
      const plain = name.replace(/^(?:requests|limits)\./, '');
      if (list !== undefined && Object.hasOwn(list, plain)) continue;
      const containers = missing.get(name);
      if (containers === undefined) missing.set(name, new Set([container]));
      else containers.add(container);
    }
  if (missing.size === 0) return undefined;
  const parts = [...missing]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, containers]) => `${name} for: ${[...containers].sort().join(',')}`);
  return `must specify ${parts.join('; ')}`;
}

/** Whether a quota is about an object: those with scopes are about some pods only. */
export function quotaMatches({ spec }: ResourceQuota, type: Pick<ServedResource, 'group' | 'resource'>, object: JsonObject): boolean {
  const scopes = [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists', values: [] as readonly string[] })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
  if (scopes.length === 0) return true;
  if (type.group !== '' || type.resource !== 'pods') return false;
  return scopes.every(({ scopeName, operator, values = [] }) => matchesScope(object, scopeName, operator, values));
}

function matchesScope(pod: JsonObject, scope: string, operator: string, values: readonly string[]): boolean {
  const spec = pod['spec'] as unknown as { readonly activeDeadlineSeconds?: number; readonly priorityClassName?: string } & PodResources;
  switch (scope) {
    case 'Terminating':
      return spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return spec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return isBestEffort(spec);
    case 'NotBestEffort':
      return !isBestEffort(spec);
    case 'PriorityClass': {
      const name = spec.priorityClassName ?? '';
      if (operator === 'Exists') return name !== '';
      if (operator === 'DoesNotExist') return name === '';
      return operator === 'In' ? values.includes(name) : !values.includes(name);
    }
    default:
      return false;
  }
}

const isBestEffort = ({ containers, initContainers = [] }: PodResources): boolean =>
  [...containers, ...initContainers].every(({ resources }) =>
    [resources?.requests, resources?.limits].every((list) => {
      const amounts = amountsOf(list);
      return !amounts.has('cpu') && !amounts.has('memory');
    }),
  );

/** Names in a list of amounts that a kind of object takes from. */
export function takesFrom(type: Pick<ServedResource, 'group' | 'resource'>, name: string): boolean {
  if (name === countName(type)) return true;
  if (type.group !== '') return false;
  if (type.resource === 'services') return name === 'services' || name.startsWith('services.');
  if (type.resource === 'persistentvolumeclaims')
    return name === 'persistentvolumeclaims' || name === 'requests.storage' || name.includes('.storageclass.storage.k8s.io/');
  if (type.resource !== 'pods') return COUNTED.has(type.resource) && name === type.resource;
  if (name === 'requests.storage' || name.includes('/'))
    return /^(?:requests|limits)\.[^/]+\//.test(name) && !name.includes('storageclass');
  return ['pods', 'cpu', 'memory', 'ephemeral-storage'].includes(name) || name.startsWith('requests.') || name.startsWith('limits.');
}
