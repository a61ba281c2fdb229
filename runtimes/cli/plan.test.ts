import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandRunner, folderOf } from './run.fixture.ts';

let folder: string;
const run = commandRunner(() => folder);
beforeAll(() => {
  folder = folderOf(FILES);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RULE = `apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: app }
spec:
  resource:
    group: apps.example.com
    version: v1
    kind: App
    spec: { size: "integer | default=2 minimum=1", level: string | default=info }
  generate:
    - id: password
      random: { length: 12 }
  objects:
    - id: secret
      template:
        apiVersion: v1
        kind: Secret
        metadata: { name: "\${self.metadata.name}" }
        data: { password: "\${base64.encode(bytes(password.value))}", level: "\${base64.encode(bytes(self.spec.level))}" }
    - id: config
      template:
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: "\${self.metadata.name}" }
        data: { size: "\${string(self.spec.size)}" }
`;

const app = (name: string, spec: string): string =>
  `apiVersion: apps.example.com/v1\nkind: App\nmetadata: { name: ${name}, namespace: shop }\nspec: ${spec}\n`;

const FILES = {
  'rule.yaml': RULE,
  'admission.yaml': `apiVersion: fairlead.dev/v1alpha1
kind: AdmissionRule
metadata: { name: none }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE] }] }
  validations: [{ expression: "true" }]
`,
  'empty/namespace.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n',
  'cluster/app.yaml': app('web', '{ size: 3 }'),
  'taken/app.yaml': app('web', '{ size: 3 }'),
  'taken/config.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: web
  namespace: shop
  ownerReferences: [{ apiVersion: v1, kind: ConfigMap, name: boss, uid: "1", controller: true }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: boss, namespace: shop, uid: "1" }
`,
  'new.yaml': app('api', '{}'),
  'wrong.yaml': app('api', '{ size: 0 }'),
  'other.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: other }\n',
};

describe('plan', () => {
  test('the instances of a recorded cluster', async () => {
    const { code, out } = await run('plan -r rule.yaml --recorded cluster');
    expect(code).toBe(1);
    expect(out).toBe(`App shop/web [ReconcileRule app]
  creates Secret shop/web
  creates ConfigMap shop/web
  makes   Secret shop/web-password

1 instance, 2 to create, 0 to change, 0 to delete, 0 to keep
`);
  });

  test('an instance that is to be, in a cluster that knows the kind by the rule only', async () => {
    const { code, out, err } = await run('plan -r rule.yaml --recorded empty new.yaml -a');
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/ {2}creates ConfigMap shop\/api\n {4}[a-z]/);
    expect(out).toContain('size: "2"');
    expect(out).not.toMatch(/password: (?!"\*\*\*")/);
  });

  test('an instance that the schema refuses', async () => {
    const { code, out } = await run('plan -r rule.yaml --recorded empty wrong.yaml');
    expect(code).toBe(1);
    expect(out).toMatch(/ {2}refused App shop\/api: .*spec\.size.*greater than or equal to 1/);
    expect(out).toContain('1 instance, 0 to create, 0 to change, 0 to delete, 0 to keep, 1 refused');
  });

  test('an object that belongs to somebody else', async () => {
    const { code, out } = await run('plan -r rule.yaml --recorded taken');
    expect(code).toBe(1);
    expect(out).toMatch(/ {2}refused ConfigMap shop\/web: .*boss/);
  });

  test('json, without what is secret', async () => {
    const { code, out } = await run('plan -r rule.yaml --recorded cluster -o json');
    expect(code).toBe(1);
    const result = JSON.parse(out);
    expect(result).toMatchObject({
      ok: false,
      definitions: [{ definition: 'CustomResourceDefinition apps.apps.example.com', action: 'none', breaking: [] }],
      instances: [
        {
          rule: 'app',
          instance: 'App shop/web',
          objects: [
            { id: 'secret', action: 'create', kind: 'Secret', after: { data: { password: '***', level: '***' } } },
            { id: 'config', action: 'create', after: { data: { size: '3' } } },
          ],
          generate: [{ id: 'password', secret: { namespace: 'shop', name: 'web-password' }, kind: 'random' }],
        },
      ],
    });
  });

  test.each([
    ['plan --recorded cluster', '--rules is missing'],
    ['plan -r admission.yaml --recorded cluster', 'there are no reconcile rules to plan by'],
    ['plan -r rule.yaml --recorded cluster --context x', '--recorded stands for the cluster'],
    ['plan -r rule.yaml --recorded empty other.yaml', 'none of the objects is one that the rules are about: App (apps.example.com/v1)'],
    ['plan -r rule.yaml --recorded missing', 'missing: no such file or folder'],
    ['plan -r rule.yaml --kube-api http://127.0.0.1:1', 'nothing listens at http://127.0.0.1:1'],
  ])('%s: %s', async (line, message) => {
    const { code, err } = await run(line);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });
});
