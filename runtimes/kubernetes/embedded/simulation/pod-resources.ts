import { parseQuantity } from '../../../../engine/cel/libraries/quantity/parse.ts';
import { quantityToNumber } from '../../../../engine/cel/libraries/quantity/quantity.ts';
import type { Container, IntOrString, Pod, PodSpec } from './kinds.ts';

/** Amounts by resource name, in its base unit: cores, bytes, pieces. Exact enough to place simulated pods. */
export type Amounts = ReadonlyMap<string, number>;

/** The amount of a quantity; 0 of what is none. */
export function amountOf(quantity: IntOrString | undefined): number {
  if (typeof quantity === 'number') return quantity;
  if (quantity === undefined) return 0;
  const parsed = parseQuantity(quantity);
  return parsed.ok ? quantityToNumber(parsed.quantity) : 0;
}

export function amountsOf(list: Readonly<Record<string, IntOrString>> | undefined): Amounts {
  return new Map(Object.entries(list ?? {}).map(([name, quantity]) => [name, amountOf(quantity)]));
}

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

/**
 * What a pod asks for: its containers together with its sidecars, or the largest of the containers that run before them.
 * Kubernetes: component-helpers resource/helpers.go PodRequests.
 */
export function requestsOf(spec: PodSpec, of: 'requests' | 'limits' = 'requests'): Amounts {
  const total = new Map<string, number>();
  const amountsOfContainer = (container: Container): Amounts => amountsOf(container.resources?.[of]);
  for (const container of spec.containers) addTo(total, amountsOfContainer(container));
  const sidecars = new Map<string, number>();
  const largest = new Map<string, number>();
  for (const container of spec.initContainers ?? []) {
    const amounts = amountsOfContainer(container);
    if (isSidecar(container)) addTo(sidecars, amounts);
    else for (const [name, amount] of amounts) largest.set(name, Math.max(largest.get(name) ?? 0, amount + (sidecars.get(name) ?? 0)));
  }
  addTo(total, sidecars);
  for (const [name, amount] of largest) total.set(name, Math.max(total.get(name) ?? 0, amount));
  if (of === 'requests' || total.size > 0) addTo(total, amountsOf(spec.overhead));
  return total;
}

export function addTo(total: Map<string, number>, amounts: Amounts): void {
  for (const [name, amount] of amounts) total.set(name, (total.get(name) ?? 0) + amount);
}

/** `protocol/port` of the ports that a pod takes on its node. */
export function hostPortsOf({ spec }: Pod): readonly string[] {
  return spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = 'TCP' }) => (hostPort ? [`${protocol}/${hostPort}`] : [])),
  );
}
