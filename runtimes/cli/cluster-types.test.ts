import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmbeddedCluster, startEmbeddedCluster } from '../kubernetes/embedded/cluster.ts';
import { loadObjects } from './load-objects.ts';
import { commandRunner } from './run.fixture.ts';

let folder: string;
let server: EmbeddedCluster;
const run = commandRunner(() => folder);

const spec = { type: 'object', properties: { image: { type: 'string' } } };
const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'myapps.apps.example.com' },
  spec: {
    group: 'apps.example.com',
    scope: 'Namespaced',
    names: { plural: 'myapps', singular: 'myapp', kind: 'MyApp' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec } } } }],
  },
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-types-'));
  writeFileSync(join(folder, 'rule.yaml'), RULE);
  server = await startEmbeddedCluster({ simulation: { workloads: false } });
  await loadObjects(server.registry, [DEFINITION]);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const RULE = `apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: foreign }
spec:
  for: { apiVersion: apps.example.com/v1, kind: MyApp }
  objects:
    - id: config
      template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "\${self.metadata.name}" }, data: { a: "\${self.spec.imag}" } }
`;

describe('check', () => {
  test('without a cluster knows nothing of kinds that are not in the bundle', async () => {
    const { code, out } = await run('check rule.yaml');
    expect([code, out]).toEqual([0, expect.stringContaining('the kind MyApp of apps.example.com/v1 is not known here')]);
  });

  test('with a cluster knows its custom resources', async () => {
    const { code, out, err } = await run(`check rule.yaml --kube-api ${server.url}`);
    expect([code, err]).toEqual([1, '']);
    expect(out).toContain("undefined field 'imag'");
    expect(out).toContain("did you mean 'image'?");
  });

  test('one or the other', async () => {
    expect(await run('check rule.yaml --cluster --recorded x')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--recorded stands for the cluster'),
    });
  });
});
