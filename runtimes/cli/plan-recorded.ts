import type { JsonObject } from '../../engine/object/json.ts';
import { attachedPod, attachmentSubject, nodeAttachments } from '../../engine/rules/network/attachment.ts';
import { dryEnd, dryPlan } from '../../engine/rules/network/dry-plan.ts';
import type { CniFault, NetworkFacts, NetworkProgram, NetworkRequest, NetworkRule } from '../../engine/rules/network/program.ts';
import { FAULT_CODES, fault } from '../../engine/rules/network/protocol/fault.ts';
import type { CniVersion } from '../../engine/rules/network/protocol/result.ts';
import { convertResult } from '../../engine/rules/network/protocol/result-versions.ts';
import { type CniInvocationDocument, cniInvocation, readRecordedInvocation } from '../../engine/rules/network/recorded-invocation.ts';
import { recordedObjects } from '../../engine/rules/recorded-objects.ts';
import type { DryStep } from '../../engine/step/dry-walk.ts';
import { BindError } from '../../engine/step/plan.ts';
import type { Diagnostic } from '../../engine/text/diagnostic.ts';
import { formatPath } from '../../engine/text/document.ts';
import { checkShape } from '../../engine/text/shape-check.ts';
import type { RecordedObject } from '../host/recording.ts';

/** A recorded call of a plugin, and what its rule would do. */
export interface PlannedInvocation {
  readonly recorded: RecordedObject;
  readonly rule: NetworkRule | undefined;
  readonly request: NetworkRequest | undefined;
  readonly steps: readonly DryStep[];
  /** Steps for the node as a whole, which are there before the first attachment. */
  readonly nodeSteps: readonly DryStep[];
  /** In the version of the configuration. */
  readonly result: JsonObject | undefined;
  /** What the pod is given beside. */
  readonly podAnnotations: Readonly<Record<string, string>>;
  readonly fault: CniFault | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Whether an object is a recorded call, and no object of a cluster. */
export function isInvocation({ object }: RecordedObject): boolean {
  return object['kind'] === 'CNIInvocation' && object['apiVersion'] === 'fairlead.dev/v1alpha1';
}

/** Plans recorded calls from recorded facts, which are complete: what is not recorded does not exist. */
export function planInvocations(
  program: NetworkProgram,
  invocations: readonly RecordedObject[],
  facts: { readonly objects: readonly JsonObject[]; readonly node: string },
): readonly PlannedInvocation[] {
  const known: NetworkFacts = { nodeName: facts.node, ...recordedObjects(facts.objects) };
  return invocations.map((recorded) => ({ ...NOTHING, ...planInvocation(program, recorded, known), recorded }));
}

const NOTHING: Omit<PlannedInvocation, 'recorded'> = {
  rule: undefined,
  request: undefined,
  steps: [],
  nodeSteps: [],
  result: undefined,
  podAnnotations: {},
  fault: undefined,
  diagnostics: [],
};

function planInvocation(program: NetworkProgram, { document, path }: RecordedObject, facts: NetworkFacts): Partial<PlannedInvocation> {
  const checked = checkShape<CniInvocationDocument>(cniInvocation, document, path);
  if (checked.value === undefined) return { diagnostics: checked.diagnostics };
  const type = checked.value.config['type'];
  const rule = typeof type === 'string' ? program.rules.find(({ name }) => name === type) : onlyOf(program.rules);
  if (rule === undefined) {
    const known = program.rules.map(({ name }) => name).join(', ');
    const what = typeof type === 'string' ? `no rule is called ${type}` : 'the configuration has no type, and there are several rules';
    return { fault: fault(FAULT_CODES.noRule, what, `rules: ${known}`) };
  }
  const read = readRecordedInvocation(checked.value, rule.name);
  if ('fault' in read) return { rule, fault: read.fault };
  const { request } = read;
  // Of the pods of the node, the one that is attached is known.
  const record = { subject: { ...attachmentSubject(request), ...attachedPod(request) }, steps: [] };
  const attachments = (network: string) => nodeAttachments([record], network);
  return { rule, request, ...answerOf(rule, request, { ...facts, attachments }) };
}

const onlyOf = <T>(items: readonly T[]): T | undefined => (items.length === 1 ? items[0] : undefined);

function answerOf(rule: NetworkRule, request: NetworkRequest, facts: NetworkFacts): Partial<PlannedInvocation> {
  if (request.command === 'STATUS') {
    const said = rule.status(request, facts);
    return { fault: said !== undefined && 'needs' in said ? undefined : said };
  }
  if (request.command === 'GC') return {};
  const node = rule.node?.(request.config, facts);
  if (node?.kind === 'fault') return { fault: node.fault };
  const nodePlanned = node?.kind === 'plan' ? dryPlan(node.plan) : undefined;
  const nodeSteps = nodePlanned?.steps ?? [];
  if (nodePlanned?.fault !== undefined) return { nodeSteps, fault: nodePlanned.fault };
  const answer = rule.attach(request, facts);
  if (answer.kind === 'fault') return { nodeSteps, fault: answer.fault };
  if (answer.kind === 'needs') throw new Error('recorded facts are complete, but more is asked for');
  const planned = dryPlan(answer.plan, { prevResult: request.prevResult });
  if (planned.fault !== undefined || request.command !== 'ADD') return { nodeSteps, ...planned };
  try {
    const { result, podAnnotations } = dryEnd(answer.plan, planned.steps);
    const printed = convertResult(result, request.cniVersion as CniVersion);
    if (!printed.ok) return { nodeSteps, ...planned, fault: fault(FAULT_CODES.internal, printed.message) };
    return { nodeSteps, ...planned, result: printed.document, podAnnotations };
  } catch (error) {
    if (error instanceof BindError)
      return { nodeSteps, ...planned, fault: fault(FAULT_CODES.expressionFailed, `${formatPath(error.path)}: ${error.message}`) };
    // A step whose outputs only a real host can tell.
    if (planned.steps.some(({ problem }) => problem !== undefined)) return { nodeSteps, ...planned };
    throw error;
  }
}
