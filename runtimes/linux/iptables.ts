import { EffectError } from '../../engine/step/effect.ts';
import { classifyFailure, failureMessage } from './failure.ts';
import type { ProgramRunner } from './run-program.ts';

/** Characters of a script, and of a table's rules. */
const MAX_SCRIPT = 16 * 1024 * 1024;
/** Seconds that the lock of the tables is waited for. */
const LOCK_PATIENCE = '30';
/** A table, a chain, a rule, the end. */
const LINE = /^(\*[a-z]+|:[\x21-\x7e]+ [A-Z-]+( \[\d+:\d+\])?|-[ADIRNXFP] [\x20-\x7e]+|COMMIT|)$/;

/** Applies lines of iptables-restore to a family's tables, each all or none, leaving what they don't name. Throws {@link EffectError}. */
export async function iptablesRestore(family: 4 | 6, script: string, runner: ProgramRunner, signal?: AbortSignal): Promise<void> {
  const program = family === 4 ? 'iptables-restore' : 'ip6tables-restore';
  const wrong = script.length > MAX_SCRIPT ? 'a script that is too long' : script.split('\n').find((line) => !LINE.test(line));
  if (wrong !== undefined) throw new EffectError('invalid', `${JSON.stringify(wrong.slice(0, 80))} is not a change of a table`, program);
  const args = ['--noflush', '-w', LOCK_PATIENCE];
  const { exitCode, stdout, stderr } = await runner.run({ program, arguments: args, stdin: script }, signal);
  if (exitCode !== 0) throw failureOf(`${stderr}\n${stdout}`, `${program} ${args.join(' ')}`);
}

/** The rules of a table, as iptables-save prints them; empty where there is no such table. Throws {@link EffectError}. */
export async function iptablesSave(family: 4 | 6, table: string, runner: ProgramRunner, signal?: AbortSignal): Promise<string> {
  const program = family === 4 ? 'iptables-save' : 'ip6tables-save';
  if (!/^[a-z]{1,32}$/.test(table)) throw new EffectError('invalid', `${JSON.stringify(table.slice(0, 80))} is not a table`, program);
  const { exitCode, stdout, stderr } = await runner.run({ program, arguments: ['-t', table], limit: MAX_SCRIPT }, signal);
  if (exitCode === 0) return stdout;
  if (/does not exist|can't initialize|Cannot initialize/i.test(stderr)) return '';
  throw failureOf(stderr, `${program} -t ${table}`);
}

function failureOf(text: string, tried: string): EffectError {
  return new EffectError(classifyFailure(text), failureMessage(text), tried);
}
