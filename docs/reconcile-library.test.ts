import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileBundle, typesWith } from '../engine/bundle/compile.ts';
import type { JsonObject } from '../engine/object/json.ts';
import { objectRequest } from '../engine/rules/admission/object-request.ts';
import { recordedFacts } from '../engine/rules/admission/recorded-facts.ts';
import { decideRecorded } from '../runtimes/cli/decide-recorded.ts';
import { passingValues } from '../runtimes/cli/passing-values.ts';
import { reconcileRecorded } from '../runtimes/cli/reconcile-recorded.ts';
import { commandRunner } from '../runtimes/cli/run.fixture.ts';
import { findBundles, readBundle, readDocuments } from '../runtimes/host/bundle-files.ts';
import { readLibraryBundle } from './library-bundle.fixture.ts';
import { type MarkedBlock, markedBlocks, withOutputs } from './marked-blocks.ts';

const root = resolve(import.meta.dirname, '..');
const library = join(root, 'rules/reconcile');
const run = commandRunner(() => root);
/** The day of the pages: certificates on them end some time after it. */
const NOW = '2027-01-01T00:00:00Z';

/** What the command prints about a block's objects. */
async function outputOf(bundle: string, { mark, text }: MarkedBlock): Promise<string | undefined> {
  if (mark !== 'instance') return undefined;
  const { code, out, err } = await run(`dry-run --rules ${bundle} --now ${NOW} -`, { stdin: text });
  expect([code, err]).toEqual([0, '']);
  return out;
}

describe.each(findBundles(library).map((path) => relative(root, path)))('%s', async (bundle) => {
  const { documents, compiled, suites, readme, page } = await readLibraryBundle(root, bundle);
  const rules = compiled.program?.reconcile.rules ?? [];

  it('compiles without a complaint, and so do its tests', () => {
    expect(compiled.diagnostics).toEqual([]);
    expect(rules.length).toBeGreaterThan(0);
    expect(suites.flatMap((suite) => suite.diagnostics)).toEqual([]);
  });

  it.each(suites.flatMap(({ name, cases }) => cases.map((test) => ({ ...test, suite: name }))))('$suite: $name', ({ problems }) => {
    expect(problems).toEqual([]);
  });

  it.each(rules)('$name has tests of its own, and a place and an example on the page', ({ name, instance }) => {
    expect(suites.some((suite) => suite.name === name && suite.cases.length > 1)).toBe(true);
    expect(page).toContain(`\n## ${instance.kind}\n`);
    expect(markedBlocks(page).some(({ mark, text }) => mark === 'instance' && text.includes(`kind: ${instance.kind}\n`))).toBe(true);
  });

  it('the page shows what the command prints', async () => {
    await expect(await withOutputs(page, (block) => outputOf(bundle, block))).toMatchFileSnapshot(readme);
  });

  /** What is made of the page's examples, and what would be made once that is there. */
  async function examples() {
    const found = [];
    for (const { text } of markedBlocks(page).filter(({ mark }) => mark === 'instance')) {
      const { documents: given } = await readDocuments([{ name: 'page.yaml', text }]);
      const recorded = given.map((document) => ({ object: document.value as JsonObject, document, path: [] }));
      const options = { recorded, namespace: 'default', now: Date.parse(NOW), generate: passingValues(Date.parse(NOW)) };
      const first = reconcileRecorded(compiled.program!.reconcile, { ...options, facts: [] });
      const made = first.flatMap(({ changes }) => changes.map(({ after }) => after));
      found.push({ first, second: reconcileRecorded(compiled.program!.reconcile, { ...options, facts: made }) });
    }
    return found;
  }

  it('leaves alone what it has made already', async () => {
    for (const { first, second } of await examples()) {
      expect(second.flatMap(({ changes }) => changes.filter(({ action }) => action !== 'none').map(({ desired }) => desired.id))).toEqual(
        [],
      );
      expect(second.map(({ changes }) => changes.length)).toEqual(first.map(({ changes }) => changes.length));
    }
  });

  it('the page names every parameter with its declaration', () => {
    const head = documents.map(({ value }) => value as { kind?: string; spec?: { params?: Record<string, string> } });
    const params = head.find(({ kind }) => kind === 'RuleBundle')?.spec?.params ?? {};
    for (const name of Object.keys(params)) expect(page).toContain(`| \`${name}\` |`);
  });

  it('makes pods that the restricted standard lets in', async ({ skip }) => {
    skip(bundle.endsWith('sample-controller'), 'its original asks for an image that runs as root, and its page says so');
    const standard = compileBundle((await readBundle(join(root, 'rules/admission/pod-security'))).documents, {
      params: { level: 'restricted' },
    });
    const user = { username: 'fairlead', groups: ['system:authenticated'] };
    for (const { changes } of (await examples()).flatMap(({ first }) => first)) {
      for (const { after } of changes) {
        const request = objectRequest(after, { operation: 'CREATE', user, namespace: 'shop', types: typesWith([]) });
        const { allowed, status } = decideRecorded(standard.program!.admission, request, recordedFacts([]));
        expect([allowed, status?.message]).toEqual([true, undefined]);
      }
    }
  });
});

it('the index names every bundle and every kind', async () => {
  const index = readFileSync(join(library, 'README.md'), 'utf8');
  for (const path of findBundles(library)) {
    expect(index).toContain(`(${relative(library, path)}/README.md)`);
    const { program } = compileBundle((await readBundle(path)).documents, {});
    for (const { instance } of program?.reconcile.rules ?? []) expect(index).toContain(`\`${instance.kind}\``);
  }
});
