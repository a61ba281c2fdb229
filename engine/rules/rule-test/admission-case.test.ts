import { describe, expect, test } from 'vitest';
import { compileBundle } from '../../bundle/compile.ts';
import { parseYaml } from '../../text/yaml.ts';
import { rule } from '../admission/decide.fixture.ts';
import { type RuleTestRun, runRuleTest } from './run.ts';

const BUNDLE = `{apiVersion: fairlead.dev/v1alpha1, kind: RuleBundle, metadata: {name: b}, spec: {params: {team: "string | default=core"}}}
---
${rule(`
mutations: [{set: {path: $.metadata.labels.team, value: "\${params.team}", unlessSet: true}}]
validations:
- {expression: "object.spec.containers.all(c, !c.image.endsWith(':latest'))", message: no moving tags, reason: Forbidden}
- {expression: "namespaceObject.metadata.?labels.?frozen.orValue('') != 'yes' || request.userInfo.username == 'root'", message: the namespace is frozen}
`)}`;

/** Runs a test of {@link BUNDLE} from the rest of its spec. */
function run(spec: string): RuleTestRun {
  const text = `apiVersion: fairlead.dev/v1alpha1\nkind: RuleTest\nmetadata: { name: t }\nspec:\n${spec.replace(/^(?=.)/gm, '  ')}`;
  const { documents } = parseYaml({ name: 't.yaml', text });
  const rules = parseYaml({ name: 'b.yaml', text: BUNDLE }).documents;
  return runRuleTest(documents[0]!, {
    types: undefined,
    compile(params, only) {
      const bundle = compileBundle(rules, { ...(params === undefined ? {} : { params }), ...(only === undefined ? {} : { rules: only }) });
      return { program: bundle.program, diagnostics: bundle.diagnostics };
    },
  });
}

const POD = '{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: "x:1"}]}}';
const BAD = POD.replace('x:1', 'x:latest');
const FROZEN = '{metadata: {labels: {frozen: "yes"}}}';

const one = (test: string) => run(`cases:\n- { name: one, ${test} }`).cases[0]!;

describe('what is as expected', () => {
  test.each([
    `object: ${POD}, expect: {allowed: true, warnings: [], auditAnnotations: {}}`,
    `object: ${BAD}, expect: {allowed: false, message: no moving tags, reason: Forbidden, code: 403, deniedBy: [r]}`,
    `object: ${POD}, expect: {patch: [{op: add, path: /metadata/labels, value: {team: core}}]}`,
    `object: ${POD}, expect: {contains: {metadata: {labels: {team: core}}}}`,
    `object: ${POD}, expect: {object: ${POD.replace('name: a', 'name: a, labels: {team: core}')}}`,
    `object: ${POD}, params: {team: web}, expect: {contains: {metadata: {labels: {team: web}}}}`,
    `object: ${POD}, namespaceObject: ${FROZEN}, expect: {allowed: false, message: frozen}`,
    `object: ${POD}, namespaceObject: ${FROZEN}, userInfo: {username: root}, expect: {allowed: true}`,
    `object: ${POD}, objects: [{apiVersion: v1, kind: Namespace, metadata: {name: default, labels: {frozen: "yes"}}}], expect: {allowed: false}`,
    `object: ${POD}, oldObject: ${BAD}, expect: {allowed: true}`,
    `request: {kind: {group: "", version: v1, kind: Pod}, resource: {group: "", version: v1, resource: pods}, operation: CREATE, namespace: x, object: ${BAD}}, expect: {allowed: false}`,
  ])('%s', (spec) => {
    expect(one(spec)).toMatchObject({ ok: true, problems: [] });
  });
});

describe('what is not', () => {
  test.each<[string, readonly string[]]>([
    [`object: ${BAD}, expect: {allowed: true}`, ["expected allowed, found denied: AdmissionRule 'r' denied request: no moving tags"]],
    [`object: ${POD}, expect: {allowed: false, message: x}`, ['expected denied, found allowed', 'message: expected "x", found nothing']],
    [
      `object: ${BAD}, expect: {reason: Invalid, code: 422}`,
      ['reason: expected "Invalid", found "Forbidden"', 'code: expected 422, found 403'],
    ],
    [`object: ${POD}, expect: {patch: []}`, ['patch: expected [], found [{"op":"add","path":"/metadata/labels","value":{"team":"core"}}]']],
    [
      `object: ${POD}, expect: {contains: {metadata: {labels: {team: web}}}}`,
      ['object $.metadata.labels.team: expected "web", found "core"'],
    ],
    [
      `object: ${POD}, expect: {object: ${POD}}`,
      ['object differs from the expected one by [{"op":"add","path":"/metadata/labels","value":{"team":"core"}}]'],
    ],
    [`object: ${POD}, expect: {warnings: [x]}`, ['warnings: expected ["x"], found []']],
    ['expect: {allowed: true}', ['the case has neither an object nor a request with kind, resource and operation']],
  ])('%s', (spec, problems) => {
    expect(one(spec)).toMatchObject({ ok: false, problems });
  });
});

test('a rule that is not there, and two cases of one name', () => {
  const { diagnostics } = run(
    `rules: [s]\ncases:\n- { name: one, object: ${POD}, expect: {} }\n- { name: one, object: ${POD}, expect: {} }`,
  );
  expect(diagnostics.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    '$.spec.rules[0]: no rule of the bundle is called s',
    '$.spec.cases[1].name: there is another case called one',
  ]);
});

test('a test document with mistakes says all of them', () => {
  const { cases, diagnostics } = run(`cases:\n- { name: one, objct: {}, expect: {alowed: true} }`);
  expect(cases).toEqual([]);
  expect(diagnostics.map(({ path, hint }) => [path, hint])).toEqual([
    ['$.spec.cases[0].objct', 'did you mean object?'],
    ['$.spec.cases[0].expect.alowed', 'did you mean allowed?'],
  ]);
});
