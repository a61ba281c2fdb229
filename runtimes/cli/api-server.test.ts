import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../kubernetes/connect.ts';
import { commandRunner } from './run.fixture.ts';

let folder: string;
const run = commandRunner(() => folder);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-api-server-test-'));
  writeFileSync(
    join(folder, 'objects.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, namespace: shop }\ndata: { a: b }\n---\napiVersion: x/v1\nkind: Thing\nmetadata: { name: z }\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('serves what was loaded to whoever has the kubeconfig, until it is told to stop', async () => {
  let stop: (signal: string) => void = () => {};
  const stopped = new Promise<string>((resolve) => {
    stop = resolve;
  });
  let ready: () => void = () => {};
  const serving = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const ran = run('api-server --port 0 --kubeconfig admin.kubeconfig --load objects.yaml --no-simulate --log off', {
    stopped,
    onOut: (text) => text.includes('kubectl --kubeconfig') && ready(),
  });
  await serving;
  const file = join(folder, 'admin.kubeconfig');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const client = await connect({ kubeconfig: file, environment: {} });
  const configMaps = await client.discovery.resourceOf('v1', 'ConfigMap');
  expect(await client.resource(configMaps!).get({ namespace: 'shop', name: 'a' })).toMatchObject({ data: { a: 'b' } });
  client.close();
  const stranger = await connect({ server: JSON.parse(readFileSync(file, 'utf8')).clusters[0].cluster.server, environment: {} });
  await expect(stranger.request({ path: '/api/v1/namespaces' })).rejects.toThrow();
  stranger.close();
  stop('SIGTERM');
  const { code, out, err } = await ran;
  expect(code).toBe(0);
  expect(out).toMatch(
    /^loaded 1 object\nserving the Kubernetes API at https:\/\/127\.0\.0\.1:\d+, for development and tests, not for production\n/,
  );
  expect(err).toBe('not loaded Thing z: the server serves no x/v1 Thing\nnote: made namespace shop, as nothing is recorded of it\n');
});
