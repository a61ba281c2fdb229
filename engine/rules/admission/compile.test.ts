import { describe, expect, test } from 'vitest';
import { compileBundle } from '../../bundle/compile.ts';
import { formatPlace } from '../../text/render.ts';
import { parseYaml } from '../../text/yaml.ts';
import { binding, mutatingPolicy, problemsOf, rule, validatingPolicy } from './decide.fixture.ts';

const bound = binding();

describe('a ValidatingAdmissionPolicy that the API server would refuse', () => {
  test.each<[string, string]>([
    ['validations: [{expression: "object.metadata.name"}]', '$.spec.validations[0].expression: must evaluate to bool but got dyn'],
    ['validations: [{expression: "objct.x == 1"}]', "$.spec.validations[0].expression: undeclared reference to 'objct' (in container '')"],
    ['validations: [{expression: " "}]', '$.spec.validations[0].expression: Required value: expression is not specified'],
    [
      'validations: [{expression: "true", message: "a\\nb"}]',
      '$.spec.validations[0].message: Invalid value: "a\\nb": must not contain line breaks',
    ],
    [
      'validations: [{expression: "true", messageExpression: "1"}]',
      '$.spec.validations[0].messageExpression: must evaluate to string but got int',
    ],
    [
      'validations: [{expression: "true", messageExpression: "authorizer.path(\'/\').check(\'get\').reason()"}]',
      "$.spec.validations[0].messageExpression: undeclared reference to 'authorizer' (in container '')",
    ],
    [
      'validations: [{expression: "true", reason: Unauthorized}]',
      '$.spec.validations[0].reason: Unsupported value: "Unauthorized": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
    ],
    ['validations: []', '$.spec.validations: Required value: validations or auditAnnotations must contain at least one item'],
    [
      'validations: [{expression: "variables.x"}]',
      "$.spec.validations[0].expression: undeclared reference to 'variables' (in container '')",
    ],
    [
      'validations: [{expression: "params.x == 1"}]',
      "$.spec.validations[0].expression: undeclared reference to 'params' (in container '')",
    ],
    [
      'variables: [{name: a, expression: "variables.b"}, {name: b, expression: "1"}]\nvalidations: [{expression: "true"}]',
      "$.spec.variables[0].expression: undefined field 'b'",
    ],
    [
      'variables: [{name: a-b, expression: "1"}]\nvalidations: [{expression: "true"}]',
      '$.spec.variables[0].name: Invalid value: "a-b": must be a valid CEL identifier',
    ],
    [
      'variables: [{name: package, expression: "1"}]\nvalidations: [{expression: "true"}]',
      '$.spec.variables[0].name: Invalid value: "package": must be a valid CEL identifier',
    ],
    [
      'matchConditions: [{name: a, expression: "true"}, {name: a, expression: "true"}]\nvalidations: [{expression: "true"}]',
      '$.spec.matchConditions[1].name: Duplicate value: "a"',
    ],
    [
      'variables: [{name: v, expression: "1"}]\nmatchConditions: [{name: a, expression: "variables.v == 1"}]\nvalidations: [{expression: "true"}]',
      "$.spec.matchConditions[0].expression: undeclared reference to 'variables' (in container '')",
    ],
    [
      'auditAnnotations: [{key: k, valueExpression: "dyn(1)"}]',
      '$.spec.auditAnnotations[0].valueExpression: must evaluate to one of [string null_type] but got dyn',
    ],
    [
      'auditAnnotations: [{key: k, valueExpression: "null"}, {key: k, valueExpression: "null"}]',
      '$.spec.auditAnnotations[1].key: Duplicate value: "k"',
    ],
    [
      'paramKind: {apiVersion: a/b/c, kind: K}\nvalidations: [{expression: "true"}]',
      '$.spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
    ],
    ['failurePolicy: Maybe\nvalidations: [{expression: "true"}]', '$.spec.failurePolicy: expected one of Fail, Ignore, found "Maybe"'],
  ])('%s', (spec, problem) => {
    expect(problemsOf(validatingPolicy(spec) + bound)).toContain(`error ${problem}`);
  });

  test.each<[string, string]>([
    ['operations: []', '$.spec.matchConstraints.resourceRules[0].operations: Required value'],
    [
      'operations: [PATCH]',
      '$.spec.matchConstraints.resourceRules[0].operations[0]: Unsupported value: "PATCH": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
    ],
    [
      'operations: ["*", CREATE]',
      '$.spec.matchConstraints.resourceRules[0].operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations',
    ],
    [
      'resources: ["*", pods]',
      '$.spec.matchConstraints.resourceRules[0].resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other resources without subresources',
    ],
    [
      'resources: ["pods/*", pods/exec]',
      '$.spec.matchConstraints.resourceRules[0].resources[1]: Invalid value: "pods/exec": if \'pods/*\' is present, must not specify pods/exec',
    ],
    [
      'resources: ["*/*", pods]',
      '$.spec.matchConstraints.resourceRules[0].resources: Invalid value: ["*/*","pods"]: if \'*/*\' is present, must not specify other resources',
    ],
    ['resourceNames: [a, a]', '$.spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"'],
    ['resourceNames: [a/b]', '$.spec.matchConstraints.resourceRules[0].resourceNames[0]: Invalid value: "a/b": may not contain \'/\''],
    ['apiVersions: [""]', '$.spec.matchConstraints.resourceRules[0].apiVersions[0]: Required value'],
  ])('a resource rule with %s', (fields, problem) => {
    const field = fields.slice(0, fields.indexOf(':'));
    const others = ['apiGroups: [""]', 'apiVersions: [v1]', 'resources: [pods]', 'operations: [CREATE]'].filter(
      (each) => !each.startsWith(`${field}:`),
    );
    const policy = validatingPolicy('validations: [{expression: "true"}]').replace(
      /resourceRules: .*/,
      `resourceRules: [{ ${[...others, fields].join(', ')} }]`,
    );
    expect(problemsOf(policy + bound)).toContain(`error ${problem}`);
  });

  test.each<[string, string]>([
    ['validationActions: []', '$.spec.validationActions: Required value: at least one validation action is required'],
    ['validationActions: [Deny, Deny]', '$.spec.validationActions[1]: Duplicate value: "Deny"'],
    [
      'validationActions: [Deny, Warn]',
      '$.spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    ],
    [
      'validationActions: [Deny]\nparamRef: {parameterNotFoundAction: Deny}',
      '$.spec.paramRef: Required value: one of name or selector must be specified',
    ],
    ['validationActions: [Deny]\nparamRef: {name: a}', '$.spec.paramRef.parameterNotFoundAction: Required value'],
    [
      'validationActions: [Deny]\nparamRef: {name: a, selector: {}, parameterNotFoundAction: Deny}',
      '$.spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
    ],
    [
      'validationActions: [Deny]\nmatchResources: {namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}',
      "$.spec.matchResources.namespaceSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
    [
      'validationActions: [Deny]\nmatchResources: {objectSelector: {matchLabels: {"a b": c}}}',
      expect.stringContaining(
        '$.spec.matchResources.objectSelector.matchLabels: Invalid value: "a b": name part must consist of alphanumeric characters',
      ),
    ],
  ])('a binding with %s', (spec, problem) => {
    const problems = problemsOf(validatingPolicy('validations: [{expression: "true"}]') + binding(spec)).map((text) =>
      text.replace(/^error /, ''),
    );
    expect(problems).toContainEqual(problem);
  });
});

describe('a MutatingAdmissionPolicy that the API server would refuse', () => {
  test.each<[string, string]>([
    ['mutations: []', '$.spec.mutations: Required value: mutations must contain at least one item'],
    ['mutations: [{patchType: JSONPatch}]', '$.spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch'],
    [
      'mutations: [{patchType: JSONPatch, jsonPatch: {expression: "[]"}, applyConfiguration: {expression: "Object{}"}}]',
      '$.spec.mutations[0].applyConfiguration: Invalid value: must not be specified when patchType is JSONPatch',
    ],
    [
      'mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: "1"}}]',
      '$.spec.mutations[0].applyConfiguration.expression: must evaluate to Object but got int',
    ],
    [
      'mutations: [{patchType: JSONPatch, jsonPatch: {expression: "[1]"}}]',
      '$.spec.mutations[0].jsonPatch.expression: must evaluate to list(JSONPatch) but got list(int)',
    ],
  ])('%s', (spec, problem) => {
    expect(problemsOf(mutatingPolicy(spec))).toContain(`error ${problem}`);
  });

  test('one without a reinvocation policy, or about DELETE', () => {
    const policy = mutatingPolicy('mutations: [{patchType: JSONPatch, jsonPatch: {expression: "[]"}}]');
    expect(problemsOf(policy.replace('reinvocationPolicy: Never\n', '\n'))).toContain('error $.spec.reinvocationPolicy: Required value');
    expect(problemsOf(policy.replace('UPDATE]', 'DELETE]'))).toContain(
      'error $.spec.matchConstraints.resourceRules[0].operations[1]: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    );
  });
});

describe('warnings', () => {
  test('a policy without a binding, and a binding without a policy', () => {
    expect(problemsOf(validatingPolicy('validations: [{expression: "true"}]'))).toEqual([
      'warning $.metadata.name: no ValidatingAdmissionPolicyBinding names this policy, so it is never enforced',
    ]);
    expect(problemsOf(bound)).toEqual([
      'warning $.spec.policyName: there is no ValidatingAdmissionPolicy called p here, so this binding does nothing',
    ]);
  });

  test('what the type check of the API server finds, for every kind', () => {
    const policy = validatingPolicy(
      'variables: [{name: v, expression: "object.spec.nope"}]\nvalidations: [{expression: "object.spec.replica > 1"}, {expression: "has(object.spec.nodeName)"}]',
    );
    const about = policy.replace('apiGroups: [""]', 'apiGroups: ["", apps]').replace('[pods]', '[pods, deployments]');
    expect(problemsOf(about + bound)).toEqual([
      "warning $.spec.validations[0].expression: undefined field 'replica' (type checking against /v1, Kind=Pod)",
      "warning $.spec.validations[0].expression: undefined field 'replica' (type checking against apps/v1, Kind=Deployment)",
      "warning $.spec.validations[1].expression: undefined field 'nodeName' (type checking against apps/v1, Kind=Deployment)",
    ]);
  });

  test('documents that are no rules', () => {
    expect(problemsOf('{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}')).toEqual([
      'warning $.kind: ConfigMap is no rule and is passed over',
    ]);
  });
});

describe('an AdmissionRule with a mistake', () => {
  test.each<[string, string]>([
    ['validations: [{expression: "object.spec.replica > 1"}]', "$.spec.validations[0].expression: undefined field 'replica' (in Pod)"],
    [
      'validations: [{expression: "object.spec.hostNetwork == \'yes\'"}]',
      "$.spec.validations[0].expression: found no matching overload for '_==_' applied to '(bool, string)' (in Pod)",
    ],
    ['mutations: [{set: {path: a.b, value: 1}}]', '$.spec.mutations[0].set.path: expected a path that begins with $, found "a"'],
    [
      'mutations: [{set: {path: $.a, value: 1}, apply: {}}]',
      '$.spec.mutations[0]: the mutation has apply and set: expected exactly one of apply, patch, set',
    ],
    ['mutations: [{when: "true"}]', '$.spec.mutations[0]: the mutation says nothing: expected exactly one of apply, patch, set'],
    [
      'mutations: [{patch: [{op: add, path: spec.x, value: 1}]}]',
      '$.spec.mutations[0].patch[0].path: expected a JSON pointer, which begins with /, found "spec.x"',
    ],
    ['mutations: [{patch: [{op: add, path: /spec}]}]', '$.spec.mutations[0].patch[0].value: Required value: add needs a value'],
    [
      'mutations: [{set: {path: $.a, value: "${item.x}"}}]',
      "$.spec.mutations[0].set.value: undeclared reference to 'item' (in container '')",
    ],
    ['mutations: [{forEach: "1", set: {path: $.a, value: 1}}]', '$.spec.mutations[0].forEach: forEach needs a list or a map, found int'],
    ['validations: []', '$.spec: the rule says nothing about the requests it matches'],
    [
      'paramKind: {apiVersion: v1, kind: ConfigMap}\nvalidations: [{expression: "true"}]',
      '$.spec.paramKind: paramKind needs a paramRef: which object of this kind?',
    ],
    ['validations: [{expression: "params.x == 1"}]', "$.spec.validations[0].expression: undefined field 'x'"],
    ['validation: []', '$.spec.validation: unknown field "validation"'],
  ])('%s', (spec, problem) => {
    expect(problemsOf(rule(spec))).toContain(`error ${problem}`);
  });

  test('podControllers of a rule that is not about pods', () => {
    expect(problemsOf(rule('podControllers: true\nvalidations: [{expression: "true"}]').replace('[pods]', '[services]'))).toContain(
      'error $.spec.podControllers: podControllers extends a rule about pods, and no resource rule names pods',
    );
  });

  test('a field that some of the kinds have is no mistake', () => {
    expect(problemsOf(rule('validations: [{expression: "!has(object.spec.clusterIP)"}]').replace('[pods]', '[pods, services]'))).toEqual(
      [],
    );
  });

  test('two of one name', () => {
    const text = rule('validations: [{expression: "true"}]');
    expect(problemsOf(`${text}---${text}`)).toContain('error $.metadata.name: there is another AdmissionRule called r');
  });

  test('is shown at the character', () => {
    const text = rule(
      "mutations: [{set: {path: $.metadata.labels.a, value: 'x-${objct.b}'}}]\nvalidations:\n- expression: >-\n    true &&\n    objct.b == 1",
    );
    const { documents } = parseYaml({ name: 'r.yaml', text });
    const places = compileBundle(documents).diagnostics.map(({ source, span }) => [
      formatPlace(source!, span!),
      text.slice(span!.start, span!.end),
    ]);
    expect(places).toEqual([
      ['r.yaml:8:61', 'objct'],
      ['r.yaml:12:7', 'objct'],
    ]);
  });
});

describe('parameters of a bundle', () => {
  const bundle = (params: string) =>
    `{apiVersion: fairlead.dev/v1alpha1, kind: RuleBundle, metadata: {name: b}, spec: {params: ${params}}}\n---\n`;
  const using = (expression: string) => rule(`validations: [{expression: "${expression}"}]`);

  test.each<[string, string, string | undefined]>([
    ['{max: "integer | default=3"}', 'params.max > 2', undefined],
    ['{names: "[]string | default=[\\"a\\"]"}', "'a' in params.names", undefined],
    ['{limits: {cpu: "string | default=4"}}', "params.limits.cpu == '4'", undefined],
    [
      '{max: "integer | default=3"}',
      "params.max == 'x'",
      "$.spec.validations[0].expression: found no matching overload for '_==_' applied to '(int, string)'",
    ],
    ['{max: "integer | default=3"}', 'params.mx > 2', "$.spec.validations[0].expression: undefined field 'mx'"],
    [
      '{max: int}',
      'true',
      '$.spec.params.max: unknown type "int": expected string, integer, number, boolean, quantity, int-or-string, any, []type or map[string]type',
    ],
    ['{max: "integer | default=x"}', 'true', '$.spec.params.max: the default does not fit: expected an integer, found "x"'],
    ['{max: "integer | required"}', 'true', '$.spec.params.max: a value is required: it has no default'],
    [
      '{max: "integer | least=1"}',
      'true',
      '$.spec.params.max: unknown rule least: expected required, default, minimum, maximum, enum, immutable, nullable, validation, format, title or description',
    ],
  ])('%s with %s', (params, expression, problem) => {
    expect(problemsOf(bundle(params) + using(expression))).toEqual(problem === undefined ? [] : [`error ${problem}`]);
  });

  test('given at load', () => {
    const text = bundle('{max: "integer | default=3 maximum=9"}') + using('params.max == 7');
    expect(problemsOf(text, { params: { max: 7 } })).toEqual([]);
    expect(problemsOf(text, { params: { max: 10 } })).toEqual([
      'error $.spec.params.max: the value given for max: expected at most 9, found 10',
    ]);
    expect(problemsOf(text, { params: { min: 1 } })).toEqual(['error $.spec.params.min: the value given for min: unknown field min']);
  });
});

test('a policy or binding that is wrong in itself is not called missing, too', () => {
  expect(problemsOf(validatingPolicy('validations: [{expression: "true", reason: Bad}]') + bound)).toHaveLength(1);
  const misspelt = binding('validationActions: [deny]');
  expect(problemsOf(validatingPolicy('validations: [{expression: "true"}]') + misspelt)).toHaveLength(1);
});
