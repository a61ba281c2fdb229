import { isJsonObject, type JsonObject, ownText } from '../../../engine/object/json.ts';
import type { AddressRequest, NetworkPlan } from '../../../engine/rules/network/program.ts';
import type { BoundStep } from '../../../engine/step/plan.ts';
import type { PlanRecord } from '../../linux/performer.ts';

/** Who gives a rule its addresses: our allocator, or another plugin. */
export type AddressProvider =
  | { readonly kind: 'allocator'; readonly request: AddressRequest }
  | { readonly kind: 'plugin'; readonly type: string; readonly config: JsonObject };

/**
 * Where the addresses of a plan would come from; undefined where it has none. They are the first step, which depends on nothing that other steps
 * give. Throws `BindError`.
 */
export function providerOfPlan(plan: NetworkPlan): AddressProvider | undefined {
  const step = plan.walk().next();
  return step === undefined ? undefined : providerOfStep(step);
}

/** All that a record has addresses from, or anything else that is another plugin's. */
export function providersOfRecord({ steps }: PlanRecord): readonly AddressProvider[] {
  return steps.flatMap(({ step }) => providerOfStep(step) ?? []);
}

function providerOfStep({ operation, arguments: args }: BoundStep): AddressProvider | undefined {
  // The arguments were checked against the shape of the operation when the step was bound.
  if (operation === 'addresses') return { kind: 'allocator', request: args as unknown as AddressRequest };
  if (operation !== 'delegate') return undefined;
  // One that is called for more than addresses has a record to be undone by.
  if (ownText(args, 'type') === '') return undefined;
  const config = args['config'];
  return { kind: 'plugin', type: ownText(args, 'type'), config: isJsonObject(config) ? config : {} };
}
