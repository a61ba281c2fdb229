import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { contentVersion, ensureGoTool, type GoTool } from '../tools/go-tool.ts';
import type { JsonObject } from './cel-pods.ts';

const MODULE = fileURLToPath(new URL('../tools/cel', import.meta.url));

/** The API server's own CEL code behind a pipe. */
const tool: GoTool = { name: 'cel', version: contentVersion(MODULE), module: MODULE, packages: { cel: '.' } };

/**
 * Nanoseconds that cel-go takes for each expression, with the API server's options, over the objects in turns. Throws
 * `SuiteUnavailable` where there is no Go.
 */
export async function celGoTimes(
  expressions: readonly string[],
  objects: readonly JsonObject[],
  options: { readonly log: (line: string) => void; readonly signal: AbortSignal },
): Promise<readonly number[]> {
  const folder = await ensureGoTool(tool, ['cel'], options);
  const child = spawn(join(folder, 'cel'), [], { stdio: ['pipe', 'pipe', 'inherit'], signal: options.signal });
  const benchmark = objects.map((object) => ({ object }));
  for (const expression of expressions) child.stdin.write(`${JSON.stringify({ expression, benchmark })}\n`);
  child.stdin.end();
  const times: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const response = JSON.parse(line) as { readonly nanoseconds?: number; readonly failure?: string; readonly text?: string };
    if (response.nanoseconds === undefined) throw new Error(response.failure ?? response.text ?? 'no time in the answer');
    times.push(response.nanoseconds);
  }
  return times;
}
