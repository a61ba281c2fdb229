import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command, KubectlCase } from './case.ts';
import { normaliseText } from './normalise.ts';

/** What one command said, without what differs from run to run. */
export interface Output {
  readonly command: string;
  /** Null when it was ended. */
  readonly exitCode: number | null;
  readonly out: string;
  readonly errors: string;
  readonly failure?: string;
}

export interface Kubectl {
  /** Full path. */
  readonly executable: string;
  readonly kubeconfig: string;
  /** For its cache, kept from case to case. */
  readonly home: string;
  /** How long {@link Command.until} may take, in milliseconds. */
  readonly patience: number;
}

const COMMAND_DEADLINE_MS = 60_000;
const POLL_MS = 300;

/** Runs the commands of a case in a namespace that exists, and answers what those said that are compared. */
export async function runCommands(kubectl: Kubectl, kubectlCase: KubectlCase, namespace: string): Promise<readonly Output[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-case-'));
  const fill = (text: string): string => text.replaceAll('$(ns)', namespace).replaceAll('$(id)', namespace.replaceAll('-', ''));
  try {
    for (const [name, content] of Object.entries(kubectlCase.files ?? {})) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), fill(content));
    }
    const outputs: Output[] = [];
    for (const command of kubectlCase.steps) {
      const output = await runUntil(kubectl, { ...command, run: fill(command.run), stdin: fill(command.stdin ?? '') }, namespace, folder);
      if (command.compare !== 'nothing' || output.failure !== undefined) outputs.push(output);
      if (command.compare === 'nothing' && output.failure !== undefined) break;
    }
    return outputs;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runUntil(kubectl: Kubectl, command: Command, namespace: string, folder: string): Promise<Output> {
  const deadline = Date.now() + kubectl.patience;
  let raw = await runOnce(kubectl, command, namespace, folder);
  while (command.until !== undefined && !command.until.test(raw.out) && Date.now() < deadline) {
    await delay(POLL_MS);
    raw = await runOnce(kubectl, command, namespace, folder);
  }
  const failure =
    command.until !== undefined && !command.until.test(raw.out)
      ? `never said ${command.until}`
      : command.compare === 'nothing' && raw.exitCode !== 0
        ? 'preparation failed'
        : undefined;
  const lines = (text: string): string => {
    const found = command.only === undefined ? text : (text.match(new RegExp(command.only, 'gm')) ?? []).join('\n');
    const normalised = normaliseText(found, folder);
    return command.anyOrder ? normalised.split('\n').sort().join('\n') : normalised;
  };
  const isShown = command.compare !== 'exit code';
  return {
    command: command.run,
    exitCode: raw.exitCode,
    out: isShown || failure !== undefined ? lines(raw.out) : '',
    errors: isShown || failure !== undefined ? lines(raw.errors) : '',
    ...(failure === undefined ? {} : { failure }),
  };
}

function runOnce(
  kubectl: Kubectl,
  command: Command,
  namespace: string,
  folder: string,
): Promise<{ readonly exitCode: number | null; readonly out: string; readonly errors: string }> {
  const env = { PATH: process.env['PATH'], HOME: kubectl.home, KUBECONFIG: kubectl.kubeconfig, TZ: 'UTC', ...command.environment };
  const args = ['--namespace', namespace, ...words(command.run)];
  return new Promise((resolve) => {
    const timeout = command.endAfterMs ?? COMMAND_DEADLINE_MS;
    const child = execFile(kubectl.executable, args, { cwd: folder, env, timeout, maxBuffer: 1 << 26 }, (error, out, errors) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ exitCode, out, errors });
    });
    child.stdin?.end(command.stdin ?? '');
    let said = '';
    child.stdout?.on('data', (text: string) => {
      said += text;
      // By no signal that it may answer.
      if (command.endAt?.test(said)) child.kill('SIGKILL');
    });
  });
}

/** Words of a command line; single and double quotes hold spaces. */
export function words(text: string): string[] {
  const found = text.matchAll(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g);
  return [...found].map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''));
}
