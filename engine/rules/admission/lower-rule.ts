import { DYN } from '../../cel/types.ts';
import type { CompileContext } from './compile-context.ts';
import { completePolicy } from './complete-policy.ts';
import type { Reporter } from './diagnose.ts';
import { RULE_DIALECT } from './dialects.ts';
import type { AdmissionRuleDocument } from './document.ts';
import { expressionCompiler } from './expressions.ts';
import { lowerMatch } from './match-criteria.ts';
import type { MatchCriteria, Policy, PolicyBinding } from './policy.ts';
import {
  checkActions,
  checkDocumentName,
  checkParamKind,
  lowerAuditAnnotations,
  lowerMatchConditions,
  lowerParamRef,
  lowerValidations,
  scopeOfKind,
} from './policy-parts.ts';

/** Checks and lowers an AdmissionRule: to one policy, and with `podControllers` to one more for each place of a pod template. */
export function lowerRule(report: Reporter, document: AdmissionRuleDocument, context: CompileContext): readonly Policy[] {
  const { spec, metadata } = document;
  checkDocumentName(report, metadata.name);
  if (spec.paramKind !== undefined) checkParamKind(report, ['spec', 'paramKind'], spec.paramKind);
  if (spec.validationActions !== undefined) checkActions(report, ['spec', 'validationActions'], spec.validationActions);
  const paramRef = lowerParamRef(report, ['spec', 'paramRef'], spec.paramRef);
  if (spec.paramRef !== undefined && spec.paramKind === undefined) {
    report.error(['spec', 'paramRef'], 'admission-param-kind', 'paramRef needs a paramKind: which kind is the parameter object of?');
  } else if (spec.paramKind !== undefined && spec.paramRef === undefined) {
    report.error(['spec', 'paramKind'], 'admission-param-ref', 'paramKind needs a paramRef: which object of this kind?');
  }
  if ([spec.mutations, spec.validations, spec.auditAnnotations].every((list) => (list ?? []).length === 0)) {
    const hint = 'add mutations, validations or auditAnnotations';
    report.error(['spec'], 'admission-required', 'the rule says nothing about the requests it matches', hint);
  }
  const match: MatchCriteria = {
    ...lowerMatch(report, ['spec', 'matchConstraints'], spec.matchConstraints, { resourceRulesRequired: true }),
    namespaceName: namespaceNames(spec.namespaces, spec.excludeNamespaces),
  };
  const binding: PolicyBinding = {
    name: undefined,
    match: undefined,
    actions: spec.validationActions ?? ['Deny'],
    ...(paramRef === undefined ? {} : { paramRef }),
  };
  return [lowerVariant(report, document, match, binding, context)];
}

function lowerVariant(
  report: Reporter,
  { spec, metadata }: AdmissionRuleDocument,
  match: MatchCriteria,
  binding: PolicyBinding,
  context: CompileContext,
): Policy {
  const paramsType = spec.paramKind === undefined ? context.params?.type : DYN;
  const expressions = expressionCompiler(report, {
    environment: context.environment,
    patchEnvironment: context.patchEnvironment,
    authorizerTypes: context.authorizerTypes,
    paramsType,
    ...(context.params === undefined ? {} : { types: context.params.types }),
  });
  const scope = { variables: true };
  const matchConditions = lowerMatchConditions(report, ['spec', 'matchConditions'], spec.matchConditions, expressions);
  const variables = expressions.variables(['spec', 'variables'], spec.variables);
  const validations = lowerValidations(report, ['spec', 'validations'], spec.validations, expressions, { ...scope, anyReason: true });
  const path = ['spec', 'auditAnnotations'];
  const auditAnnotations = lowerAuditAnnotations(report, path, metadata.name, spec.auditAnnotations, expressions, scope);
  const parts = { matchConditions, variables, validations, auditAnnotations };
  return completePolicy({
    kind: 'AdmissionRule',
    name: metadata.name,
    match,
    bindings: [binding],
    failurePolicy: spec.failurePolicy ?? 'Fail',
    ...(spec.paramKind === undefined ? {} : { paramKind: spec.paramKind }),
    ...scopeOfKind(context, spec.paramKind),
    ...(spec.paramKind === undefined && context.params !== undefined ? { inlineParams: context.params.value } : {}),
    ...parts,
    mutations: [],
    reinvoke: false,
    dialect: RULE_DIALECT,
  });
}

/** `namespaces` and `excludeNamespaces`: names, where a `*` at the end stands for any rest. */
function namespaceNames(included: readonly string[] | undefined, excluded: readonly string[] | undefined): MatchCriteria['namespaceName'] {
  if (included === undefined && excluded === undefined) return undefined;
  const matches = (patterns: readonly string[], name: string) =>
    patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
  return (name) => (included === undefined || matches(included, name)) && !matches(excluded ?? [], name);
}
