import { any, boolean, choice, doc, type Infer, list, map, named, object, oneOf, optional, string } from '../../text/shape.ts';
import { labelSelector, variable } from '../shapes.ts';

const metadata = object(
  {
    name: string({ minLength: 1, doc: 'Name of the rule; decisions and metrics carry it.' }),
    namespace: optional(string()),
    labels: optional(map(string())),
    annotations: optional(map(string())),
  },
  { open: true },
);

export type Metadata = Infer<typeof metadata>;

export const resourceRule = named(
  'ResourceRule',
  object({
    apiGroups: optional(list(string(), { doc: 'API groups: "" for core, "*" for all.' })),
    apiVersions: optional(list(string(), { doc: 'API versions, "*" for all.' })),
    operations: optional(list(string(), { doc: 'CREATE, UPDATE, DELETE, CONNECT, or "*".' })),
    resources: optional(
      list(string(), { doc: 'Resources in the plural, subresources as pods/exec; "*" for all without subresources, "*/*" for all.' }),
    ),
    scope: optional(doc('Cluster, Namespaced, or "*".', oneOf('Cluster', 'Namespaced', '*'))),
    resourceNames: optional(list(string(), { doc: 'Names the rule is limited to.' })),
  }),
);
export type ResourceRuleDocument = Infer<typeof resourceRule>;

export const matchResources = named(
  'MatchResources',
  object({
    resourceRules: optional(list(resourceRule, { doc: 'What the rule is about: any of these.' })),
    excludeResourceRules: optional(list(resourceRule, { doc: 'Requests that any of these match are left alone.' })),
    namespaceSelector: optional(doc("Labels of the request's namespace; of the object itself for a Namespace.", labelSelector)),
    objectSelector: optional(doc('Labels of the object or the old object.', labelSelector)),
    matchPolicy: optional(
      doc('Equivalent (the default) matches the same resource under another version, too.', oneOf('Exact', 'Equivalent')),
    ),
  }),
);
export type MatchResourcesDocument = Infer<typeof matchResources>;

export const matchCondition = object({
  name: string({ doc: 'Names the condition in messages.' }),
  expression: string({ doc: 'CEL, of type bool. All conditions must be true for the rule to apply.' }),
});
export type MatchConditionDocument = Infer<typeof matchCondition>;

const messageFields = {
  message: optional(string({ doc: 'What the user reads; without it, the expression.' })),
  messageExpression: optional(string({ doc: 'CEL, of type string; takes precedence over message unless it fails.' })),
  reason: optional(doc('Default: Invalid.', oneOf('Invalid', 'Forbidden', 'Unauthorized', 'RequestEntityTooLarge'))),
};
const validationExpression = string({ doc: 'CEL, of type bool; false fails the validation.' });

export const validation = object({ expression: validationExpression, ...messageFields });
export type ValidationDocument = Infer<typeof validation>;

/** A validation of an `AdmissionRule`, which may be a CUE constraint instead of an expression. */
const ruleValidation = choice(
  { expression: validationExpression, cue: string({ doc: 'CUE that the object must be an instance of.' }) },
  {
    ...messageFields,
    message: optional(string({ doc: 'What the user reads; without it, the expression, or what the constraint misses.' })),
  },
);
export type RuleValidationDocument = Infer<typeof ruleValidation>;

export const auditAnnotation = object({
  key: string({ doc: 'Key of the annotation in the audit log.' }),
  valueExpression: string({ doc: 'CEL, of type string or null (no annotation).' }),
});
export type AuditAnnotationDocument = Infer<typeof auditAnnotation>;

export const paramKind = object({ apiVersion: string(), kind: string() }, { doc: 'Kind of the parameter object.' });

export const paramRef = object({
  name: optional(string({ doc: 'Name of one parameter object.' })),
  namespace: optional(string({ doc: "Namespace of the objects; the request's when absent." })),
  selector: optional(doc('Selects parameter objects: the rule is evaluated once for each.', labelSelector)),
  parameterNotFoundAction: optional(doc('What to do when there is no such object.', oneOf('Allow', 'Deny'))),
});
export type ParamRefDocument = Infer<typeof paramRef>;

const failurePolicy = doc('What an error of evaluation leads to. Default: Fail.', oneOf('Fail', 'Ignore'));
const validationAction = oneOf('Deny', 'Warn', 'Audit');
export type ValidationActionDocument = Infer<typeof validationAction>;

const setMutation = object({
  path: string({ doc: '$.spec.containers[*].imagePullPolicy: a path without script. What is missing on the way is made.' }),
  value: any({ doc: 'A template.' }),
  unlessSet: optional(boolean({ doc: 'Leaves alone what is already there.' })),
});

const patchOperation = object({
  op: oneOf('add', 'remove', 'replace', 'move', 'copy', 'test'),
  path: string({ doc: 'JSON pointer; a template.' }),
  from: optional(string({ doc: 'JSON pointer; a template.' })),
  value: optional(any({ doc: 'A template.' })),
});
export type PatchOperationDocument = Infer<typeof patchOperation>;

export const ruleMutation = object({
  when: optional(string({ doc: 'CEL, of type bool: whether to mutate; with forEach, asked for each item.' })),
  forEach: optional(string({ doc: 'CEL, a list or a map: repeats the mutation with item and index, or item and key, bound.' })),
  apply: optional(map(any(), { doc: 'A template, merged as a server-side apply would merge it.' })),
  patch: optional(
    list(patchOperation, {
      doc: 'JSON Patch. An add at the end of a list (/-) leaves out an element that is there already, equal or by its list key; with forEach, removals are made from the last item to the first.',
    }),
  ),
  set: optional(doc('Writes a value where a path leads.', setMutation)),
});
export type RuleMutationDocument = Infer<typeof ruleMutation>;

/** `AdmissionRule`: what a policy, a mutating policy and their bindings say, in one document. */
export const admissionRule = object({
  apiVersion: oneOf('fairlead.dev/v1alpha1'),
  kind: oneOf('AdmissionRule'),
  metadata,
  spec: object({
    description: optional(string()),
    matchConstraints: doc('Which requests the rule is about.', matchResources),
    podControllers: optional(boolean({ doc: 'The rule is about pods: apply it to the pod templates of their controllers, too.' })),
    namespaces: optional(list(string(), { doc: 'Only in these namespaces.' })),
    excludeNamespaces: optional(list(string(), { doc: 'Not in these namespaces.' })),
    paramKind: optional(doc('Kind of the parameter object; without it, params are those of the bundle.', paramKind)),
    paramRef: optional(doc('Which parameter objects.', paramRef)),
    matchConditions: optional(list(matchCondition)),
    variables: optional(list(variable)),
    mutations: optional(list(ruleMutation, { doc: 'Run in order, before the validations.' })),
    validations: optional(list(ruleValidation)),
    auditAnnotations: optional(list(auditAnnotation)),
    validationActions: optional(list(validationAction, { doc: 'What a failed validation leads to. Default: Deny.' })),
    failurePolicy: optional(failurePolicy),
  }),
});
export type AdmissionRuleDocument = Infer<typeof admissionRule>;

const POLICY_VERSIONS = [
  'admissionregistration.k8s.io/v1',
  'admissionregistration.k8s.io/v1beta1',
  'admissionregistration.k8s.io/v1alpha1',
] as const;

/** What the API server keeps about a policy; read and not looked into. */
const status = optional(any());

/** Kubernetes: admissionregistration.k8s.io ValidatingAdmissionPolicy. */
export const validatingAdmissionPolicy = object({
  apiVersion: oneOf(...POLICY_VERSIONS),
  kind: oneOf('ValidatingAdmissionPolicy'),
  metadata,
  spec: object({
    failurePolicy: optional(failurePolicy),
    paramKind: optional(paramKind),
    matchConstraints: optional(matchResources),
    matchConditions: optional(list(matchCondition)),
    variables: optional(list(variable)),
    validations: optional(list(validation)),
    auditAnnotations: optional(list(auditAnnotation)),
  }),
  status,
});
export type ValidatingAdmissionPolicyDocument = Infer<typeof validatingAdmissionPolicy>;

/** Kubernetes: admissionregistration.k8s.io ValidatingAdmissionPolicyBinding. */
export const validatingAdmissionPolicyBinding = object({
  apiVersion: oneOf(...POLICY_VERSIONS),
  kind: oneOf('ValidatingAdmissionPolicyBinding'),
  metadata,
  spec: object({
    policyName: string(),
    paramRef: optional(paramRef),
    matchResources: optional(matchResources),
    validationActions: optional(list(validationAction)),
  }),
});
export type ValidatingAdmissionPolicyBindingDocument = Infer<typeof validatingAdmissionPolicyBinding>;

export const mutation = object({
  patchType: oneOf('ApplyConfiguration', 'JSONPatch'),
  applyConfiguration: optional(object({ expression: string({ doc: 'CEL, of type Object.' }) })),
  jsonPatch: optional(object({ expression: string({ doc: 'CEL, a list of JSONPatch.' }) })),
});
export type MutationDocument = Infer<typeof mutation>;

/** Kubernetes: admissionregistration.k8s.io MutatingAdmissionPolicy. */
export const mutatingAdmissionPolicy = object({
  apiVersion: oneOf(...POLICY_VERSIONS),
  kind: oneOf('MutatingAdmissionPolicy'),
  metadata,
  spec: object({
    failurePolicy: optional(failurePolicy),
    reinvocationPolicy: optional(oneOf('Never', 'IfNeeded')),
    paramKind: optional(paramKind),
    matchConstraints: optional(matchResources),
    matchConditions: optional(list(matchCondition)),
    variables: optional(list(variable)),
    mutations: optional(list(mutation)),
  }),
  status,
});
export type MutatingAdmissionPolicyDocument = Infer<typeof mutatingAdmissionPolicy>;

/** Kubernetes: admissionregistration.k8s.io MutatingAdmissionPolicyBinding. */
export const mutatingAdmissionPolicyBinding = object({
  apiVersion: oneOf(...POLICY_VERSIONS),
  kind: oneOf('MutatingAdmissionPolicyBinding'),
  metadata,
  spec: object({
    policyName: string(),
    paramRef: optional(paramRef),
    matchResources: optional(matchResources),
  }),
});
export type MutatingAdmissionPolicyBindingDocument = Infer<typeof mutatingAdmissionPolicyBinding>;

/** `RuleBundle`: what belongs together, in `bundle.yaml` beside the rules. */
export const ruleBundle = object({
  apiVersion: oneOf('fairlead.dev/v1alpha1'),
  kind: oneOf('RuleBundle'),
  metadata,
  spec: optional(
    object({
      version: optional(string({ doc: 'Version of the bundle, for logs and metrics.' })),
      description: optional(string()),
      params: optional(map(any(), { doc: 'Parameters of the rules: `name: type | default=value`, values may be given at load.' })),
      requires: optional(object({ fairlead: optional(string()), kubernetes: optional(string()) }, { open: true })),
    }),
  ),
});
export type RuleBundleDocument = Infer<typeof ruleBundle>;
