import { describe, expect, test } from 'vitest';
import { compileBundle, typesWith } from '../../bundle/compile.ts';
import { parseYaml } from '../../text/yaml.ts';
import { type RuleTestRun, runRuleTest } from './run.ts';

const BUNDLE = `
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: app }
spec:
  resource: { group: a.example.com, version: v1, kind: App, spec: { size: "integer | default=2", on: boolean } }
  generate: [{ id: password, random: {} }]
  calls: [{ id: api, when: "self.spec.size > 5", http: { method: POST, url: "http://x", body: { size: "\${self.spec.size}" } } }]
  objects:
  - id: config
    template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "\${self.metadata.name}" }, data: { size: "\${string(self.spec.size)}" } }
  - id: copy
    template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "\${config.metadata.name}-copy" }, data: { p: "\${password.secretName}" } }
  status: { size: "\${self.spec.size}", now: "\${now}" }
  conditions: [{ type: Big, expression: self.spec.size > 5, message: "size \${self.spec.size}" }]
  requeueAfter: "\${self.spec.size > 5 ? optional.of(duration('1m')) : optional.none()}"
`;

function run(cases: string): RuleTestRun {
  const text = `apiVersion: fairlead.dev/v1alpha1\nkind: RuleTest\nmetadata: { name: t }\nspec:\n  cases:\n${cases}`;
  const { documents } = parseYaml({ name: 't.yaml', text });
  const rules = parseYaml({ name: 'b.yaml', text: BUNDLE }).documents;
  return runRuleTest(documents[0]!, { types: typesWith([]), compile: () => compileBundle(rules) });
}

const problems = (rest: string) => run(`  - { name: one, ${rest} }`).cases[0]!.problems;
const APP = '{ apiVersion: a.example.com/v1, kind: App, metadata: { name: x }, spec: {} }';
const BIG = APP.replace('spec: {}', 'spec: { size: 7 }');
const OBSERVED = '[{ apiVersion: v1, kind: ConfigMap, metadata: { name: x } }]';

describe('what is as expected', () => {
  test.each([
    `instance: ${APP}, expect: {}`,
    `instance: ${APP}, expect: { objects: [{ kind: ConfigMap, metadata: { name: x, namespace: default }, data: { size: "2" } }] }`,
    `instance: ${APP}, expect: { absent: [copy, ConfigMap y, ConfigMap default/y], waiting: [copy, password], generate: [password], calls: [], requeueAfter: never }`,
    `instance: ${APP}, expect: { status: { size: 2, now: "2025-01-01T00:00:00Z" }, conditions: { Big: "False", Ready: False } }`,
    `instance: ${APP}, now: "2026-01-01T00:00:00Z", expect: { status: { now: "2026-01-01T00:00:00Z" } }`,
    `instance: ${APP}, objects: ${OBSERVED}, generated: { password: { value: s } }, expect: { objects: [{ metadata: { name: x-copy }, data: { p: x-password } }], waiting: [] }`,
    `instance: ${BIG}, expect: { calls: [{ id: api, request: { body: { size: 7 } } }], requeueAfter: 60s, conditions: { Big: { status: "True", message: "7" } } }`,
    `instance: ${BIG}, calls: { api: {} }, expect: { calls: [] }`,
  ])('%s', (rest) => {
    expect(problems(rest)).toEqual([]);
  });
});

describe('what is not', () => {
  test.each<[string, readonly string[]]>([
    [
      `instance: ${APP}, expect: { objects: [{ kind: ConfigMap, metadata: { name: x }, data: { size: "3" } }] }`,
      ['ConfigMap x $.data.size: expected "3", found "2"'],
    ],
    [`instance: ${APP}, expect: { objects: [{ kind: Secret, metadata: { name: x } }] }`, ['expected Secret x, found ConfigMap default/x']],
    [`instance: ${APP}, expect: { absent: [config] }`, ['expected no config, found ConfigMap default/x']],
    [
      `instance: ${APP}, expect: { waiting: [] }`,
      ['waiting: expected [], found password (password is not generated yet), copy (ConfigMap default/x does not exist yet)'],
    ],
    [`instance: ${APP}, expect: { status: { size: 3 } }`, ['status $.size: expected 3, found 2']],
    [
      `instance: ${APP}, expect: { conditions: { Big: "True", Small: "True" } }`,
      [
        'condition Big: expected "True", found {"status":"False","reason":"NotBig","message":"size 2"}',
        'expected the condition Small, found Big, Ready, Reconciling, Stalled',
      ],
    ],
    [`instance: ${APP}, expect: { generate: [] }`, ['generate: expected [], found password']],
    [`instance: ${APP}, expect: { calls: [{ id: api }] }`, ['calls: expected 1, found []']],
    [`instance: ${APP}, expect: { requeueAfter: 5m }`, ['requeueAfter: expected 5m, found never']],
    [`instance: ${APP}, expect: { requeueAfter: soon }`, ['requeueAfter: expected a duration, as 5m, or never, found "soon"']],
    [`instance: ${APP}, expect: { failures: [boom] }`, ['failures: expected ["boom"], found []']],
    [`instance: ${APP}, now: today, expect: {}`, ['expected now as 2025-01-01T00:00:00Z, found "today"']],
    [
      `instance: ${APP}, calls: { apj: {} }, generated: { x: {} }, expect: { absent: [copi, Secret y] }`,
      [
        'generated: no entry of app has the id x',
        'calls: no entry of app has the id apj, did you mean api?',
        'absent: no entry of app has the id copi, did you mean copy?',
      ],
    ],
    [`instance: ${APP}, rule: other, expect: {}`, ['no rule of the bundle is called other']],
    [`instance: ${APP.replace('kind: App', 'kind: Other')}, expect: {}`, ['no rule of the bundle is about Other of a.example.com/v1']],
    [
      `instance: ${APP.replace('spec: {}', 'spec: { size: many }')}, expect: {}`,
      ['the instance does not fit its schema: $.spec.size: expected an integer, found the string "many"'],
    ],
  ])('%s', (rest, expected) => {
    expect(problems(rest)).toEqual(expected);
  });
});

test('a case has the fields of one kind', () => {
  const { diagnostics } = run(`  - { name: one, instance: ${APP}, expect: { allowed: true } }`);
  expect(diagnostics.map(({ code, path }) => `${code} ${path}`)).toEqual(['schema-unknown-field $.spec.cases[0].expect.allowed']);
});
