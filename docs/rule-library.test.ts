import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileBundle } from '../engine/bundle/compile.ts';
import type { AdmissionDecision, AdmissionFacts, AdmissionRequest } from '../engine/rules/admission/decision.ts';
import { main } from '../runtimes/cli/main.ts';
import { type OnDecision, runRuleTests } from '../runtimes/cli/rule-tests.ts';
import type { TestSuite } from '../runtimes/cli/test-suite.ts';
import { findBundles, readBundle } from '../runtimes/host/bundle-files.ts';
import { findTests } from '../runtimes/host/test-files.ts';
import { type MarkedBlock, markedBlocks, withOutputs } from './marked-blocks.ts';

const root = resolve(import.meta.dirname, '..');
const library = join(root, 'rules/admission');

/** What the command prints on its output, as for a file of the reader's. */
async function printed(args: readonly string[], input: string): Promise<string> {
  let text = '';
  const write = (part: string) => {
    text += part;
  };
  await main(args, {
    cwd: root,
    env: {},
    out: { isTerminal: false, write },
    err: { isTerminal: false, write },
    readStdin: async () => Buffer.from(input),
    stopped: new Promise(() => {}),
  });
  return text;
}

/** The decision on a block's objects; the line that counts them says nothing more. */
async function outputOf(bundle: string, { mark, text }: MarkedBlock): Promise<string | undefined> {
  if (mark !== 'denied' && mark !== 'mutated' && mark !== 'warned') return undefined;
  return (await printed(['dry-run', '--rules', bundle, '-'], text)).replace(/\n\d+ requests?, .*\n$/, '');
}

interface Admitted {
  readonly request: AdmissionRequest;
  readonly facts: AdmissionFacts;
  readonly decision: AdmissionDecision;
}

describe.each(findBundles(library).map((path) => relative(root, path)))('%s', async (bundle) => {
  const { documents, diagnostics } = await readBundle(join(root, bundle));
  const { program } = compileBundle(documents, { diagnostics });
  const rules = program?.admission.rules.map(({ name }) => name) ?? [];
  const files = findTests(bundle, root).ruleTests.flatMap((found) => found.files);
  const admitted: (Admitted & { readonly file: string })[] = [];
  const suites: TestSuite[] = [];
  for (const file of files) {
    const onDecision: OnDecision = (request, facts, decision) => admitted.push({ file, request, facts, decision });
    suites.push(...(await runRuleTests(bundle, [file], { cwd: root }, onDecision)));
  }
  const readme = join(root, bundle, 'README.md');
  const page = readFileSync(readme, 'utf8');

  it.each(suites.flatMap(({ name, cases }) => cases.map((test) => ({ ...test, suite: name }))))('$suite: $name', ({ problems }) => {
    expect(problems).toEqual([]);
  });

  it('tests compile without a complaint', () => {
    expect(suites.flatMap((suite) => suite.diagnostics)).toEqual([]);
  });

  it.each(rules)('%s has tests of its own, of what it leaves as it is and of what it does not, and a place on the page', (rule) => {
    const files = new Set(suites.filter(({ name }) => name === rule).map(({ document }) => document.source.name));
    const decisions = admitted.filter(({ file }) => [...files].some((name) => file.endsWith(name))).map(({ decision }) => decision);
    const notable = (decision: AdmissionDecision) => !decision.allowed || decision.patch.length > 0 || decision.warnings.length > 0;
    expect(decisions.some(notable)).toBe(true);
    expect(decisions.some((decision) => !notable(decision))).toBe(true);
    for (const { outcomes } of decisions) expect(outcomes.every((outcome) => outcome.rule === rule)).toBe(true);
    expect(page).toContain(`\n## ${rule}\n`);
  });

  it('leaves alone what it has changed already', () => {
    for (const { request, facts, decision } of admitted) {
      if (!decision.allowed || decision.object === null) continue;
      const again = program?.admission.admit({ ...request, object: decision.object }, facts, { phase: 'all' });
      if (again?.kind !== 'decision' || !again.decision.allowed) continue;
      const twice = program?.admission.admit({ ...request, object: again.decision.object }, facts, { phase: 'all' });
      expect(twice?.kind === 'decision' ? twice.decision.patch : twice).toEqual([]);
    }
  });

  it('the page shows what the command prints', async () => {
    await expect(await withOutputs(page, (block) => outputOf(bundle, block))).toMatchFileSnapshot(readme);
  });

  it('the page is right about what is denied, mutated, warned about and allowed', async () => {
    const marks = markedBlocks(page);
    expect(marks.length).toBeGreaterThan(0);
    for (const { mark, text, line } of marks) {
      const results = JSON.parse(await printed(['dry-run', '--rules', bundle, '--output', 'json', '-'], text)) as {
        readonly results: readonly {
          readonly allowed: boolean;
          readonly patch: readonly unknown[];
          readonly warnings: readonly string[];
        }[];
      };
      const found = results.results.some(({ allowed }) => !allowed)
        ? 'denied'
        : results.results.some(({ patch }) => patch.length > 0)
          ? 'mutated'
          : results.results.some(({ warnings }) => warnings.length > 0)
            ? 'warned'
            : 'allowed';
      expect(`line ${line}: ${found}`).toBe(`line ${line}: ${mark}`);
    }
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
    const name = relative(library, path);
    expect(index).toContain(`(${name}/README.md)`);
    const { program } = compileBundle((await readBundle(path)).documents, {});
    for (const rule of program?.admission.rules ?? []) expect(index).toContain(`\`${rule.name}\``);
  }
});
