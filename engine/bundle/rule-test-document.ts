import { any, boolean, defaulted, doc, type Infer, integer, list, map, object, oneOf, optional, string } from '../text/shape.ts';

const userInfo = object({
  username: optional(string()),
  uid: optional(string()),
  groups: optional(list(string())),
  extra: optional(map(list(string()))),
});

const kubernetesObject = map(any(), { doc: 'A Kubernetes object.' });

const expectation = object({
  allowed: optional(boolean({ doc: 'Whether the request is allowed. Default: true, unless a denial is described.' })),
  message: optional(string({ doc: 'The whole message of the denial.' })),
  messageContains: optional(string({ doc: 'Part of the message of the denial.' })),
  reason: optional(string({ doc: 'Reason of the denial, such as Invalid.' })),
  code: optional(integer({ doc: 'HTTP code of the denial.' })),
  deniedBy: optional(list(string(), { doc: 'Names of the rules that deny, all of them.' })),
  mutatedBy: optional(list(string(), { doc: 'Names of the rules that change the object, all of them.' })),
  warnings: optional(list(string(), { doc: 'The warnings, all of them, in order.' })),
  auditAnnotations: optional(map(string(), { doc: 'Audit annotations that are set, by key; others may be there.' })),
  object: optional(
    map(any(), {
      doc: 'Fields that the object has after mutations, others may be there. Lists are compared item by item; null stands for an absent field.',
    }),
  ),
  patch: optional(list(map(any()), { doc: 'The JSON Patch, exactly.' })),
  unchanged: optional(boolean({ doc: 'Whether the object is left as it was.' })),
});
export type RuleTestExpectation = Infer<typeof expectation>;

const requestFields = {
  operation: optional(oneOf('CREATE', 'UPDATE', 'DELETE', 'CONNECT')),
  userInfo: optional(userInfo),
  namespace: optional(string({ doc: 'Namespace of an object that names none. Default: default.' })),
};

const testCase = object({
  name: string({ minLength: 1, doc: 'What is expected, in words.' }),
  object: optional(kubernetesObject),
  oldObject: optional(doc('The object before an UPDATE, or the one that a DELETE is about.', kubernetesObject)),
  ...requestFields,
  request: optional(map(any(), { doc: "Fields of the AdmissionReview's request, put over those that follow from the object." })),
  objects: optional(list(kubernetesObject, { doc: 'Objects that rules may look up in this case, beside those of the test.' })),
  expect: expectation,
});
export type RuleTestCaseDocument = Infer<typeof testCase>;

/** `RuleTest`: recorded facts in, expected decisions out. */
export const ruleTest = object({
  apiVersion: oneOf('fairlead.dev/v1alpha1'),
  kind: oneOf('RuleTest'),
  metadata: object({ name: string({ minLength: 1 }) }, { open: true }),
  spec: object({
    description: optional(string()),
    rules: optional(list(string(), { doc: 'Only these rules of the bundle take part. Default: all.' })),
    params: optional(map(any(), { doc: 'Values of parameters of the bundle; the others have their defaults.' })),
    objects: optional(list(kubernetesObject, { doc: 'Objects that rules may look up: namespaces, parameters.' })),
    recordings: optional(list(string(), { doc: 'Files of such objects, relative to this one.' })),
    assumeNamespaces: defaulted(boolean({ doc: 'Namespaces of which nothing is recorded exist. Default: true.' }), true),
    ...requestFields,
    cases: list(testCase, { minItems: 1 }),
  }),
});
export type RuleTestDocument = Infer<typeof ruleTest>;
