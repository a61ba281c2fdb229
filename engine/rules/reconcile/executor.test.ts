import { expect, test } from 'vitest';
import { compileBundle } from '../../bundle/compile.ts';
import type { JsonObject } from '../../object/json.ts';
import { parseYaml } from '../../text/yaml.ts';
import type { ReconcileFacts } from './program.ts';

test('a rule from its text to what should be true', () => {
  const text = `
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: myapp }
spec:
  resource:
    group: apps.example.com
    version: v1alpha1
    kind: MyApp
    spec: { replicas: "integer | default=1 minimum=0", image: "string | required", expose: boolean }
    status: { availableReplicas: integer }
    printerColumns: [{ name: Available, path: .status.availableReplicas }]
  objects:
  - id: deployment
    template:
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: "\${self.metadata.name}" }
      spec:
        replicas: "\${self.spec.replicas}"
        selector: { matchLabels: { app: "\${self.metadata.name}" } }
        template:
          metadata: { labels: { app: "\${self.metadata.name}" } }
          spec: { containers: [{ name: app, image: "\${self.spec.image}" }] }
    ready: deployment.status.?availableReplicas.orValue(0) == self.spec.replicas
  - id: service
    when: self.spec.?expose.orValue(false)
    template:
      apiVersion: v1
      kind: Service
      metadata: { name: "\${deployment.metadata.name}" }
      spec: { selector: "\${deployment.spec.selector.matchLabels}", ports: [{ port: 80 }] }
  status:
    availableReplicas: "\${deployment.status.?availableReplicas.orValue(0)}"
`;
  const compiled = compileBundle(parseYaml({ name: 'b.yaml', text }).documents);
  expect(compiled.diagnostics).toEqual([]);
  const rule = compiled.program!.reconcile.rules[0]!;
  const self = {
    apiVersion: 'apps.example.com/v1alpha1',
    kind: 'MyApp',
    metadata: { name: 'a', namespace: 'ns', uid: 'u' },
    spec: { replicas: 2, image: 'x', expose: true },
  };
  const facts = (object: JsonObject | null | undefined): ReconcileFacts => ({
    now: 0,
    object: () => object,
    objects: () => [],
    scope: () => null,
    generated: () => undefined,
    call: () => undefined,
  });
  const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'ns', name: 'a' };
  expect(rule.reconcile(self, facts(undefined))).toEqual({ kind: 'needs', needs: { objects: [reference], queries: [], scopes: [] } });
  expect(rule.reconcile(self, facts(null))).toMatchObject({
    plan: {
      objects: [{ id: 'deployment', reference, object: { spec: { replicas: 2 } }, ready: false }],
      waiting: [{ id: 'service', reason: 'Deployment ns/a does not exist yet' }],
      retain: ['service'],
      status: {},
    },
  });
  const observed = {
    kind: 'Deployment',
    metadata: { name: 'a' },
    spec: { selector: { matchLabels: { a: 'b' } } },
    status: { availableReplicas: 2 },
  };
  expect(rule.reconcile(self, facts(observed))).toMatchObject({
    plan: {
      objects: [
        { id: 'deployment', level: 0, ready: true },
        { id: 'service', level: 1, object: { spec: { selector: { a: 'b' } } } },
      ],
      waiting: [],
      status: { availableReplicas: 2 },
      failures: [],
    },
  });
});
