import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { compileBundle, typesWith } from '../../engine/bundle/compile.ts';
import { type KyvernoTestCase, runKyvernoTest } from '../../engine/rules/admission/kyverno/run-test.ts';
import { type Diagnostic, isError } from '../../engine/text/diagnostic.ts';
import type { Document } from '../../engine/text/document.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import type { CaseResult, SuiteContext } from '../suite.ts';

const types = typesWith([]);

/** Noon of the day the corpus was taken: what `time.now()` means to its policies. */
const NOW = BigInt(Date.UTC(2026, 2, 6, 12)) * 1_000_000n;

/** Every row of every `kyverno-test.yaml` of a corpus, one case for each resource. */
export async function* kyvernoCases(context: SuiteContext, corpus: string): AsyncIterable<CaseResult> {
  const root = context.corpus(corpus);
  for (const file of testFiles(root)) {
    if (context.signal.aborted) return;
    const folder = dirname(file);
    const [document] = documentsOf(file) ?? [];
    if (document === undefined) throw new Error(`${file} holds no document`);
    const run = runKyvernoTest(document, {
      files: (name) => documentsOf(join(folder, name)),
      types,
      now: () => NOW,
      compile: (documents) => {
        const bundle = compileBundle(documents, { types });
        return { program: bundle.program?.admission, diagnostics: bundle.diagnostics };
      },
    });
    const where = relative(root, dirname(folder));
    const names = new Map<string, number>();
    for (const each of run.cases) {
      const plain = `${where}: ${each.policy}${each.rule === undefined ? '' : `/${each.rule}`} ${each.kind ?? ''} ${each.resource} ${each.expected}`;
      const count = (names.get(plain) ?? 0) + 1;
      names.set(plain, count);
      yield result(count === 1 ? plain : `${plain} #${count}`, each, run.diagnostics);
    }
  }
}

function result(name: string, each: KyvernoTestCase, diagnostics: readonly Diagnostic[]): CaseResult {
  if (each.ok) return { name, outcome: 'passed' };
  const lines = [`expected ${each.expected}, found ${each.found}${each.message === undefined ? '' : `: ${each.message}`}`];
  if (each.difference !== undefined) lines.push(`difference: ${JSON.stringify(each.difference)}`);
  if (each.found === 'error') lines.push(...diagnostics.filter(isError).map((diagnostic) => `${diagnostic.path}: ${diagnostic.message}`));
  return { name, outcome: 'failed', reason: lines.join('\n') };
}

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return testFiles(path);
      return entry.name === 'kyverno-test.yaml' ? [path] : [];
    });
}

function documentsOf(file: string): readonly Document[] | undefined {
  if (!existsSync(file)) return undefined;
  const { documents, diagnostics } = parseYaml({ name: file, text: readFileSync(file, 'utf8') });
  const wrong = diagnostics.find(isError);
  if (wrong !== undefined) throw new Error(`${file}: ${wrong.message}`);
  return documents.filter((document) => document.value !== null);
}
