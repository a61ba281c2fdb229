import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileBundle } from '../engine/bundle/compile.ts';
import { commandRunner } from '../runtimes/cli/run.fixture.ts';
import { findBundles, readBundle } from '../runtimes/host/bundle-files.ts';
import { readLibraryBundle } from './library-bundle.fixture.ts';
import { type MarkedBlock, markedBlocks, withOutputs } from './marked-blocks.ts';

const root = resolve(import.meta.dirname, '..');
const library = join(root, 'rules/network');
const run = commandRunner(() => root);

/** What the command prints about a block's call. */
async function outputOf(bundle: string, { mark, text }: MarkedBlock): Promise<string | undefined> {
  if (mark !== 'call') return undefined;
  const { code, out, err } = await run(`dry-run --rules ${bundle} -`, { stdin: text });
  expect([code, err]).toEqual([0, '']);
  return out.replace(/\n1 call\n$/, '');
}

describe.each(findBundles(library).map((path) => relative(root, path)))('%s', async (bundle) => {
  const { documents, compiled, suites, readme, page } = await readLibraryBundle(root, bundle);
  const rules = compiled.program?.network.rules ?? [];

  it('compiles without a complaint, and so do its tests', () => {
    expect(compiled.diagnostics).toEqual([]);
    expect(rules.length).toBeGreaterThan(0);
    expect(suites.flatMap((suite) => suite.diagnostics)).toEqual([]);
  });

  it.each(suites.flatMap(({ name, cases }) => cases.map((test) => ({ ...test, suite: name }))))('$suite: $name', ({ problems }) => {
    expect(problems).toEqual([]);
  });

  it.each(rules)('$name has tests of its own, and a place and an example on the page', ({ name }) => {
    expect(suites.some((suite) => suite.name === name && suite.cases.length > 1)).toBe(true);
    expect(page).toContain(`\n## ${name}\n`);
    expect(markedBlocks(page).some(({ mark, text }) => mark === 'call' && text.includes(`type: ${name}\n`))).toBe(true);
  });

  it.each(rules)('the page names every field of the configuration of $name', ({ config }) => {
    for (const field of [...config.required, ...Object.keys(config.defaults)]) expect(page).toContain(`\`${field}\``);
  });

  it('the page shows what the command prints', async () => {
    await expect(await withOutputs(page, (block) => outputOf(bundle, block))).toMatchFileSnapshot(readme);
  });

  it('the page names every parameter with its declaration', () => {
    const head = documents.map(({ value }) => value as { kind?: string; spec?: { params?: Record<string, string> } });
    const params = head.find(({ kind }) => kind === 'RuleBundle')?.spec?.params ?? {};
    for (const name of Object.keys(params)) expect(page).toContain(`| \`${name}\` |`);
  });
});

it('the index names every bundle and every rule', async () => {
  const index = readFileSync(join(library, 'README.md'), 'utf8');
  for (const path of findBundles(library)) {
    expect(index).toContain(`(${relative(library, path)}/README.md)`);
    const { program } = compileBundle((await readBundle(path)).documents, {});
    for (const { name } of program?.network.rules ?? []) expect(index).toContain(`\`${name}\``);
  }
});
