import type {
  AdmissionDecision,
  AdmissionFacts,
  AdmissionProgram,
  AdmissionRequest,
  AdmitOptions,
  AuthorizationAnswer,
  FactNeed,
  JsonObject,
} from '../../engine/rules/admission/decision.ts';
import { attributesKey, queryKey, referenceKey } from './fact-key.ts';
import { describeNeed, FactError, type FactsSource } from './facts.ts';

/** A rule that needs a fact that depends on a fact, and so on, ends here. */
const MAX_ROUNDS = 8;
/** Facts one request may need in all. */
const MAX_NEEDS = 256;

/**
 * Asks the program, fetches what it needs, and asks again with all that was fetched, until it decides. What was once
 * answered in a request stays the answer for that request. Rejects with a {@link FactError} where a fact cannot be had
 * before `signal` aborts, or where the needs do not end.
 */
export async function decide(
  program: AdmissionProgram,
  request: AdmissionRequest,
  source: FactsSource,
  options: AdmitOptions,
  signal: AbortSignal,
): Promise<AdmissionDecision> {
  const fetched = fetchedFacts(source.known);
  let total = 0;
  for (let round = 0; round <= MAX_ROUNDS; round++) {
    const answer = program.admit(request, round === 0 ? source.known : fetched.facts, options);
    if (answer.kind === 'decision') return answer.decision;
    total += answer.needs.length;
    if (answer.needs.length === 0) throw new FactError('the rules wait for facts but name none');
    if (total > MAX_NEEDS) throw new FactError(`the rules need more than ${MAX_NEEDS} facts for one request`);
    await Promise.all(answer.needs.map((need) => fetched.fetch(need, source, signal)));
    if (signal.aborted) throw new FactError('the deadline of the request has passed');
  }
  throw new FactError(`the rules still need facts after ${MAX_ROUNDS} rounds`);
}

interface FetchedFacts {
  readonly facts: AdmissionFacts;
  fetch(need: FactNeed, source: FactsSource, signal: AbortSignal): Promise<void>;
}

/** What has been fetched for one request, in front of what is known anyway. */
function fetchedFacts(known: AdmissionFacts): FetchedFacts {
  const namespaces = new Map<string, JsonObject | null>();
  const objects = new Map<string, JsonObject | null>();
  const lists = new Map<string, readonly JsonObject[]>();
  const answers = new Map<string, AuthorizationAnswer>();
  const serves = known.serves?.bind(known);
  const scope = known.scope?.bind(known);
  return {
    facts: {
      namespace: (name) => (namespaces.has(name) ? namespaces.get(name) : known.namespace(name)),
      object(reference) {
        const key = referenceKey(reference);
        return objects.has(key) ? objects.get(key) : known.object(reference);
      },
      list: (query) => lists.get(queryKey(query)) ?? known.list(query),
      authorize: (attributes) => answers.get(attributesKey(attributes)) ?? known.authorize(attributes),
      ...(serves === undefined ? {} : { serves }),
      ...(scope === undefined ? {} : { scope }),
    },
    async fetch(need, source, signal) {
      try {
        switch (need.kind) {
          case 'namespace':
            namespaces.set(need.name, await source.namespace(need.name, signal));
            break;
          case 'object':
            objects.set(referenceKey(need.reference), await source.object(need.reference, signal));
            break;
          case 'list':
            lists.set(queryKey(need.query), await source.list(need.query, signal));
            break;
          case 'authorize':
            answers.set(attributesKey(need.attributes), await source.authorize(need.attributes, signal));
            break;
        }
      } catch (error) {
        if (error instanceof FactError) throw error;
        throw new FactError(`${describeNeed(need)} could not be had: ${error instanceof Error ? error.message : 'unknown error'}`);
      }
    },
  };
}
