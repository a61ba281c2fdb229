import type { NetworkPlan, NetworkRequest, NetworkRule } from '../../../engine/rules/network/program.ts';
import { FAULT_CODES, fault } from '../../../engine/rules/network/protocol/fault.ts';
import type { CniVersion } from '../../../engine/rules/network/protocol/result.ts';
import { convertResult, printDocument } from '../../../engine/rules/network/protocol/result-versions.ts';
import type { PerformedStep } from '../../../engine/step/plan.ts';
import { faultOfError } from './fault-of-error.ts';
import { attachmentId, planOf, refused, type VerbAnswer, type VerbContext } from './verb-context.ts';

/** Attaches a container: performs the rule's plan and answers the result. What fails is undone. */
export async function add(context: VerbContext, rule: NetworkRule, request: NetworkRequest, signal: AbortSignal): Promise<VerbAnswer> {
  const { performer, gate, answered, strays, nodes, attachments } = context;
  const id = attachmentId(rule.name, request);
  const leave = await gate.enter(request.network, id, 'an ADD', signal);
  try {
    const record = performer.record(id);
    if (record?.state === 'performed') {
      if (answered.has(id)) return refused(alreadyAttached(request, record.since));
      // Nobody was told that it is there: the runtime gave up, or the daemon was killed, and it tries again.
      await performer.undo(id, signal);
    }
    const nodeFault = await nodes.ensure(rule, request.network, request.config, signal);
    if (nodeFault !== undefined) return refused(nodeFault);
    const answer = await planOf(context, rule, request, signal);
    if (answer.kind === 'fault') return refused(answer.fault);
    strays.markUsed(id);
    const performed = await performer.perform(answer.plan, signal);
    attachments.changed();
    const result = resultText(answer.plan, performed, request);
    // A pod must not run before the node knows of it: it would be without what policies want.
    const notFollowed = result.ok ? await nodes.follow(rule, request.network, request.config, signal) : undefined;
    if (!result.ok || notFollowed !== undefined || signal.aborted) {
      // Whoever asked is gone, or can't be told: no one will know of it.
      await performer.undo(id);
      attachments.changed();
      return result.ok ? refused(notFollowed ?? fault(FAULT_CODES.tryAgainLater, 'the time was up')) : result;
    }
    answered.add(id);
    return result;
  } finally {
    leave();
  }
}

function resultText(plan: NetworkPlan, performed: readonly PerformedStep[], { cniVersion }: NetworkRequest): VerbAnswer {
  try {
    const result = plan.result(
      performed.map(({ step: { key, operation, arguments: args }, outputs = {} }) => ({ key, operation, arguments: args, outputs })),
    );
    const printed = convertResult(result, cniVersion as CniVersion);
    return printed.ok ? { ok: true, stdout: printDocument(printed.document) } : refused(fault(FAULT_CODES.internal, printed.message));
  } catch (error) {
    return refused(faultOfError(error));
  }
}

const alreadyAttached = ({ ifName, containerId, network }: NetworkRequest, since: number) =>
  fault(
    FAULT_CODES.alreadyAttached,
    `container ${containerId} is attached to network ${network} by ${ifName} already`,
    `since ${new Date(since).toISOString()}`,
  );
