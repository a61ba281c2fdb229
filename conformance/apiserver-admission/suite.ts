import type { AdmissionProgram, JsonObject } from '../../engine/rules/admission/decision.ts';
import { isError } from '../../engine/text/diagnostic.ts';
import { stringifyJson } from '../../runtimes/host/json-body.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { type CaseResult, type Suite, type SuiteContext, SuiteUnavailable } from '../suite.ts';
import { type AdmissionCase, RESOURCES, resourcePath } from './case.ts';
import { allCases } from './cases/all.ts';
import { canonicalObject, compareVerdicts, verdictOf } from './compare.ts';
import { corpusCases } from './corpus.ts';
import { type LiveFacts, liveFacts } from './facts.ts';
import { createObjects, type LiveAnswer, loadPolicies, PLAIN_NAMESPACE, type Refusal, recordRequests, sendRequests } from './live.ts';
import { compileOurs, decide, type OurBundle } from './ours.ts';
import { type PlannedCase, plan } from './plan.ts';
import type { RecordedRequest } from './recorder.ts';
import { compareRefusals } from './refusals.ts';
import { compareTypeWarnings } from './type-warnings.ts';
import { compareWebhook } from './webhook/compare.ts';

/** Policies in a real API server and in the engine, the same requests, the same answers. */
export const suite: Suite = {
  name: 'apiserver-admission',
  description: 'ValidatingAdmissionPolicies and MutatingAdmissionPolicies: a real kube-apiserver and the engine side by side',
  async *run(context) {
    const cases = plan([...allCases, ...fromCorpora(context)]).filter(
      (each) => context.wanted(each.name) || each.requests.some(({ name }) => context.wanted(name)),
    );
    const cluster = await startCluster({ log: context.log, signal: context.signal, audit: true });
    try {
      await createObjects(cluster, cases);
      yield* compareWebhook(context, cluster);
      yield* comparePolicies(context, cluster, cases);
    } finally {
      await cluster.stop();
    }
    yield* compareTypeWarnings(context);
  },
};

/** The policies of other people, as far as they are there. */
function fromCorpora(context: SuiteContext): readonly AdmissionCase[] {
  return ['kyverno-vpol', 'kyverno-mpol'].flatMap((name) => {
    try {
      return corpusCases(context.corpus(name), name);
    } catch (error) {
      if (!(error instanceof SuiteUnavailable)) throw error;
      context.incomplete(`without ${name}: ${error.message}`);
      return [];
    }
  });
}

async function* comparePolicies(context: SuiteContext, cluster: Cluster, cases: readonly PlannedCase[]): AsyncGenerator<CaseResult> {
  const recorded = await recordRequests(cluster, cases);
  const refused = await loadPolicies(cluster, cases);
  context.log(`${cases.length} cases are loaded, ${refused.size} of their policies are refused by the API server`);
  const answers = await sendRequests(cluster, cases);
  const byMark = new Map(answers.map((answer) => [answer.request.mark, answer]));
  const facts = liveFacts(cluster);
  for (const each of cases) {
    if (context.signal.aborted) return;
    const names = each.documents.map((document) => (document['metadata'] as { name: string }).name);
    const refusedNames = names.filter((name) => refused.has(name));
    const ours = compileOurs(each.documents);
    if (refusedNames.length > 0) yield compareRefused(each, refusedNames, refused, ours);
    else {
      if (each.requests.length === 0) yield compareTaken(each, ours);
      for (const request of each.requests) {
        const answer = byMark.get(request.mark)!;
        const comparison: Comparison = { cluster, facts, ours, answer, recorded: recorded.get(request.mark), case: each };
        yield await compareRequest(comparison).catch((error: Error) => result(request.name, [`the engine threw: ${error.stack}`]));
      }
    }
  }
}

/** The policy does not exist: what can be compared is why. */
function compareRefused(each: PlannedCase, names: readonly string[], refused: ReadonlyMap<string, Refusal>, ours: OurBundle): CaseResult {
  const name = `${each.name}: refused`;
  const crash = names.map((one) => refused.get(one)!).find((refusal) => refusal.crashed);
  if (crash) return { name, outcome: 'skipped', reason: crash.message };
  return result(
    name,
    names.flatMap((one) => compareRefusals(refused.get(one)!, ours, one)),
  );
}

/** The API server takes the policy: so must we. */
function compareTaken(each: PlannedCase, ours: OurBundle): CaseResult {
  const errors = ours.bundle.diagnostics.filter(isError).map((diagnostic) => `${diagnostic.path}: ${diagnostic.message}`);
  return result(`${each.name}: taken`, errors.length === 0 ? [] : [`the API server takes the policies, ours refuses them:`, ...errors]);
}

function result(name: string, differences: readonly string[]): CaseResult {
  return differences.length === 0 ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: differences.join('\n') };
}

interface Comparison {
  readonly cluster: Cluster;
  readonly facts: LiveFacts;
  readonly ours: OurBundle;
  readonly answer: LiveAnswer;
  readonly recorded: RecordedRequest | undefined;
  readonly case: PlannedCase;
}

async function compareRequest(comparison: Comparison): Promise<CaseResult> {
  const { answer, recorded, ours } = comparison;
  const { name } = answer.request;
  const { program, diagnostics } = ours.bundle;
  if (program === undefined) {
    const errors = diagnostics.filter((each) => each.severity === 'error').map((each) => `${each.path}: ${each.message}`);
    return { name, outcome: 'failed', reason: `the API server takes the policies, ours refuses them:\n  ${errors.join('\n  ')}` };
  }
  const kinds = new Set(comparison.case.documents.map((document) => document['kind']));
  const mutates = kinds.has('MutatingAdmissionPolicy');
  const phase = !mutates ? 'validate' : kinds.has('ValidatingAdmissionPolicy') ? 'all' : 'mutate';
  const request = mutates ? recorded?.mutating : recorded?.validating;
  if (request === undefined) return { name, outcome: 'skipped', reason: 'the request is refused before it comes to admission' };
  const decision = await decide(program.admission as AdmissionProgram, request, comparison.facts, phase);
  const differences = compareVerdicts(answer, decision, hasAnyOrder(comparison.case));
  if (differences.length === 0 && mutates && decision.allowed) differences.push(...(await compareObjects(comparison, decision.object)));
  return result(name, differences);
}

/** Several bindings, or several parameter objects of one: the API server takes them in any order. */
function hasAnyOrder(each: PlannedCase): boolean {
  const bindings = each.documents.filter((document) => String(document['kind']).endsWith('Binding'));
  return bindings.length > 1 || JSON.stringify(bindings).includes('"selector"');
}

/**
 * The API server fills in defaults after a mutation: ours is sent through it as well, in a namespace without policies, and what comes
 * back is compared. An object that does not decode must fail on both sides.
 */
async function compareObjects({ cluster, answer }: Comparison, object: JsonObject | null): Promise<string[]> {
  if (object === null) return [];
  // A subresource answers with its own kind, or with a Status: then there is nothing to see.
  if (answer.request.draft.subresource !== undefined) {
    const body = answer.response.body as JsonObject;
    if (body['kind'] !== object['kind']) return [];
    return canonicalObject(body) === canonicalObject(object)
      ? []
      : [`object of the API server: ${stringifyJson(body)}\nours: ${stringifyJson(object)}`];
  }
  const resource = RESOURCES[answer.request.draft.resource]!;
  const metadata = { ...(object['metadata'] as JsonObject), namespace: PLAIN_NAMESPACE };
  const body = {
    ...object,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== 'resourceVersion' && key !== 'uid')),
  };
  const settled = await cluster.admin.request({
    method: 'POST',
    path: resourcePath(resource, PLAIN_NAMESPACE),
    query: { dryRun: 'All' },
    body,
  });
  const live = verdictOf(answer);
  if (live.kind === 'failed') {
    if (settled.status > 299) return [];
    return [`the API server: ${answer.response.status} ${live.status?.message}\nours: an object that it accepts: ${stringifyJson(object)}`];
  }
  if (settled.status > 299) return [`our object is refused: ${stringifyJson(settled.body)}\n${stringifyJson(object)}`];
  const [left, right] = [answer.response.body, settled.body].map((each) => canonicalObject(each as JsonObject));
  return left === right ? [] : [`object of the API server: ${left}\nours: ${right}`];
}
