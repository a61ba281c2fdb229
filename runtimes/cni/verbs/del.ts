import type { NetworkRequest, NetworkRule } from '../../../engine/rules/network/program.ts';
import { FAULT_CODES, fault } from '../../../engine/rules/network/protocol/fault.ts';
import { providerOfPlan } from './address-provider.ts';
import { faultOfError } from './fault-of-error.ts';
import { attachmentId, DONE, gateOf, planOf, refused, type VerbAnswer, type VerbContext } from './verb-context.ts';

/**
 * Detaches a container: undoes its record. Succeeds where nothing is left, however often it is asked, and whether the namespace is there or not.
 * `rule` is undefined where the bundle has it no more; what it made is undone all the same.
 */
export async function del(
  context: VerbContext,
  rule: NetworkRule | undefined,
  type: string,
  request: NetworkRequest,
  signal: AbortSignal,
): Promise<VerbAnswer> {
  const { performer, gate, answered, attachments, podAnnotator } = context;
  const id = attachmentId(type, request);
  const leave = await gate.enter(gateOf(type, request), id, 'a DEL', signal);
  try {
    answered.delete(id);
    podAnnotator.forget(id);
    if (performer.record(id) !== undefined) {
      try {
        await performer.undo(id, signal);
      } finally {
        attachments.changed();
      }
      return DONE;
    }
    return await removeUnrecorded(context, rule, type, id, request, signal);
  } finally {
    leave();
  }
}

/**
 * An attachment of which there is no record: it never was, it is gone, another plugin made it, or the journal was lost. Its addresses are looked for
 * each time, in files that another allocator may have written; what carries its tag only where there may be some.
 */
async function removeUnrecorded(
  context: VerbContext,
  rule: NetworkRule | undefined,
  type: string,
  id: string,
  request: NetworkRequest,
  signal: AbortSignal,
): Promise<VerbAnswer> {
  const { performer, log } = context;
  const failures: string[] = [];
  try {
    await releaseAddresses(context, rule, request, signal);
  } catch (error) {
    failures.push(faultOfError(error).msg);
  }
  const { removed, left } = await performer.sweep(id);
  failures.push(...left);
  if (removed.length > 0) log('removed what no record knew of', { rule: type, what: removed.map(({ what }) => what).join(', ') });
  if (failures.length === 0) return DONE;
  return refused(fault(FAULT_CODES.notRemoved, `not all of the attachment could be removed: ${failures[0]}`, failures.slice(1).join('; ')));
}

async function releaseAddresses(
  context: VerbContext,
  rule: NetworkRule | undefined,
  request: NetworkRequest,
  signal: AbortSignal,
): Promise<void> {
  const { addresses, delegate } = context;
  const { network, containerId, ifName } = request;
  const source = rule === undefined ? undefined : await sourceOf(context, rule, request, signal);
  if (source?.kind === 'plugin') {
    const { type, config } = source;
    const { netns, args, path } = request;
    await delegate({ type, command: 'DEL', config, containerId, netns, ifName, args, path }, signal);
  }
  const { dataDir } = source?.kind === 'allocator' ? source.request : { dataDir: undefined };
  await addresses.release({ network, containerId, ifName, ...(dataDir === undefined ? {} : { dataDir }) });
}

/** Undefined where the rule can't say any more, as when it refuses the configuration by now: that keeps nothing from being removed. */
async function sourceOf(context: VerbContext, rule: NetworkRule, request: NetworkRequest, signal: AbortSignal) {
  try {
    const answer = await planOf(context, rule, request, signal);
    return answer.kind === 'plan' ? providerOfPlan(answer.plan) : undefined;
  } catch (error) {
    context.log('where addresses came from is not known', { rule: rule.name, error: faultOfError(error).msg });
    return undefined;
  }
}
