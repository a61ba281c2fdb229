import { ownText, ownValue } from '../../../engine/object/json.ts';
import type { CniFault, NetworkPlan, NetworkRequest, NetworkRule } from '../../../engine/rules/network/program.ts';
import { FAULT_CODES, fault } from '../../../engine/rules/network/protocol/fault.ts';
import type { CniVersion } from '../../../engine/rules/network/protocol/result.ts';
import { convertResult, printDocument } from '../../../engine/rules/network/protocol/result-versions.ts';
import type { PerformedStep } from '../../../engine/step/plan.ts';
import type { PodIdentity } from '../cluster/pod-annotator.ts';
import { faultOfError } from './fault-of-error.ts';
import { attachmentId, gateOf, planOf, refused, type VerbAnswer, type VerbContext } from './verb-context.ts';

/** Attaches a container: performs the rule's plan and answers the result. What fails is undone. */
export async function add(context: VerbContext, rule: NetworkRule, request: NetworkRequest, signal: AbortSignal): Promise<VerbAnswer> {
  const { performer, gate, answered, nodes, attachments, podAnnotator } = context;
  const id = attachmentId(rule.name, request);
  const leave = await gate.enter(gateOf(rule.name, request), id, 'an ADD', signal);
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
    const pod = podOf(context, answer.plan);
    const performed = await performer.perform(answer.plan, signal);
    attachments.changed();
    const result = endOf(answer.plan, performed, request);
    // A pod must not run before the node knows of it: it would be without what policies want.
    const notFollowed = result.ok ? await nodes.follow(rule, request.network, request.config, signal) : undefined;
    // What the pod reads of itself has to be there before its containers are.
    if (result.ok && notFollowed === undefined && pod !== undefined && result.podAnnotations !== undefined)
      await podAnnotator.annotate(id, pod, result.podAnnotations);
    if (!result.ok || notFollowed !== undefined || signal.aborted) {
      // Whoever asked is gone, or can't be told: no one will know of it.
      podAnnotator.forget(id);
      await performer.undo(id);
      attachments.changed();
      return result.ok ? refused(notFollowed ?? fault(FAULT_CODES.tryAgainLater, 'the time was up')) : result;
    }
    answered.add(id);
    return { ok: true, stdout: result.stdout };
  } finally {
    leave();
  }
}

/** What an attachment is answered with, and what its pod gets. */
type AttachmentEnd =
  | { readonly ok: true; readonly stdout: string; readonly podAnnotations: Readonly<Record<string, string>> | undefined }
  | Extract<VerbAnswer, { readonly ok: false }>;

function endOf(plan: NetworkPlan, performed: readonly PerformedStep[], { cniVersion }: NetworkRequest): AttachmentEnd {
  try {
    const steps = performed.map(({ step: { key, operation, arguments: args }, outputs = {} }) => ({
      key,
      operation,
      arguments: args,
      outputs,
    }));
    const result = plan.result(steps);
    const printed = convertResult(result, cniVersion as CniVersion);
    if (!printed.ok) return refusal(fault(FAULT_CODES.internal, printed.message));
    return { ok: true, stdout: printDocument(printed.document), podAnnotations: plan.podAnnotations?.(steps, result) };
  } catch (error) {
    return refusal(faultOfError(error));
  }
}

const refusal = (said: CniFault) => ({ ok: false, fault: said }) as const;

/** The pod of an attachment, with the id that its object has: of a static pod, it is not what the runtime says. */
function podOf({ facts }: VerbContext, plan: NetworkPlan): PodIdentity | undefined {
  const pod = ownValue(plan.subject, 'pod');
  if (pod === undefined) return undefined;
  const [namespace, name] = [ownText(pod, 'namespace'), ownText(pod, 'name')];
  const known = facts.facts.object({ apiVersion: 'v1', kind: 'Pod', namespace, name });
  const uid = ownText(known === undefined || known === null ? undefined : ownValue(known, 'metadata'), 'uid');
  return { namespace, name, uid: uid || ownText(pod, 'uid') };
}

const alreadyAttached = ({ ifName, containerId, network }: NetworkRequest, since: number) =>
  fault(
    FAULT_CODES.alreadyAttached,
    `container ${containerId} is attached to network ${network} by ${ifName} already`,
    `since ${new Date(since).toISOString()}`,
  );
