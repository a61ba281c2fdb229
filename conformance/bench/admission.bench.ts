import type { AdmissionDecision, AdmissionProgram, AdmissionRequest, JsonObject } from '../../engine/rules/admission/decision.ts';
import { recordedFacts } from '../../engine/rules/admission/recorded-facts.ts';
import { writeResponse } from '../../runtimes/admission/response.ts';
import { readReview } from '../../runtimes/admission/review.ts';
import { podRequest, ruleSet } from './admission-rules.ts';
import type { Bench, BenchRow } from './bench.ts';
import { POLICY_EXPRESSIONS } from './cel-expressions.ts';
import { podsOfManyShapes } from './cel-pods.ts';
import { compare } from './measure.ts';

const RULES = 200;
const SHAPES = 64;

/** Whole decisions: rules found, variables, verdict; and the way from the body of a review to the body of its answer. */
export const bench: Bench = {
  name: 'admission',
  description: `decisions over ${RULES} ValidatingAdmissionPolicies on pods of ${SHAPES} shapes, beside the same checks written by hand`,
  async *run({ log, signal }): AsyncIterable<BenchRow> {
    const pods = podsOfManyShapes(SHAPES) as readonly JsonObject[];
    const requests = pods.map(podRequest);
    const byHand = Array.from({ length: RULES }, (_, i) => POLICY_EXPRESSIONS[i % POLICY_EXPRESSIONS.length]!.byHand);
    const handWritten = (i: number): boolean => {
      const pod = pods[i % SHAPES]!;
      for (const check of byHand) if (check(pod as never) !== true) return false;
      return true;
    };
    const sets: readonly (readonly [string, AdmissionProgram, string | undefined])[] = [
      [`${RULES} policies, one validation each`, ruleSet({ count: RULES }), 'at most 25 µs'],
      [`${RULES} policies with a variable and a message`, ruleSet({ count: RULES, variables: true }), undefined],
      [`${RULES} of 1400 policies concern the pod`, ruleSet({ count: 7 * RULES, aboutPods: 7 }), undefined],
    ];
    for (const [name, program, goal] of sets) {
      if (signal.aborted) return;
      log(name);
      for (const request of requests) decide(program, request);
      yield row(
        name,
        goal,
        compare((i) => decide(program, requests[i % SHAPES]!), handWritten),
        'the checks by hand',
      );
    }

    log('whole reviews');
    const [, program] = sets[0]!;
    const bodies = requests.map((request) => JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request }));
    const whole = (i: number): string => {
      const review = readReview(JSON.parse(bodies[i % SHAPES]!));
      return writeResponse(review, decide(program, review.request), 'no-patch');
    };
    const parseOnly = (i: number): unknown => JSON.parse(bodies[i % SHAPES]!);
    yield row(`a review: parse, ${RULES} policies, response`, undefined, compare(whole, parseOnly), 'JSON.parse alone');
  },
};

const facts = recordedFacts([]);

function decide(program: AdmissionProgram, request: AdmissionRequest): AdmissionDecision {
  const answer = program.admit(request, facts, { phase: 'validate' });
  if (answer.kind === 'needs') throw new Error('the rules of the benchmark need no facts');
  if (!answer.decision.allowed) throw new Error(`the rules of the benchmark allow every pod: ${answer.decision.status?.message}`);
  return answer.decision;
}

function row(name: string, goal: string | undefined, measured: ReturnType<typeof compare>, reference: string): BenchRow {
  return {
    name,
    unit: 'µs',
    ours: measured.ours / 1000,
    reference: { name: reference, value: measured.reference / 1000 },
    spread: measured.spread,
    better: 'lower',
    ...(goal === undefined ? {} : { goal }),
  };
}
