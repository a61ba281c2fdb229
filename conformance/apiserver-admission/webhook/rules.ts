import type { JsonObject } from '../../../engine/rules/admission/decision.ts';

/** Label of the namespaces that the webhook is registered for. */
export const WEBHOOK_LABEL = { 'conformance.example/webhook': 'yes' } as const;

const configMaps = (...operations: readonly string[]): JsonObject => ({
  apiGroups: [''],
  apiVersions: ['v1'],
  operations,
  resources: ['configmaps'],
});

/** The rules that are served; `version` shows in messages and labels, so that one can see which bundle answered. */
export function servedRules(version: string): readonly JsonObject[] {
  const rule = (name: string, spec: JsonObject): JsonObject => ({
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'AdmissionRule',
    metadata: { name },
    spec,
  });
  const policy = (name: string, spec: JsonObject, validationActions: readonly string[]): readonly JsonObject[] => [
    { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', metadata: { name }, spec },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: `${name}-binding` },
      spec: { policyName: name, validationActions },
    },
  ];
  return [
    rule('bad-data', {
      matchConstraints: { resourceRules: [configMaps('CREATE', 'UPDATE')] },
      validations: [
        {
          expression: '!has(object.data) || object.data[?"bad"].orValue("") != "yes"',
          message: `bad data, says ${version}`,
          reason: 'Forbidden',
        },
      ],
    }),
    rule('version-label', {
      matchConstraints: { resourceRules: [configMaps('CREATE', 'UPDATE')] },
      mutations: [{ apply: { metadata: { labels: { 'conformance.example/version': version } } } }],
    }),
    rule('protected', {
      matchConstraints: { resourceRules: [configMaps('DELETE')] },
      validations: [
        {
          expression: 'oldObject.metadata.?labels["protected"].orValue("") != "yes"',
          messageExpression: 'oldObject.metadata.name + " is protected"',
        },
      ],
    }),
    rule('no-shell', {
      matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CONNECT'], resources: ['pods/exec'] }] },
      validations: [{ expression: '!("sh" in object.command)', messageExpression: '"no shell in " + request.name' }],
    }),
    rule('at-most-five', {
      matchConstraints: {
        resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments/scale'] }],
      },
      validations: [{ expression: 'object.spec.replicas <= 5', message: 'at most five replicas' }],
    }),
    rule('namespaces-have-owners', {
      matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['namespaces'] }] },
      validations: [{ expression: 'request.namespace == object.metadata.name && has(object.metadata.labels.owner)', message: 'no owner' }],
    }),
    rule('team-of-the-namespace', {
      matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'] }] },
      mutations: [{ apply: { metadata: { labels: { team: '${namespaceObject.metadata.labels.team}' } } } }],
    }),
    rule('may-approve', {
      matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['services'] }] },
      validations: [
        {
          expression:
            'authorizer.group("conformance.example").resource("approvals").namespace(request.namespace).check("create").allowed()',
          message: 'not an approver',
        },
      ],
    }),
    rule('keep-large-numbers', {
      matchConstraints: {
        resourceRules: [{ apiGroups: ['conformance.example'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['widgets'] }],
      },
      mutations: [{ patch: [{ op: 'add', path: '/spec/name', value: 'seen' }] }],
    }),
    ...policy(
      'warns',
      {
        matchConstraints: { resourceRules: [configMaps('CREATE')] },
        validations: [{ expression: '!has(object.data) || !has(object.data.old)', message: 'old is "deprecated", größe' }],
      },
      ['Warn'],
    ),
    ...policy(
      'notes',
      {
        matchConstraints: { resourceRules: [configMaps('CREATE')] },
        matchConditions: [{ name: 'noted', expression: 'has(object.data) && has(object.data.note)' }],
        validations: [{ expression: 'object.data.note != "bad"', message: 'a bad note' }],
        auditAnnotations: [{ key: 'note', valueExpression: '"note: " + object.data.note' }],
      },
      ['Audit'],
    ),
  ];
}
