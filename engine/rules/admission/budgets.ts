/** Cost one evaluation of one expression may have. Kubernetes: apiserver pkg/apis/cel/config.go PerCallLimit. */
export const EXPRESSION_LIMIT = 1_000_000;

/** Cost that a policy may have with one binding and one parameter object. Kubernetes: RuntimeCELCostBudget. */
export const POLICY_BUDGET = 10_000_000;

/** Cost that the match conditions of a policy may have together. Kubernetes: RuntimeCELCostBudgetMatchConditions. */
export const MATCH_CONDITIONS_BUDGET = 2_500_000;

/** Longest result of a message expression, in UTF-8 bytes. Kubernetes: MaxEvaluatedMessageExpressionSizeBytes. */
export const MESSAGE_LIMIT_BYTES = 5 * 1024;

/** Longest value of an audit annotation, in UTF-8 bytes; the rest is cut off. */
export const AUDIT_ANNOTATION_LIMIT_BYTES = 10 * 1024;

/** Most failures listed in the audit annotation of failed validations. */
export const AUDIT_FAILURE_LIMIT = 50;
