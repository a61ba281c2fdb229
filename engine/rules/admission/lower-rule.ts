import { DYN } from '../../cel/types.ts';
import { createSchemaTypes } from '../../object/schema-types.ts';
import type { Diagnostic } from '../../text/diagnostic.ts';
import { type Reporter, reporter } from '../reporter.ts';
import type { CompileContext } from './compile-context.ts';
import { completePolicy } from './complete-policy.ts';
import { controllerVariants, namesPods } from './controller-match.ts';
import { RULE_DIALECT } from './dialects.ts';
import type { AdmissionRuleDocument } from './document.ts';
import { type ExpressionOptions, expressionCompiler } from './expressions.ts';
import { allKindsKnown, kindsOfRules } from './kinds-of-rules.ts';
import { lowerRuleMutations } from './lower-rule-mutations.ts';
import { lowerMatch } from './match-criteria.ts';
import { checkMutationTypes } from './mutation-types.ts';
import { rewriteForTemplate, type TemplatePlace } from './pod-template.ts';
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
import { warnOfUnknownResources } from './unknown-resources.ts';

/** Checks and lowers an AdmissionRule: to one policy, and with `podControllers` to one more for each place of a pod template. */
export function lowerRule(report: Reporter, document: AdmissionRuleDocument, context: CompileContext): readonly Policy[] {
  const { spec } = document;
  checkHead(report, document);
  const paramRef = lowerParamRef(report, ['spec', 'paramRef'], spec.paramRef);
  const match: MatchCriteria = {
    ...lowerMatch(report, ['spec', 'matchConstraints'], spec.matchConstraints, { resourceRulesRequired: true }),
    namespaceName: namespaceNames(spec.namespaces, spec.excludeNamespaces),
  };
  warnOfUnknownResources(report, ['spec', 'matchConstraints', 'resourceRules'], match.resourceRules, context.types);
  const binding: PolicyBinding = {
    name: undefined,
    match: undefined,
    actions: spec.validationActions ?? ['Deny'],
    ...(paramRef === undefined ? {} : { paramRef }),
  };
  const rule = lowerVariant(report, document, match, binding, context);
  if (!report.hasErrors) checkTypes(report, document, match, binding, context);
  if (!spec.podControllers) return [rule];
  if (!match.resourceRules.some(namesPods)) {
    report.error(
      ['spec', 'podControllers'],
      'admission-pod-controllers',
      'podControllers extends a rule about pods, and no resource rule names pods',
      'add pods to matchConstraints.resourceRules, or leave podControllers out',
    );
  }
  // What is wrong with an expression has been said once.
  const quiet = reporter(report.document, []);
  const variants = controllerVariants(match).map((variant) =>
    lowerVariant(quiet, document, variant.match, binding, context, variant.place),
  );
  return [rule, ...variants];
}

function checkHead(report: Reporter, { spec, metadata }: AdmissionRuleDocument): void {
  checkDocumentName(report, metadata.name);
  if (spec.paramKind !== undefined) checkParamKind(report, ['spec', 'paramKind'], spec.paramKind);
  if (spec.validationActions !== undefined) checkActions(report, ['spec', 'validationActions'], spec.validationActions);
  if (spec.paramRef !== undefined && spec.paramKind === undefined) {
    report.error(['spec', 'paramRef'], 'admission-param-kind', 'paramRef needs a paramKind: which kind is the parameter object of?');
  } else if (spec.paramKind !== undefined && spec.paramRef === undefined) {
    report.error(['spec', 'paramKind'], 'admission-param-ref', 'paramKind needs a paramRef: which object of this kind?');
  }
  if ([spec.mutations, spec.validations, spec.auditAnnotations].every((list) => (list ?? []).length === 0)) {
    const hint = 'add mutations, validations or auditAnnotations';
    report.error(['spec'], 'admission-required', 'the rule says nothing about the requests it matches', hint);
  }
}

function lowerVariant(
  report: Reporter,
  { spec, metadata }: AdmissionRuleDocument,
  match: MatchCriteria,
  binding: PolicyBinding,
  context: CompileContext,
  place?: TemplatePlace,
  typed?: Pick<ExpressionOptions, 'objectType' | 'types' | 'issues'>,
): Policy {
  const bundleParams = spec.paramKind === undefined ? context.params : undefined;
  const expressions = expressionCompiler(report, {
    environment: context.environment,
    patchEnvironment: context.patchEnvironment,
    authorizerTypes: context.authorizerTypes,
    instrument: context.instrument,
    paramsType: spec.paramKind === undefined ? bundleParams?.type : DYN,
    ...(place === undefined ? {} : { rewrite: (ast) => rewriteForTemplate(ast, place) }),
    ...typed,
    types: [bundleParams?.types, typed?.types].flatMap((provider) => provider ?? []),
  });
  const scope = { variables: true };
  const matchConditions = lowerMatchConditions(report, ['spec', 'matchConditions'], spec.matchConditions, expressions);
  const variables = expressions.variables(['spec', 'variables'], spec.variables);
  const mutations = lowerRuleMutations(report, ['spec', 'mutations'], spec.mutations, expressions, context, place);
  const validations = lowerValidations(report, ['spec', 'validations'], spec.validations, expressions, {
    ...scope,
    anyReason: true,
    typesOnly: typed !== undefined,
    ...(place === undefined ? {} : { place }),
  });
  const path = ['spec', 'auditAnnotations'];
  const auditAnnotations = lowerAuditAnnotations(report, path, metadata.name, spec.auditAnnotations, expressions, scope);
  return completePolicy({
    kind: 'AdmissionRule',
    name: metadata.name,
    match,
    bindings: [binding],
    failurePolicy: spec.failurePolicy ?? 'Fail',
    ...(spec.paramKind === undefined ? {} : { paramKind: spec.paramKind }),
    ...scopeOfKind(context, spec.paramKind),
    ...(bundleParams === undefined ? {} : { inlineParams: bundleParams.value }),
    matchConditions,
    variables,
    validations,
    auditAnnotations,
    mutations,
    reinvoke: false,
    dialect: RULE_DIALECT,
  });
}

/**
 * Checks the expressions against the types of the kinds that the rule names. A mistake for every one of them is an error; a
 * field that only some of the kinds have is the author's choice.
 */
function checkTypes(
  report: Reporter,
  document: AdmissionRuleDocument,
  match: MatchCriteria,
  binding: PolicyBinding,
  context: CompileContext,
): void {
  const { types } = context;
  if (types === undefined || !allKindsKnown(match.resourceRules, types)) return;
  const perKind = kindsOfRules(match.resourceRules, types, { subresources: true }).map(({ kind, schema }) => {
    const schemaTypes = createSchemaTypes('values');
    const found: Diagnostic[] = [];
    const objectType = schemaTypes.typeOf(schema) ?? DYN;
    const typed = { objectType, types: [schemaTypes], issues: { note: `in ${kind.kind}` } };
    const typedReport = reporter(report.document, found);
    lowerVariant(typedReport, document, match, binding, context, undefined, typed);
    checkMutationTypes(typedReport, ['spec', 'mutations'], document.spec.mutations ?? [], schema, kind.kind);
    return found;
  });
  const [first, ...others] = perKind;
  for (const diagnostic of first ?? []) {
    const everywhere = others.every((found) => found.some((other) => other.path === diagnostic.path));
    if (everywhere) report.add(diagnostic);
  }
}

/** `namespaces` and `excludeNamespaces`: names, where a `*` at the end stands for any rest. */
function namespaceNames(included: readonly string[] | undefined, excluded: readonly string[] | undefined): MatchCriteria['namespaceName'] {
  if (included === undefined && excluded === undefined) return undefined;
  const matches = (patterns: readonly string[], name: string) =>
    patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
  return (name) => (included === undefined || matches(included, name)) && !matches(excluded ?? [], name);
}
