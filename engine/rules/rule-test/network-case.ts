import { isJsonObject, type JsonObject } from '../../object/json.ts';
import { type DryStep, dryWalk } from '../../step/dry-walk.ts';
import type { BoundStep, Plan } from '../../step/plan.ts';
import type { DocumentPath } from '../../text/document.ts';
import { ADDRESSES, addressOutputs } from '../network/addresses.ts';
import { firstAddresses } from '../network/first-addresses.ts';
import { IPAM_KEY } from '../network/ipam-step.ts';
import { NETWORK_OPERATIONS } from '../network/operations.ts';
import type { AddressRequest, CniFault, NetworkFacts, NetworkProgram, NetworkRequest, NetworkRule } from '../network/program.ts';
import { FAULT_CODES, fault } from '../network/protocol/fault.ts';
import type { CniResult } from '../network/protocol/result.ts';
import { readRecordedInvocation } from '../network/recorded-invocation.ts';
import { recordedObjects } from '../recorded-objects.ts';
import { missing, show } from './compare.ts';
import type { NetworkCaseDocument, NetworkExpectation } from './document.ts';
import type { RuleTestCase } from './run.ts';

/** A call of a plugin, and what its rule is to plan and to answer. Nothing is performed. */
export function runNetworkCase(
  test: NetworkCaseDocument,
  path: DocumentPath,
  program: NetworkProgram,
  objects: readonly JsonObject[],
): RuleTestCase {
  const { name } = test;
  const rule = ruleFor(test, program);
  if (typeof rule === 'string') return { name, ok: false, problems: [rule], path };
  const facts: NetworkFacts = {
    nodeName: test.node ?? 'node',
    ...recordedObjects([...objects, ...((test.objects ?? []) as readonly JsonObject[])]),
  };
  const outcome = outcomeOf(rule, test, facts);
  const problems = compare(test.expect, outcome);
  return { name, ok: problems.length === 0, problems, path };
}

/** What came of a call. */
interface Outcome {
  readonly steps: readonly DryStep[];
  readonly result: CniResult | undefined;
  readonly fault: CniFault | undefined;
  readonly nodeSteps: readonly DryStep[];
}

function ruleFor({ invocation, rule }: NetworkCaseDocument, { rules }: NetworkProgram): NetworkRule | string {
  const wanted = rule ?? invocation.config['type'];
  if (typeof wanted === 'string') return rules.find(({ name }) => name === wanted) ?? `no rule of the bundle is called ${wanted}`;
  const [first, second] = rules;
  if (first === undefined) return 'the bundle has no network rules';
  return second === undefined
    ? first
    : `the bundle has several network rules: say which with rule, ${rules.map(({ name }) => name).join(', ')}`;
}

function outcomeOf(rule: NetworkRule, test: NetworkCaseDocument, facts: NetworkFacts): Outcome {
  const none: Outcome = { steps: [], result: undefined, fault: undefined, nodeSteps: [] };
  const read = readRecordedInvocation(test.invocation, rule.name);
  if ('fault' in read) return { ...none, fault: read.fault };
  const { request } = read;
  if (request.command === 'STATUS') {
    const said = rule.status(request, facts);
    return { ...none, fault: said === 'needs' ? undefined : said };
  }
  const outputs = (step: BoundStep, predicted: JsonObject) => outputsOf(test, step, predicted);
  const node = test.expect.nodeSteps === undefined ? undefined : walkNode(rule, request, facts, outputs);
  if (node !== undefined && 'fault' in node) return { ...none, fault: node.fault };
  const answer = rule.attach(request, facts);
  const nodeSteps = node?.steps ?? [];
  if (answer.kind === 'fault') return { ...none, nodeSteps, fault: answer.fault };
  if (answer.kind === 'needs') throw new Error(`recorded facts are complete, but ${show(answer.needs)} is asked for`);
  const { plan } = answer;
  const walk = walkPlan(plan, outputs);
  if (walk.fault !== undefined) return { ...none, ...walk, nodeSteps };
  return { ...walk, nodeSteps, result: plan.result(walk.steps.map(({ step, outputs: ended }) => ({ ...step, outputs: ended }))) };
}

function walkNode(
  rule: NetworkRule,
  { config }: NetworkRequest,
  facts: NetworkFacts,
  outputs: (step: BoundStep, predicted: JsonObject) => JsonObject,
) {
  const answer = rule.node?.(config, facts);
  if (answer === undefined) return { fault: fault(FAULT_CODES.internal, 'the rule has no steps for the node') };
  if (answer.kind === 'fault') return { fault: answer.fault };
  if (answer.kind === 'needs') throw new Error(`recorded facts are complete, but ${show(answer.needs)} is asked for`);
  const { steps, fault: failed } = walkPlan(answer.plan, outputs);
  return failed === undefined ? { steps } : { fault: failed };
}

function walkPlan(plan: Plan, outputs: (step: BoundStep, predicted: JsonObject) => JsonObject) {
  const { steps, failure } = dryWalk(plan, NETWORK_OPERATIONS, outputs);
  const said = failure && fault(FAULT_CODES.expressionFailed, `step ${failure.step}: ${failure.message}`);
  return { steps, result: undefined, fault: said };
}

/** What the case says that a step ends with; addresses are the first that are free, as nobody has any. */
function outputsOf({ addresses, outputs }: NetworkCaseDocument, step: BoundStep, predicted: JsonObject): JsonObject {
  const said = outputs !== undefined && Object.hasOwn(outputs, step.key) ? (outputs[step.key] as JsonObject) : {};
  if (step.key !== IPAM_KEY) return { ...predicted, ...said };
  const given = addresses?.map((each) => (typeof each === 'string' ? { address: each } : (each as { address: string; gateway?: string })));
  if (step.operation !== ADDRESSES.name) return { interfaces: [], ips: given ?? [], routes: [], dns: {}, ...said };
  const request = step.arguments as unknown as AddressRequest;
  const { routes, dns } = step.arguments;
  const ips = given ?? firstAddresses(request);
  return { ...(addressOutputs(ips, Array.isArray(routes) ? routes : [], isJsonObject(dns) ? dns : {}) as unknown as JsonObject), ...said };
}

function compare(expected: NetworkExpectation, outcome: Outcome): readonly string[] {
  const problems: string[] = [];
  compareFault(expected.fault, outcome.fault, problems);
  if (expected.steps !== undefined) compareSteps('steps', expected.steps as readonly JsonObject[], outcome.steps, problems);
  if (expected.nodeSteps !== undefined) compareSteps('nodeSteps', expected.nodeSteps as readonly JsonObject[], outcome.nodeSteps, problems);
  if (expected.result !== undefined)
    missing('result', expected.result as JsonObject, outcome.result as unknown as JsonObject | undefined, [], problems);
  return problems;
}

function compareFault(expected: NetworkExpectation['fault'], found: CniFault | undefined, problems: string[]): void {
  if (expected === undefined) {
    if (found !== undefined)
      problems.push(`expected no error, found ${found.code}: ${found.msg}${found.details === undefined ? '' : `; ${found.details}`}`);
    return;
  }
  if (found === undefined) {
    problems.push(`expected an error, found none: ${show(expected)}`);
    return;
  }
  if (expected.code !== undefined && expected.code !== found.code)
    problems.push(`fault.code: expected ${expected.code}, found ${found.code}`);
  for (const field of ['msg', 'details'] as const) {
    const part = expected[field];
    if (part !== undefined && !(found[field] ?? '').includes(part))
      problems.push(`fault.${field}: expected ${show(part)}, found ${show(found[field])}`);
  }
}

/** All steps, in their order, each with what is expected of its arguments at least. */
function compareSteps(what: string, expected: readonly JsonObject[], found: readonly DryStep[], problems: string[]): void {
  const names = found.map(({ step }) => step.operation);
  const wanted = expected.map((step) => Object.keys(step).find((key) => key !== 'key') ?? '');
  if (names.join() !== wanted.join()) {
    problems.push(`${what}: expected ${wanted.join(', ') || 'none'}, found ${names.join(', ') || 'none'}`);
    return;
  }
  for (const [index, each] of expected.entries()) {
    const { step } = found[index]!;
    const place = `${what}[${index}]`;
    missing(place, each[wanted[index]!] ?? {}, step.arguments, [wanted[index]!], problems);
    if (each['key'] !== undefined && each['key'] !== step.key)
      problems.push(`${place}: expected the key ${show(each['key'])}, found ${show(step.key)}`);
  }
}
