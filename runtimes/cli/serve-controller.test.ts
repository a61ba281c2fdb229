import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseYaml } from '../../engine/text/yaml.ts';
import { urlConnection } from '../kubernetes/connect.ts';
import { startEmbeddedServer } from '../kubernetes/embedded/server.ts';
import { createKubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { commandRunner } from './run.fixture.ts';

let folder: string;
const run = commandRunner(() => folder);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-serve-'));
  writeFileSync(join(folder, 'rule.yaml'), RULE);
  writeFileSync(join(folder, 'admission.yaml'), ADMISSION);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Asks again and again, for ten seconds. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let left = 1000; left > 0; left--) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come about');
}

const RULE = `apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: app }
spec:
  resource: { group: apps.example.com, version: v1, kind: App }
  objects:
    - id: config
      template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "\${self.metadata.name}" }, data: { a: b } }
`;
const ADMISSION = `apiVersion: fairlead.dev/v1alpha1
kind: AdmissionRule
metadata: { name: none }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE] }] }
  validations: [{ expression: "true" }]
`;

describe('serve --cluster', () => {
  test('both kinds of rules from one process, until it is told to stop', async () => {
    const server = await startEmbeddedServer();
    const client = createKubernetesClient({ connection: urlConnection(server.url) });
    let stop: (signal: string) => void = () => {};
    const stopped = new Promise<string>((resolve) => {
      stop = resolve;
    });
    const line = `serve rule.yaml admission.yaml --cluster --kube-api ${server.url} --leader-elect false --dev-tls tls --port 0 --health-port 0 --host 127.0.0.1 --drain-delay 0 --log off`;
    let ready: () => void = () => {};
    const serving = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const ran = run(line, { stopped, onOut: (text) => text.includes('reconciling on') && ready() });
    try {
      await Promise.race([serving, ran]);
      const apps = await until(async () => {
        client.discovery.invalidate();
        return (await client.discovery.resourceOf('apps.example.com/v1', 'App')) ?? undefined;
      });
      await client
        .resource(apps)
        .create({ apiVersion: 'apps.example.com/v1', kind: 'App', metadata: { name: 'web', namespace: 'default' } });
      const configMaps = await client.discovery.resourceOf('v1', 'ConfigMap');
      const name = { namespace: 'default', name: 'web' };
      expect(await until(async () => (await client.resource(configMaps!).get(name)) ?? undefined)).toMatchObject({ data: { a: 'b' } });
      stop('SIGTERM');
      const { code, out, err } = await ran;
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(
        /^serving https:\/\/127\.0\.0\.1:\d+\{\/mutate,\/validate,\/admit\}\nreconciling on http:.*: app; health http:\/\/127\.0\.0\.1:\d+\n$/,
      );
    } finally {
      stop('SIGTERM');
      await ran;
      client.close();
      await server.close();
    }
  });

  test.each([
    ['serve rule.yaml --log off', 'there are only reconcile rules: they need a cluster\n  give --cluster'],
    ['serve admission.yaml --cluster --log off', '--cluster is for reconcile rules, and there are none'],
    ['serve --cluster', '<path> is missing: bundle folders or rule files to serve\n  --cluster --watch-rules'],
    ['serve rule.yaml --watch-rules', '--watch-rules is for the controller\n  give --cluster, too'],
    ['serve --cluster --watch-rules --kubeconfig missing --log off', 'missing: no such file or folder'],
    ['serve rule.yaml --cluster --kubeconfig missing --log off', 'missing: no such file or folder'],
    ['serve rule.yaml --cluster --log off', 'there is no cluster to connect to'],
    ['serve rule.yaml --print-rbac fairlead', '--print-rbac must be <namespace>/<service account>, not "fairlead"'],
    ['serve admission.yaml --print-rbac a/b', '--print-rbac is for reconcile rules'],
  ])('%s: %s', async (line, message) => {
    const { code, out, err } = await run(line, { env: { HOME: folder } });
    expect([code, out, err]).toEqual([2, '', expect.stringContaining(message)]);
  });

  test('the roles that the rules need, bound to an account', async () => {
    const { code, out } = await run('serve rule.yaml --print-rbac ops/fairlead');
    expect(code).toBe(0);
    const objects = parseYaml({ name: 'out', text: out }).documents.map(({ value }) => value as { kind: string; rules?: unknown[] });
    expect(objects.map(({ kind }) => kind)).toEqual(['ServiceAccount', 'ClusterRole', 'Role', 'ClusterRoleBinding', 'RoleBinding']);
    expect(objects[1]?.rules).toContainEqual({
      apiGroups: ['apps.example.com'],
      resources: ['apps'],
      verbs: ['list', 'patch', 'watch'],
    });
    expect(objects[4]).toMatchObject({
      metadata: { name: 'fairlead', namespace: 'fairlead-system' },
      subjects: [{ kind: 'ServiceAccount', name: 'fairlead', namespace: 'ops' }],
    });
  });

  test('kinds that a template chooses are named as missing among the roles', async () => {
    writeFileSync(join(folder, 'choosing.yaml'), RULE.replace('kind: ConfigMap', 'kind: "${self.metadata.name}"'));
    const { code, err } = await run('serve choosing.yaml --print-rbac ops/fairlead');
    expect([code, err]).toEqual([0, 'rule app chooses kinds by expressions: what it needs for those is not among what follows\n']);
  });

  test('the roles that taking rules from the cluster needs, without a bundle', async () => {
    const { code, out } = await run('serve --print-rbac ops/fairlead --watch-rules');
    expect(code).toBe(0);
    const role = parseYaml({ name: 'out', text: out }).documents[1]!.value as { readonly rules: readonly unknown[] };
    const rule = (group: string, resource: string, ...verbs: string[]) => ({ apiGroups: [group], resources: [resource], verbs });
    expect(role.rules).toEqual(
      expect.arrayContaining([
        rule('apiextensions.k8s.io', 'customresourcedefinitions', 'create', 'get', 'list', 'patch', 'watch'),
        rule('kro.run', 'resourcegraphdefinitions', 'list', 'watch'),
        rule('kro.run', 'resourcegraphdefinitions/status', 'patch'),
        rule('fairlead.dev', 'reconcilerules', 'list', 'watch'),
      ]),
    );
  });
});
