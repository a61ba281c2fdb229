import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import type { TypeTable } from '../../engine/object/type-table.ts';
import { type Diagnostic, isError } from '../../engine/text/diagnostic.ts';
import { findBundles } from '../host/bundle-files.ts';
import { type CommandRun, EXIT, type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';
import { cueEvaluatedBy, loadBundle } from './load-bundle.ts';
import { countSeverities, describeCounts, paintFor, plural, renderDiagnostics, toJson, toRecords } from './report.ts';

/** `fairlead check`: compiles bundles and reports what is wrong with them. */
export const runCheck: CommandRun = async (args, context) => {
  const format = args.text('output');
  const strict = args.on('strict');
  const paths = [...new Set(args.arguments.flatMap((argument) => findBundles(argument, context.cwd)))];
  const checked = await checkAll(paths, args, context);
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

interface Checked {
  readonly path: string;
  readonly bundle: CompiledBundle;
}

/** Against the types of the cluster or the recording that is named, else against those of the newest supported Kubernetes. */
async function checkAll(paths: readonly string[], args: ParsedArguments, context: CommandContext): Promise<readonly Checked[]> {
  const loadAll = async (types?: TypeTable): Promise<Checked[]> => {
    const loaded: Checked[] = [];
    for (const path of paths) loaded.push({ path, bundle: await loadBundle(path, context, undefined, types) });
    return loaded;
  };
  const isCluster = args.on('cluster') || ['kubeconfig', 'context', 'kube-api'].some((option) => args.text(option) !== undefined);
  const recorded = args.text('recorded');
  if (recorded !== undefined) {
    if (isCluster) throw new UsageError('--recorded stands for the cluster: leave out --cluster, --kubeconfig, --context and --kube-api');
    const { recordedTypes } = await import('./recorded-types.ts');
    return loadAll(await recordedTypes(recorded, context));
  }
  if (!isCluster) return loadAll();
  const { withCluster } = await import('./cluster-connection.ts');
  const { clusterTypes } = await import('../kubernetes/cluster-types.ts');
  const { overBuiltInTypes } = await import('./cluster-types.ts');
  return withCluster(args, context, async (client) => loadAll(overBuiltInTypes(await clusterTypes(client))));
}

const isFinding = (diagnostic: Diagnostic, strict: boolean): boolean =>
  isError(diagnostic) || (strict && diagnostic.severity === 'warning');

/** Kind and name of every rule of a bundle. */
const rulesOf = ({ program }: CompiledBundle): readonly { readonly kind: string; readonly name: string }[] =>
  program === undefined
    ? []
    : [
        ...program.admission.rules,
        ...program.reconcile.rules.map(({ ruleKind, name }) => ({ kind: ruleKind, name })),
        ...program.network.rules.map(({ name }) => ({ kind: 'NetworkRule', name })),
      ];

function junitCase(path: string, diagnostics: readonly Diagnostic[], strict: boolean) {
  const findings = diagnostics.filter((diagnostic) => isFinding(diagnostic, strict));
  if (findings.length === 0) return { name: path, classname: 'check' };
  return {
    name: path,
    classname: 'check',
    failure: { message: findings[0]?.message ?? '', details: renderDiagnostics(findings, (_, text) => text) },
  };
}
