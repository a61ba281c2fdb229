import { create, get, given, mergePatch, remove, type Step, subject } from '../case.ts';
import { CONFIG_MAPS, configMap } from './objects.ts';

const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';
const SELECTOR = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': '$(ns)' } } };
const CONFIG_MAP_RULES = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE', 'DELETE'], resources: ['configmaps'] }];

/** A validating policy of the case's namespace, bound, and a wait until it refuses the object named `probe`. */
function validating(spec: { readonly validations: readonly object[]; readonly [key: string]: unknown }, bindingSpec: object = {}): Step[] {
  const { validations, ...rest } = spec;
  const probe = { expression: "object == null || object.metadata.name != 'probe'", message: 'probe' };
  return [
    given(
      create(`${REGISTRATION}/validatingadmissionpolicies`, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: '$(ns)' },
        spec: { matchConstraints: { resourceRules: CONFIG_MAP_RULES }, validations: [probe, ...validations], ...rest },
      }),
    ),
    given(
      create(`${REGISTRATION}/validatingadmissionpolicybindings`, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: '$(ns)' },
        spec: { policyName: '$(ns)', validationActions: ['Deny'], matchResources: SELECTOR, ...bindingSpec },
      }),
    ),
  ];
}
const refusing: Step = { ...create(`${CONFIG_MAPS}?dryRun=All`, configMap('probe'), { until: { status: 422 } }), compare: 'status' };

function mutating(mutations: readonly object[]): Step[] {
  return [
    given(
      create(`${REGISTRATION}/mutatingadmissionpolicies`, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingAdmissionPolicy',
        metadata: { name: '$(ns)' },
        spec: {
          matchConstraints: { resourceRules: [{ ...CONFIG_MAP_RULES[0], operations: ['CREATE', 'UPDATE'] }] },
          reinvocationPolicy: 'Never',
          failurePolicy: 'Fail',
          mutations,
        },
      }),
    ),
    given(
      create(`${REGISTRATION}/mutatingadmissionpolicybindings`, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingAdmissionPolicyBinding',
        metadata: { name: '$(ns)' },
        spec: { policyName: '$(ns)', matchResources: SELECTOR },
      }),
    ),
    { ...create(`${CONFIG_MAPS}?dryRun=All`, configMap('probe'), { until: { at: '/metadata/labels/seen' } }), compare: 'status' },
  ];
}
const label = {
  patchType: 'ApplyConfiguration',
  applyConfiguration: { expression: "Object{metadata: Object.metadata{labels: {'seen': 'yes'}}}" },
};

export const admissionCases = [
  ...subject('policy', {
    denies: [
      ...validating({ validations: [{ expression: "!has(object.data) || !('bad' in object.data)", message: 'no bad data' }] }),
      refusing,
      create(CONFIG_MAPS, configMap('a', { bad: '1' })),
      create(CONFIG_MAPS, configMap('a', { good: '1' })),
      mergePatch(`${CONFIG_MAPS}/a`, { data: { bad: '1' } }),
    ],
    'denies with a reason and an expression': [
      ...validating({
        validations: [
          { expression: "object.metadata.name != 'a'", messageExpression: "'not ' + object.metadata.name", reason: 'Forbidden' },
        ],
      }),
      refusing,
      create(CONFIG_MAPS, configMap('a')),
    ],
    'denies deletion': [
      given(create(CONFIG_MAPS, configMap('a', {}))),
      ...validating({ validations: [{ expression: "request.operation != 'DELETE'", message: 'stays' }] }),
      refusing,
      remove(`${CONFIG_MAPS}/a`),
      get(`${CONFIG_MAPS}/a`, { compare: 'status' }),
    ],
    warns: [
      ...validating({ validations: [] }, {}),
      refusing,
      given(
        create(`${REGISTRATION}/validatingadmissionpolicies`, {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicy',
          metadata: { name: '$(ns)-w' },
          spec: {
            matchConstraints: { resourceRules: CONFIG_MAP_RULES },
            validations: [{ expression: "object.metadata.name != 'a'", message: 'better not' }],
          },
        }),
      ),
      given(
        create(`${REGISTRATION}/validatingadmissionpolicybindings`, {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicyBinding',
          metadata: { name: '$(ns)-w' },
          spec: { policyName: '$(ns)-w', validationActions: ['Warn', 'Audit'], matchResources: SELECTOR },
        }),
      ),
      given(
        mergePatch(`${REGISTRATION}/validatingadmissionpolicies/$(ns)`, {
          spec: { validations: [{ expression: "object == null || object.metadata.name != 'second'" }] },
        }),
      ),
      { ...create(`${CONFIG_MAPS}?dryRun=All`, configMap('second'), { until: { status: 422 } }), compare: 'status' },
      create(CONFIG_MAPS, configMap('a')),
    ],
    'with variables and conditions': [
      ...validating({
        variables: [{ name: 'size', expression: 'has(object.data) ? object.data.size() : 0' }],
        matchConditions: [{ name: 'not-me', expression: "object == null || object.metadata.name != 'free'" }],
        validations: [{ expression: 'variables.size < 2', messageExpression: "'has ' + string(variables.size)" }],
      }),
      refusing,
      create(CONFIG_MAPS, configMap('a', { a: '1', b: '2' })),
      create(CONFIG_MAPS, configMap('free', { a: '1', b: '2' })),
    ],
    'that fails': [
      ...validating({ validations: [{ expression: "object.data['none'] == 'x'" }] }),
      refusing,
      create(CONFIG_MAPS, configMap('a', { a: '1' })),
    ],
    'with parameters': [
      given(create(CONFIG_MAPS, configMap('params', { max: '1' }))),
      ...validating(
        {
          paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
          validations: [{ expression: 'object == null || !has(object.data) || object.data.size() <= int(params.data.max)' }],
        },
        { paramRef: { name: 'params', namespace: '$(ns)', parameterNotFoundAction: 'Deny' } },
      ),
      refusing,
      create(CONFIG_MAPS, configMap('a', { a: '1', b: '2' })),
    ],
    'is checked': [
      create(`${REGISTRATION}/validatingadmissionpolicies`, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: '$(ns)' },
        spec: { matchConstraints: { resourceRules: CONFIG_MAP_RULES }, validations: [{ expression: 'object.' }] },
      }),
      create(`${REGISTRATION}/validatingadmissionpolicies`, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: '$(ns)' },
        spec: { validations: [] },
      }),
    ],
    mutates: [...mutating([label]), create(CONFIG_MAPS, configMap('a', { a: '1' }))],
    'mutates by a patch': [
      ...mutating([
        label,
        { patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'add', path: '/metadata/annotations', value: {'a': 'b'}}]" } },
      ]),
      create(CONFIG_MAPS, configMap('a', { a: '1' })),
    ],
    'mutates what is applied': [
      ...mutating([label]),
      { call: `PATCH ${CONFIG_MAPS}/a?fieldManager=one`, body: configMap('a', { a: '1' }), contentType: 'application/apply-patch+yaml' },
    ],
    'mutates and fails': [
      ...mutating([
        label,
        {
          patchType: 'JSONPatch',
          jsonPatch: { expression: "object.metadata.name == 'a' ? [JSONPatch{op: 'remove', path: '/none'}] : []" },
        },
      ]),
      create(CONFIG_MAPS, configMap('a', { a: '1' })),
    ],
  }),
  ...subject('webhook', {
    'configuration is checked': [
      create(`${REGISTRATION}/validatingwebhookconfigurations`, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: '$(ns)' },
        webhooks: [{ name: 'short', clientConfig: {}, sideEffects: 'Some', admissionReviewVersions: [] }],
      }),
      create(`${REGISTRATION}/mutatingwebhookconfigurations`, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: { name: '$(ns)' },
        webhooks: [
          {
            name: 'a.example.test',
            clientConfig: { url: 'https://127.0.0.1:1/' },
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
            rules: [{ apiGroups: ['x.example.test'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['none'] }],
          },
        ],
      }),
    ],
    'that can not be reached': [
      given(
        create(`${REGISTRATION}/validatingwebhookconfigurations`, {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingWebhookConfiguration',
          metadata: { name: '$(ns)' },
          webhooks: [
            {
              name: 'a.example.test',
              clientConfig: { url: 'https://127.0.0.1:1/x' },
              sideEffects: 'None',
              admissionReviewVersions: ['v1'],
              rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
              ...SELECTOR,
            },
          ],
        }),
      ),
      { ...create(`${CONFIG_MAPS}?dryRun=All`, configMap('probe'), { until: { status: 500 } }), compare: 'status' },
      create(CONFIG_MAPS, configMap('a')),
      given(mergePatch(`${REGISTRATION}/validatingwebhookconfigurations/$(ns)`, { webhooks: null })),
    ],
  }),
];
