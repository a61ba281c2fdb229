import type { UsedVariables } from './activation.ts';
import { MUTATING_KINDS, VALIDATING_KINDS } from './kyverno/document.ts';
import { mentions } from './mentions.ts';
import type { Expression, Policy } from './policy.ts';

const KYVERNO_KINDS: ReadonlySet<string> = new Set([...VALIDATING_KINDS, ...MUTATING_KINDS]);

/** So many messages and variables can't exhaust what a fast evaluation leaves of the budget. */
const CHEAP_EXPRESSIONS = 7;

/** A policy with what follows from its parts. */
export function completePolicy(parts: Omit<Policy, 'uses' | 'needsExactEvaluation' | 'probeMessages'>): Policy {
  return { ...parts, uses: usedVariables(parts), needsExactEvaluation: needsExactEvaluation(parts), probeMessages: probeMessages(parts) };
}

type Parts = Parameters<typeof completePolicy>[0];

/** All expressions of a policy, its variables included. */
function* expressionsOf(policy: Parts): Iterable<Expression> {
  yield* policy.variables.list;
  for (const { expression } of policy.matchConditions) yield expression;
  for (const { expression, messageExpression } of policy.validations) {
    yield expression;
    if (messageExpression !== undefined) yield messageExpression;
  }
  for (const { expression } of policy.auditAnnotations) yield expression;
  for (const { expressions } of policy.mutations) yield* expressions;
}

function usedVariables(policy: Parts): UsedVariables {
  const expressions = [...expressionsOf(policy)];
  const uses = (...names: readonly string[]) => expressions.some((expression) => names.some((name) => mentions(expression, name)));
  return {
    request: uses('request'),
    namespaceObject: uses('namespaceObject'),
    authorizer: uses('authorizer', 'authorizer.requestResource'),
    // Loop variables of other kinds are often called so.
    host: KYVERNO_KINDS.has(policy.kind) && uses('resource', 'image', 'time'),
  };
}

function needsExactEvaluation(policy: Parts): boolean {
  const namespaceIsNull = !policy.dialect.namespaceInMatchConditions;
  return namespaceIsNull && policy.matchConditions.some(({ expression }) => mentions(expression, 'namespaceObject'));
}

function probeMessages(policy: Parts): boolean {
  const messages = policy.validations.filter((validation) => validation.messageExpression !== undefined).length;
  return policy.dialect.eagerMessages && messages > 0 && messages + policy.variables.list.length > CHEAP_EXPRESSIONS;
}
