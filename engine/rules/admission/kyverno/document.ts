import { any, boolean, type Infer, integer, list, map, object, oneOf, optional, string } from '../../../text/shape.ts';
import { variable } from '../../shapes.ts';
import { auditAnnotation, matchCondition, matchResources, mutation, validation } from '../document.ts';

const VERSIONS = ['policies.kyverno.io/v1', 'policies.kyverno.io/v1beta1', 'policies.kyverno.io/v1alpha1'] as const;

const metadata = object(
  {
    name: string({ minLength: 1 }),
    namespace: optional(string()),
    labels: optional(map(string())),
    annotations: optional(map(string())),
  },
  { open: true },
);

const enabled = optional(object({ enabled: optional(boolean()) }));

const evaluation = object({
  mode: optional(oneOf('Kubernetes', 'JSON')),
  admission: enabled,
  background: enabled,
  mutateExisting: enabled,
});

const autogen = object({ podControllers: optional(object({ controllers: optional(list(string())) })) }, { open: true });

const shared = {
  matchConstraints: optional(matchResources),
  matchConditions: optional(list(matchCondition)),
  variables: optional(list(variable)),
  failurePolicy: optional(oneOf('Fail', 'Ignore')),
  evaluation: optional(evaluation),
  autogen: optional(autogen),
  webhookConfiguration: optional(object({ timeoutSeconds: optional(integer()) })),
};

/** Kyverno: policies.kyverno.io ValidatingPolicy and NamespacedValidatingPolicy. */
export const validatingPolicy = object({
  apiVersion: oneOf(...VERSIONS),
  kind: oneOf('ValidatingPolicy', 'NamespacedValidatingPolicy'),
  metadata,
  spec: object({
    ...shared,
    validations: optional(list(validation)),
    auditAnnotations: optional(list(auditAnnotation)),
    validationActions: optional(list(oneOf('Deny', 'Warn', 'Audit'))),
  }),
  status: optional(any()),
});
export type ValidatingPolicyDocument = Infer<typeof validatingPolicy>;

/** Kyverno: policies.kyverno.io MutatingPolicy and NamespacedMutatingPolicy. */
export const mutatingPolicy = object({
  apiVersion: oneOf(...VERSIONS),
  kind: oneOf('MutatingPolicy', 'NamespacedMutatingPolicy'),
  metadata,
  spec: object({
    ...shared,
    mutations: optional(list(mutation)),
    reinvocationPolicy: optional(oneOf('Never', 'IfNeeded')),
    targetMatchConstraints: optional(any()),
  }),
  status: optional(any()),
});
export type MutatingPolicyDocument = Infer<typeof mutatingPolicy>;

export const VALIDATING_KINDS: readonly string[] = ['ValidatingPolicy', 'NamespacedValidatingPolicy'];
export const MUTATING_KINDS: readonly string[] = ['MutatingPolicy', 'NamespacedMutatingPolicy'];
