import type {
  AdmissionFacts,
  AuthorizationAnswer,
  AuthorizationAttributes,
  FactNeed,
  JsonObject,
  ObjectQuery,
  ObjectReference,
} from '../../engine/rules/admission/decision.ts';

/**
 * Where a decision's facts come from: what is known at once, and how to find out the rest. A fetch rejects when the answer
 * could not be had, which is not the same as `null`, "there is none".
 */
export interface FactsSource {
  readonly known: AdmissionFacts;
  namespace(name: string, signal: AbortSignal): Promise<JsonObject | null>;
  object(reference: ObjectReference, signal: AbortSignal): Promise<JsonObject | null>;
  list(query: ObjectQuery, signal: AbortSignal): Promise<readonly JsonObject[]>;
  authorize(attributes: AuthorizationAttributes, signal: AbortSignal): Promise<AuthorizationAnswer>;
}

/** A fact could not be had in time. */
export class FactError extends Error {
  override readonly name = 'FactError';
}

/** No source at all: a rule that needs a fact cannot be decided, and the webhook's failure policy decides instead. */
export const noFacts: FactsSource = immediateFacts({
  namespace: () => undefined,
  object: () => undefined,
  list: () => undefined,
  authorize: () => undefined,
});

/** A source whose every answer is known at once; what `known` leaves undefined counts as "could not be had". */
export function immediateFacts(known: AdmissionFacts): FactsSource {
  const unknown = (need: FactNeed): Promise<never> => Promise.reject(new FactError(`${describeNeed(need)} is not known`));
  return {
    known,
    namespace: (name) => unknown({ kind: 'namespace', name }),
    object: (reference) => unknown({ kind: 'object', reference }),
    list: (query) => unknown({ kind: 'list', query }),
    authorize: (attributes) => unknown({ kind: 'authorize', attributes }),
  };
}

/** A need in words, for logs and answers: names only. */
export function describeNeed(need: FactNeed): string {
  switch (need.kind) {
    case 'namespace':
      return `namespace ${need.name}`;
    case 'object': {
      const { kind, namespace, name } = need.reference;
      return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
    }
    case 'list':
      return `the list of ${need.query.kind}${need.query.namespace === undefined ? '' : ` in ${need.query.namespace}`}`;
    case 'authorize':
      return `the authorization to ${need.attributes.verb} ${need.attributes.resource ?? need.attributes.path ?? ''}`.trimEnd();
  }
}
