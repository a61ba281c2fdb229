import { compileBundle } from '../engine/bundle/compile.ts';
import type { AdmissionProgram } from '../engine/rules/admission/decision.ts';
import { isError } from '../engine/text/diagnostic.ts';
import { renderDiagnostic } from '../engine/text/render.ts';
import { combineBundles } from '../runtimes/cli/combine-bundles.ts';
import { findBundles, readBundle } from '../runtimes/host/bundle-files.ts';

/** The rule library, compiled. */
export interface Library {
  readonly bundles: readonly { readonly path: string; readonly name: string; readonly rules: number; readonly description: string }[];
  /** All bundles as one program. */
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
      rules: bundle.program?.admission.rules.length ?? 0,
      description,
    })),
    program: program.admission,
  };
}
