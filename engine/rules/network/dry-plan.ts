import type { JsonObject } from '../../object/json.ts';
import { type DryStep, dryWalk } from '../../step/dry-walk.ts';
import type { Effect } from '../../step/effect.ts';
import type { BoundStep, Plan } from '../../step/plan.ts';
import { firstAddresses } from './first-addresses.ts';
import { NETWORK_OPERATIONS } from './operations.ts';
import type { AddressAnswer, AddressRequest, CniFault, NetworkPlan } from './program.ts';
import { FAULT_CODES, fault } from './protocol/fault.ts';
import type { CniResult } from './protocol/result.ts';

export interface DryPlanOptions {
  /** Addresses that the attachment gets. Default: those that are asked for, else the first of each range. */
  readonly addresses?: AddressAnswer['ips'] | undefined;
  /** Outputs of steps that are known, by key. */
  readonly outputsOf?: (step: BoundStep) => JsonObject | undefined;
  /** Interfaces that plugins before it have made, in a chain. */
  readonly prevResult?: CniResult | undefined;
}

export interface DryPlan {
  readonly steps: readonly DryStep[];
  /** A step could not be bound. */
  readonly fault: CniFault | undefined;
}

/** What a plan would do on a host that has nothing but what plugins before it have made. */
export function dryPlan(plan: Plan, options: DryPlanOptions = {}): DryPlan {
  const { steps, failure } = dryWalk(plan, NETWORK_OPERATIONS, {
    custom: (effect) => imagineCustom(effect, options.addresses),
    present: options.prevResult?.interfaces ?? [],
    ...(options.outputsOf === undefined ? {} : { outputsOf: options.outputsOf }),
  });
  return { steps, fault: failure && fault(FAULT_CODES.expressionFailed, stepMessage(plan, failure)) };
}

function stepMessage(
  { owner }: Plan,
  { step, line, message }: { readonly step: string; readonly line: number | undefined; readonly message: string },
): string {
  return `step ${step} (rule ${owner.rule}${line === undefined ? '' : `, line ${line}`}): ${message}`;
}

/** The allocator that nobody has asked before, and plugins that give what they are said to. */
function imagineCustom({ name, request }: Effect & { readonly kind: 'custom' }, addresses: AddressAnswer['ips'] | undefined): unknown {
  if (name === 'addresses') return { ips: addresses ?? firstAddresses(request as unknown as AddressRequest) };
  return { interfaces: [], ips: addresses ?? [], routes: [], dns: {} };
}

/** What an attachment is answered with, and its pod gets, when its steps end as foreseen. Throws `BindError` where it can't be made. */
export function dryEnd(
  plan: NetworkPlan,
  steps: readonly DryStep[],
): { readonly result: CniResult; readonly podAnnotations: Readonly<Record<string, string>> } {
  const performed = steps.map(({ step, outputs }) => ({ ...step, outputs }));
  const result = plan.result(performed);
  return { result, podAnnotations: plan.podAnnotations?.(performed, result) ?? {} };
}
