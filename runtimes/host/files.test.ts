import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findBundles, readBundle } from './bundle-files.ts';
import { readRecording } from './recording.ts';
import { findTests } from './test-files.ts';
import { decodeText, displayName, FileError, listFiles, readTextFile } from './text-files.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fairlead-files-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
}
const below = (paths: readonly string[]) => paths.map((path) => displayName(path, root));

describe('text files', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['UTF-16', Uint8Array.from([0xff, 0xfe, 0x61, 0x00]), /is UTF-16, UTF-8 is expected/],
    ['Latin-1', Uint8Array.from([0x61, 0xe9, 0x62]), /is not UTF-8 text/],
    ['half a character', Uint8Array.from([0xf0, 0x9f]), /is not UTF-8 text/],
  ])('%s is refused', (_name, bytes, message) => {
    write({ 'x.yaml': bytes });
    expect(() => readTextFile(join(root, 'x.yaml'), 'x.yaml')).toThrow(message);
    expect(() => decodeText(Buffer.from(bytes), '<stdin>')).toThrow(FileError);
  });

  test('what can not be read says why, by the name it was given', () => {
    expect(() => readTextFile(join(root, 'none.yaml'), 'none.yaml')).toThrow('none.yaml: no such file or folder');
    expect(() => readTextFile(root, 'here')).toThrow('here: is a folder');
  });

  test('an empty file is an empty text', () => {
    write({ 'x.yaml': '' });
    expect(readTextFile(join(root, 'x.yaml'), 'x.yaml').text).toBe('');
  });

  test('a folder is listed in one order, without what is hidden', () => {
    write({
      'b.yaml': '',
      'a.json': '',
      'c.cue': '',
      'd.txt': '',
      '.hidden.yaml': '',
      'sub/a.yml': '',
      '.git/x.yaml': '',
      'node_modules/x.yaml': '',
    });
    expect(below(listFiles(root))).toEqual(['a.json', 'b.yaml', 'c.cue', 'sub/a.yml']);
  });

  test('a mounted ConfigMap: links are followed, its hidden folders are not listed', () => {
    write({ '..2026_01_01/rule.yaml': 'a: 1' });
    symlinkSync('..2026_01_01', join(root, '..data'));
    symlinkSync('..data/rule.yaml', join(root, 'rule.yaml'));
    expect(below(listFiles(root))).toEqual(['rule.yaml']);
  });

  test('a link to a folder above is not followed, and folders that are too deep are refused', () => {
    write({ 'sub/a.yaml': '' });
    symlinkSync('..', join(root, 'sub/up'));
    expect(below(listFiles(root))).toEqual(['sub/a.yaml']);
    write({ [`${'d/'.repeat(33)}a.yaml`]: '' });
    expect(() => listFiles(root)).toThrow(/folders deep/);
  });

  test('a link that leads nowhere is passed over', () => {
    symlinkSync('nowhere', join(root, 'x.yaml'));
    expect(listFiles(root)).toEqual([]);
  });
});

describe('bundles', () => {
  beforeEach(() => {
    write({
      'rules/one/bundle.yaml': 'kind: RuleBundle\n',
      'rules/one/a.yaml': 'name: a\n---\nname: b\n',
      'rules/one/sub/c.json': '{"name": "c"}',
      'rules/one/tests/t.yaml': 'kind: RuleTest\n',
      'rules/two/bundle.yaml': 'kind: RuleBundle\n',
      'rules/two/broken.yaml': 'a: [\n',
      'rules/two/binary.yaml': Uint8Array.from([0xff]),
      'rules/loose.yaml': 'name: loose\n',
    });
  });

  test('below a folder: each bundle, and what lies outside of them together', () => {
    expect(findBundles('rules', root)).toEqual(['rules', 'rules/one', 'rules/two']);
    expect(findBundles('rules/one', root)).toEqual(['rules/one']);
    expect(findBundles('rules/one/a.yaml', root)).toEqual(['rules/one/a.yaml']);
    expect(findBundles('-', root)).toEqual(['-']);
  });

  test('a bundle is all its documents, tests and inner bundles left out', async () => {
    const bundle = await readBundle('rules/one', { cwd: root });
    expect(bundle.documents.map(({ value }) => (value as { name?: string }).name)).toEqual(['a', 'b', undefined, 'c']);
    expect(below(bundle.files)).toEqual(['rules/one/a.yaml', 'rules/one/bundle.yaml', 'rules/one/sub/c.json']);
    expect((await readBundle('rules', { cwd: root })).documents.map(({ value }) => value)).toEqual([{ name: 'loose' }]);
  });

  test('is named by its own folder or file, wherever that is and is looked at from', async () => {
    const nameOf = async (path: string, cwd: string): Promise<string> => (await readBundle(path, { cwd })).name;
    expect(await nameOf('rules/one', root)).toBe('one');
    expect(await nameOf('.', join(root, 'rules/one'))).toBe('one');
    expect(await nameOf('rules/one/a.yaml', root)).toBe('a');
    expect(await nameOf(join(root, 'rules/one/a.yaml'), '/')).toBe('a');
  });

  test('what is wrong with one file leaves the others', async () => {
    const bundle = await readBundle('rules/two', { cwd: root });
    expect(bundle.documents.length).toBe(1);
    expect(bundle.diagnostics.map(({ code }) => code).toSorted()).toEqual(['file-unreadable', 'yaml-syntax']);
  });

  test('from standard input', async () => {
    const bundle = await readBundle('-', { stdin: async () => Buffer.from('{"a": 1}') });
    expect([bundle.name, bundle.path, bundle.documents[0]?.value]).toEqual(['<stdin>', undefined, { a: 1 }]);
  });

  test('a folder without documents', () => {
    mkdirSync(join(root, 'empty'));
    expect(() => findBundles('empty', root)).toThrow('empty: holds no YAML, JSON or CUE files');
  });
});

describe('tests', () => {
  test('are found with the bundle they are about', () => {
    write({
      'one/bundle.yaml': '',
      'one/tests/a.yaml': '',
      'two/bundle.yaml': '',
      'kyverno/p/.kyverno-test/kyverno-test.yaml': '',
      'kyverno/p/policy.yaml': '',
    });
    const found = findTests('.', root);
    expect(found.ruleTests.map(({ bundle, files }) => [displayName(bundle, root), below(files)])).toEqual([['one', ['one/tests/a.yaml']]]);
    expect(below(found.kyvernoTests)).toEqual(['kyverno/p/.kyverno-test/kyverno-test.yaml']);
    expect(displayName(findTests('one/tests', root).ruleTests[0]!.bundle, root)).toBe('one');
    expect(displayName(findTests('one/tests/a.yaml', root).ruleTests[0]!.bundle, root)).toBe('one');
  });
});

describe('recordings', () => {
  const read = async (text: string) => readRecording(['-'], { stdin: async () => Buffer.from(text) });

  test('lists are taken apart, typed ones too', async () => {
    const { objects, diagnostics } = await read(`apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a}}
- apiVersion: apps/v1
  kind: DeploymentList
  items:
  - {metadata: {name: b}}
`);
    expect(diagnostics).toEqual([]);
    expect(objects.map(({ object, path }) => [object['apiVersion'], object['kind'], path])).toEqual([
      ['v1', 'Pod', ['items', 0]],
      ['apps/v1', 'Deployment', ['items', 1, 'items', 0]],
    ]);
    expect(objects[1]?.document.locate([...objects[1].path, 'metadata', 'name'])).toEqual({ start: 160, end: 161 });
  });

  test('AdmissionReviews are told from objects', async () => {
    const { objects, reviews, diagnostics } = await read(
      'apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest: {uid: x}\n---\napiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n',
    );
    expect([objects.length, reviews.length, diagnostics.map(({ code }) => code)]).toEqual([0, 1, ['recording-no-request']]);
  });

  test.each(['text', '[1]', '{a: 1}', '{kind: Pod}', '{apiVersion: v1, kind: ""}', '{apiVersion: v1, kind: [Pod]}'])(
    '%s is no object',
    async (text) => {
      const { objects, diagnostics } = await read(text);
      expect([objects, diagnostics.map(({ code }) => code)]).toEqual([[], ['recording-not-an-object']]);
    },
  );

  test('folders and files', async () => {
    write({
      'facts/a.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n',
      'b.json': '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"b"}}',
    });
    const { objects } = await readRecording(['facts', 'b.json'], { cwd: root });
    expect(objects.map(({ document }) => document.source.name)).toEqual(['facts/a.yaml', 'b.json']);
  });
});
