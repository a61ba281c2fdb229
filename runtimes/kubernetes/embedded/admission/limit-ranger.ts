import { compareQuantities, quantityToNumber } from '../../../../engine/cel/libraries/quantity/quantity.ts';
import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';
import { type KubernetesObject, kind, servedKind, typed, untyped } from '../control-loop/kind.ts';
import type { AdmissionAttributes } from '../hooks.ts';
import type { Registry } from '../registry.ts';
import { type PodResources, podAmounts, type ResourceClaimant } from '../resource-amounts/pod-requests.ts';
import { amountsOf, formatAmounts, type ResourceAmounts, type ResourceList, ZERO } from '../resource-amounts/resource-list.ts';
import { type AdmissionPlugin, isAbout, refusal } from './chain.ts';

interface Limit {
  readonly type: string;
  readonly min?: ResourceList;
  readonly max?: ResourceList;
  readonly default?: ResourceList;
  readonly defaultRequest?: ResourceList;
  readonly maxLimitRequestRatio?: ResourceList;
}

interface LimitRange extends KubernetesObject {
  readonly spec?: { readonly limits?: readonly Limit[] };
}

const LIMIT_RANGES = kind<LimitRange>('', 'v1', 'limitranges', 'LimitRange');
const ANNOTATION = 'kubernetes.io/limit-ranger';

/** Gives containers the requests and limits of their namespace, and refuses those beyond them. Kubernetes: plugin/pkg/admission/limitranger. */
export function limitRanger(registry: Registry): AdmissionPlugin {
  const limitsIn = (namespace: string): readonly Limit[] => {
    const resource = servedKind(registry, LIMIT_RANGES);
    if (resource === undefined) return [];
    return registry.list(resource, namespace).flatMap((object) => typed<LimitRange>(object).spec?.limits ?? []);
  };
  return {
    name: 'LimitRanger',
    mutate(attributes) {
      const { object, operation, namespace } = attributes;
      if (object === null || operation !== 'CREATE' || !isAbout(attributes, '', 'pods')) return object;
      const limits = limitsIn(namespace).filter(({ type }) => type === 'Container');
      return limits.length === 0 ? object : withDefaults(object, limits);
    },
    validate(attributes) {
      const { object, operation, namespace } = attributes;
      if (object === null || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
      const check = isAbout(attributes, '', 'pods')
        ? podProblems
        : isAbout(attributes, '', 'persistentvolumeclaims')
          ? claimProblems
          : undefined;
      // What a running pod asks for does not change.
      if (check === undefined || (operation === 'UPDATE' && check === podProblems)) return;
      const problems = check(object, limitsIn(namespace));
      if (problems.length > 0) throw refusalOf(attributes, problems);
    },
  };
}

const refusalOf = (attributes: AdmissionAttributes, problems: readonly string[]) => {
  const distinct = [...new Set(problems)];
  return refusal(attributes, distinct.length === 1 ? distinct[0]! : `[${distinct.join(', ')}]`);
};

const listOf = (value: unknown): readonly ResourceClaimant[] => (Array.isArray(value) ? (value as readonly ResourceClaimant[]) : []);

function withDefaults(pod: JsonObject, limits: readonly Limit[]): JsonObject {
  const requests = Object.assign({}, ...limits.map(({ defaultRequest }) => defaultRequest)) as ResourceList;
  const maxima = Object.assign({}, ...limits.map((limit) => limit.default)) as ResourceList;
  const notes: string[] = [];
  const complete = (containers: readonly ResourceClaimant[], what: string): readonly JsonObject[] =>
    containers.map((container) => {
      const before = container.resources ?? {};
      const missing = (defaults: ResourceList, own: ResourceList = {}): readonly string[] =>
        Object.keys(defaults)
          .filter((name) => !Object.hasOwn(own, name))
          .sort();
      const newRequests = missing(requests, before.requests);
      const newLimits = missing(maxima, before.limits);
      if (newRequests.length > 0) notes.push(`${newRequests.join(', ')} request for ${what} ${container.name}`);
      if (newLimits.length > 0) notes.push(`${newLimits.join(', ')} limit for ${what} ${container.name}`);
      const resources = { ...before, requests: { ...requests, ...before.requests }, limits: { ...maxima, ...before.limits } };
      return untyped({
        ...container,
        resources: Object.fromEntries(Object.entries(resources).filter(([, list]) => Object.keys(list).length > 0)),
      });
    });
  const spec: JsonObject = isJsonObject(pod['spec']) ? pod['spec'] : {};
  const containers = complete(listOf(spec['containers']), 'container');
  const initContainers = complete(listOf(spec['initContainers']), 'init container');
  if (notes.length === 0) return pod;
  const metadata: JsonObject = isJsonObject(pod['metadata']) ? pod['metadata'] : {};
  const before = isJsonObject(metadata['annotations']) ? metadata['annotations'] : {};
  const annotations = { ...before, [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}` };
  return {
    ...pod,
    metadata: { ...metadata, annotations },
    spec: { ...spec, containers, ...(initContainers.length === 0 ? {} : { initContainers }) },
  };
}

function podProblems(pod: JsonObject, limits: readonly Limit[]): readonly string[] {
  const spec = pod['spec'] as unknown as PodResources;
  return limits.flatMap((limit) => {
    if (limit.type === 'Pod') return problemsOf(limit, podAmounts(spec, 'requests'), podAmounts(spec, 'limits'));
    if (limit.type !== 'Container') return [];
    return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
      problemsOf(limit, amountsOf(resources?.requests), amountsOf(resources?.limits)),
    );
  });
}

/** Claims have requests only. */
function claimProblems(claim: JsonObject, limits: readonly Limit[]): readonly string[] {
  const spec = claim['spec'] as { readonly resources?: { readonly requests?: ResourceList } } | undefined;
  const requests = amountsOf(spec?.resources?.requests);
  return limits.filter(({ type }) => type === 'PersistentVolumeClaim').flatMap((limit) => problemsOf(limit, requests, requests, 'request'));
}

function problemsOf(limit: Limit, requests: ResourceAmounts, limits: ResourceAmounts, ofLimit = 'limit'): readonly string[] {
  const { type } = limit;
  const text = (name: string, amounts: ResourceAmounts): string => formatAmounts(new Map([[name, amounts.get(name)!]]))[name]!;
  const problems: string[] = [];
  const min = amountsOf(limit.min);
  for (const [name, enforced] of min) {
    const start = `minimum ${name} usage per ${type} is ${text(name, min)}`;
    const request = requests.get(name);
    const most = limits.get(name);
    if (request === undefined) problems.push(`${start}.  No request is specified`);
    else if (compareQuantities(request, enforced) < 0) problems.push(`${start}, but request is ${text(name, requests)}`);
    else if (most !== undefined && compareQuantities(most, enforced) < 0)
      problems.push(`${start}, but ${ofLimit} is ${text(name, limits)}`);
  }
  const max = amountsOf(limit.max);
  for (const [name, enforced] of max) {
    const start = `maximum ${name} usage per ${type} is ${text(name, max)}`;
    const request = requests.get(name);
    const most = limits.get(name);
    if (most === undefined) problems.push(`${start}.  No ${ofLimit} is specified`);
    else if (compareQuantities(most, enforced) > 0) problems.push(`${start}, but ${ofLimit} is ${text(name, limits)}`);
    else if (request !== undefined && compareQuantities(request, enforced) > 0)
      problems.push(`${start}, but request is ${text(name, requests)}`);
  }
  const ratios = amountsOf(limit.maxLimitRequestRatio);
  for (const [name, enforced] of ratios) {
    const start = `${name} max limit to request ratio per ${type} is ${text(name, ratios)}`;
    const request = quantityToNumber(requests.get(name) ?? ZERO);
    const most = quantityToNumber(limits.get(name) ?? ZERO);
    if (request === 0) problems.push(`${start}, but no request is specified or request is 0`);
    else if (most === 0) problems.push(`${start}, but no limit is specified or limit is 0`);
    else if (most / request > quantityToNumber(enforced)) problems.push(`${start}, but provided ratio is ${(most / request).toFixed(6)}`);
  }
  return problems;
}
