import { isJsonObject, type JsonObject, ownText } from '../../../engine/object/json.ts';
import type { AddressRequest, NetworkPlan } from '../../../engine/rules/network/program.ts';
import type { BoundStep } from '../../../engine/step/plan.ts';
import type { PlanRecord } from '../../linux/performer.ts';

/** Where a rule has its addresses from: our allocator, or another plugin. */
export type AddressSource =
  | { readonly kind: 'allocator'; readonly request: AddressRequest }
  | { readonly kind: 'plugin'; readonly type: string; readonly config: JsonObject };

/**
 * Where the addresses of a plan would come from; undefined where it has none. They are the first step, which depends on nothing that other steps
 * give. Throws `BindError`.
 */
export function addressSourceOf(plan: NetworkPlan): AddressSource | undefined {
  const step = plan.walk().next();
  return step === undefined ? undefined : sourceOfStep(step);
}

/** All that a record has addresses from, or anything else that is another plugin's. */
export function sourcesOfRecord({ steps }: PlanRecord): readonly AddressSource[] {
  return steps.flatMap(({ step }) => sourceOfStep(step) ?? []);
}

function sourceOfStep({ operation, arguments: args }: BoundStep): AddressSource | undefined {
  // The arguments were checked against the shape of the operation when the step was bound.
  if (operation === 'addresses') return { kind: 'allocator', request: args as unknown as AddressRequest };
  if (operation !== 'delegate') return undefined;
  // One that is called for more than addresses has a record to be undone by.
  if (ownText(args, 'type') === '') return undefined;
  const config = args['config'];
  return { kind: 'plugin', type: ownText(args, 'type'), config: isJsonObject(config) ? config : {} };
}
