import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import { compileBundle } from '../../engine/bundle/compile.ts';
import type { TypeTable } from '../../engine/object/type-table.ts';
import type { InstrumentExpression } from '../../engine/rules/admission/expressions.ts';
import type { CueBackend } from '../../engine/text/cue.ts';
import { findBundles, readBundle } from '../host/bundle-files.ts';
import { cueDefinitions } from '../host/cue/definitions.ts';
import { combineBundles } from './combine-bundles.ts';
import { type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';

/** The CUE back end of this machine, looked for when the first CUE file is met. */
export async function cueBackend(): Promise<CueBackend | undefined> {
  const { findCueBackend } = await import('../host/cue/backend.ts');
  const backend = await findCueBackend();
  evaluatedBy = backend?.name;
  return backend;
}

let evaluatedBy: string | undefined;

/** What evaluated CUE in this process; undefined when there was none to evaluate. The back ends know different versions of the language. */
export function cueEvaluatedBy(): string | undefined {
  return evaluatedBy;
}

/** Reads and compiles one bundle: a folder, a file, or `-`; against the types of the newest supported Kubernetes unless others are given. Throws `FileError` when the path can't be read. */
export async function loadBundle(
  path: string,
  context: CommandContext,
  instrument?: InstrumentExpression,
  types?: TypeTable,
): Promise<CompiledBundle> {
  const { name, documents, diagnostics } = await readBundle(path, {
    cwd: context.cwd,
    stdin: context.readStdin,
    cue: cueBackend,
    cueDefinitions,
  });
  return compileBundle(documents, {
    name,
    diagnostics,
    ...(instrument === undefined ? {} : { instrument }),
    ...(types === undefined ? {} : { types }),
  });
}

/**
 * The bundles that paths stand for (see `findBundles`), as one. Throws `FileError` when a path can't be read, and
 * {@link UsageError} when there are no rules to decide by: everything would be allowed.
 */
export async function loadBundles(
  paths: readonly string[],
  context: CommandContext,
  instrument?: InstrumentExpression,
): Promise<CompiledBundle> {
  const bundles: CompiledBundle[] = [];
  for (const path of new Set(paths.flatMap((each) => findBundles(each, context.cwd))))
    bundles.push(await loadBundle(path, context, instrument));
  const combined = combineBundles(bundles);
  const { program } = combined;
  if (program !== undefined && program.admission.rules.length + program.reconcile.rules.length + program.network.rules.length === 0) {
    const [first] = combined.diagnostics;
    throw new UsageError(`there are no rules in ${paths.join(', ')}`, first && [first.message, first.hint].filter(Boolean).join('; '));
  }
  return combined;
}

/** The bundles that a server is given; none where it takes its rules from the cluster only. */
export async function loadServed(
  args: ParsedArguments,
  context: CommandContext,
  instrument?: InstrumentExpression,
): Promise<CompiledBundle> {
  return args.arguments.length === 0 ? compileBundle([]) : loadBundles(args.arguments, context, instrument);
}
