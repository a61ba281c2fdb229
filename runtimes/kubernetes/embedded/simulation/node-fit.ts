import { addQuantities, compareQuantities, quantityOfInt, quantityToNumber } from '../../../../engine/cel/libraries/quantity/quantity.ts';
import { isTrue } from '../control-loop/condition.ts';
import { podAmounts } from '../resource-amounts/pod-requests.ts';
import { amountsOf, isPositive, type ResourceAmounts, ZERO } from '../resource-amounts/resource-list.ts';
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, Taint, Toleration } from './kinds.ts';

/** A node and what runs on it. */
export interface NodeState {
  readonly node: Node;
  /** Requested by its pods. */
  readonly used: ResourceAmounts;
  readonly pods: number;
  readonly hostPorts: ReadonlySet<string>;
}

/**
 * Why a pod can't run on a node, in the scheduler's words; undefined when it can. A subset of the default scheduler's filters: no
 * spreading, no affinity between pods. Kubernetes: pkg/scheduler/framework/plugins.
 */
export function whyNot(pod: Pod, state: NodeState): string | undefined {
  const { node } = state;
  const tolerations = pod.spec.tolerations ?? [];
  if (node.spec?.unschedulable && !tolerates(tolerations, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }))
    return 'node(s) were unschedulable';
  const taint = (node.spec?.taints ?? []).find(
    (each) => (each.effect === 'NoSchedule' || each.effect === 'NoExecute') && !tolerates(tolerations, each),
  );
  if (taint !== undefined) return `node(s) had untolerated taint(s)`;
  if (!isTrue(node.status?.conditions, 'Ready')) return 'node(s) were not ready';
  if (!matchesNodeSelection(pod, node)) return "node(s) didn't match Pod's node affinity/selector";
  if (hostPortsOf(pod).some((port) => state.hostPorts.has(port))) return "node(s) didn't have free ports for the requested pod ports";
  const allocatable = amountsOf(node.status?.allocatable);
  const mostPods = allocatable.get('pods');
  if (mostPods !== undefined && compareQuantities(quantityOfInt(BigInt(state.pods + 1)), mostPods) > 0) return 'Too many pods';
  for (const [name, amount] of podAmounts(pod.spec, 'requests')) {
    const wanted = addQuantities(state.used.get(name) ?? ZERO, amount);
    if (isPositive(amount) && compareQuantities(wanted, allocatable.get(name) ?? ZERO) > 0) return `Insufficient ${name}`;
  }
  return undefined;
}

/** How full a node would not be, from 0 to 1: more is better. */
export function freeShare(pod: Pod, { node, used, pods }: NodeState): number {
  const allocatable = amountsOf(node.status?.allocatable);
  const wanted = podAmounts(pod.spec, 'requests');
  const amount = (amounts: ResourceAmounts, name: string): number => quantityToNumber(amounts.get(name) ?? ZERO);
  const shares = ['cpu', 'memory'].map((name) => {
    const most = amount(allocatable, name);
    return most === 0 ? 0 : 1 - (amount(used, name) + amount(wanted, name)) / most;
  });
  const most = amount(allocatable, 'pods') || 110;
  return (shares[0]! + shares[1]!) / 2 + (1 - pods / most) * 0.5;
}

/** Kubernetes: component-helpers/scheduling/corev1/helpers.go. */
export function tolerates(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some(
    ({ key = '', operator = 'Equal', value = '', effect = '' }) =>
      (effect === '' || effect === taint.effect) &&
      (key === '' || key === taint.key) &&
      (operator === 'Exists' || (operator === 'Equal' && key !== '' && value === (taint.value ?? ''))),
  );
}

/** `nodeSelector` and the required node affinity. */
export function matchesNodeSelection({ spec }: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {}))
    if (!Object.hasOwn(labels, key) || labels[key] !== value) return false;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => matchesTerm(term, node));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    matchExpressions.every((each) => matchesRequirement(each, Object.hasOwn(labels, each.key) ? labels[each.key] : undefined)) &&
    matchFields.every((each) => each.key === 'metadata.name' && matchesRequirement(each, node.metadata.name))
  );
}

function matchesRequirement({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** `protocol/port` of the ports that a pod takes on its node. */
export function hostPortsOf({ spec }: Pod): readonly string[] {
  return spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = 'TCP' }) => (hostPort ? [`${protocol}/${hostPort}`] : [])),
  );
}
