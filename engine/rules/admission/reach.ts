import type { Policy } from './policy.ts';
import type { ResourceRule } from './resource-match.ts';

/** Which requests a rule concerns and what it does with them, so that an API server can be told what to send. */
export interface RuleReach {
  readonly kind: string;
  readonly name: string;
  readonly mutates: boolean;
  /** Validations or audit annotations. */
  readonly validates: boolean;
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly matchPolicy: 'Exact' | 'Equivalent';
  /** Empty: any request. Selectors, names, exclusions and conditions narrow further. */
  readonly resourceRules: readonly ResourceRule[];
}

/** The reach of each policy that is bound, in order; variants of one document (pod controllers) each have their own. */
export function reachOf(policies: readonly Policy[]): readonly RuleReach[] {
  return policies
    .filter(({ bindings }) => bindings.length > 0)
    .map(({ kind, name, mutations, validations, auditAnnotations, failurePolicy, match }) => ({
      kind,
      name,
      mutates: mutations.length > 0,
      validates: validations.length > 0 || auditAnnotations.length > 0,
      failurePolicy,
      matchPolicy: match.matchPolicy,
      resourceRules: match.resourceRules,
    }));
}
