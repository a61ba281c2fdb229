import { accessSync, constants, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { CueBackend, CueError, CueResult } from '../../../engine/text/cue.ts';
import { runChild } from './child.ts';

/** Milliseconds one evaluation may take. */
const TIMEOUT = 20_000;

/** The `cue` on PATH as a back end, or undefined when there is none that works. */
export async function findCueBinary(env: NodeJS.ProcessEnv): Promise<CueBackend | undefined> {
  const path = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, process.platform === 'win32' ? 'cue.exe' : 'cue'))
    .find(isExecutable);
  if (path === undefined) return undefined;
  const childEnv = environment(env);
  const version = await runChild(path, ['version'], { input: '', env: childEnv, cwd: tmpdir(), timeout: TIMEOUT });
  if (version.code !== 0) return undefined;
  const name = `cue ${/cue version (\S+)/.exec(version.stdout)?.[1] ?? ''} (${path})`;
  return {
    name,
    async evaluate(text): Promise<CueResult> {
      // An empty folder as working directory: no module, so nothing outside of the text takes part.
      const run = await runChild(path, ['export', '--out', 'json', 'cue:', '-'], {
        input: text,
        env: childEnv,
        cwd: tmpdir(),
        timeout: TIMEOUT,
      });
      if (run.code === 0) return { ok: true, json: run.stdout };
      if (run.problem !== undefined) return { ok: false, errors: [{ message: `cue ${run.problem}` }] };
      return { ok: false, errors: parseCueErrors(run.stderr) };
    },
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Only what `cue` needs to run: no registry is asked, no credentials are passed on. */
function environment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const folder = join(tmpdir(), 'fairlead-cue');
  return { PATH: env['PATH'], HOME: env['HOME'], LANG: 'C', CUE_REGISTRY: 'none', CUE_CACHE_DIR: folder };
}

/**
 * Reads the errors that `cue` prints: a message that ends in a colon, then indented places `-:3:5` or `./file.cue:3:5`; the first
 * place counts.
 */
export function parseCueErrors(stderr: string): CueError[] {
  const errors: { message: string; line?: number; column?: number }[] = [];
  for (const line of stderr.split('\n')) {
    const place = /^\s+\S*?:(\d+):(\d+)$/.exec(line);
    const last = errors.at(-1);
    if (place !== null && last !== undefined) {
      last.line ??= Number(place[1]);
      last.column ??= Number(place[2]);
    } else if (/^\s+\S/.test(line) && last !== undefined) last.message += ` ${line.trim()}`;
    else if (line.trim() !== '' && !/^explicit error|^\(and \d+ more/.test(line)) errors.push({ message: line.replace(/:$/, '') });
  }
  return errors.length > 0 ? errors : [{ message: 'cue failed without saying why' }];
}
