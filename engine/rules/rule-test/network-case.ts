import { type Json, type JsonObject, ownText } from '../../object/json.ts';
import type { DryStep } from '../../step/dry-walk.ts';
import { BindError } from '../../step/plan.ts';
import type { DocumentPath } from '../../text/document.ts';
import { type DryPlan, type DryPlanOptions, dryEnd, dryPlan } from '../network/dry-plan.ts';
import type { CniFault, NetworkFacts, NetworkPlan, NetworkProgram, NetworkRequest, NetworkRule } from '../network/program.ts';
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
    attachments: () => (test.attachments ?? []).map((each) => ({ containerId: each.name, ifName: 'eth0', uid: '', ...each })),
  };
  const outcome = outcomeOf(rule, test, facts);
  const problems = compare(test.expect, outcome);
  return { name, ok: problems.length === 0, problems, path };
}

/** What came of a call. */
interface Outcome {
  readonly steps: readonly DryStep[];
  readonly result: CniResult | undefined;
  readonly podAnnotations: Readonly<Record<string, string>>;
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
  const none: Outcome = { steps: [], result: undefined, podAnnotations: {}, fault: undefined, nodeSteps: [] };
  const read = readRecordedInvocation(test.invocation, rule.name);
  if ('fault' in read) return { ...none, fault: read.fault };
  const { request } = read;
  if (request.command === 'STATUS') {
    const said = rule.status(request, facts);
    return { ...none, fault: said !== undefined && 'needs' in said ? undefined : said };
  }
  const options = optionsOf(test);
  const node = test.expect.nodeSteps === undefined ? undefined : walkNode(rule, request, facts, options);
  const nodeSteps = node?.steps ?? [];
  if (node?.fault !== undefined) return { ...none, nodeSteps, fault: node.fault };
  const answer = rule.attach(request, facts);
  if (answer.kind === 'fault') return { ...none, nodeSteps, fault: answer.fault };
  if (answer.kind === 'needs') throw new Error(`recorded facts are complete, but ${show(answer.needs)} is asked for`);
  const { plan } = answer;
  const { steps, fault: failed } = dryPlan(plan, { ...options, prevResult: request.prevResult });
  if (failed !== undefined) return { ...none, steps, nodeSteps, fault: failed };
  const isEndAsked = test.expect.result !== undefined || test.expect.podAnnotations !== undefined;
  return { ...none, steps, nodeSteps, ...(isEndAsked ? endOf(plan, steps, options) : {}) };
}

function endOf(plan: NetworkPlan, steps: readonly DryStep[], { outputsOf }: DryPlanOptions): Partial<Outcome> {
  const unforeseen = steps.find(({ step, problem }) => problem !== undefined && outputsOf?.(step) === undefined);
  if (unforeseen !== undefined) {
    const message = `the outputs of step ${unforeseen.step.key} are not known (${unforeseen.problem}): give them in outputs`;
    return { fault: fault(FAULT_CODES.internal, message) };
  }
  try {
    return dryEnd(plan, steps);
  } catch (error) {
    if (!(error instanceof BindError)) throw error;
    return { fault: fault(FAULT_CODES.expressionFailed, `${error.step}: ${error.message}`) };
  }
}

function walkNode(rule: NetworkRule, { config }: NetworkRequest, facts: NetworkFacts, options: DryPlanOptions): DryPlan {
  const none = { steps: [] };
  const answer = rule.node?.(config, facts);
  if (answer === undefined) return { ...none, fault: fault(FAULT_CODES.internal, 'the rule has no steps for the node') };
  if (answer.kind === 'fault') return { ...none, fault: answer.fault };
  if (answer.kind === 'needs') throw new Error(`recorded facts are complete, but ${show(answer.needs)} is asked for`);
  return dryPlan(answer.plan, options);
}

/** What the case knows of how steps end. */
function optionsOf({ addresses, outputs }: NetworkCaseDocument): DryPlanOptions {
  const given = addresses?.map((each) => (typeof each === 'string' ? { address: each, gateway: '' } : { gateway: '', ...each }));
  return {
    addresses: given as DryPlanOptions['addresses'],
    outputsOf: ({ key }) => (outputs !== undefined && Object.hasOwn(outputs, key) ? (outputs[key] as JsonObject) : undefined),
  };
}

function compare(expected: NetworkExpectation, outcome: Outcome): readonly string[] {
  const problems: string[] = [];
  compareFault(expected.fault, outcome.fault, problems);
  if (expected.steps !== undefined) compareSteps('steps', expected.steps as readonly JsonObject[], outcome.steps, problems);
  if (expected.nodeSteps !== undefined) compareSteps('nodeSteps', expected.nodeSteps as readonly JsonObject[], outcome.nodeSteps, problems);
  if (expected.result !== undefined)
    missing('result', expected.result as JsonObject, outcome.result as unknown as JsonObject | undefined, [], problems);
  compareAnnotations(expected.podAnnotations, outcome.podAnnotations, problems);
  return problems;
}

function compareAnnotations(
  expected: NetworkExpectation['podAnnotations'],
  found: Readonly<Record<string, string>>,
  problems: string[],
): void {
  for (const [key, value] of Object.entries((expected ?? {}) as JsonObject)) {
    const text = ownText(found, key);
    missing(`podAnnotations ${key}`, value, typeof value === 'string' ? text : jsonOf(text), [], problems);
  }
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
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
