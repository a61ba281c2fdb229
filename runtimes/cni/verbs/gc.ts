import { attachmentOfSubject } from '../../../engine/rules/network/attachment.ts';
import type { NetworkPlan, NetworkRequest, NetworkRule } from '../../../engine/rules/network/program.ts';
import { FAULT_CODES, fault } from '../../../engine/rules/network/protocol/fault.ts';
import { readValidAttachments, type ValidAttachment } from '../../../engine/rules/network/protocol/network-config.ts';
import type { PlanRecord } from '../../linux/performer.ts';
import type { Pool } from '../addresses/allocator.ts';
import { type AddressProvider, providerOfPlan, providersOfRecord } from './address-provider.ts';
import { collectDelegated, type DelegatedNetwork, networksOfPlan, networksOfRecords, withoutContainer } from './delegated-networks.ts';
import { faultOfError } from './fault-of-error.ts';
import { isVerbUnknown } from './unknown-verb.ts';
import { DONE, gateOf, planOf, refused, type VerbAnswer, type VerbContext } from './verb-context.ts';

/** Attachments that are undone at once. */
const AT_ONCE = 8;

/**
 * Removes what belongs to none of the attachments that are still valid: recorded ones, reservations of addresses, and things with a tag of which
 * there is no record. Goes on after a failure, and reports at the end.
 */
export async function gc(context: VerbContext, rule: NetworkRule, request: NetworkRequest, signal: AbortSignal): Promise<VerbAnswer> {
  const { gate, performer } = context;
  const read = readValidAttachments(request.config);
  if (!read.ok) return refused(fault(FAULT_CODES.invalidConfig, read.message));
  const leave = await gate.enterAlone(gateOf(rule.name, request), signal);
  try {
    const failures: string[] = [];
    // Asked before records go: they know of folders and plugins of the past.
    const current = await attempt(failures, async () => {
      const answer = await planOf(context, rule, request, signal);
      return answer.kind === 'plan' ? answer.plan : undefined;
    });
    const providers = await addressProviders(context, rule, request, current, failures);
    const delegated = await delegatedNetworks(context, rule, request, current, failures);
    await undoStale(context, staleRecords(context, rule, request, read.attachments), failures, signal);
    context.attachments.changed();
    for (const pool of pools(providers, request)) {
      const collected = await attempt(failures, () => context.addresses.collect(pool, read.attachments));
      failures.push(...(collected?.failures ?? []));
      if (collected !== undefined && collected.released.length > 0)
        context.log('released addresses of attachments that are gone', { network: pool.network, addresses: collected.released.join(', ') });
    }
    const collected = await attempt(failures, () => performer.collect({ rules: [rule.name] }));
    failures.push(...(collected?.left ?? []));
    await forward(context, providers, request, failures, signal);
    failures.push(...(await collectDelegated(context, delegated, request, read.attachments, signal)));
    if (failures.length === 0) return DONE;
    const message = `not all garbage of network ${request.network} could be removed: ${failures[0]}`;
    return refused(fault(FAULT_CODES.notRemoved, message, failures.slice(1).join('; ')));
  } finally {
    leave();
  }
}

function staleRecords(
  { performer }: VerbContext,
  rule: NetworkRule,
  { network }: NetworkRequest,
  valid: readonly ValidAttachment[],
): readonly PlanRecord[] {
  const keys = new Set(valid.map(({ containerId, ifName }) => `${containerId}/${ifName}`));
  return [...performer.records()].filter((record) => {
    const attachment = record.rule === rule.name ? attachmentOfSubject(record.subject) : undefined;
    return attachment?.network === network && !keys.has(`${attachment.containerId}/${attachment.ifName}`);
  });
}

async function undoStale(
  { performer, answered, podAnnotator }: VerbContext,
  records: readonly PlanRecord[],
  failures: string[],
  signal: AbortSignal,
): Promise<void> {
  const waiting = [...records];
  const work = async (): Promise<void> => {
    for (let record = waiting.shift(); record !== undefined; record = waiting.shift()) {
      const { id } = record;
      answered.delete(id);
      podAnnotator.forget(id);
      await attempt(failures, () => performer.undo(id, signal));
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, records.length) }, work));
}

async function addressProviders(
  context: VerbContext,
  rule: NetworkRule,
  request: NetworkRequest,
  plan: NetworkPlan | undefined,
  failures: string[],
): Promise<readonly AddressProvider[]> {
  const recorded = [...context.performer.records()]
    .filter(({ rule: name, subject }) => name === rule.name && attachmentOfSubject(subject)?.network === request.network)
    .flatMap(providersOfRecord);
  const current = plan && (await attempt(failures, async () => providerOfPlan(plan)));
  return current === undefined ? recorded : [current, ...recorded];
}

/** Networks of other plugins: those of the configuration, and those that attachments were made in. */
async function delegatedNetworks(
  context: VerbContext,
  rule: NetworkRule,
  { network }: NetworkRequest,
  plan: NetworkPlan | undefined,
  failures: string[],
): Promise<readonly DelegatedNetwork[]> {
  const recorded = networksOfRecords(context, rule.name, network);
  if (!rule.delegates || plan === undefined) return recorded;
  const current = await attempt(failures, () => networksOfPlan(plan));
  return [...(current?.networks ?? []), ...recorded];
}

/** Folders of reservations: that of the configuration, and those of attachments that were made with another. */
function pools(providers: readonly AddressProvider[], { network }: NetworkRequest): readonly Pool[] {
  const folders = new Set(providers.flatMap((provider) => (provider.kind === 'allocator' ? [provider.request.dataDir] : [])));
  return [...folders].map((dataDir) => ({ network, ...(dataDir === undefined ? {} : { dataDir }) }));
}

async function forward(
  { delegate }: VerbContext,
  providers: readonly AddressProvider[],
  request: NetworkRequest,
  failures: string[],
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>();
  for (const provider of providers) {
    if (provider.kind !== 'plugin' || told.has(provider.type)) continue;
    const { type, config } = provider;
    told.add(type);
    const { config: current } = request;
    const valid = Object.fromEntries(Object.entries(current).filter(([key]) => key.startsWith('cni.dev/')));
    try {
      await delegate(withoutContainer('GC', type, { ...config, ...valid }, request), signal);
    } catch (error) {
      if (!isVerbUnknown(error)) failures.push(`${type}: ${faultOfError(error).msg}`);
    }
  }
}

async function attempt<T>(failures: string[], act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    const { msg, details } = faultOfError(error);
    failures.push(details === undefined ? msg : `${msg} (${details})`);
    return undefined;
  }
}
