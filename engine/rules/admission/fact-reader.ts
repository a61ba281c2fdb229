import { CelError } from '../../cel/values.ts';
import type {
  AdmissionFacts,
  AuthorizationAnswer,
  AuthorizationAttributes,
  FactNeed,
  JsonObject,
  ObjectQuery,
  ObjectReference,
} from './decision.ts';

/** Thrown by the pipeline where a decision can't go on without a fact; what is needed stands in {@link FactReader.needs}. */
export const NEEDS_FACTS = new CelError('a fact is not known yet', 'needs-fact');

/** Asks facts, and keeps what was not known, so that the runtime fetches it all at once. */
export class FactReader {
  readonly #facts: AdmissionFacts;
  readonly #needs = new Map<string, FactNeed>();

  constructor(facts: AdmissionFacts) {
    this.#facts = facts;
  }

  get needs(): readonly FactNeed[] {
    return [...this.#needs.values()];
  }

  /** Throws {@link NEEDS_FACTS} when the answer is not known; null when there is no such namespace. */
  namespace(name: string): JsonObject | null {
    const found = this.#facts.namespace(name);
    return found === undefined ? this.#missing({ kind: 'namespace', name }) : found;
  }

  object(reference: ObjectReference): JsonObject | null {
    const found = this.#facts.object(reference);
    return found === undefined ? this.#missing({ kind: 'object', reference }) : found;
  }

  list(query: ObjectQuery): readonly JsonObject[] {
    const found = this.#facts.list(query);
    return found === undefined ? this.#missing({ kind: 'list', query }) : found;
  }

  authorize(attributes: AuthorizationAttributes): AuthorizationAnswer {
    const found = this.#facts.authorize(attributes);
    return found === undefined ? this.#missing({ kind: 'authorize', attributes }) : found;
  }

  serves(apiVersion: string, kind: string): boolean | undefined {
    return this.#facts.serves?.(apiVersion, kind);
  }

  scope(apiVersion: string, kind: string): 'Namespaced' | 'Cluster' | undefined {
    return this.#facts.scope?.(apiVersion, kind);
  }

  image(name: string): JsonObject | null {
    if (this.#facts.image === undefined) throw new CelError('metadata of images is not available here');
    return this.#facts.image(name);
  }

  /** Nanoseconds since 1970. */
  now(): bigint {
    if (this.#facts.now === undefined) throw new CelError('the current time is not available here');
    return this.#facts.now();
  }

  #missing(need: FactNeed): never {
    this.#needs.set(JSON.stringify(need), need);
    throw NEEDS_FACTS;
  }
}
