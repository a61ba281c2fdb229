import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import type { CueBackend, CueResult } from '../../../engine/text/cue.ts';
import { runChild } from './child.ts';

const TIMEOUT = 20_000;

/**
 * Runs in a Node process of its own, which can be killed: CUE that takes for ever must not take the caller with it. cue-wasm gives one
 * error as a string, without a position.
 */
const PROGRAM = `
const { init, default: cue } = require(process.argv[1]);
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
  const name = 'cue-wasm (CUE 0.4.3)';
  return {
    name,
    async evaluate(text): Promise<CueResult> {
      const run = await runChild(process.execPath, ['-e', PROGRAM, entry], { input: text, env: {}, cwd: tmpdir(), timeout: TIMEOUT });
      if (run.code === 0) return JSON.parse(run.stdout) as CueResult;
      return { ok: false, errors: [{ message: `${name} ${run.problem ?? `failed: ${run.stderr.trim().split('\n').at(-1) ?? ''}`}` }] };
    },
  };
}
