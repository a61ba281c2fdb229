import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listenOnLoopback } from './cluster-types.fixture.ts';
import { commandRunner } from './run.fixture.ts';

let folder: string;
let server: { readonly url: string; close(): Promise<void> };
const run = commandRunner(() => folder);

const schema = {
  type: 'object',
  properties: { spec: { type: 'object', properties: { image: { type: 'string' } } } },
  'x-kubernetes-group-version-kind': [{ group: 'apps.example.com', version: 'v1', kind: 'MyApp' }],
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-types-'));
  writeFileSync(join(folder, 'rule.yaml'), RULE);
  server = await listenOnLoopback({
    '/openapi/v3': JSON.stringify({
      paths: { 'apis/apps.example.com/v1': { serverRelativeURL: '/openapi/v3/apis/apps.example.com/v1?hash=1' } },
    }),
    '/openapi/v3/apis/apps.example.com/v1?hash=1': { components: { schemas: { 'com.example.apps.v1.MyApp': schema } } },
    '/api': { kind: 'APIVersions', versions: [] },
    '/apis': {
      kind: 'APIGroupList',
      groups: [
        {
          name: 'apps.example.com',
          versions: [{ groupVersion: 'apps.example.com/v1', version: 'v1' }],
          preferredVersion: { groupVersion: 'apps.example.com/v1', version: 'v1' },
        },
      ],
    },
    '/apis/apps.example.com/v1': {
      kind: 'APIResourceList',
      groupVersion: 'apps.example.com/v1',
      resources: [{ name: 'myapps', singularName: 'myapp', kind: 'MyApp', namespaced: true, verbs: ['get', 'list', 'watch'] }],
    },
  });
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
