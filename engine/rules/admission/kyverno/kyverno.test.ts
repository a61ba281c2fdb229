import { describe, expect, test } from 'vitest';
import { compileBundle } from '../../../bundle/compile.ts';
import { parseYaml } from '../../../text/yaml.ts';
import { decide, podRequest, problemsOf, programOf } from '../decide.fixture.ts';
import type { JsonObject } from '../decision.ts';
import { objectRequest } from '../object-request.ts';
import { recordedFacts } from '../recorded-facts.ts';
import { kyvernoTestFiles, runKyvernoTest } from './run-test.ts';

const validating = (spec: string, kind = 'ValidatingPolicy', metadata = '') => `
apiVersion: policies.kyverno.io/v1alpha1
kind: ${kind}
metadata: { name: p${metadata} }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE, UPDATE] }]
${spec.replace(/^(?=.)/gm, '  ')}
`;

const NO_LATEST = `validations: [{expression: "object.spec.containers.all(c, !c.image.endsWith(':latest'))", message: no latest}]`;
const containers = (image: string): JsonObject => ({ containers: [{ name: 'c', image }] });

describe('ValidatingPolicy', () => {
  test('denies in the words of Kyverno', () => {
    expect(decide(programOf(validating(NO_LATEST)), podRequest({ spec: containers('x:latest') })).status).toMatchObject({
      message: 'Policy p failed: no latest',
      code: 422,
    });
  });

  test.each([
    ['', false],
    ['autogen: {podControllers: {controllers: []}}', true],
    ['autogen: {podControllers: {controllers: [cronjobs]}}', true],
    ['autogen: {podControllers: {controllers: [deployments]}}', false],
  ])('is extended to pod controllers: %s', (autogen, allowed) => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: { template: { spec: containers('x:latest') } },
    };
    const request = objectRequest(deployment, { operation: 'CREATE', user: {}, namespace: 'shop', types: undefined });
    expect(decide(programOf(validating(`${autogen}\n${NO_LATEST}`)), request).allowed).toBe(allowed);
  });

  test('reads objects of the cluster', () => {
    const spec = `variables: [{name: cm, expression: "resource.Get('v1', 'configmaps', 'default', 'allowed')"}]\nvalidations: [{expression: "object.spec.containers.all(c, c.image in variables.cm.data.images.split(','))"}]`;
    const map = (images: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'allowed', namespace: 'default' },
      data: { images },
    });
    const program = programOf(validating(spec));
    const request = podRequest({ spec: containers('x:1') });
    expect(decide(program, request, recordedFacts([map('x:1,y:1')])).allowed).toBe(true);
    expect(decide(program, request, recordedFacts([map('y:1')])).allowed).toBe(false);
    const unknown = { ...recordedFacts([]), object: () => undefined };
    expect(program.admit(request, unknown, { phase: 'validate' })).toEqual({
      kind: 'needs',
      needs: [{ kind: 'object', reference: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'allowed' } }],
    });
  });

  test('takes orValue of a plain value for the value', () => {
    const spec = 'validations: [{expression: "object.spec.containers.orValue([]).size() == 1"}]';
    expect(decide(programOf(validating(spec)), podRequest({ spec: containers('x') })).allowed).toBe(true);
  });

  test('a namespaced one minds its own namespace', () => {
    const program = programOf(validating(NO_LATEST, 'NamespacedValidatingPolicy', ', namespace: other'));
    const bad = podRequest({ spec: containers('x:latest') });
    expect(decide(program, bad).allowed).toBe(true);
    expect(decide(program, { ...bad, namespace: 'other' }).allowed).toBe(false);
  });

  test('a function that is not provided is named where it stands', () => {
    expect(problemsOf(validating('validations: [{expression: "http.Get(\'http://x\') == null"}]'))).toContain(
      "error $.spec.validations[0].expression: undeclared reference to 'http' (in container '')",
    );
  });

  test('one about JSON is passed over', () => {
    expect(problemsOf(validating(`evaluation: {mode: JSON}\n${NO_LATEST}`))).toEqual([
      'warning $.spec.evaluation.mode: a policy with evaluation mode JSON is not about Kubernetes objects and is passed over',
    ]);
  });
});

describe('MutatingPolicy', () => {
  const mutating = (expression: string) =>
    validating(
      `mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: ${JSON.stringify(expression)}}}]`,
      'MutatingPolicy',
    );

  test('mutates pods, and the templates of their controllers', () => {
    const program = programOf(
      mutating(
        'Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, imagePullPolicy: "Always"})}}',
      ),
    );
    const always = { containers: [{ name: 'c', image: 'x', imagePullPolicy: 'Always' }] };
    expect(decide(program, podRequest({ spec: containers('x') })).object).toMatchObject({ spec: always });
    const cronJob = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'j' },
      spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: containers('x') } } } },
    };
    const request = objectRequest(cronJob, { operation: 'CREATE', user: {}, namespace: 'shop', types: undefined });
    expect(decide(program, request).object).toMatchObject({ spec: { jobTemplate: { spec: { template: { spec: always } } } } });
  });
});

describe('kyverno-test.yaml', () => {
  const files: Readonly<Record<string, string>> = {
    'policy.yaml': validating(`matchConditions: [{name: not mine, expression: "request.operation == 'CREATE'"}]\n${NO_LATEST}`),
    'pods.yaml': ['good x:1', 'bad x:latest', 'updated x:latest']
      .map((text) => {
        const [name, image] = text.split(' ');
        return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: containers(image!) });
      })
      .join('\n---\n'),
    'values.yaml': 'policies: [{name: p, resources: [{name: updated, values: {request.operation: UPDATE}}]}]',
  };
  const parsed = (name: string) => (files[name] === undefined ? undefined : parseYaml({ name, text: files[name] }).documents);
  const run = (text: string) => {
    const [document] = parseYaml({ name: 'kyverno-test.yaml', text }).documents;
    return runKyvernoTest(document!, {
      files: parsed,
      types: undefined,
      compile(documents) {
        const bundle = compileBundle(documents);
        return { program: bundle.program?.admission, diagnostics: bundle.diagnostics };
      },
    });
  };
  const head = 'metadata: {name: t}\npolicies: [policy.yaml]\nresources: [pods.yaml]\nvariables: values.yaml\n';

  test('names the files it needs', () => {
    const [document] = parseYaml({
      name: 'x',
      text: `${head}context: c.yaml\nresults: [{policy: p, patchedResources: golden.yaml}]`,
    }).documents;
    expect(kyvernoTestFiles(document!)).toEqual(['policy.yaml', 'pods.yaml', 'values.yaml', 'c.yaml', 'golden.yaml']);
  });

  test.each([
    ['resources: [good], result: pass', [true]],
    ['resources: [bad], result: fail', [true]],
    ['resources: [default/bad], result: fail', [true]],
    ['resources: [updated], result: skip', [true]],
    ['resources: [good, bad], result: pass', [true, false]],
    ['resources: [updated], result: fail', [false]],
  ])('{policy: p, kind: Pod, %s}', (row, ok) => {
    const { cases, diagnostics } = run(`${head}results: [{policy: p, kind: Pod, ${row}}]`);
    expect(cases.map((each) => each.ok)).toEqual(ok);
    expect(diagnostics).toEqual([]);
  });

  test.each([
    ['{policy: q, kind: Pod, resources: [good], result: pass}', '$.results[0].policy: no policy is called q'],
    ['{policy: p, kind: Pod, resources: [gone], result: skip}', '$.results[0].resources[0]: no Pod is called gone'],
    ['{policy: p, kind: Service, resources: [good], result: skip}', '$.results[0].resources[0]: no Service is called good'],
  ])('what is not there is an error: %s', (row, problem) => {
    const { cases, diagnostics } = run(`${head}results: [${row}]`);
    expect(cases.map((each) => [each.ok, each.found])).toEqual([[false, 'error']]);
    expect(diagnostics.map(({ path, message }) => `${path}: ${message}`)).toEqual([problem]);
  });

  test('a file that is not there', () => {
    const { diagnostics } = run(`${head.replace('pods.yaml', 'gone.yaml')}results: []`);
    expect(diagnostics.map(({ path, message }) => `${path}: ${message}`)).toEqual(["$.resources[0]: gone.yaml can't be read"]);
  });
});
