import type { AuthorizationAnswer, AuthorizationAttributes, UserInfo } from '../../cel/libraries/authorizer.ts';
import type { Json, JsonObject } from '../../object/json.ts';
import type { PatchOperation } from '../../object/json-patch.ts';
import type { RuleReach } from './reach.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** `request` of an AdmissionReview. Kubernetes: staging/src/k8s.io/api/admission/v1/types.go. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: GroupVersionKind;
  readonly resource: GroupVersionResource;
  readonly subResource?: string;
  readonly requestKind?: GroupVersionKind;
  readonly requestResource?: GroupVersionResource;
  readonly requestSubResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly operation: Operation;
  readonly userInfo: UserInfo;
  readonly object?: JsonObject | null;
  readonly oldObject?: JsonObject | null;
  readonly dryRun?: boolean;
  readonly options?: JsonObject | null;
}

export type { AuthorizationAnswer, AuthorizationAttributes, Json, JsonObject, UserInfo };

export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface ObjectQuery {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  /** In the form of `kubectl -l`. */
  readonly labelSelector?: string;
}

/**
 * What a decision may depend on beside the request. Answers are immediate: `undefined` means "not known yet", and the
 * decision comes back as needs for the runtime to fetch; `null` means "there is none".
 */
export interface AdmissionFacts {
  namespace(name: string): JsonObject | null | undefined;
  object(reference: ObjectReference): JsonObject | null | undefined;
  list(query: ObjectQuery): readonly JsonObject[] | undefined;
  authorize(attributes: AuthorizationAttributes): AuthorizationAnswer | undefined;
  /** Whether the cluster serves a kind; undefined where unknown (then params are looked up anyway). */
  serves?(apiVersion: string, kind: string): boolean | undefined;
  /** Whether objects of a kind live in namespaces; undefined where unknown. Built-in kinds are known without. */
  scope?(apiVersion: string, kind: string): 'Namespaced' | 'Cluster' | undefined;
  /** What a registry says of an image, as `{manifest, config}`; null when there is none. Only Kyverno's policies ask. */
  image?(name: string): JsonObject | null;
  /** The current time, in nanoseconds since 1970. Only Kyverno's policies ask. */
  now?(): bigint;
}

export type FactNeed =
  | { readonly kind: 'namespace'; readonly name: string }
  | { readonly kind: 'object'; readonly reference: ObjectReference }
  | { readonly kind: 'list'; readonly query: ObjectQuery }
  | { readonly kind: 'authorize'; readonly attributes: AuthorizationAttributes };

/** `mutate`: mutations only, `validate`: validations only, `all`: both, validations on the mutated object. */
export type AdmissionPhase = 'mutate' | 'validate' | 'all';

/** What one rule (and binding) said; for metrics, logs, dry runs and tests. */
export interface RuleOutcome {
  /** Document kind and name: `AdmissionRule`, `ValidatingAdmissionPolicy`, ... */
  readonly ruleKind: string;
  readonly rule: string;
  readonly binding?: string;
  /** `skip`: does not match or a match condition is false. `error`: evaluation failed (the failure policy decided `allowed`). */
  readonly result: 'allow' | 'deny' | 'warn' | 'audit' | 'mutate' | 'skip' | 'error';
  readonly message?: string;
  /** Which validation or mutation, by index in the document. */
  readonly index?: number;
  /** Why it was skipped: `operation`, `resource`, `namespaceSelector`, `matchCondition "x"`, ... */
  readonly skipped?: string;
}

export interface AdmissionStatus {
  readonly message: string;
  readonly reason: string;
  readonly code: number;
}

export interface AdmissionDecision {
  readonly allowed: boolean;
  /** Set when denied. */
  readonly status?: AdmissionStatus;
  /** RFC 6902 operations from the request's object to {@link object}; empty when nothing changed. */
  readonly patch: readonly PatchOperation[];
  /** The object after mutations (the request's own when there were none). */
  readonly object: JsonObject | null;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
  /** One per rule that was considered; filled only when asked for (`explain`), else denials, warnings, audits, errors and mutations only. */
  readonly outcomes: readonly RuleOutcome[];
}

export type AdmissionAnswer =
  | { readonly kind: 'decision'; readonly decision: AdmissionDecision }
  | { readonly kind: 'needs'; readonly needs: readonly FactNeed[] };

export interface AdmitOptions {
  readonly phase: AdmissionPhase;
  /** Record an outcome for every rule, the skipped ones too. */
  readonly explain?: boolean;
}

/** All admission rules of a bundle, compiled together. Pure: same request and facts, same answer. */
export interface AdmissionProgram {
  /** Rules by kind and name, in document order. */
  readonly rules: readonly { readonly kind: string; readonly name: string }[];
  /** Which requests the rules concern; undefined: any. */
  readonly reach?: readonly RuleReach[];
  admit(request: AdmissionRequest, facts: AdmissionFacts, options: AdmitOptions): AdmissionAnswer;
}
