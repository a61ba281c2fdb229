import { any, boolean, doc, type Infer, integer, list, map, object, oneOf, optional, string, union } from '../../text/shape.ts';
import { invocation } from '../network/recorded-invocation.ts';

const userInfo = object({
  username: optional(string()),
  uid: optional(string()),
  groups: optional(list(string())),
  extra: optional(map(list(string()))),
});

const admissionExpectation = object({
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
export type AdmissionExpectation = Infer<typeof admissionExpectation>;

const admissionCase = object({
  name: string({ minLength: 1 }),
  object: optional(map(any(), { doc: 'The object of the request; the old one of a DELETE.' })),
  oldObject: optional(map(any(), { doc: 'The object before an UPDATE.' })),
  operation: optional(doc('Default: CREATE, and UPDATE where there is an oldObject.', oneOf('CREATE', 'UPDATE', 'DELETE', 'CONNECT'))),
  request: optional(map(any(), { doc: 'Fields of the AdmissionRequest, in place of or beside those that follow from the object.' })),
  userInfo: optional(doc('Who asks.', userInfo)),
  namespaceObject: optional(map(any(), { doc: 'The namespace of the request.' })),
  objects: optional(list(map(any()), { doc: 'Further objects of the cluster, for this case only.' })),
  params: optional(map(any(), { doc: 'Parameters of the bundle, for this case only.' })),
  expect: doc('What the rules are to say.', admissionExpectation),
});
export type AdmissionCaseDocument = Infer<typeof admissionCase>;

const reconcileExpectation = object({
  objects: optional(
    list(map(any()), {
      doc: 'Objects that are to exist, each with what it has at least; kind and metadata.name say which is meant. Lists as a whole.',
    }),
  ),
  absent: optional(list(string(), { doc: 'Objects that are not to exist: the id of an entry, or kind and name, as Service web.' })),
  waiting: optional(list(string(), { doc: 'Ids of the entries that wait, all of them.' })),
  status: optional(map(any(), { doc: 'What status has at least; lists as a whole.' })),
  conditions: optional(map(any(), { doc: 'Conditions by type: its status, or a map of status, reason and a part of the message.' })),
  generate: optional(list(string(), { doc: 'Ids of the values that are to be made or renewed, all of them.' })),
  calls: optional(list(map(any()), { doc: 'Calls to be made, all of them, each with what it has at least: id, key, request.' })),
  undo: optional(list(map(any()), { doc: 'What undoes the calls that were made, all of it, each with what it has at least.' })),
  requeueAfter: optional(string({ doc: 'When to look again without an event, as 5m; never where it is never.' })),
  failures: optional(list(string(), { doc: 'Parts of the messages of expressions that failed, one for each. Default: none fails.' })),
});
export type ReconcileExpectation = Infer<typeof reconcileExpectation>;

const callResult = object({
  status: optional(integer({ doc: 'HTTP status. Default: 200.' })),
  body: optional(any()),
  at: optional(string({ doc: 'When it was made, as now is. Default: now.' })),
});

const reconcileCase = object({
  name: string({ minLength: 1 }),
  instance: map(any(), { doc: 'The object whose rule is asked; defaults of its schema are filled in.' }),
  rule: optional(string({ doc: 'Name of the rule, where several are about the kind.' })),
  objects: optional(list(map(any()), { doc: 'Further objects of the cluster, for this case only. What is not listed does not exist.' })),
  generated: optional(
    map(map(string()), { doc: 'Values that were made before, by id, and for items by id/key: value, or tls.crt, tls.key and ca.crt.' }),
  ),
  calls: optional(map(callResult, { doc: 'Answers of calls that were made before, by id, and for items by id/key.' })),
  now: optional(string({ doc: 'The time, as 2025-01-01T00:00:00Z, which is the default.' })),
  params: optional(map(any(), { doc: 'Parameters of the bundle, for this case only.' })),
  expect: doc('What should be true.', reconcileExpectation),
});
export type ReconcileCaseDocument = Infer<typeof reconcileCase>;

const networkExpectation = object({
  steps: optional(
    list(map(any()), {
      doc: 'Steps of the plan, all of them in their order, each with what its arguments have at least: `- bridge: { name: cni0 }`. Lists as a whole.',
    }),
  ),
  nodeSteps: optional(list(map(any()), { doc: 'Steps for the node, in the same form.' })),
  result: optional(map(any(), { doc: 'What the result has at least, in the form of CNI 1.1.0; lists as a whole.' })),
  podAnnotations: optional(
    map(any(), { doc: 'Annotations that the pod gets, at least. A value that is no text is compared with what the text says as JSON.' }),
  ),
  fault: optional(
    object(
      { code: optional(integer()), msg: optional(string({ doc: 'Part of it.' })), details: optional(string({ doc: 'Part of it.' })) },
      { doc: 'The error. Default: there is none.' },
    ),
  ),
});
export type NetworkExpectation = Infer<typeof networkExpectation>;

const networkCase = object({
  name: string({ minLength: 1 }),
  invocation: doc('How the plugin is called.', invocation),
  rule: optional(string({ doc: 'Name of the rule, where several are in the bundle and the configuration has no type.' })),
  node: optional(string({ doc: 'Name of the node. Default: node.' })),
  objects: optional(list(map(any()), { doc: 'Further objects of the cluster, for this case only. What is not listed does not exist.' })),
  attachments: optional(
    list(
      object({
        namespace: string(),
        name: string(),
        addresses: list(string()),
        uid: optional(string()),
        containerId: optional(string()),
        ifName: optional(string()),
      }),
      { doc: 'Pods of this node that are attached to the network already, in `node.attachments`.' },
    ),
  ),
  addresses: optional(
    list(union(string(), object({ address: string(), gateway: optional(string()) })), {
      doc: 'What the attachment gets, as 10.1.0.5/16. Default: what is asked for, else the first of each range.',
    }),
  ),
  outputs: optional(map(map(any()), { doc: 'What steps end with, by id, beside what is known beforehand.' })),
  params: optional(map(any(), { doc: 'Parameters of the bundle, for this case only.' })),
  expect: doc('What should be true.', networkExpectation),
});
export type NetworkCaseDocument = Infer<typeof networkCase>;

/** `RuleTest`: recorded facts in, expected decisions and plans out. */
export const ruleTest = object({
  apiVersion: oneOf('fairlead.dev/v1alpha1'),
  kind: oneOf('RuleTest'),
  metadata: object({ name: string({ minLength: 1 }) }, { open: true }),
  spec: object({
    description: optional(string()),
    rules: optional(list(string(), { doc: 'Only these rules of the bundle decide.' })),
    params: optional(map(any(), { doc: 'Parameters of the bundle.' })),
    objects: optional(list(map(any()), { doc: 'Objects of the cluster: namespaces, parameter objects, SubjectAccessReviews.' })),
    cases: list(union(networkCase, reconcileCase, admissionCase), { minItems: 1 }),
  }),
});
export type RuleTestDocument = Infer<typeof ruleTest>;
