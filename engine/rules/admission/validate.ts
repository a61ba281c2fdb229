import type { Activation, Meter } from '../../cel/program.ts';
import { CelError, type CelValue } from '../../cel/values.ts';
import { type RequestActivation, withoutAuthorizer, withVariables } from './activation.ts';
import { EXPRESSION_LIMIT, MATCH_CONDITIONS_BUDGET, MESSAGE_LIMIT_BYTES, POLICY_BUDGET } from './budgets.ts';
import { type Evaluation, evaluateExactly } from './exact-evaluation.ts';
import { trimSpace, utf8Length } from './go-text.ts';
import type { Expression, Policy, Reason, Validation } from './policy.ts';
import { ExactVariables, type FastVariables } from './variables.ts';

/** What one validation said of one request. */
export type ValidationDecision =
  | { readonly kind: 'admit' }
  /** `index` is the validation's position in the document; absent where no single validation is to blame. */
  | { readonly kind: 'deny'; readonly message: string; readonly reason: Reason; readonly index: number }
  | { readonly kind: 'error'; readonly message: string; readonly index?: number };

export type AnnotationDecision =
  | { readonly kind: 'publish'; readonly key: string; readonly value: string }
  | { readonly kind: 'exclude' }
  | { readonly kind: 'error'; readonly key: string; readonly message: string };

/** What a policy says with one binding and one parameter object. */
export interface Verdict {
  /** A match condition that is false: the policy has nothing to say. */
  readonly skipped?: string;
  readonly decisions: readonly ValidationDecision[];
  readonly annotations: readonly AnnotationDecision[];
}

/** All validations hold, and nothing else is to be said. */
const ADMITTED: Verdict = { decisions: [], annotations: [] };

/** Match conditions of a policy for the request at hand. */
export type MatchDecision =
  | { readonly kind: 'match' }
  | { readonly kind: 'skip'; readonly condition: string }
  | { readonly kind: 'error'; readonly message: string };

const MATCH: MatchDecision = { kind: 'match' };

/**
 * Tries a policy with the fast back end. True: every match condition is true and every validation holds, well within the
 * budgets. False says nothing: ask {@link judge}. May throw NEEDS_FACTS.
 */
export function holdsFast(policy: Policy, activation: RequestActivation, variables: FastVariables, meter: Meter): boolean {
  meter.remaining = EXPRESSION_LIMIT;
  try {
    activation.variables = variables;
    const { validations } = policy;
    for (let i = 0; i < validations.length; i++) {
      if (validations[i]!.expression.program.run(activation as unknown as Activation, meter) !== true) return false;
    }
    return meter.remaining >= 0 && (!policy.probeMessages || messagesAreAffordable(policy, activation, meter));
  } catch (error) {
    if (error instanceof CelError) return false;
    throw error;
  }
}

function messagesAreAffordable({ validations }: Policy, activation: RequestActivation, meter: Meter): boolean {
  meter.remaining = POLICY_BUDGET - EXPRESSION_LIMIT;
  for (const { messageExpression } of validations) {
    try {
      messageExpression?.program.run(activation as unknown as Activation, meter);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      // A message that fails has no say, but what it cost until then only the exact evaluation knows.
      return false;
    }
  }
  return meter.remaining >= 0;
}

/**
 * Match conditions with the fast back end: true, or the name of the one that is false, or undefined when only
 * {@link judgeMatchConditions} can tell.
 */
export function matchesFast(policy: Policy, activation: RequestActivation, meter: Meter): true | string | undefined {
  const { matchConditions } = policy;
  if (matchConditions.length === 0) return true;
  meter.remaining = EXPRESSION_LIMIT;
  let failed = false;
  for (let i = 0; i < matchConditions.length; i++) {
    const condition = matchConditions[i]!;
    try {
      // Conditions after one that is false are evaluated by Kubernetes too, but can't change the answer within the budget.
      if (condition.expression.program.run(activation as unknown as Activation, meter) === false && meter.remaining >= 0)
        return condition.name;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      // A later condition may still be false, which skips the policy whatever failed before it.
      failed = true;
    }
  }
  return failed || meter.remaining < 0 ? undefined : true;
}

/** Match conditions, exactly. Kubernetes: apiserver pkg/admission/plugin/webhook/matchconditions/matcher.go. */
export function judgeMatchConditions(policy: Policy, activation: RequestActivation): MatchDecision {
  if (policy.matchConditions.length === 0) return MATCH;
  const namespaceObject = policy.dialect.namespaceInMatchConditions ? activation.namespaceObject : null;
  const variables = new ExactVariables(policy.variables, (own) => withVariables({ ...activation, namespaceObject }, own));
  const expressions = policy.matchConditions.map((condition) => condition.expression);
  const evaluated = evaluateExactly(expressions, variables, MATCH_CONDITIONS_BUDGET);
  if (!evaluated.ok) return ignoreOr(policy, evaluated.error);
  const errors: string[] = [];
  for (const [index, result] of evaluated.results.entries()) {
    if (!result!.ok) errors.push(result!.error);
    else if (result!.value === false) return { kind: 'skip', condition: policy.matchConditions[index]!.name };
  }
  if (errors.length === 0) return MATCH;
  return ignoreOr(policy, aggregate(errors));
}

function ignoreOr(policy: Policy, message: string): MatchDecision {
  return policy.failurePolicy === 'Ignore' ? { kind: 'skip', condition: '' } : { kind: 'error', message };
}

/** Go's text of several errors: one stands bare, several in brackets, repeated ones once. */
function aggregate(errors: readonly string[]): string {
  const distinct = [...new Set(errors)];
  return distinct.length === 1 ? distinct[0]! : `[${distinct.join(', ')}]`;
}

/**
 * All that a policy says of a request, exactly as the API server says it: texts, order and budgets. `params` are set in the
 * activation. May throw NEEDS_FACTS.
 * Kubernetes: apiserver pkg/admission/plugin/policy/validating/validator.go.
 */
export function judge(policy: Policy, activation: RequestActivation): Verdict {
  const matched = judgeMatchConditions(policy, activation);
  if (matched.kind === 'skip') return { skipped: matched.condition, decisions: [], annotations: [] };
  if (matched.kind === 'error') return failed(matched.message);

  const variables = new ExactVariables(policy.variables, (own) => withVariables(activation, own));
  const expressions = policy.validations.map((validation) => validation.expression);
  const evaluated = evaluateExactly(expressions, variables, POLICY_BUDGET);
  if (!evaluated.ok) return failed(evaluated.error);

  const messages = messagesOf(policy, activation, evaluated.results, evaluated.remaining);
  const decisions = policy.validations.map((validation, position) =>
    decide(validation, evaluated.results[position]!, messages.ok ? messages.results[position] : undefined, messages),
  );

  const annotations = annotate(policy, activation);
  if (!annotations.ok) return failed(annotations.error);
  return { decisions, annotations: annotations.results };
}

/** What is left to say of a request against which nothing is: the audit annotations. May throw NEEDS_FACTS. */
export function admitted(policy: Policy, activation: RequestActivation): Verdict {
  if (policy.auditAnnotations.length === 0) return ADMITTED;
  const annotations = annotate(policy, activation);
  return annotations.ok ? { decisions: [], annotations: annotations.results } : failed(annotations.error);
}

function failed(message: string): Verdict {
  return { decisions: [{ kind: 'error', message }], annotations: [] };
}

type Messages =
  | { readonly ok: true; readonly results: readonly (Evaluation | undefined)[] }
  | { readonly ok: false; readonly error: string };

function messagesOf(policy: Policy, activation: RequestActivation, results: readonly (Evaluation | undefined)[], budget: number): Messages {
  const variables = new ExactVariables(policy.variables, (own) => withoutAuthorizer(activation, own));
  const expressions = policy.validations.map((validation, index) => {
    const result = results[index]!;
    const wanted = policy.dialect.eagerMessages || (result.ok && result.value !== true);
    return wanted ? validation.messageExpression : undefined;
  });
  return evaluateExactly(expressions, variables, budget);
}

function decide(validation: Validation, result: Evaluation, message: Evaluation | undefined, messages: Messages): ValidationDecision {
  if (!result.ok) return { kind: 'error', message: result.error, index: validation.index };
  if (!messages.ok) return { kind: 'error', message: `failed messageExpression: ${messages.error}`, index: validation.index };
  if (result.value === true) return { kind: 'admit' };
  return { kind: 'deny', message: messageText(validation, message), reason: validation.reason, index: validation.index };
}

/** Message expression, else message, else the expression itself. */
function messageText(validation: Validation, evaluated: Evaluation | undefined): string {
  if (evaluated?.ok && typeof evaluated.value === 'string') {
    const text = trimSpace(evaluated.value);
    if (text !== '' && !text.includes('\n') && utf8Length(text) <= MESSAGE_LIMIT_BYTES) return text;
  }
  const message = validation.message === undefined ? '' : trimSpace(validation.message);
  return message !== '' ? message : `failed expression: ${trimSpace(validation.expression.text)}`;
}

type Annotations = { readonly ok: true; readonly results: readonly AnnotationDecision[] } | { readonly ok: false; readonly error: string };

function annotate(policy: Policy, activation: RequestActivation): Annotations {
  const { auditAnnotations } = policy;
  if (auditAnnotations.length === 0) return { ok: true, results: [] };
  const variables = new ExactVariables(policy.variables, (own) => withoutAuthorizer(activation, own));
  const expressions = auditAnnotations.map((annotation) => annotation.expression);
  const evaluated = evaluateExactly(expressions, variables, POLICY_BUDGET);
  if (!evaluated.ok) return evaluated;
  const results = auditAnnotations.map((annotation, index): AnnotationDecision => {
    const result = evaluated.results[index]!;
    if (result.ok) return annotationValue(annotation.key, annotation.expression, result.value);
    return policy.failurePolicy === 'Ignore' ? { kind: 'exclude' } : { kind: 'error', key: annotation.key, message: result.error };
  });
  return { ok: true, results };
}

function annotationValue(key: string, expression: Expression, value: CelValue): AnnotationDecision {
  if (value === null) return { kind: 'exclude' };
  if (typeof value === 'string') {
    const text = trimSpace(value);
    return text === '' ? { kind: 'exclude' } : { kind: 'publish', key, value: text };
  }
  const message = `valueExpression '${expression.text}' resulted in unsupported return type. Return type must be either string or null.`;
  return { kind: 'error', key, message };
}
