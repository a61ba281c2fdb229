import type { Program } from '../../cel/program.ts';
import type { UsedVariables } from './activation.ts';
import type { JsonObject } from './decision.ts';
import type { MutationStep } from './mutation.ts';
import type { ResourceRules } from './resource-match.ts';
import type { VariableTable } from './variables.ts';

/**
 * The one form that AdmissionRules, Validating- and MutatingAdmissionPolicies and Kyverno's policies are lowered to, so that
 * there is a single decision pipeline. Everything here is checked and prepared; nothing of it changes after loading.
 */
export interface Policy {
  /** Kind and name of the document; variants of one document (pod controllers) share them. */
  readonly kind: PolicyKind;
  readonly name: string;
  /** Namespaced kinds only concern requests in their own namespace. */
  readonly namespace?: string;
  readonly match: MatchCriteria;
  readonly bindings: readonly PolicyBinding[];
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly paramKind?: { readonly apiVersion: string; readonly kind: string };
  /** Where parameter objects live, when the kind is known at load. */
  readonly paramScope?: 'Namespaced' | 'Cluster';
  /** The value of `params` for every request, when it does not come from the cluster. */
  readonly inlineParams?: JsonObject;
  readonly matchConditions: readonly MatchCondition[];
  readonly variables: VariableTable;
  readonly mutations: readonly MutationStep[];
  /** Mutations run once more after others have changed the object. */
  readonly reinvoke: boolean;
  readonly validations: readonly Validation[];
  readonly auditAnnotations: readonly AuditAnnotation[];
  /** `denied request` texts differ per kind. */
  readonly dialect: Dialect;
  readonly uses: UsedVariables;
  /** The fast back end could miss something that the API server would say even where everything holds. */
  readonly needsExactEvaluation: boolean;
  /** Messages of validations that hold are evaluated, too, for what they cost. */
  readonly probeMessages: boolean;
  /** A problem found at load that the API server would only meet at run time. */
  readonly configurationError?: string;
}

/** The part of a policy that expressions need beside the activation. */
export type VariableSource = Pick<Policy, 'variables'>;

export type PolicyKind =
  | 'AdmissionRule'
  | 'ValidatingAdmissionPolicy'
  | 'MutatingAdmissionPolicy'
  | 'ValidatingPolicy'
  | 'MutatingPolicy'
  | 'NamespacedValidatingPolicy'
  | 'NamespacedMutatingPolicy';

/** How a kind differs in the pipeline. */
export interface Dialect {
  /**
   * Kubernetes evaluates the message expressions of validations that hold, too, and what they cost may exhaust the budget.
   * Ours are evaluated when a message is needed.
   */
  readonly eagerMessages: boolean;
  denied(policy: Policy, binding: string | undefined, message: string): string;
  warned(policy: Policy, binding: string | undefined, message: string): string;
  /** `namespaceObject` is the namespace in match conditions too; Kubernetes gives null there. */
  readonly namespaceInMatchConditions: boolean;
  /** Every denial of the request is named in the status, instead of the first. */
  readonly nameAllDenials: boolean;
}

export type LabelMatcher = (labels: JsonObject | undefined) => boolean;

export interface MatchCriteria extends ResourceRules {
  /** Undefined: selects everything. */
  readonly namespaceSelector: LabelMatcher | undefined;
  readonly objectSelector: LabelMatcher | undefined;
  /** Whether a namespace of this name may match; undefined: any, and cluster-scoped objects too. */
  readonly namespaceName?: ((name: string) => boolean) | undefined;
}

export type ValidationAction = 'Deny' | 'Warn' | 'Audit';

export interface PolicyBinding {
  /** Undefined for kinds that bind themselves. */
  readonly name: string | undefined;
  readonly match: MatchCriteria | undefined;
  readonly actions: readonly ValidationAction[];
  readonly paramRef?: ParamRef;
}

export interface ParamRef {
  readonly name?: string;
  readonly namespace?: string;
  readonly selector?: LabelMatcher;
  /** The selector in the form of `kubectl -l`. */
  readonly selectorText?: string;
  readonly notFound: 'Allow' | 'Deny';
}

/** An expression of a document, ready to run. */
export interface Expression {
  /** As written, for messages. */
  readonly text: string;
  readonly program: Program;
  /** Where it stands, as `$.spec.validations[0].expression`. */
  readonly path: string;
}

export interface MatchCondition {
  readonly name: string;
  readonly expression: Expression;
}

export interface Validation {
  readonly expression: Expression;
  /** As written. */
  readonly message?: string;
  readonly messageExpression?: Expression;
  readonly reason: Reason;
  /** Position in the document's list. */
  readonly index: number;
}

export type Reason = 'Invalid' | 'Forbidden' | 'Unauthorized' | 'RequestEntityTooLarge';

/** HTTP codes of the reasons. Kubernetes: apiserver pkg/admission/plugin/policy/validating/policy_decision.go. */
export const REASON_CODES: Readonly<Record<Reason, number>> = {
  Invalid: 422,
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
};

export interface AuditAnnotation {
  readonly key: string;
  readonly expression: Expression;
}
