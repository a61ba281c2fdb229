import type { CniFault, NetworkFacts, NetworkNeeds } from '../../../engine/rules/network/program.ts';
import { FAULT_CODES, fault } from '../../../engine/rules/network/protocol/fault.ts';
import type { Clock } from '../../host/clock.ts';
import { errorMessage } from '../../host/error-message.ts';
import { stepDeadline } from '../../linux/step-deadline.ts';

/** What is known of the cluster, and how more is found out. */
export interface NetworkFactsSource {
  readonly facts: NetworkFacts;
  /** Finds out what is asked for, so that the facts answer it. Rejects where that is not possible, or when `signal` aborts. */
  learn(needs: NetworkNeeds, signal: AbortSignal): Promise<void>;
  /** Calls back after facts have changed. Answers what ends that. */
  onChange(callback: () => void): () => void;
}

/** Where there is no cluster: nothing is known, and there is nothing. */
export function factsWithoutCluster(nodeName = ''): NetworkFactsSource {
  return {
    facts: { nodeName, object: () => null, objects: () => [] },
    learn: () => Promise.resolve(),
    onChange: () => () => {},
  };
}

/** Rounds of asking and finding out. Each object may be named by one of the round before; a rule that goes deeper is a mistake. */
const MAX_ROUNDS = 10;

type Needing = { readonly kind: 'needs'; readonly needs: NetworkNeeds };

/** Milliseconds for finding out what one question needs; a cluster that does not answer must not hold up a node. */
const PATIENCE = 30_000;

/** Asks until all facts that are needed are known. A fault where they can't be had, or not in time. */
export async function withFacts<Answer extends { readonly kind: string }>(
  { source, clock }: { readonly source: NetworkFactsSource; readonly clock: Clock },
  signal: AbortSignal,
  ask: (facts: NetworkFacts) => Answer | Needing,
): Promise<Exclude<Answer, Needing> | { readonly kind: 'fault'; readonly fault: CniFault }> {
  const limit = stepDeadline(clock, PATIENCE, signal);
  try {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const answer = ask(source.facts);
      if (!isNeeding(answer)) return answer as Exclude<Answer, Needing>;
      const failure = await failureOf(source.learn(answer.needs, limit.signal));
      if (failure === undefined) continue;
      const why = limit.isPassed ? `the cluster did not answer in ${PATIENCE / 1000} s` : failure;
      return { kind: 'fault', fault: fault(FAULT_CODES.tryAgainLater, 'what the rule needs of the cluster is not known yet', why) };
    }
  } finally {
    limit.end();
  }
  const details = `after ${MAX_ROUNDS} rounds of questions there are more`;
  return { kind: 'fault', fault: fault(FAULT_CODES.internal, 'the rule asks for facts without end', details) };
}

const isNeeding = (answer: { readonly kind: string }): answer is Needing => answer.kind === 'needs';

async function failureOf(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
