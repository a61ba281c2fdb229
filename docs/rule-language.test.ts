import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compileBundle } from '../engine/bundle/compile.ts';
import { renderDiagnostic } from '../engine/text/render.ts';
import { cueBackend } from '../runtimes/cli/load-bundle.ts';
import { runRuleTests } from '../runtimes/cli/rule-tests.ts';
import { readBundle, readDocuments } from '../runtimes/host/bundle-files.ts';
import { cueDefinitions } from '../runtimes/host/cue/definitions.ts';
import { markedBlocks, withOutputs } from './marked-blocks.ts';

const file = join(import.meta.dirname, 'rule-language.md');
const page = readFileSync(file, 'utf8');
const blocks = markedBlocks(page);
const folder = mkdtempSync(join(tmpdir(), 'fairlead-language-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HEAD = 'apiVersion: fairlead.dev/v1alpha1\nkind: RuleBundle\nmetadata: { name: page }\n';

/** A bundle of a block's documents, and of nothing else. */
function bundleOf(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  if (!text.includes('kind: RuleBundle')) writeFileSync(join(path, 'bundle.yaml'), HEAD);
  writeFileSync(join(path, text.includes('kind: RuleBundle') ? 'bundle.yaml' : 'rule.yaml'), text);
  return path;
}

describe('docs/rule-language.md', () => {
  it.each(blocks.filter(({ mark }) => mark === 'rule'))('line $line: the rule compiles without a complaint', async ({ text, line }) => {
    const { documents, diagnostics } = await readBundle(bundleOf(`rule-${line}`, text));
    const compiled = compileBundle(documents, { diagnostics });
    expect(compiled.diagnostics.map((each) => renderDiagnostic(each))).toEqual([]);
    const rules = Object.values(compiled.program ?? {}).flatMap((program: { readonly rules: readonly unknown[] }) => program.rules);
    expect(rules.length).toBeGreaterThan(0);
  });

  it.each(blocks.filter(({ mark }) => mark === 'test'))('line $line: the test passes with the rule before it', async ({ text, line }) => {
    const rule = blocks.findLast((block) => block.mark === 'rule' && block.line < line);
    const path = bundleOf(`test-${line}`, rule?.text ?? '');
    mkdirSync(join(path, 'tests'));
    writeFileSync(join(path, 'tests/test.yaml'), text);
    const suites = await runRuleTests(path, [join(path, 'tests/test.yaml')], { cwd: folder });
    expect(suites.flatMap(({ diagnostics }) => diagnostics)).toEqual([]);
    expect(suites.flatMap(({ cases }) => cases.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`)))).toEqual(
      [],
    );
    expect(suites.flatMap(({ cases }) => cases).length).toBeGreaterThan(0);
  });

  it('shows the errors that the compiler prints', async () => {
    const shown = await withOutputs(page, async ({ mark, text }) => {
      if (mark !== 'broken') return undefined;
      const { documents, diagnostics } = await readDocuments([{ name: 'rule.yaml', text }], { cue: cueBackend });
      const printed = compileBundle(documents, { diagnostics }).diagnostics.map((each) => renderDiagnostic(each));
      expect(printed).not.toEqual([]);
      return printed.join('\n');
    });
    await expect(shown).toMatchFileSnapshot(file);
  });

  it.each([...page.matchAll(/^```cue rule\n([\s\S]*?)^```$/gm)].map(([, text]) => text ?? ''))('the rule in CUE compiles', async (text) => {
    const { documents, diagnostics } = await readDocuments([{ name: 'rule.cue', text }], { cue: cueBackend, cueDefinitions });
    const compiled = compileBundle(documents, { diagnostics });
    expect(compiled.diagnostics.map((each) => renderDiagnostic(each))).toEqual([]);
    expect(compiled.program?.admission.rules).toHaveLength(1);
  });

  it('has no kind of block that nobody looks at', () => {
    expect(new Set(blocks.map(({ mark }) => mark))).toEqual(new Set(['rule', 'broken', 'test']));
  });
});
