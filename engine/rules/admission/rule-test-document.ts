import { any, boolean, doc, type Infer, integer, list, map, object, oneOf, optional, string } from '../../text/shape.ts';

const userInfo = object({
  username: optional(string()),
  uid: optional(string()),
  groups: optional(list(string())),
  extra: optional(map(list(string()))),
});

const expectation = object({
  allowed: optional(boolean({ doc: 'Whether the request is let through.' })),
  message: optional(string({ doc: 'Part of what the user reads when denied.' })),
  reason: optional(string({ doc: 'Reason of the status, as Invalid.' })),
  code: optional(integer({ doc: 'HTTP code of the status.' })),
  deniedBy: optional(list(string(), { doc: 'Names of the rules that deny, all of them.' })),
  warnings: optional(list(string(), { doc: 'Parts of the warnings, one for each warning.' })),
  auditAnnotations: optional(map(string(), { doc: 'Audit annotations, all of them.' })),
  patch: optional(list(any(), { doc: 'The JSON Patch, to the letter. An empty list: nothing changes.' })),
  object: optional(map(any(), { doc: 'The whole object after the mutations.' })),
  contains: optional(map(any(), { doc: 'What the object after the mutations has at least; lists as a whole.' })),
});
export type Expectation = Infer<typeof expectation>;

const testCase = object({
  name: string({ minLength: 1 }),
  object: optional(map(any(), { doc: 'The object of the request; the old one of a DELETE.' })),
  oldObject: optional(map(any(), { doc: 'The object before an UPDATE.' })),
  operation: optional(doc('Default: CREATE, and UPDATE where there is an oldObject.', oneOf('CREATE', 'UPDATE', 'DELETE', 'CONNECT'))),
  request: optional(map(any(), { doc: 'Fields of the AdmissionRequest, in place of or beside those that follow from the object.' })),
  userInfo: optional(doc('Who asks.', userInfo)),
  namespaceObject: optional(map(any(), { doc: 'The namespace of the request.' })),
  objects: optional(list(map(any()), { doc: 'Further objects of the cluster, for this case only.' })),
  params: optional(map(any(), { doc: 'Parameters of the bundle, for this case only.' })),
  expect: doc('What the rules are to say.', expectation),
});
export type RuleTestCaseDocument = Infer<typeof testCase>;

/** `RuleTest`: recorded facts in, expected decisions out. */
export const ruleTest = object({
  apiVersion: oneOf('fairlead.dev/v1alpha1'),
  kind: oneOf('RuleTest'),
  metadata: object({ name: string({ minLength: 1 }) }, { open: true }),
  spec: object({
    description: optional(string()),
    rules: optional(list(string(), { doc: 'Only these rules of the bundle decide.' })),
    params: optional(map(any(), { doc: 'Parameters of the bundle.' })),
    objects: optional(list(map(any()), { doc: 'Objects of the cluster: namespaces, parameter objects, SubjectAccessReviews.' })),
    cases: list(testCase, { minItems: 1 }),
  }),
});
export type RuleTestDocument = Infer<typeof ruleTest>;
