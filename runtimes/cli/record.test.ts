import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRecording } from '../host/recording.ts';
import { readRecordingInfo } from '../host/recording-folder.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../kubernetes/embedded/server.ts';
import { loadObjects } from './load-objects.ts';
import { commandRunner } from './run.fixture.ts';

let folder: string;
let server: EmbeddedServer;
const run = commandRunner(() => folder);
const record = (line: string) => run(`record ${line} --kube-api ${server.url}`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-record-'));
  server = await startEmbeddedServer();
  const meta = (name: string, labels = {}) => ({ name, namespace: 'shop', labels });
  await loadObjects(server.registry, [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('one', { app: 'web' }), data: { a: 'b' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('two'), data: { a: 'b' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: meta('password'), data: { password: 'aHVudGVyMg==' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'else', namespace: 'other' }, data: {} },
  ]);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const RULE = `apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: copy }
spec:
  for: { apiVersion: v1, kind: ConfigMap }
  objects:
    - id: copy
      template: { apiVersion: v1, kind: Secret, metadata: { name: "\${self.metadata.name}" } }
`;

const objectsIn = async (name: string) =>
  (await readRecording([join(folder, name)])).objects.map(({ object }) => object as { kind: string; metadata: { name: string } });

describe('record', () => {
  test('objects of a namespace, in files that a dry run reads', async () => {
    const { code, out } = await record('shop --resource configmaps --resource secrets -n shop');
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^recorded 3 objects of 2 resources from http:.*\(Kubernetes v1\.37.*\) into 2 files in shop\n$/),
    ]);
    expect(readdirSync(join(folder, 'shop/shop'))).toEqual(['configmap.yaml', 'secret.yaml']);
    expect((await objectsIn('shop')).map(({ metadata }) => metadata.name)).toEqual(['one', 'two', 'password']);
    expect(readRecordingInfo(join(folder, 'shop'))).toMatchObject({ secretsMasked: true });
  });

  test('no value of a Secret, and who set which field only when asked', async () => {
    await record('masked --resource secrets');
    const text = readFileSync(join(folder, 'masked/shop/secret.yaml'), 'utf8');
    expect(text).toContain('password: Kioq');
    expect(text).not.toContain('aHVudGVyMg==');
    expect(text).not.toContain('managedFields');
  });

  test('values of Secrets when asked, for the owner of the files alone', async () => {
    const { err } = await record('whole --resource secrets --secrets');
    expect(err).toContain('whole holds the values of Secrets');
    const file = join(folder, 'whole/shop/secret.yaml');
    expect(readFileSync(file, 'utf8')).toContain('aHVudGVyMg==');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('by label, and again over a former recording', async () => {
    await record('labels --resource cm');
    await record('labels --resource configmaps -l app=web');
    expect((await objectsIn('labels')).map(({ metadata }) => metadata.name)).toEqual(['one']);
  });

  test('what rules read and write', async () => {
    writeFileSync(join(folder, 'rule.yaml'), RULE);
    expect(await record('rules -r rule.yaml')).toMatchObject({ code: 0, out: expect.stringContaining('of 3 resources') });
    expect(new Set((await objectsIn('rules')).map(({ kind }) => kind))).toEqual(new Set(['Namespace', 'ConfigMap', 'Secret']));
  });

  test('a folder that holds something else is left alone', async () => {
    mkdirSync(join(folder, 'mine'));
    writeFileSync(join(folder, 'mine/file'), 'x');
    expect(await record('mine --resource configmaps')).toEqual({
      code: 2,
      out: '',
      err: 'fairlead: mine: holds something that is not a recording: choose another folder, or empty this one\n',
    });
    expect(readdirSync(join(folder, 'mine'))).toEqual(['file']);
  });

  test('what somebody put beside a recording is left alone', async () => {
    await record('notes --resource configmaps');
    writeFileSync(join(folder, 'notes/shop/notes.yaml'), 'x');
    const { code, err } = await record('notes --resource configmaps');
    expect([code, err]).toEqual([2, expect.stringContaining('notes: holds shop/notes.yaml, which is not of the recording in it')]);
    expect(readdirSync(join(folder, 'notes/shop'))).toContain('configmap.yaml');
  });

  test.each([
    ['x --resource configmap -l a=b --limit 0', '--limit must be a number'],
    ['x --resource configmaps --limit 2', 'there are more than 2 objects to record; the last that were read are configmaps'],
    ['x --resource deploymints', 'the server serves no "deploymints"\n  did you mean deployments?'],
    ['x', 'say what to record'],
    ['x --all --context y', '--kube-api is a cluster by itself'],
  ])('%s: %s', async (line, message) => {
    const { code, err } = await record(line);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  test('a cluster that is not there', async () => {
    const { code, err } = await run('record x --all --kube-api http://127.0.0.1:1');
    expect([code, err]).toEqual([2, expect.stringContaining('nothing listens at http://127.0.0.1:1')]);
    expect(await run('record x --all --kubeconfig missing')).toMatchObject({ code: 2, err: expect.stringContaining('no such file') });
  });
});
