import type { AddressRequest, NetworkPlan, NetworkRequest, NetworkRule } from '../../../engine/rules/network/program.ts';
import { FAULT_CODES, fault } from '../../../engine/rules/network/protocol/fault.ts';
import { BindError } from '../../../engine/step/plan.ts';
import type { AddressAllocator } from '../addresses/allocator.ts';
import { type AddressProvider, providerOfPlan } from './address-provider.ts';
import { networksOfPlan, statusOfDelegated, statusOfPlugin, withoutContainer } from './delegated-networks.ts';
import { faultOfError } from './fault-of-error.ts';
import { withFacts } from './network-facts-source.ts';
import { DONE, planOf, refused, type VerbAnswer, type VerbContext } from './verb-context.ts';

/** Whether an ADD could be served: the host has what the rule needs, an address is left, and the rule itself says nothing against it. */
export async function status(context: VerbContext, rule: NetworkRule, request: NetworkRequest, signal: AbortSignal): Promise<VerbAnswer> {
  const { host, nodes, facts, clock, addresses, delegate } = context;
  const missing = await host.missing(rule.requirements);
  if (missing.length > 0)
    return refused(
      fault(FAULT_CODES.notAvailable, `the host lacks what rule ${rule.name} needs`, missing.map(({ message }) => message).join('; ')),
    );

  const nodeFault = await nodes.ensure(rule, request.network, request.config, signal);
  if (nodeFault !== undefined) return refused({ ...nodeFault, code: FAULT_CODES.limitedConnectivity });

  const answer = await planOf(context, rule, request, signal);
  if (answer.kind === 'fault' && answer.fault.code === FAULT_CODES.tryAgainLater)
    return refused({ ...answer.fault, code: FAULT_CODES.notAvailable });
  const provider = answer.kind === 'plan' ? currentProvider(context, answer.plan) : undefined;
  if (provider?.kind === 'allocator') {
    const exhausted = await whyNone(addresses, provider.request);
    if (exhausted !== undefined) return refused(fault(FAULT_CODES.notAvailable, exhausted));
  }
  if (provider?.kind === 'plugin') {
    const said = await statusOfPlugin(delegate, withoutContainer('STATUS', provider.type, provider.config, request), signal);
    if (said !== undefined) return refused(said);
  }
  if (answer.kind === 'plan' && rule.delegates) {
    const { networks, missing } = await networksOfPlan(answer.plan);
    if (missing[0] !== undefined) return refused(fault(FAULT_CODES.notAvailable, missing[0]));
    const said = await statusOfDelegated(delegate, networks, request, signal);
    if (said !== undefined) return refused(said);
  }
  const objection = await withFacts({ source: facts, clock }, signal, (known) => {
    const said = rule.status(request, known);
    if (said === undefined) return READY;
    return 'needs' in said ? said : ({ kind: 'fault', fault: said } as const);
  });
  if (objection.kind === 'ready') return DONE;
  const { fault: said } = objection;
  return refused(said.code === FAULT_CODES.tryAgainLater ? { ...said, code: FAULT_CODES.notAvailable } : said);
}

const READY = { kind: 'ready' } as const;

/** Why there is no address to give; undefined where there is one. */
async function whyNone(addresses: AddressAllocator, request: AddressRequest): Promise<string | undefined> {
  try {
    return await addresses.exhausted(request);
  } catch (error) {
    return faultOfError(error).msg;
  }
}

/** Without a container, a rule may be unable to say: what it says of the configuration by itself is asked for below. */
function currentProvider({ log }: VerbContext, plan: NetworkPlan): AddressProvider | undefined {
  try {
    return providerOfPlan(plan);
  } catch (error) {
    if (!(error instanceof BindError)) throw error;
    log('where addresses come from is not known without a container', { rule: plan.owner.rule, error: error.message });
    return undefined;
  }
}
