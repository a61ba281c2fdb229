import { describe, expect, test } from 'vitest';
import { decide, podRequest, rule } from '../rules/admission/decide.fixture.ts';
import { parseYaml } from '../text/yaml.ts';
import { type CompileBundleOptions, compileBundle } from './compile.ts';

function compile(text: string, options?: CompileBundleOptions) {
  return compileBundle(parseYaml({ name: 'b.yaml', text }).documents, options);
}

const problems = (text: string, options?: CompileBundleOptions) =>
  compile(text, options).diagnostics.map(({ severity, code, path, message }) => `${severity} ${code} ${path}: ${message}`);

const DENY = rule('validations: [{expression: "1 == 2"}]');

describe('a bundle', () => {
  test('has the name and version its RuleBundle document says', () => {
    const text = `{apiVersion: fairlead.dev/v1alpha1, kind: RuleBundle, metadata: {name: mine}, spec: {version: 1.2.0}}\n---\n${DENY}`;
    expect(compile(text, { name: 'folder' })).toMatchObject({ name: 'mine', version: '1.2.0', diagnostics: [] });
    expect(compile(DENY, { name: 'folder' })).toMatchObject({ name: 'folder', version: '' });
  });

  test('has no program while anything is wrong, and says all that is', () => {
    const text = `${rule('validations: [{expression: "objct == 1"}, {expression: "1 +"}]')}---${rule('validatons: []', 's')}`;
    const bundle = compile(text);
    expect(bundle.program).toBeUndefined();
    expect(bundle.diagnostics.map(({ path }) => path)).toEqual([
      '$.spec.validations[0].expression',
      '$.spec.validations[1].expression',
      '$.spec.validatons',
    ]);
  });

  test('is not compiled over what was wrong before', () => {
    const bundle = compile(DENY, { diagnostics: [{ code: 'yaml-syntax', severity: 'error', message: 'broken' }] });
    expect(bundle.program).toBeUndefined();
  });

  test('of some of its rules', () => {
    const text = `${DENY}---${rule('validations: [{expression: "1 == 3"}]', 's')}`;
    expect(compile(text).program?.admission.rules.map(({ name }) => name)).toEqual(['r', 's']);
    expect(compile(text, { rules: ['s'] }).program?.admission.rules.map(({ name }) => name)).toEqual(['s']);
  });

  test('of rules of several kinds', () => {
    const network = '{apiVersion: fairlead.dev/v1alpha1, kind: NetworkRule, metadata: {name: net}, spec: {steps: []}}';
    const { program } = compile(`${DENY}---\n${network}\n`);
    expect([program?.admission.rules.length, program?.reconcile.rules.length, program?.network.rules[0]?.name]).toEqual([1, 0, 'net']);
    expect(compile(`${DENY}---\n${network}\n`, { rules: ['r'] }).program?.network.rules).toEqual([]);
  });

  test('of nothing decides nothing', () => {
    expect(decide(compile('').program!.admission, podRequest()).allowed).toBe(true);
  });
});

test('lists, as kubectl prints them, are taken apart; positions stay', () => {
  const text = `
apiVersion: v1
kind: List
items:
- {apiVersion: fairlead.dev/v1alpha1, kind: AdmissionRule, metadata: {name: r}, spec: {matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]}, validations: [{expression: "objct == 1"}]}}
`;
  const [found] = compile(text).diagnostics;
  expect(text.slice(found!.span!.start, found!.span!.end)).toBe('objct');
});

describe('documents that are no rules', () => {
  test.each([
    ['{apiVersion: v1, kind: Pod}', ['warning bundle-not-a-rule $.kind: Pod is no rule and is passed over']],
    ['{a: b}', ['warning bundle-not-a-rule $: the document has no apiVersion and kind, so it is no rule and is passed over']],
    ['{apiVersion: fairlead.dev/v1alpha1, kind: RuleTest}', []],
    ['{apiVersion: fairlead.dev/v1alpha1, kind: CNIInvocation}', []],
    [
      '{apiVersion: fairlead.dev/v1alpha1, kind: AdmisionRule}',
      ['error bundle-unknown-kind $.kind: unknown kind AdmisionRule of fairlead.dev'],
    ],
    [
      '{apiVersion: fairlead.dev/v1alpha1, kind: RuleBundle, metadata: {name: a}}\n---\n{apiVersion: fairlead.dev/v1alpha1, kind: RuleBundle, metadata: {name: b}}',
      ['error bundle-duplicate $.kind: a bundle has one RuleBundle document, and there is another before this one'],
    ],
  ])('%s', (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});

test('custom resources that the bundle defines are typed', () => {
  const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.com }
spec:
  group: example.com
  names: { kind: Widget, plural: widgets }
  scope: Namespaced
  versions:
  - name: v1
    schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { size: { type: integer } } } } } }
`;
  const about = (expression: string) =>
    rule(`validations: [{expression: "${expression}"}]`).replace('[""]', '[example.com]').replace('[pods]', '[widgets]');
  expect(problems(`${definition}---${about('object.spec.size > 1')}`)).toEqual([]);
  expect(problems(`${definition}---${about('object.spec.sise > 1')}`)).toEqual([
    "error cel-undefined-field $.spec.validations[0].expression: undefined field 'sise' (in Widget)",
  ]);
});

test('hostile keys are data', () => {
  const text = rule(
    "mutations: [{apply: {metadata: {annotations: {__proto__: x, constructor: z}}}}]\nvalidations: [{expression: \"'__proto__' in object.metadata.annotations && !('toString' in object.metadata.annotations)\"}]",
  );
  const decision = decide(compile(text).program!.admission, podRequest());
  expect(decision.allowed).toBe(true);
  expect(JSON.stringify(decision.patch)).toBe('[{"op":"add","path":"/metadata/annotations","value":{"__proto__":"x","constructor":"z"}}]');
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});
