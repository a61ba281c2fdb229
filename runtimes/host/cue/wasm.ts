import { createRequire } from 'node:module';
import { sep } from 'node:path';
import type { CueBackend, CueResult } from '../../../engine/text/cue.ts';
import { runChild } from './child.ts';

const TIMEOUT = 20_000;

/**
 * Runs in a Node process of its own, which can be killed: CUE that takes for ever must not take the caller with it. cue-wasm gives one
 * error as a string, without a position.
 */
const PROGRAM = `
const { init, default: cue } = await import('cue-wasm');
let text = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => { text += chunk; }).on('end', async () => {
  const instance = await (init ?? cue.init)();
  let answer;
  try {
    answer = { ok: true, json: instance.toJSON(text) };
  } catch (error) {
    answer = { ok: false, errors: [{ message: String(error?.message ?? error) }] };
  }
  process.stdout.write(JSON.stringify(answer), () => process.exit(0));
});
`;

/** The package cue-wasm as a back end, or undefined when it is not installed. */
export function findCueWasm(): CueBackend | undefined {
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve('cue-wasm');
  } catch {
    return undefined;
  }
  // The program imports the package by its name, from the folder whose node_modules it was found in.
  const root = entry.slice(0, entry.lastIndexOf(`${sep}node_modules${sep}`));
  const name = 'cue-wasm (CUE 0.4.3)';
  return {
    name,
    async evaluate(text): Promise<CueResult> {
      const run = await runChild(process.execPath, ['--input-type=module', '-e', PROGRAM], {
        input: text,
        env: {},
        cwd: root,
        timeout: TIMEOUT,
      });
      if (run.code === 0) return JSON.parse(run.stdout) as CueResult;
      return { ok: false, errors: [{ message: `${name} ${run.problem ?? `failed: ${run.stderr.trim().split('\n').at(-1) ?? ''}`}` }] };
    },
  };
}
