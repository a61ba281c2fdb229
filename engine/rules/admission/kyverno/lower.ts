import { DYN, mapOf, STRING } from '../../../cel/types.ts';
import { type Reporter, reporter } from '../../reporter.ts';
import type { CompileContext } from '../compile-context.ts';
import { completePolicy } from '../complete-policy.ts';
import { controllerVariants } from '../controller-match.ts';
import { KYVERNO_DIALECT } from '../dialects.ts';
import { type ExpressionCompiler, expressionCompiler } from '../expressions.ts';
import { lowerMutations } from '../lower-mutating.ts';
import { lowerMatch } from '../match-criteria.ts';
import { rewriteForTemplate, type TemplatePlace } from '../pod-template.ts';
import type { MatchCriteria, Policy, PolicyBinding, PolicyKind } from '../policy.ts';
import { lowerAuditAnnotations, lowerMatchConditions, lowerValidations } from '../policy-parts.ts';
import { warnOfUnknownResources } from '../unknown-resources.ts';
import { rewriteStructsForTemplate } from './apply-template.ts';
import type { MutatingPolicyDocument, ValidatingPolicyDocument } from './document.ts';
import { rewriteOptionals } from './lenient-optionals.ts';

/** Metadata that a rewritten expression still reads from the controller. Kyverno: pkg/cel/autogen/replacement.go. */
const OWN_METADATA: ReadonlySet<string> = new Set(['namespace']);

/** Kyverno's controllers, as `spec.autogen.podControllers.controllers` names them, and their kinds. */
const CONTROLLERS: Readonly<Record<string, string>> = {
  daemonsets: 'DaemonSet',
  deployments: 'Deployment',
  replicasets: 'ReplicaSet',
  statefulsets: 'StatefulSet',
  jobs: 'Job',
  cronjobs: 'CronJob',
};

/** Kyverno lets match conditions be called anything, and read variables. */
const LENIENT = { variables: true, anyName: true };

/** Checks and lowers a Kyverno ValidatingPolicy, with its extension to pod controllers. */
export function lowerKyvernoValidating(report: Reporter, document: ValidatingPolicyDocument, context: CompileContext): readonly Policy[] {
  const { spec } = document;
  const actions = spec.validationActions ?? [];
  const binding: PolicyBinding = { name: undefined, match: undefined, actions: actions.length === 0 ? ['Deny'] : actions };
  return lowerVariants(report, document, context, (variant, match, place) => {
    const expressions = compilerFor(variant, context, place);
    const scope = { variables: true };
    const variables = expressions.variables(['spec', 'variables'], spec.variables);
    const matchConditions = lowerMatchConditions(variant, ['spec', 'matchConditions'], spec.matchConditions, expressions, LENIENT);
    const validations = lowerValidations(variant, ['spec', 'validations'], spec.validations, expressions, { ...scope, lenient: true });
    const path = ['spec', 'auditAnnotations'];
    const auditAnnotations = lowerAuditAnnotations(variant, path, document.metadata.name, spec.auditAnnotations, expressions, scope);
    return completePolicy({
      ...head(document, match, binding),
      matchConditions,
      variables,
      validations,
      auditAnnotations,
      mutations: [],
      reinvoke: false,
    });
  });
}

/** Checks and lowers a Kyverno MutatingPolicy, with its extension to pod controllers. */
export function lowerKyvernoMutating(report: Reporter, document: MutatingPolicyDocument, context: CompileContext): readonly Policy[] {
  const { spec } = document;
  const binding: PolicyBinding = { name: undefined, match: undefined, actions: ['Deny'] };
  return lowerVariants(report, document, context, (variant, match, place) => {
    const expressions = compilerFor(variant, context, place);
    const variables = expressions.variables(['spec', 'variables'], spec.variables);
    const matchConditions = lowerMatchConditions(variant, ['spec', 'matchConditions'], spec.matchConditions, expressions, LENIENT);
    const mutations = lowerMutations(variant, ['spec', 'mutations'], spec.mutations, expressions, context, {
      atomics: 'replace',
      patched: 'unstructured',
    });
    return completePolicy({
      ...head(document, match, binding),
      matchConditions,
      variables,
      validations: [],
      auditAnnotations: [],
      mutations,
      reinvoke: spec.reinvocationPolicy === 'IfNeeded',
    });
  });
}

type KyvernoDocument = ValidatingPolicyDocument | MutatingPolicyDocument;

function head({ kind, metadata, spec }: KyvernoDocument, match: MatchCriteria, binding: PolicyBinding) {
  return {
    kind: kind as PolicyKind,
    name: metadata.name,
    ...(kind.startsWith('Namespaced') ? { namespace: metadata.namespace ?? 'default' } : {}),
    match,
    bindings: spec.evaluation?.admission?.enabled === false ? [] : [binding],
    failurePolicy: spec.failurePolicy ?? ('Fail' as const),
    dialect: KYVERNO_DIALECT,
  };
}

function lowerVariants(
  report: Reporter,
  document: KyvernoDocument,
  { types }: CompileContext,
  lower: (report: Reporter, match: MatchCriteria, place: TemplatePlace | undefined) => Policy,
): readonly Policy[] {
  const { spec } = document;
  if (spec.evaluation?.mode === 'JSON') {
    const message = 'a policy with evaluation mode JSON is not about Kubernetes objects and is passed over';
    report.warning(['spec', 'evaluation', 'mode'], 'kyverno-json-mode', message);
    return [];
  }
  const match = lowerMatch(report, ['spec', 'matchConstraints'], spec.matchConstraints, { resourceRulesRequired: true });
  warnOfUnknownResources(report, ['spec', 'matchConstraints', 'resourceRules'], match.resourceRules, types);
  const policies = [lower(report, match, undefined)];
  const controllers = spec.autogen?.podControllers?.controllers;
  const kinds = new Set((controllers ?? Object.keys(CONTROLLERS)).flatMap((name) => CONTROLLERS[name] ?? []));
  if (!canExtend(match)) return policies;
  // What is wrong with an expression has been said once.
  const quiet = reporter(report.document, []);
  return [...policies, ...controllerVariants(match, kinds).map((variant) => lower(quiet, variant.match, variant.place))];
}

/** Only policies about pods and nothing else are extended. Kyverno: pkg/cel/autogen/support.go CanAutoGen. */
function canExtend(match: MatchCriteria): boolean {
  return (
    match.namespaceSelector === undefined &&
    match.objectSelector === undefined &&
    match.resourceRules.every(
      (rule) =>
        !rule.resourceNames?.length &&
        rule.resources.length === 1 &&
        rule.resources[0] === 'pods' &&
        rule.apiGroups.length === 1 &&
        rule.apiGroups[0] === '',
    )
  );
}

function compilerFor(report: Reporter, context: CompileContext, place: TemplatePlace | undefined): ExpressionCompiler {
  const { kyverno } = context;
  return expressionCompiler(report, {
    environment: kyverno?.environment ?? context.environment,
    patchEnvironment: kyverno?.patchEnvironment ?? context.patchEnvironment,
    authorizerTypes: {},
    instrument: context.instrument,
    objectType: mapOf(STRING, DYN),
    variables: kyverno?.variables ?? {},
    rewrite(ast) {
      const lenient = rewriteOptionals(ast);
      return place === undefined ? lenient : rewriteStructsForTemplate(rewriteForTemplate(lenient, place, OWN_METADATA), place);
    },
  });
}
