import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import { compileBundle } from '../../engine/bundle/compile.ts';
import type { CueBackend } from '../../engine/text/cue.ts';
import { readBundle } from '../host/bundle-files.ts';
import type { CommandContext } from './context.ts';

/** The CUE back end of this machine, looked for when the first CUE file is met. */
export async function cueBackend(): Promise<CueBackend | undefined> {
  const { findCueBackend } = await import('../host/cue/backend.ts');
  return findCueBackend();
}

/** Reads and compiles the bundle that one or more paths make up together. Throws `FileError` when a path can't be read. */
export async function loadBundle(paths: readonly string[], context: CommandContext): Promise<CompiledBundle> {
  const read = [];
  for (const path of paths) read.push(await readBundle(path, { cwd: context.cwd, stdin: context.readStdin, cue: cueBackend }));
  return compileBundle(
    read.flatMap(({ documents }) => documents),
    { name: read.map(({ name }) => name).join(', '), diagnostics: read.flatMap(({ diagnostics }) => diagnostics) },
  );
}
