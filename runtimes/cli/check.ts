import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import { type Diagnostic, isError } from '../../engine/text/diagnostic.ts';
import { findBundles } from '../host/bundle-files.ts';
import { type CommandRun, EXIT } from './command.ts';
import { cueEvaluatedBy, loadBundle } from './load-bundle.ts';
import { countSeverities, describeCounts, paintFor, plural, renderDiagnostics, toJson, toRecords } from './report.ts';

/** `fairlead check`: compiles bundles and reports what is wrong with them. */
export const runCheck: CommandRun = async (args, context) => {
  const format = args.text('output');
  const strict = args.on('strict');
  const checked: { readonly path: string; readonly bundle: CompiledBundle }[] = [];
  for (const path of new Set(args.arguments.flatMap((argument) => findBundles(argument, context.cwd)))) {
    checked.push({ path, bundle: await loadBundle(path, context) });
  }
  const all = checked.flatMap(({ bundle }) => bundle.diagnostics);
  const failed = all.some((diagnostic) => isFinding(diagnostic, strict));

  if (format === 'json') {
    const bundles = checked.map(({ path, bundle }) => ({
      path,
      name: bundle.name,
      version: bundle.version,
      rules: rulesOf(bundle),
      ok: !bundle.diagnostics.some(isError),
    }));
    context.out.write(toJson({ ok: !failed, cue: cueEvaluatedBy(), ...countSeverities(all), bundles, diagnostics: toRecords(all) }));
  } else if (format === 'junit') {
    const { toJunit } = await import('./junit.ts');
    context.out.write(
      toJunit([{ name: 'fairlead check', cases: checked.map(({ path, bundle }) => junitCase(path, bundle.diagnostics, strict)) }]),
    );
  } else {
    const color = paintFor(args, context);
    let text = renderDiagnostics(all, color);
    if (!args.on('quiet')) {
      for (const { path, bundle } of checked) {
        const ok = !bundle.diagnostics.some((diagnostic) => isFinding(diagnostic, strict));
        const sign = ok ? color('green', 'ok') : color('red', 'failed');
        const rules = bundle.program === undefined ? '' : `, ${plural(rulesOf(bundle).length, 'rule')}`;
        text += `${sign} ${path}${rules}${bundle.diagnostics.length === 0 ? '' : `, ${describeCounts(countSeverities(bundle.diagnostics))}`}\n`;
      }
    }
    const cue = cueEvaluatedBy();
    if (cue !== undefined && !args.on('quiet')) text += color('faint', `CUE evaluated by ${cue}\n`);
    context.out.write(text);
  }
  return failed ? EXIT.findings : EXIT.ok;
};

const isFinding = (diagnostic: Diagnostic, strict: boolean): boolean =>
  isError(diagnostic) || (strict && diagnostic.severity === 'warning');

/** Kind and name of every rule of a bundle. */
const rulesOf = ({ program }: CompiledBundle): readonly { readonly kind: string; readonly name: string }[] =>
  program === undefined
    ? []
    : [...program.admission.rules, ...program.reconcile.rules.map(({ ruleKind, name }) => ({ kind: ruleKind, name }))];

function junitCase(path: string, diagnostics: readonly Diagnostic[], strict: boolean) {
  const findings = diagnostics.filter((diagnostic) => isFinding(diagnostic, strict));
  if (findings.length === 0) return { name: path, classname: 'check' };
  return {
    name: path,
    classname: 'check',
    failure: { message: findings[0]?.message ?? '', details: renderDiagnostics(findings, (_, text) => text) },
  };
}
