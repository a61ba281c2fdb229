import { DYN, listOf, object } from '../../cel/types.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Reporter } from '../reporter.ts';
import type { CompileContext } from './compile-context.ts';
import { completePolicy } from './complete-policy.ts';
import { MUTATING_DIALECT } from './dialects.ts';
import type { MutatingAdmissionPolicyBindingDocument, MutatingAdmissionPolicyDocument, MutationDocument } from './document.ts';
import { type ExpressionCompiler, expressionCompiler } from './expressions.ts';
import { applyConfigurationStep, jsonPatchStep, type MutationOptions } from './kubernetes-mutations.ts';
import { checkPolicyName } from './lower-validating.ts';
import { lowerMatch } from './match-criteria.ts';
import type { MutationStep } from './mutation.ts';
import type { Policy, PolicyBinding } from './policy.ts';
import { checkDocumentName, checkParamKind, lowerMatchConditions, lowerParamRef, scopeOfKind } from './policy-parts.ts';
import { warnOfUnknownResources } from './unknown-resources.ts';

/** MutatingAdmissionPolicies know no DELETE: there is nothing to mutate. */
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'UPDATE'];

/**
 * Checks and lowers a MutatingAdmissionPolicy; its bindings come from {@link lowerMutatingBinding}.
 * Kubernetes: pkg/apis/admissionregistration/validation validateMutatingAdmissionPolicySpec.
 */
export function lowerMutatingPolicy(
  report: Reporter,
  document: MutatingAdmissionPolicyDocument,
  bindings: readonly PolicyBinding[],
  context: CompileContext,
): Policy {
  const { spec, metadata } = document;
  checkDocumentName(report, metadata.name);
  if (spec.paramKind !== undefined) checkParamKind(report, ['spec', 'paramKind'], spec.paramKind);
  const match = lowerMatch(report, ['spec', 'matchConstraints'], spec.matchConstraints, {
    resourceRulesRequired: true,
    operations: OPERATIONS,
  });
  warnOfUnknownResources(report, ['spec', 'matchConstraints', 'resourceRules'], match.resourceRules, context.types);
  const expressions = expressionCompiler(report, {
    environment: context.environment,
    patchEnvironment: context.patchEnvironment,
    authorizerTypes: context.authorizerTypes,
    instrument: context.instrument,
    paramsType: spec.paramKind === undefined ? undefined : DYN,
  });
  const matchConditions = lowerMatchConditions(report, ['spec', 'matchConditions'], spec.matchConditions, expressions);
  const variables = expressions.variables(['spec', 'variables'], spec.variables);
  if ((spec.mutations ?? []).length === 0) {
    report.error(['spec', 'mutations'], 'admission-required', 'Required value: mutations must contain at least one item');
  }
  if (spec.reinvocationPolicy === undefined) {
    report.error(['spec', 'reinvocationPolicy'], 'admission-required', 'Required value', 'say Never or IfNeeded');
  }
  const mutations = lowerMutations(report, ['spec', 'mutations'], spec.mutations, expressions, context);
  const parts = { matchConditions, auditAnnotations: [] };
  return completePolicy({
    kind: 'MutatingAdmissionPolicy',
    name: metadata.name,
    match,
    bindings,
    failurePolicy: spec.failurePolicy ?? 'Fail',
    ...(spec.paramKind === undefined ? {} : { paramKind: spec.paramKind }),
    ...scopeOfKind(context, spec.paramKind),
    ...parts,
    variables,
    mutations,
    reinvoke: spec.reinvocationPolicy === 'IfNeeded',
    validations: [],
    dialect: MUTATING_DIALECT,
  });
}

/** `mutations` of a MutatingAdmissionPolicy, and of kinds that have them from there. */
export function lowerMutations(
  report: Reporter,
  path: DocumentPath,
  documents: readonly MutationDocument[] | undefined,
  expressions: ExpressionCompiler,
  context: CompileContext,
  how: Pick<MutationOptions, 'atomics' | 'patched'> = { atomics: 'refuse', patched: 'typed' },
): MutationStep[] {
  const steps: MutationStep[] = [];
  for (const [index, mutation] of (documents ?? []).entries()) {
    const [own, other] =
      mutation.patchType === 'JSONPatch' ? (['jsonPatch', 'applyConfiguration'] as const) : (['applyConfiguration', 'jsonPatch'] as const);
    const at = [...path, index];
    if (mutation[other] !== undefined) {
      const message = `Invalid value: must not be specified when patchType is ${mutation.patchType}`;
      report.error([...at, other], 'admission-invalid', message);
    }
    const part = mutation[own];
    if (part === undefined) {
      const message = `Required value: must be specified when patchType is ${mutation.patchType}`;
      report.error([...at, own], 'admission-required', message);
      continue;
    }
    const resultTypes = [own === 'jsonPatch' ? listOf(object('JSONPatch')) : object('Object')];
    const scope = { authorizer: true, patches: true, variables: true };
    const expression = expressions.compile([...at, own, 'expression'], part.expression, scope, { resultTypes });
    if (expression === undefined) continue;
    const options = { index, types: context.types, ...how };
    steps.push(own === 'jsonPatch' ? jsonPatchStep(expression, options) : applyConfigurationStep(expression, options));
  }
  return steps;
}

/** Kubernetes: the same file, validateMutatingAdmissionPolicyBindingSpec. */
export function lowerMutatingBinding(report: Reporter, { spec, metadata }: MutatingAdmissionPolicyBindingDocument): PolicyBinding {
  checkDocumentName(report, metadata.name);
  checkPolicyName(report, spec.policyName);
  const paramRef = lowerParamRef(report, ['spec', 'paramRef'], spec.paramRef);
  const path = ['spec', 'matchResources'];
  return {
    name: metadata.name,
    match: spec.matchResources === undefined ? undefined : lowerMatch(report, path, spec.matchResources, { operations: OPERATIONS }),
    actions: ['Deny'],
    ...(paramRef === undefined ? {} : { paramRef }),
  };
}
