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
    spec: { replicas: "integer | default=2", config: string }
    status: { available: integer }
  generate:
    - id: password
      random: { length: 12 }
  objects:
    - id: settings
      template:
        apiVersion: v1
        kind: Secret
        metadata: { name: "\${self.metadata.name}" }
        data: { marker: c2VjcmV0 }
        stringData: { password: "\${password.value}" }
    - id: config
      when: has(self.spec.config)
      external: { apiVersion: v1, kind: ConfigMap, name: "\${self.spec.config}" }
    - id: deployment
      ignore: [$.spec.replicas]
      template:
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: "\${self.metadata.name}" }
        spec:
          replicas: "\${self.spec.replicas}"
          selector: { matchLabels: { app: "\${self.metadata.name}" } }
          template:
            metadata: { labels: { app: "\${self.metadata.name}" } }
            spec:
              containers: [{ name: app, image: app, envFrom: [{ secretRef: { name: "\${settings.metadata.name}" } }] }]
    - id: after
      template:
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: "\${deployment.metadata.name}-after" }
  calls:
    - id: register
      http: { method: POST, url: "https://example.com/apps?key=hidden" }
  status:
    available: "\${deployment.?status.?availableReplicas.orValue(0)}"
`;

const FILES = {
  'rule.yaml': RULE,
  'new.yaml': 'apiVersion: apps.example.com/v1\nkind: App\nmetadata: { name: web }\n',
  'invalid.yaml': 'apiVersion: apps.example.com/v1\nkind: App\nmetadata: { name: web }\nspec: { replica: 3, config: 1 }\n',
  'bundle/bundle.yaml': 'apiVersion: fairlead.dev/v1alpha1\nkind: RuleBundle\nmetadata: { name: apps }\n',
  'bundle/rule.yaml': RULE,
  'bundle/tests/app.yaml': `apiVersion: fairlead.dev/v1alpha1
kind: RuleTest
metadata: { name: app }
spec:
  cases:
    - { name: new, instance: { apiVersion: apps.example.com/v1, kind: App }, expect: { object: [] } }
`,
  'waiting.yaml': 'apiVersion: apps.example.com/v1\nkind: App\nmetadata: { name: web }\nspec: { config: missing }\n',
  'other.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: other }\n',
  'cluster/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: default, generation: 1 }
spec:
  replicas: 7
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: app, image: old }] }
status: { observedGeneration: 1, replicas: 7, readyReplicas: 7, availableReplicas: 7, updatedReplicas: 7, conditions: [{ type: Available, status: 'True' }] }
`,
  'broken.yaml': RULE.replace('replicas: "${self.spec.replicas}"', 'replicas: "${[1][self.spec.replicas]}"'),
};

describe('dry-run of reconcile rules', () => {
  test('a new instance: what it stands for, what waits, what would be called and made', async () => {
    const { code, out, err } = await run('dry-run -r rule.yaml new.yaml');
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(`App default/web (new.yaml:3:19) [ReconcileRule app]
  creates Secret default/web
  creates Deployment default/web
  waits   register: register has no answer yet
  waits   after: deployment is not ready: Deployment web: replicas: 0 of 2
  makes   Secret default/web-password
  calls   POST https://example.com/apps?…
  status
    available: 0
  Ready False NotReady: Deployment web: replicas: 0 of 2
  Reconciling True NotReady: Deployment web: replicas: 0 of 2
  Stalled False Reconciling

1 instance, 2 to create, 0 to change, 0 to keep, 2 waiting
`);
  });

  test('what is recorded is compared with what is wanted, and ignored fields are left alone', async () => {
    const { code, out } = await run('dry-run -r rule.yaml new.yaml cluster');
    expect(code).toBe(0);
    expect(out).toContain('  changes Deployment default/web\n');
    expect(out).toContain('    -        image: old\n    +        image: app\n');
    expect(out).not.toContain('replicas: 2');
    expect(out).toContain('  status\n    available: 7\n');
    expect(out).toContain('  creates ConfigMap default/web-after\n');
  });

  test('an instance that an API server would not take', async () => {
    const { code, out } = await run('dry-run -r rule.yaml invalid.yaml');
    expect(code).toBe(1);
    expect(out).toContain('  invalid unknown field spec.replica\n');
    expect(out).toContain('  invalid spec.config: Invalid value: "integer": spec.config in body must be of type string: "integer"\n');
    expect(out).toContain(', 1 failed\n');
    expect(JSON.parse((await run('dry-run -r rule.yaml invalid.yaml -o json')).out).instances[0].problems).toHaveLength(2);
  });

  test('whole objects, and no value of a Secret in any format', async () => {
    for (const format of ['text', 'json', 'yaml', 'junit']) {
      const { out, err } = await run(`dry-run -r rule.yaml new.yaml -a -o ${format}`);
      expect(out + err).not.toContain('c2VjcmV0');
      expect(out + err).not.toContain('key=hidden');
      if (format !== 'junit') expect(out).toContain('***');
    }
    expect((await run('dry-run -r rule.yaml new.yaml -a')).out).toContain('    kind: Deployment\n');
  });

  test('json', async () => {
    const { out } = await run('dry-run -r rule.yaml new.yaml -o json');
    const { ok, results, instances } = JSON.parse(out);
    expect([ok, results]).toEqual([true, []]);
    expect(instances).toMatchObject([
      {
        rule: 'app',
        instance: 'App default/web',
        objects: [
          { id: 'settings', kind: 'Secret', action: 'create' },
          { id: 'deployment', action: 'create', ready: false, object: { spec: { replicas: 2 } } },
        ],
        waiting: [{ id: 'register' }, { id: 'after' }],
        generate: [{ id: 'password', secret: { namespace: 'default', name: 'web-password' }, kind: 'random' }],
        calls: [{ id: 'register', method: 'POST', url: 'https://example.com/apps?…' }],
        status: { available: 0 },
      },
    ]);
  });

  test('what is looked up and not there is waited for', async () => {
    const { code, out } = await run('dry-run -r rule.yaml waiting.yaml');
    expect(code).toBe(0);
    expect(out).toContain('ConfigMap default/missing');
  });

  test('a template that fails is a finding', async () => {
    const { code, out } = await run('dry-run -r broken.yaml new.yaml');
    expect(code).toBe(1);
    expect(out).toContain('  fails   ');
  });

  test('a test of a rule that cannot be read is no success', async () => {
    const { code, out } = await run('test bundle');
    expect(code).toBe(1);
    expect(out).toContain('did you mean objects?');
    expect(out).toContain('failed bundle/tests/app.yaml, 0 cases\n');
  });

  test('objects that the rules are not about', async () => {
    expect(await run('dry-run -r rule.yaml other.yaml')).toEqual({
      code: 2,
      out: '',
      err: 'fairlead: none of the objects is one that the rules are about: App (apps.example.com/v1)\n  looked in other.yaml\n',
    });
  });

  test('explain is for admission rules', async () => {
    expect(await run('explain -r rule.yaml new.yaml')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no admission rules to explain'),
    });
  });

  test('a time that is none', async () => {
    expect((await run('dry-run -r rule.yaml new.yaml --now yesterday')).err).toContain('--now must be a time such as 2027-01-31T12:00:00Z');
  });
});
