import { constraints, type Draft, type PolicyDraft, rule, vap } from '../case.ts';

/** Policies whose expressions the API server checks against the types of the kinds that they name. */
export interface TypeCase {
  readonly name: string;
  readonly policy: PolicyDraft;
}

const EXPRESSIONS: Readonly<Record<string, readonly string[]>> = {
  deployments: [
    'object.spec.replicas < 5',
    'object.spec.replicas < "5"',
    'object.spec.replicas == 1.5',
    'object.spec.nope == 1',
    'has(object.spec.nope)',
    'object.spec.?nope.orValue(1) == 1',
    'object.spec.template.spec.containers.all(c, c.image.startsWith("a"))',
    'object.spec.template.spec.containers.all(c, c.imag.startsWith("a"))',
    'object.spec.template.spec.containers.all(c, c.image > 1)',
    'object.spec.template.spec.containers[0].resources.limits["cpu"] == "1"',
    'object.spec.template.spec.containers[0].resources.limits["cpu"] == 1',
    'object.spec.template.spec.containers[0].ports.all(p, p.containerPort > 1024)',
    'object.spec.template.spec.containers[0].ports.all(p, p.containerPort > "1024")',
    'object.spec.template.spec.containers[0].livenessProbe.httpGet.port == 80',
    'object.spec.template.spec.containers[0].livenessProbe.httpGet.port == "http"',
    'object.spec.template.spec.containers[0].livenessProbe.httpGet.port == true',
    'object.metadata.labels["a"] == "b"',
    'object.metadata.labels.a == 1',
    'object.metadata.labels.all(k, k == 1)',
    'object.metadata.name == 1',
    'object.metadata.creationTimestamp < timestamp("2024-01-01T00:00:00Z")',
    'object.metadata.creationTimestamp == "x"',
    'object.metadata.nope == 1',
    'object.metadata.ownerReferences.all(o, o.kind == "x" && o.nope)',
    'object.metadata.managedFields[0].fieldsV1 == 1',
    'object.kind == 1',
    'object.apiVersion == "apps/v1"',
    'object.status.replicas > 1',
    'object.statuz.replicas > 1',
    'object.spec.strategy.rollingUpdate.maxSurge == 1',
    'object.spec.strategy.rollingUpdate.maxSurge == "25%"',
    'object.spec.selector.matchLabels == {"a": 1}',
    'object.spec.template.spec.nodeSelector.exists(k, object.spec.template.spec.nodeSelector[k] == 1)',
    'object.spec.template.spec.volumes.all(v, v.emptyDir.sizeLimit == "1Gi")',
    'object.spec.template.spec.volumes.all(v, v.emptyDir.sizeLimit == 1)',
    'object.spec.template.spec.securityContext.runAsUser == "0"',
    'object.spec.template.spec.hostNetwork == "true"',
    'object.spec.paused == true && object.spec.replicas',
    'oldObject.spec.nope == 1',
    'oldObject == null || oldObject.spec.replicas == object.spec.replicas',
    'oldObject.spec.replicas == object.spec.template',
    'object.spec.replicas + object.metadata.name == "x"',
    'size(object.spec.replicas) == 1',
    'object.spec.template.metadata.annotations.exists(a, a.startsWith("x") && a > 1)',
    'variables.v == 1',
    'variables.v == "1"',
    'object.nope.nope == 1 || object.spec.nope2 == 1',
  ],
  configmaps: [
    'object.data.a == "1"',
    'object.data.a == 1',
    'object.dat.a == "1"',
    'object.data.all(k, object.data[k] == 1)',
    'object.binaryData.a == b"x"',
    'object.immutable == "yes"',
  ],
  services: [
    'object.spec.ports.all(p, p.targetPort == 80)',
    'object.spec.ports.all(p, p.targetPort == true)',
    'object.spec.ports.all(p, p.nodePort == "x")',
    'object.spec.type in [1, 2]',
  ],
  widgets: [
    'object.spec.size == "1"',
    'object.spec.nope == 1',
    'object.spec.any.whatever == 1',
    'object.spec.entries.all(e, e.nope == 1)',
    'object.spec.tags.all(t, t == 1)',
    'object.spec.port == 1',
    'object.spec.port == true',
    'object.spec.ratio == 1',
    'object.spec.ratio == 1.5',
    'object.spec.nested.deep.c == "x"',
    'object.status.phase == 1',
  ],
};

const variables = [{ name: 'v', expression: 'object.spec.replicas' }];

function typed(resource: string, expression: string): TypeCase {
  const spec = { matchConstraints: constraints(rule(resource)), ...(expression.includes('variables.') ? { variables } : {}) };
  return { name: `types/${resource}: ${expression}`, policy: vap([expression], spec, []) };
}

function policy(name: string, spec: Draft): TypeCase {
  return { name: `types/${name}`, policy: vap(['object.spec.nope == 1'], spec, []) };
}

const limitKind = { apiVersion: 'conformance.example/v1', kind: 'Limit' };
const deployments = constraints(rule('deployments'));

/** What the status of a policy warns of. */
export const typeCases: readonly TypeCase[] = [
  ...Object.entries(EXPRESSIONS).flatMap(([resource, expressions]) => expressions.map((expression) => typed(resource, expression))),
  policy('two kinds', { matchConstraints: constraints(rule('deployments'), rule('configmaps')) }),
  policy('one of two kinds has the field', {
    matchConstraints: constraints(rule('deployments'), rule('statefulsets')),
    validations: [{ expression: 'object.spec.serviceName == "x"' }],
  }),
  policy('all versions', { matchConstraints: constraints({ ...rule('deployments'), apiVersions: ['*'] }) }),
  policy('all resources', { matchConstraints: constraints({ ...rule('deployments'), resources: ['*'] }) }),
  policy('a subresource', { matchConstraints: constraints(rule('deployments', ['UPDATE'], 'scale')) }),
  policy('the main resource and a subresource', {
    matchConstraints: constraints({ ...rule('deployments'), resources: ['deployments', 'deployments/status'] }),
  }),
  policy('a resource that is not served', { matchConstraints: constraints({ ...rule('deployments'), resources: ['nothings'] }) }),
  policy('several validations', {
    matchConstraints: deployments,
    validations: [{ expression: 'object.spec.nope == 1' }, { expression: 'true' }, { expression: 'object.spec.replicas == "x"' }],
  }),
  policy('a message', {
    matchConstraints: deployments,
    validations: [{ expression: 'true', messageExpression: 'string(object.spec.nope)' }],
  }),
  policy('a condition', {
    matchConstraints: deployments,
    validations: [{ expression: 'true' }],
    matchConditions: [{ name: 'c', expression: 'object.spec.nope == 1' }],
  }),
  policy('an annotation', {
    matchConstraints: deployments,
    validations: [{ expression: 'true' }],
    auditAnnotations: [{ key: 'k', valueExpression: 'string(object.spec.nope)' }],
  }),
  policy('a variable that is wrong', {
    matchConstraints: deployments,
    validations: [{ expression: 'variables.v == 1' }],
    variables: [{ name: 'v', expression: 'object.spec.nope' }],
  }),
  policy('a typed variable', { matchConstraints: deployments, validations: [{ expression: 'variables.v == "x"' }], variables }),
  policy('parameters', {
    matchConstraints: deployments,
    paramKind: limitKind,
    validations: [
      { expression: 'params.spec.max == "x"' },
      { expression: 'params.spec.nope == 1' },
      { expression: 'object.spec.replicas < params.spec.max' },
    ],
  }),
  policy('parameters of a kind that is not served', {
    matchConstraints: deployments,
    paramKind: { apiVersion: 'nowhere.example/v1', kind: 'Nothing' },
    validations: [{ expression: 'params.spec.max == "x"' }],
  }),
];
