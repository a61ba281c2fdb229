import { describe, expect, test } from 'vitest';
import { binding, decide, podRequest, programOf, validatingPolicy } from './decide.fixture.ts';
import type { AdmissionDecision, AdmissionRequest, JsonObject } from './decision.ts';
import { recordedFacts } from './recorded-facts.ts';

const DENIED = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ";

function verdict(spec: string, bindingSpec?: string, request = podRequest(), objects: readonly JsonObject[] = []): AdmissionDecision {
  return decide(programOf(validatingPolicy(spec) + binding(bindingSpec)), request, recordedFacts(objects));
}

/** The message behind the policy's name, or `allowed`. */
function said(spec: string, request?: AdmissionRequest): string {
  const { status } = verdict(spec, undefined, request);
  if (status === undefined) return 'allowed';
  expect(status.message.startsWith(DENIED)).toBe(true);
  return status.message.slice(DENIED.length);
}

describe('messages', () => {
  test.each<[string, string]>([
    ['validations: [{expression: "true"}]', 'allowed'],
    ['validations: [{expression: "  1 == 2 "}]', 'failed expression: 1 == 2'],
    ['validations: [{expression: "1 == 2", message: "  not so  "}]', 'not so'],
    ['validations: [{expression: "1 == 2", message: m, messageExpression: "\'name \' + string(object.metadata.name)"}]', 'name web'],
    ['validations: [{expression: "1 == 2", message: m, messageExpression: "string(object.nope)"}]', 'm'],
    ['validations: [{expression: "1 == 2", message: m, messageExpression: "\' \'"}]', 'm'],
    ["validations: [{expression: '1 == 2', message: m, messageExpression: '\"a\\nb\"'}]", 'm'],
    ['validations: [{expression: "1 == 2", messageExpression: "string(object.nope)"}]', 'failed expression: 1 == 2'],
    ['validations: [{expression: "object.nope == 1", message: m}]', "expression 'object.nope == 1' resulted in error: no such key: nope"],
    [
      'variables: [{name: v, expression: object.nope}]\nvalidations: [{expression: "variables.v == 1"}]',
      'expression \'variables.v == 1\' resulted in error: composited variable "v" fails to evaluate: no such key: nope',
    ],
    ['validations: [{expression: "1 == 2", message: first}, {expression: "1 == 3", message: second}]', 'first'],
    [
      'validations: [{expression: "[1, 2].all(i, [1, 2].map(j, j * 0).size() == 2 && object.metadata.name.size() > 0)"}, {expression: "1 / 0 == 1"}]',
      "expression '1 / 0 == 1' resulted in error: division by zero",
    ],
  ])('%s', (spec, message) => {
    expect(said(spec)).toBe(message);
  });

  test('a message expression that is too long is left out', () => {
    const long = podRequest({ metadata: { name: 'x'.repeat(6000), namespace: 'shop' } });
    expect(said('validations: [{expression: "1 == 2", message: m, messageExpression: "string(object.metadata.name)"}]', long)).toBe('m');
  });
});

test.each([
  ['', 422, 'Invalid'],
  [', reason: Forbidden', 403, 'Forbidden'],
  [', reason: RequestEntityTooLarge', 413, 'RequestEntityTooLarge'],
])('reason %j', (reason, code, name) => {
  expect(verdict(`validations: [{expression: "1 == 2"${reason}}]`).status).toMatchObject({ code, reason: name });
});

describe('failure policy', () => {
  test.each([
    ['validations: [{expression: "object.nope == 1"}]'],
    ['matchConditions: [{name: a, expression: "object.nope == 1"}]\nvalidations: [{expression: "1 == 2"}]'],
  ])('Ignore lets errors pass: %s', (spec) => {
    expect(verdict(`failurePolicy: Ignore\n${spec}`).allowed).toBe(true);
  });

  test('Ignore does not let false pass', () => {
    expect(verdict('failurePolicy: Ignore\nvalidations: [{expression: "object.nope == 1"}, {expression: "1 == 2"}]').allowed).toBe(false);
  });
});

describe('match conditions', () => {
  const conditions = (...expressions: string[]) =>
    `matchConditions: [${expressions.map((text, i) => `{name: c${i}, expression: "${text}"}`).join(', ')}]\nvalidations: [{expression: "1 == 2", message: m}]`;

  test.each<[string[], string]>([
    [['true'], 'm'],
    [['true', 'false'], 'allowed'],
    [['object.nope == 1', 'false'], 'allowed'],
    [['object.nope == 1', 'true'], "expression 'object.nope == 1' resulted in error: no such key: nope"],
    [
      ['object.a == 1', 'object.b == 1'],
      "[expression 'object.a == 1' resulted in error: no such key: a, expression 'object.b == 1' resulted in error: no such key: b]",
    ],
    [['namespaceObject == null'], 'm'],
    [["request.operation == 'CREATE' && request.userInfo.username == 'alice'"], 'm'],
    [['has(request.subResource)'], 'allowed'],
  ])('%j', (expressions, message) => {
    expect(said(conditions(...expressions))).toBe(message);
  });
});

describe('actions', () => {
  const failing = 'validations: [{expression: "1 == 2", message: m}, {expression: "object.nope == 1"}]';
  const error = "expression 'object.nope == 1' resulted in error: no such key: nope";

  test('Warn warns of every failing validation, errors included', () => {
    const decision = verdict(failing, 'validationActions: [Warn]');
    expect(decision.allowed).toBe(true);
    expect(decision.warnings).toEqual([
      "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': m",
      `Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': ${error}`,
    ]);
  });

  test('Audit lists what failed', () => {
    const decision = verdict(failing, 'validationActions: [Audit]');
    expect(decision.allowed).toBe(true);
    expect(JSON.parse(decision.auditAnnotations['validation.policy.admission.k8s.io/validation_failure']!)).toEqual([
      { message: 'm', policy: 'p', binding: 'b', expressionIndex: 0, validationActions: ['Audit'] },
      { message: error, policy: 'p', binding: 'b', expressionIndex: 1, validationActions: ['Audit'] },
    ]);
  });

  test('a binding that warns still warns when another denies', () => {
    const program = programOf(
      validatingPolicy(failing) + binding('validationActions: [Warn]', 'w') + binding('validationActions: [Deny]', 'd'),
    );
    const decision = decide(program, podRequest());
    expect(decision.allowed).toBe(false);
    expect(decision.warnings).toHaveLength(2);
  });

  test('a policy without a binding is not enforced', () => {
    expect(decide(programOf(validatingPolicy(failing)), podRequest()).allowed).toBe(true);
  });
});

describe('audit annotations', () => {
  const spec = (value: string, rest = '') =>
    `${rest}\nvalidations: [{expression: "true"}]\nauditAnnotations: [{key: k, valueExpression: "${value}"}]`;

  test.each<[string, JsonObject]>([
    ["' v '", { 'p/k': 'v' }],
    ['null', {}],
    ["' '", {}],
    ["'x' + string(object.metadata.name)", { 'p/k': 'xweb' }],
  ])('%s', (value, annotations) => {
    const decision = verdict(spec(value));
    expect(decision.allowed).toBe(true);
    expect(decision.auditAnnotations).toEqual(annotations);
  });

  test('an error denies, whatever the actions are', () => {
    expect(verdict(spec('string(object.nope)'), 'validationActions: [Audit]').status?.message).toBe(
      `${DENIED}expression 'string(object.nope)' resulted in error: no such key: nope`,
    );
    expect(verdict(spec('string(object.nope)', 'failurePolicy: Ignore')).allowed).toBe(true);
  });

  test('distinct values of several bindings are joined, equal ones are not', () => {
    const policy = validatingPolicy(`paramKind: {apiVersion: v1, kind: ConfigMap}\n${spec('string(params.data.v)')}`);
    const bind = (name: string) =>
      binding(`paramRef: {name: ${name}, parameterNotFoundAction: Deny}\nvalidationActions: [Deny]`, `b-${name}`);
    const maps = [
      ['a', '1'],
      ['b', '2'],
      ['c', '1'],
    ].map(([name, v]) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name!, namespace: 'shop' }, data: { v: v! } }));
    const decision = decide(programOf(policy + bind('a') + bind('b') + bind('c')), podRequest(), recordedFacts(maps));
    expect(decision.auditAnnotations).toEqual({ 'p/k': '1, 2' });
  });
});

describe('parameters', () => {
  const policy =
    'paramKind: {apiVersion: v1, kind: ConfigMap}\nvalidations: [{expression: "params == null || params.data.ok == \'yes\'", message: m}]';
  const configMap = (name: string, ok: string, labels: JsonObject = {}, namespace = 'shop'): JsonObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels },
    data: { ok },
  });
  const bound = (ref: string) => `validationActions: [Deny]\nparamRef: ${ref}`;

  test.each<[string, readonly JsonObject[], string | undefined]>([
    ['{name: a, parameterNotFoundAction: Deny}', [configMap('a', 'yes')], undefined],
    ['{name: a, parameterNotFoundAction: Deny}', [configMap('a', 'no')], `${DENIED}m`],
    [
      '{name: a, parameterNotFoundAction: Deny}',
      [configMap('a', 'yes', {}, 'other')],
      `${DENIED}failed to configure binding: no params found for policy binding with \`Deny\` parameterNotFoundAction`,
    ],
    ['{name: a, parameterNotFoundAction: Allow}', [], undefined],
    ['{name: a, namespace: other, parameterNotFoundAction: Deny}', [configMap('a', 'no', {}, 'other')], `${DENIED}m`],
    [
      '{selector: {matchLabels: {x: v}}, parameterNotFoundAction: Deny}',
      [configMap('a', 'yes', { x: 'v' }), configMap('b', 'no')],
      undefined,
    ],
    [
      '{selector: {matchLabels: {x: v}}, parameterNotFoundAction: Deny}',
      [configMap('a', 'yes', { x: 'v' }), configMap('b', 'no', { x: 'v' })],
      `${DENIED}m`,
    ],
  ])('%s', (ref, objects, message) => {
    expect(verdict(policy, bound(ref), podRequest(), objects).status?.message).toBe(message);
  });

  test('without a paramRef they are null', () => {
    expect(verdict(policy).allowed).toBe(true);
  });

  test('are looked up before match conditions are asked', () => {
    const spec = `matchConditions: [{name: never, expression: "false"}]\n${policy}`;
    expect(verdict(spec, bound('{name: a, parameterNotFoundAction: Deny}')).allowed).toBe(false);
    expect(verdict(`failurePolicy: Ignore\n${spec}`, bound('{name: a, parameterNotFoundAction: Deny}')).allowed).toBe(true);
  });

  test('of a namespaced kind need a namespace', () => {
    const text =
      validatingPolicy(policy).replace('resources: [pods]', 'resources: [nodes]') +
      binding(bound('{name: a, parameterNotFoundAction: Allow}'));
    const { namespace: _none, ...request } = podRequest({}, { resource: { group: '', version: 'v1', resource: 'nodes' } });
    expect(decide(programOf(text), request).status?.message).toBe(
      `${DENIED}failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources`,
    );
  });

  test('of a kind that the cluster does not serve are the fault of the policy', () => {
    const text =
      validatingPolicy(policy.replace('v1, kind: ConfigMap', 'example.com/v1, kind: Limits')) +
      binding(bound('{name: a, parameterNotFoundAction: Deny}'));
    const facts = { ...recordedFacts([]), serves: () => false };
    expect(decide(programOf(text), podRequest(), facts).status?.message).toBe(
      "ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'example.com/v1, Kind=Limits'",
    );
  });

  test('that are not known yet are asked for, all at once', () => {
    const program = programOf(
      validatingPolicy(policy) +
        binding(bound('{name: a, parameterNotFoundAction: Deny}')) +
        binding(bound('{name: b, parameterNotFoundAction: Deny}'), 'b2'),
    );
    const unknown = { namespace: () => undefined, object: () => undefined, list: () => undefined, authorize: () => undefined };
    const answer = program.admit(podRequest(), unknown, { phase: 'validate' });
    expect(answer).toEqual({
      kind: 'needs',
      needs: [{ kind: 'object', reference: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' } }],
    });
  });
});

describe('facts', () => {
  const namespace: JsonObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', labels: { team: 'a' }, managedFields: [{ manager: 'x' }], ownerReferences: [{ name: 'y' }] },
  };

  test('namespaceObject has what Kubernetes shows of it', () => {
    const spec =
      'validations: [{expression: "namespaceObject.metadata.labels.team == \'a\' && !has(dyn(namespaceObject).metadata.managedFields) && !has(dyn(namespaceObject).metadata.ownerReferences)"}]';
    expect(verdict(spec, undefined, podRequest(), [namespace]).allowed).toBe(true);
  });

  test('a namespace that is not there is not found', () => {
    const program = programOf(validatingPolicy('validations: [{expression: "namespaceObject.metadata.name == \'shop\'"}]') + binding());
    const decision = decide(program, podRequest(), recordedFacts([], { assumeNamespaces: false }));
    expect(decision.status).toEqual({ message: 'namespaces "shop" not found', reason: 'NotFound', code: 404 });
  });

  test('are asked for only where an expression reads them', () => {
    const unknown = { namespace: () => undefined, object: () => undefined, list: () => undefined, authorize: () => undefined };
    const program = programOf(
      validatingPolicy(
        "validations: [{expression: \"has(object.spec) || namespaceObject.metadata.name == 'x' || authorizer.requestResource.check('get').allowed()\"}]",
      ) + binding(),
    );
    expect(program.admit(podRequest(), unknown, { phase: 'validate' })).toMatchObject({ needs: [{ kind: 'namespace', name: 'shop' }] });
    const known = { ...unknown, namespace: () => namespace };
    expect(program.admit(podRequest(), known, { phase: 'validate' })).toMatchObject({
      needs: [{ kind: 'authorize', attributes: { verb: 'get', resource: 'pods', namespace: 'shop', name: 'web' } }],
    });
    expect(program.admit(podRequest({ spec: {} }), known, { phase: 'validate' })).toMatchObject({ decision: { allowed: true } });
  });
});

describe('budgets', () => {
  // 0.1 of the text times 0.25 of the pattern: 900 090 cost units, quickly run.
  const dear = `object.text.matches('^a*${'b?'.repeat(178)}')`;
  const request = podRequest({ text: 'a'.repeat(100_000) });
  const validations = (count: number) => `validations: [${Array.from({ length: count }, () => `{expression: "${dear}"}`).join(', ')}]`;
  const exhausted = 'validation failed due to running out of cost budget, no further validation rules will be run';

  test('of one expression', () => {
    const expression = `${dear} && ${dear}`;
    expect(said(`validations: [{expression: "${expression}"}]`, request)).toBe(
      `expression '${expression}' resulted in error: operation cancelled: actual cost limit exceeded`,
    );
  });

  test('of one policy', () => {
    expect(said(validations(11), request)).toBe('allowed');
    expect(said(validations(12), request)).toBe(exhausted);
  });

  test('are fresh for every binding', () => {
    const program = programOf(validatingPolicy(validations(6)) + binding() + binding(undefined, 'b2') + binding(undefined, 'b3'));
    expect(decide(program, request).allowed).toBe(true);
  });

  test('of match conditions', () => {
    const conditions = (count: number) =>
      `matchConditions: [${Array.from({ length: count }, (_, i) => `{name: c${i}, expression: "${dear}"}`).join(', ')}]\nvalidations: [{expression: "1 == 2", message: m}]`;
    expect(said(conditions(2), request)).toBe('m');
    expect(said(conditions(3), request)).toBe(exhausted);
  });

  test('what messages of validations that hold would cost counts too', () => {
    const message = `messageExpression: "string(${dear})"`;
    const spec = `validations: [${Array.from({ length: 12 }, () => `{expression: "true", ${message}}`).join(', ')}]`;
    expect(said(spec, request)).toBe(`failed messageExpression: ${exhausted}`);
  });
});

test('nothing of a request is seen by the next', () => {
  const program = programOf(
    validatingPolicy(
      'variables: [{name: v, expression: "object.metadata.name"}]\nvalidations: [{expression: "variables.v == object.metadata.name"}]',
    ) + binding(),
  );
  for (const name of ['a', 'b', 'c']) expect(decide(program, podRequest({ metadata: { name } })).allowed).toBe(true);
});

test('policies and their bindings are never subject to policies', () => {
  const program = programOf(
    validatingPolicy('validations: [{expression: "1 == 2"}]').replace('apiGroups: [""]', 'apiGroups: ["*"]').replace('[pods]', '["*"]') +
      binding(),
  );
  const kind = { group: 'admissionregistration.k8s.io', version: 'v1', kind: 'ValidatingAdmissionPolicy' };
  expect(decide(program, podRequest({}, { kind })).allowed).toBe(true);
  expect(decide(program, podRequest()).allowed).toBe(false);
});
