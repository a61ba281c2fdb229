import type { CompiledBundle } from '../engine/bundle/bundle.ts';
import { compileBundle } from '../engine/bundle/compile.ts';
import type { AdmissionProgram } from '../engine/rules/admission/decision.ts';
import { isError } from '../engine/text/diagnostic.ts';
import { renderDiagnostic } from '../engine/text/render.ts';
import { combineBundles } from '../runtimes/cli/combine-bundles.ts';
import { runRuleTests } from '../runtimes/cli/rule-tests.ts';
import { findBundles, readBundle } from '../runtimes/host/bundle-files.ts';
import { findTests } from '../runtimes/host/test-files.ts';

/** The rule library, compiled. */
export interface Library {
  readonly bundles: readonly { readonly path: string; readonly name: string; readonly rules: number; readonly description: string }[];
  /** As they were compiled, one by one. */
  readonly compiled: readonly CompiledBundle[];
  /** The admission rules of all bundles as one program. */
  readonly program: AdmissionProgram;
}

/** Compiles every bundle below a folder. Throws with all diagnostics when one is wrong. */
export async function loadLibrary(folder: string): Promise<Library> {
  const compiled = [];
  for (const path of findBundles(folder)) {
    const { documents, diagnostics } = await readBundle(path);
    const bundle = compileBundle(documents, { diagnostics });
    if (bundle.diagnostics.some(isError)) throw new Error(bundle.diagnostics.map((each) => renderDiagnostic(each)).join('\n'));
    const head = documents
      .map(({ value }) => value as { kind?: string; spec?: { description?: string } })
      .find(({ kind }) => kind === 'RuleBundle');
    compiled.push({ path, bundle, description: head?.spec?.description?.trim() ?? '' });
  }
  const program = combineBundles(compiled.map(({ bundle }) => bundle)).program;
  if (program === undefined) throw new Error(`${folder} holds no bundle`);
  return {
    bundles: compiled.map(({ path, bundle, description }) => ({
      path,
      name: bundle.name,
      rules: rulesOf(bundle),
      description,
    })),
    compiled: compiled.map(({ bundle }) => bundle),
    program: program.admission,
  };
}

function rulesOf({ program }: CompiledBundle): number {
  return program === undefined ? 0 : program.admission.rules.length + program.reconcile.rules.length + program.network.rules.length;
}

export interface LibraryTests {
  /** How many cases each bundle has, in the order of the bundles. */
  readonly cases: ReadonlyMap<string, number>;
  /** What is not as expected: bundle, test, case and why. */
  readonly failures: readonly string[];
}

/** Runs the RuleTests of every bundle, as `fairlead test` does. */
export async function runLibraryTests(library: Library): Promise<LibraryTests> {
  const cases = new Map<string, number>();
  const failures: string[] = [];
  for (const { path, name } of library.bundles) {
    const files = findTests(path, process.cwd()).ruleTests.flatMap((found) => found.files);
    const suites = await runRuleTests(path, files, { cwd: process.cwd() });
    cases.set(
      name,
      suites.reduce((sum, suite) => sum + suite.cases.length, 0),
    );
    for (const suite of suites) {
      failures.push(...suite.diagnostics.filter(isError).map((each) => `${name}: ${renderDiagnostic(each)}`));
      for (const test of suite.cases) {
        if (!test.ok) failures.push(`${name}: ${suite.name}: ${test.name}: ${test.problems.join('; ')}`);
      }
    }
  }
  return { cases, failures };
}
