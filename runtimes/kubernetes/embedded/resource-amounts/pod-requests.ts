import { addQuantities, type Quantity } from '../../../../engine/cel/libraries/quantity/quantity.ts';
import { addTo, amountsOf, type ResourceAmounts, type ResourceList, raiseTo, ZERO } from './resource-list.ts';

/** What a container of a pod asks for. */
export interface ResourceClaimant {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: ResourceList; readonly limits?: ResourceList };
}

/** What of a pod's spec its requests follow from. */
export interface PodResources {
  readonly containers: readonly ResourceClaimant[];
  readonly initContainers?: readonly ResourceClaimant[];
  readonly overhead?: ResourceList;
}

/**
 * What a pod asks for, or is limited to: its containers together with its sidecars, or the largest of the containers that run before
 * them. Kubernetes: component-helpers resource/helpers.go PodRequests, PodLimits.
 */
export function podAmounts(spec: PodResources, of: 'requests' | 'limits'): ResourceAmounts {
  const total = new Map<string, Quantity>();
  for (const { resources } of spec.containers) addTo(total, amountsOf(resources?.[of]));
  const sidecars = new Map<string, Quantity>();
  const largest = new Map<string, Quantity>();
  for (const { restartPolicy, resources } of spec.initContainers ?? []) {
    const amounts = amountsOf(resources?.[of]);
    if (restartPolicy === 'Always') addTo(sidecars, amounts);
    else raiseTo(largest, new Map([...amounts].map(([name, amount]) => [name, addQuantities(amount, sidecars.get(name) ?? ZERO)])));
  }
  addTo(total, sidecars);
  raiseTo(total, largest);
  // A limit is only raised where there is one.
  for (const [name, amount] of amountsOf(spec.overhead)) if (of === 'requests' || total.has(name)) addTo(total, new Map([[name, amount]]));
  return total;
}
