import { DYN } from '../../cel/types.ts';
import { createSchemaTypes } from '../../object/schema-types.ts';
import type { TypeTable } from '../../object/type-table.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Reporter } from '../reporter.ts';
import type { CompileContext } from './compile-context.ts';
import type { ValidatingAdmissionPolicyDocument } from './document.ts';
import { expressionCompiler } from './expressions.ts';
import { kindsOfRules, type MatchedKind } from './kinds-of-rules.ts';
import type { ResourceRule } from './resource-match.ts';

/**
 * The warnings that the API server puts into `status.typeChecking` of a ValidatingAdmissionPolicy: validations and their
 * messages, checked against the type of every kind that the policy names. They change nothing about the policy.
 * Kubernetes: apiserver pkg/admission/plugin/policy/validating/typechecking.go.
 */
export function warnOfTypes(
  report: Reporter,
  { spec }: ValidatingAdmissionPolicyDocument,
  rules: readonly ResourceRule[],
  context: CompileContext,
): void {
  const { types } = context;
  if (types === undefined) return;
  for (const matched of kindsOfRules(rules, types, { subresources: false })) {
    checkKind(report, spec, matched, types, context);
  }
}

type Spec = ValidatingAdmissionPolicyDocument['spec'];

function checkKind(report: Reporter, spec: Spec, matched: MatchedKind, types: TypeTable, context: CompileContext): void {
  const schemaTypes = createSchemaTypes('apiserver');
  const objectType = schemaTypes.typeOf(matched.schema) ?? DYN;
  const paramSchema = spec.paramKind === undefined ? undefined : types.typeOf(spec.paramKind);
  const paramsType = spec.paramKind === undefined ? undefined : ((paramSchema && schemaTypes.typeOf(paramSchema)) ?? DYN);
  const { group, version, kind } = matched.kind;
  const issues = { severity: 'warning' as const, note: `type checking against ${group}/${version}, Kind=${kind}` };
  const options = {
    environment: context.environment,
    authorizerTypes: context.authorizerTypes,
    objectType,
    types: [schemaTypes],
    paramsType,
  };
  const variables = (spec.variables ?? []).length > 0;
  // Only what is wrong with validations is said; their variables are compiled for their types.
  let muted = true;
  const heard: Reporter = { ...report, issue: (...args) => muted || report.issue(...args) };
  const expressions = expressionCompiler(heard, { ...options, issues });
  expressions.variables(['spec', 'variables'], spec.variables);
  muted = false;
  for (const [index, { expression, messageExpression }] of (spec.validations ?? []).entries()) {
    const at: DocumentPath = ['spec', 'validations', index];
    expressions.compile([...at, 'expression'], expression, { authorizer: true, variables });
    if (messageExpression) expressions.compile([...at, 'messageExpression'], messageExpression, { authorizer: true, variables });
  }
}
