import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from './commands.ts';
import { cliReference } from './reference.ts';
import { commandRunner, folderOf } from './run.fixture.ts';

const root = resolve(import.meta.dirname, '../..');
let folder: string;
beforeAll(() => {
  folder = folderOf(FILES);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RULE = `apiVersion: fairlead.dev/v1alpha1
kind: AdmissionRule
metadata: { name: no-latest }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE] }
  mutations:
    - set: { path: "$.metadata.labels.checked", value: "true", unlessSet: true }
  validations:
    - expression: object.spec.containers.all(c, !c.image.endsWith(':latest'))
      message: no latest
`;
const pod = (name: string, image: string) => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  labels:
    app: ${name}
spec:
  containers:
  - name: a
    image: ${image}
`;

const FILES: Readonly<Record<string, string>> = {
  'bundle/bundle.yaml': 'apiVersion: fairlead.dev/v1alpha1\nkind: RuleBundle\nmetadata: { name: demo }\nspec: { version: 1.2.3 }\n',
  'bundle/rule.yaml': RULE,
  'bundle/tests/latest.yaml': `apiVersion: fairlead.dev/v1alpha1
kind: RuleTest
metadata: { name: latest }
spec:
  cases:
    - name: latest is denied
      object: { apiVersion: v1, kind: Pod, metadata: { name: x }, spec: { containers: [{ name: a, image: "nginx:latest" }] } }
      expect: { allowed: false, message: no latest, reason: Invalid, code: 422 }
    - name: this one is wrong
      object: { apiVersion: v1, kind: Pod, metadata: { name: x }, spec: { containers: [{ name: a, image: "nginx:1" }] } }
      expect: { allowed: false }
`,
  'rule.yaml': RULE,
  'rule.cue': `#AdmissionRule & {
	metadata: name: "from-cue"
	spec: {
		matchConstraints: resourceRules: [{apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"], operations: ["CREATE"]}]
		validations: [{expression: "object.spec.replicas <= \\(_limit)"}]
	}
}
_limit: 5
`,
  'broken.yaml': RULE.replace('object.spec', 'objct.spec').replace('validations', 'validatons'),
  'typo.yaml': RULE.replace('object.spec', 'objct.spec'),
  'syntax.yaml': 'a: [1, 2\nb: "x\\q"\nc: @d\ne: f: g\n',
  'good.yaml': pod('good', 'nginx:1.27'),
  'list.json': JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'one', namespace: 'shop' },
        spec: { containers: [{ name: 'a', image: 'a:latest' }] },
      },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'two' } },
    ],
  }),
  'review.yaml': `apiVersion: admission.k8s.io/v1
kind: AdmissionReview
request:
  uid: "1"
  kind: { group: "", version: v1, kind: Pod }
  resource: { group: "", version: v1, resource: pods }
  namespace: shop
  name: reviewed
  operation: CREATE
  userInfo: { username: a }
  object: { apiVersion: v1, kind: Pod, metadata: { name: reviewed }, spec: { containers: [{ name: a, image: "a:latest" }] } }
`,
};

const run = commandRunner(() => folder);

describe('check', () => {
  test('a good rule', async () => {
    expect(await run('check rule.yaml')).toEqual({ code: 0, out: 'ok rule.yaml, 1 rule\n', err: '' });
  });

  test('a folder of bundles and loose files', async () => {
    const { out, code } = await run('check bundle rule.yaml');
    expect([out, code]).toEqual(['ok bundle, 1 rule\nok rule.yaml, 1 rule\n', 0]);
  });

  test('a picture of what is wrong', async () => {
    const { out, code } = await run('check typo.yaml');
    expect(code).toBe(1);
    expect(out).toContain(`typo.yaml:11:19: error: undeclared reference to 'objct'`);
    expect(out).toContain(
      `   11 |     - expression: objct.spec.containers.all(c, !c.image.endsWith(':latest'))\n      |                   ^^^^^\n`,
    );
    expect(out).toContain("= hint: did you mean 'object'?");
    expect(out.endsWith('failed typo.yaml, 1 error\n')).toBe(true);
  });

  test('all syntax errors', async () => {
    const { out, code } = await run('check syntax.yaml --quiet');
    expect(code).toBe(1);
    expect(out.match(/\[yaml-syntax\]/g)?.length).toBeGreaterThan(1);
  });

  test('as JSON', async () => {
    const { out, code } = await run('check broken.yaml rule.yaml -o json');
    const report = JSON.parse(out) as {
      ok: boolean;
      errors: number;
      bundles: unknown[];
      diagnostics: { code: string; file: string; line: number; hint: string }[];
    };
    expect([code, report.ok, report.bundles.length]).toEqual([1, false, 2]);
    expect(report.diagnostics[0]).toMatchObject({
      code: 'schema-unknown-field',
      file: 'broken.yaml',
      line: 10,
      hint: 'did you mean validations?',
    });
  });

  test('as JUnit', async () => {
    const { out } = await run('check typo.yaml rule.yaml -o junit');
    expect(out).toContain('<testsuites tests="2" failures="1" errors="0" skipped="0">');
    expect(out).toContain('<testcase name="rule.yaml" classname="check"/>');
  });

  test('standard input', async () => {
    expect(await run('check -', { stdin: RULE })).toMatchObject({ code: 0, out: 'ok -, 1 rule\n' });
  });

  test('colour on a terminal only, and as asked for', async () => {
    const colored = async (line: string, options = {}) => (await run(line, options)).out.includes('\u001b[');
    expect(await colored('check typo.yaml')).toBe(false);
    expect(await colored('check typo.yaml', { terminal: true })).toBe(true);
    expect(await colored('check typo.yaml', { terminal: true, env: { NO_COLOR: '1' } })).toBe(false);
    expect(await colored('check typo.yaml --color always')).toBe(true);
    expect(await colored('check typo.yaml --color never', { terminal: true })).toBe(false);
  });
});

test('a rule in CUE, and by what it was evaluated', async () => {
  const { code, out } = await run('check rule.cue --output json');
  const report = JSON.parse(out) as { cue: string; bundles: { rules: unknown[] }[]; diagnostics: unknown[] };
  expect([code, report.diagnostics, report.bundles[0]?.rules.length]).toEqual([0, [], 1]);
  expect(report.cue).toMatch(/^cue/);
});

describe('test', () => {
  test('says what differs, and where it was expected', async () => {
    const { code, out } = await run('test bundle -v');
    expect(code).toBe(1);
    expect(out).toContain('failed latest (bundle/tests/latest.yaml), 2 cases');
    expect(out).toContain('passed latest is denied');
    expect(out).toMatch(/failed this one is wrong \(bundle\/tests\/latest\.yaml:9:\d+\)\n {4}expected denied, found allowed/);
    expect(out.endsWith('2 cases: 1 failed, 1 passed\n')).toBe(true);
  });

  test('a selection', async () => {
    expect(await run('test bundle --only denied')).toMatchObject({
      code: 0,
      out: 'ok latest (bundle/tests/latest.yaml), 1 case\n1 case: 1 passed\n',
    });
    expect((await run('test bundle --only nothing')).code).toBe(2);
  });

  test('for machines', async () => {
    expect(JSON.parse((await run('test bundle -o json')).out)).toMatchObject({
      ok: false,
      passed: 1,
      failed: 1,
      suites: [{ name: 'latest' }],
    });
    expect((await run('test bundle -o junit')).out).toContain('<testsuite name="latest" tests="2" failures="1" errors="0" skipped="0">');
  });
});

describe('dry-run', () => {
  test('nothing to decide on and nothing to decide by are no success', async () => {
    const input = await run('dry-run -r rule.yaml -', { stdin: '\n' });
    expect(input).toMatchObject({ code: 2, err: expect.stringContaining('there is nothing to decide on: - is empty') });
    const rules = await run('dry-run -r good.yaml good.yaml');
    expect(rules).toMatchObject({ code: 2, err: expect.stringContaining('there are no rules in good.yaml') });
    const list = await run('dry-run -r rule.yaml -', { stdin: '{apiVersion: v1, kind: List, items: []}' });
    expect(list).toMatchObject({ code: 0, out: expect.stringContaining('0 requests') });
  });

  test('a mutation as a diff', async () => {
    const { code, out } = await run('dry-run -r bundle good.yaml');
    expect(code).toBe(0);
    expect(out).toBe(`mutated Pod default/good (good.yaml:4:9)
  mutated by no-latest
    @@ -4,6 +4,7 @@
       name: good
       labels:
         app: good
    +    checked: "true"
       namespace: default
     spec:
       containers:

1 request, 1 allowed, 0 denied, 0 with warnings, 1 mutated
`);
  });

  test('a denial, from a list', async () => {
    const { code, out } = await run('dry-run -r rule.yaml list.json --all');
    expect(code).toBe(1);
    expect(out).toContain('denied  Pod shop/one');
    expect(out).toContain('no latest');
    expect(out).toContain('allowed Service default/two');
    expect(out).toContain('2 requests, 1 allowed, 1 denied');
  });

  test('an AdmissionReview', async () => {
    expect((await run('dry-run -r rule.yaml review.yaml')).out).toContain('denied  CREATE Pod shop/reviewed');
  });

  test('from standard input, as YAML', async () => {
    const { code, out } = await run('dry-run -r rule.yaml - -o yaml', { stdin: FILES['good.yaml']! });
    expect(code).toBe(0);
    expect(out).toContain('    checked: "true"\n');
  });

  test('as JSON', async () => {
    const { out } = await run('dry-run -r rule.yaml list.json good.yaml -o json');
    const { results } = JSON.parse(out) as { results: { allowed: boolean; status?: { code: number }; patch: unknown[] }[] };
    expect(results.map(({ allowed }) => allowed)).toEqual([false, true, true]);
    expect(results[0]?.status?.code).toBe(422);
    expect(results[2]?.patch).toEqual([{ op: 'add', path: '/metadata/labels/checked', value: 'true' }]);
  });

  test('rules that do not compile decide nothing', async () => {
    const { code, out, err } = await run('dry-run -r typo.yaml good.yaml');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('cel-undeclared-reference');
  });

  test('text that is no object', async () => {
    const { code, err } = await run('dry-run -r rule.yaml -', { stdin: '- 1\n- 2\n' });
    expect(code).toBe(1);
    expect(err).toContain('recording-not-an-object');
  });
});

describe('explain', () => {
  test('says why, with the value of every part', async () => {
    const { out, code } = await run('explain -r rule.yaml list.json');
    expect(code).toBe(1);
    expect(out).toBe(`Pod shop/one denied (list.json:1:94)

  AdmissionRule no-latest
    mutate
    deny #0: no latest
    $.spec.validations[0].expression (cost 11)
      object.spec.containers.all(c, !c.image.endsWith(':latest')) = false
      ├─ object.spec.containers = [{name: "a", image: "a:latest"}]
      └─ !c.image.endsWith(':latest') = false
         └─ c.image.endsWith(':latest') = true
            └─ c.image = "a:latest"

Service default/two allowed (list.json:1:232)
  no rule concerns it

`);
  });

  test('for machines', async () => {
    const { results } = JSON.parse((await run('explain -r rule.yaml list.json -o json')).out) as {
      results: { rules: { name: string; expressions: unknown[] }[] }[];
    };
    expect(results[0]?.rules[0]?.expressions[0]).toMatchObject({
      path: '$.spec.validations[0].expression',
      value: 'false',
      parts: [{ text: 'object.spec.containers' }, {}],
    });
  });

  test('of some rules, and of those that do not match', async () => {
    expect((await run('explain -r rule.yaml good.yaml --rule other')).out).toContain('no rule concerns it');
    expect((await run('explain -r rule.yaml good.yaml --rule no-latest')).out).toContain('allow');
  });
});

describe('called wrongly', () => {
  test.each<[string, RegExp]>([
    ['', /Usage:.*fairlead <command>/],
    ['chekc x', /unknown command "chekc"\n {2}did you mean check\?/],
    ['--frob', /unknown option --frob/],
    ['check', /<path> is missing/],
    ['check rule.yaml --otput json', /unknown option --otput\n {2}did you mean --output\?/],
    ['check rule.yaml --output xml', /--output must be one of text, json, junit, not "xml"/],
    ['check rule.yaml --output', /--output needs a value/],
    ['check rule.yaml --quiet=yes', /--quiet takes no value/],
    ['check rule.yaml -o json -o json', /is given twice/],
    ['check nowhere.yaml', /nowhere\.yaml: no such file or folder/],
    ['dry-run good.yaml', /--rules is missing/],
    ['test rule.yaml', /no tests in rule\.yaml/],
    ['serve rule.yaml', /only calls webhooks over TLS/],
    ['serve rule.yaml --port 99999 --dev-tls x', /--port must be a port number/],
  ])('fairlead %s', async (line, message) => {
    const { code, out, err } = await run(line);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });
});

describe('serve', () => {
  test('starts, says where, and stops when asked to', async () => {
    const { code, out, err } = await run('serve bundle --dev-tls tls --host 127.0.0.1 --port 0 --health-port 0 --drain-delay 0 --log text');
    expect([code, err.includes('bundle serves'), err.includes('stopping')]).toEqual([0, true, true]);
    expect(out).toMatch(/^serving https:\/\/127\.0\.0\.1:\d+\{\/mutate,\/validate,\/admit\}, health http:\/\/127\.0\.0\.1:\d+\n$/);
    expect(readFileSync(join(folder, 'tls/ca.crt'), 'utf8')).toContain('BEGIN CERTIFICATE');
  });

  test('does not start with rules that do not compile', async () => {
    const { code, err } = await run('serve typo.yaml --dev-tls tls --port 0 --log off');
    expect(code).toBe(1);
    expect(err).toContain('the rules do not compile');
  });
});

describe('serve --print-webhook-config', () => {
  test('prints what makes an API server call, and does not serve', async () => {
    const { code, out } = await run('serve bundle --print-webhook-config policy/hook:8443 --dev-tls tls');
    expect(code).toBe(0);
    expect(out.match(/^kind: .*$/gm)).toEqual(['kind: MutatingWebhookConfiguration', 'kind: ValidatingWebhookConfiguration']);
    expect(out).toContain(`caBundle: ${readFileSync(join(folder, 'tls/ca.crt')).toString('base64')}\n`);
    expect(out).toContain('      service:\n        namespace: policy\n        name: hook\n        path: /mutate\n        port: 8443\n');
    expect((await run('serve bundle --print-webhook-config https://10.0.0.1:8443')).out).toContain('url: https://10.0.0.1:8443/validate\n');
  });

  test('does not print for rules that do not compile, or without an address', async () => {
    expect(await run('serve typo.yaml --print-webhook-config policy/hook')).toMatchObject({ code: 1, out: '' });
    expect((await run('serve bundle --print-webhook-config hook')).err).toContain('<namespace>/<service>');
  });
});

describe('help', () => {
  test('of everything', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const { name } of COMMANDS) expect(out).toContain(`  ${name} `);
  });

  test.each(COMMANDS.map(({ name }) => name))('of %s, with examples and exit codes', async (name) => {
    const { code, out } = await run(`${name} --help`);
    expect(code).toBe(0);
    expect(out).toContain('Examples:');
    expect(out).toContain('Exit codes:');
    expect((await run(`help ${name}`)).out).toBe(out);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });

  test('the version', async () => {
    expect((await run('--version')).out).toMatch(/^fairlead /);
  });
});

test('docs/cli.md is current', () => {
  expect(readFileSync(join(root, 'docs/cli.md'), 'utf8'), 'run: node --import tsx scripts/generate-cli-reference.ts').toBe(
    cliReference(COMMANDS),
  );
});

test('the JSON of check fits what editors may rely on', async () => {
  const { out } = await run('check typo.yaml -o json');
  const validate = new Ajv().compile({
    type: 'object',
    required: ['ok', 'errors', 'warnings', 'bundles', 'diagnostics'],
    properties: {
      diagnostics: {
        type: 'array',
        items: {
          type: 'object',
          required: ['code', 'severity', 'message', 'file', 'line', 'column', 'endLine', 'endColumn'],
          properties: {
            line: { type: 'integer', minimum: 1 },
            column: { type: 'integer', minimum: 1 },
            severity: { enum: ['error', 'warning', 'info'] },
          },
        },
      },
    },
  });
  expect(validate(JSON.parse(out)), JSON.stringify(validate.errors)).toBe(true);
});
