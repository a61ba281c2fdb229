import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { NetworkNode } from '../cni/node.ts';
import type { Report, Task } from './task.ts';

/** Milliseconds for one task. */
const PATIENCE = 60_000;

/** Makes one file of the program that is killed, so that it starts fast. Answers its path. */
export async function buildMortal(folder: string): Promise<string> {
  const outfile = join(folder, 'mortal.mjs');
  const entryPoint = fileURLToPath(new URL('mortal.ts', import.meta.url));
  await build({ entryPoints: [entryPoint], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'silent' });
  return outfile;
}

/** A process in a node that performs tasks and may die of them. */
export class MortalProcess {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  readonly #loaded: Promise<string | undefined>;
  #errors = '';

  constructor(node: NetworkNode, program: string) {
    const enter = ['-t', String(node.pid), '--net', '--mount', '--pid', '--', 'setpriv', '--pdeathsig', 'KILL', '--'];
    this.#child = spawn('nsenter', [...enter, process.execPath, program], { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' });
    this.#child.stdin!.on('error', () => undefined);
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-4000);
    });
    this.#lines = createInterface({ input: this.#child.stdout! });
    this.#lines.on('line', (line) => this.#waiting.shift()?.(line));
    this.#child.once('close', () => {
      for (const each of this.#waiting.splice(0)) each(undefined);
    });
    this.#loaded = this.#line();
  }

  /** Undefined where it died of it. */
  async perform(task: Task): Promise<Report | undefined> {
    await this.#loaded;
    const answer = this.#line();
    this.#child.stdin!.write(`${JSON.stringify(task)}\n`);
    const line = await answer;
    if (line === undefined) {
      if (task.death === undefined) throw new Error(`the process ended by itself: ${this.#errors}`);
      return undefined;
    }
    const report = JSON.parse(line) as Report | { readonly broke: string };
    if ('broke' in report) throw new Error(report.broke);
    return report;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin!.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await gone;
    clearTimeout(timer);
  }

  #line(): Promise<string | undefined> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE);
      this.#waiting.push((line) => {
        clearTimeout(timer);
        resolve(line);
      });
    });
  }
}
