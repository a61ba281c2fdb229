import { DYN } from '../../cel/types.ts';
import type { Reporter } from '../reporter.ts';
import type { CompileContext } from './compile-context.ts';
import { completePolicy } from './complete-policy.ts';
import { VALIDATING_DIALECT } from './dialects.ts';
import type { ValidatingAdmissionPolicyBindingDocument, ValidatingAdmissionPolicyDocument } from './document.ts';
import { expressionCompiler } from './expressions.ts';
import { lowerMatch } from './match-criteria.ts';
import { isDnsSubdomain } from './names.ts';
import type { Policy, PolicyBinding } from './policy.ts';
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
import { warnOfTypes } from './type-warnings.ts';
import { warnOfUnknownResources } from './unknown-resources.ts';

/**
 * Checks and lowers a ValidatingAdmissionPolicy; its bindings come from {@link lowerValidatingBinding}.
 * Kubernetes: pkg/apis/admissionregistration/validation validateValidatingAdmissionPolicySpec.
 */
export function lowerValidatingPolicy(
  report: Reporter,
  document: ValidatingAdmissionPolicyDocument,
  bindings: readonly PolicyBinding[],
  context: CompileContext,
): Policy {
  const { spec, metadata } = document;
  checkDocumentName(report, metadata.name);
  if (spec.paramKind !== undefined) checkParamKind(report, ['spec', 'paramKind'], spec.paramKind);
  const match = lowerMatch(report, ['spec', 'matchConstraints'], spec.matchConstraints, { resourceRulesRequired: true });
  warnOfUnknownResources(report, ['spec', 'matchConstraints', 'resourceRules'], match.resourceRules, context.types);
  const expressions = expressionCompiler(report, {
    environment: context.environment,
    authorizerTypes: context.authorizerTypes,
    instrument: context.instrument,
    paramsType: spec.paramKind === undefined ? undefined : DYN,
  });
  const matchConditions = lowerMatchConditions(report, ['spec', 'matchConditions'], spec.matchConditions, expressions);
  const variables = expressions.variables(['spec', 'variables'], spec.variables);
  const scope = { variables: (spec.variables ?? []).length > 0 };
  if ((spec.validations ?? []).length === 0 && (spec.auditAnnotations ?? []).length === 0) {
    report.error(
      ['spec', 'validations'],
      'admission-required',
      'Required value: validations or auditAnnotations must contain at least one item',
    );
  }
  const validations = lowerValidations(report, ['spec', 'validations'], spec.validations, expressions, scope);
  const auditAnnotations = lowerAuditAnnotations(
    report,
    ['spec', 'auditAnnotations'],
    metadata.name,
    spec.auditAnnotations,
    expressions,
    scope,
  );
  if (!report.hasErrors) warnOfTypes(report, document, match.resourceRules, context);
  const parts = { matchConditions, variables, validations, auditAnnotations };
  return completePolicy({
    kind: 'ValidatingAdmissionPolicy',
    name: metadata.name,
    match,
    bindings,
    failurePolicy: spec.failurePolicy ?? 'Fail',
    ...(spec.paramKind === undefined ? {} : { paramKind: spec.paramKind }),
    ...scopeOfKind(context, spec.paramKind),
    ...parts,
    mutations: [],
    reinvoke: false,
    dialect: VALIDATING_DIALECT,
  });
}

/** Kubernetes: the same file, validateValidatingAdmissionPolicyBindingSpec. */
export function lowerValidatingBinding(report: Reporter, { spec, metadata }: ValidatingAdmissionPolicyBindingDocument): PolicyBinding {
  checkDocumentName(report, metadata.name);
  checkPolicyName(report, spec.policyName);
  checkActions(report, ['spec', 'validationActions'], spec.validationActions);
  const paramRef = lowerParamRef(report, ['spec', 'paramRef'], spec.paramRef);
  return {
    name: metadata.name,
    match: spec.matchResources === undefined ? undefined : lowerMatch(report, ['spec', 'matchResources'], spec.matchResources),
    actions: spec.validationActions ?? [],
    ...(paramRef === undefined ? {} : { paramRef }),
  };
}

export function checkPolicyName(report: Reporter, name: string): void {
  if (name === '') report.error(['spec', 'policyName'], 'admission-required', 'Required value');
  else {
    const wrong = isDnsSubdomain(name);
    if (wrong !== undefined) report.error(['spec', 'policyName'], 'admission-invalid', `Invalid value: ${JSON.stringify(name)}: ${wrong}`);
  }
}
