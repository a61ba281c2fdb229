import { isJsonObject, type Json, type JsonObject, ownValue } from '../../engine/object/json.ts';
import { EffectError, type FailureCode, type ProgramResult } from '../../engine/step/effect.ts';
import type { Clock } from '../host/clock.ts';
import { classifyFailure, failureMessage } from './failure.ts';
import { listLine, scriptLine } from './nft-script.ts';
import type { Resident, ResidentAnswer } from './resident.ts';

/** Runs nft once for a script, which it reads from its standard input. Throws {@link EffectError} where it can't. */
export type RunNft = (script: string, signal: AbortSignal | undefined) => Promise<ProgramResult>;

/**
 * Characters of a script from which on it is worth the start of a program: the resident child reads its line as what somebody types, a
 * millisecond for each kilobyte, and shows all of it again for each command that failed.
 */
const LARGE = 32 * 1024;

/** Changes and lists of nftables in one namespace. */
export class Nft {
  readonly #resident: Resident;
  readonly #clock: Clock;
  readonly #deadline: number;
  readonly #run: RunNft | undefined;

  /** `deadline`: milliseconds for one of them; `run`: for large scripts, where it can be had. */
  constructor(resident: Resident, clock: Clock, deadline: number, run?: RunNft) {
    this.#resident = resident;
    this.#clock = clock;
    this.#deadline = deadline;
    this.#run = run;
  }

  /** Applies all commands of a script, or none. Throws {@link EffectError}. */
  async apply(script: string, tolerate: readonly FailureCode[], signal?: AbortSignal): Promise<void> {
    const line = scriptLine(script);
    if (line === '') return;
    const failure =
      this.#run !== undefined && line.length > LARGE ? await this.#applyOnce(script, this.#run, signal) : await this.#type(line, signal);
    if (failure !== undefined && !tolerate.includes(failure.code)) throw failure;
  }

  async #type(line: string, signal: AbortSignal | undefined): Promise<EffectError | undefined> {
    const answer = await this.#ask(line, signal);
    return answer.kind === 'answered' && answer.failed !== true ? undefined : this.#failure(answer, line);
  }

  /** The same of a script with its lines, so that nft shows one line for what failed in it. */
  async #applyOnce(script: string, run: RunNft, signal: AbortSignal | undefined): Promise<EffectError | undefined> {
    const { exitCode, stderr } = await run(`${script}\n`, signal);
    return exitCode === 0 ? undefined : failureOf(stderr, script);
  }

  /** Rows of `nft list`, without the one that tells of nft itself; none where there is no such thing. Throws {@link EffectError}. */
  async list(words: readonly string[], signal?: AbortSignal): Promise<readonly JsonObject[]> {
    const line = listLine(words);
    let answer = await this.#ask(line, signal);
    if (answer.kind === 'ended') answer = await this.#ask(line, signal);
    if (answer.kind === 'answered' && answer.failed !== true) return readRows(answer.text, line);
    const failure = this.#failure(answer, line);
    if (failure.code === 'missing') return [];
    throw failure;
  }

  async #ask(line: string, signal: AbortSignal | undefined): Promise<ResidentAnswer> {
    const { elapsed } = this.#clock;
    const began = elapsed();
    const answer = await this.#resident.ask(line, { deadline: this.#deadline, signal });
    // A child keeps the indices of links that it came across.
    const isStale = answer.firstUse < began && /^Error: Interface does not exist/m.test(answer.text);
    return isStale ? await this.#resident.ask(line, { deadline: this.#deadline, signal, since: elapsed() }) : answer;
  }

  #failure(answer: ResidentAnswer, line: string): EffectError {
    if (answer.kind === 'timeout') return new EffectError('timeout', `no answer within ${this.#deadline} ms`, triedOf(line));
    return failureOf(answer.text, line);
  }
}

const triedOf = (script: string): string => `nft ${script.length > 300 ? `${script.slice(0, 300)}…` : script}`;

function failureOf(text: string, script: string): EffectError {
  const told = reasonsOf(text);
  if (told !== '') return new EffectError(classifyFailure(told), failureMessage(told), triedOf(script));
  return new EffectError('program', 'nft ended while it performed the command, which may be done or not', triedOf(script));
}

/** The reasons that nft gives, without the lines of the script that it shows below each. */
function reasonsOf(text: string): string {
  const reasons = [...text.matchAll(/^(?:\S+: )?Error: (.*)$/gm)].map(([, reason]) => reason!.replace('Could not process rule: ', ''));
  // One command that could not be done takes those that refer to it along: the first is the cause.
  return reasons[0] ?? text;
}

function readRows(text: string, line: string): readonly JsonObject[] {
  let value: Json = null;
  try {
    // Builds with a line editor may echo the question in front.
    value = JSON.parse(/^\{.*$/m.exec(text)?.[0] ?? '') as Json;
  } catch {
    // Not JSON is no list either.
  }
  const rows = isJsonObject(value) ? ownValue(value, 'nftables') : undefined;
  if (!Array.isArray(rows)) throw notJson(text, `nft ${line}`);
  return rows.filter((row): row is JsonObject => isJsonObject(row) && !Object.hasOwn(row, 'metainfo'));
}

/** Who may not do something is told so without the word Error. */
function notJson(text: string, tried: string): EffectError {
  const code = classifyFailure(text);
  return code === 'denied'
    ? new EffectError(code, failureMessage(text), tried)
    : new EffectError('program', 'nft answers something that is not its JSON', tried);
}
