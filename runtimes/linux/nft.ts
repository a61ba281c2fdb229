import { isJsonObject, type Json, type JsonObject, ownValue } from '../../engine/object/json.ts';
import { EffectError, type FailureCode } from '../../engine/step/effect.ts';
import type { Clock } from '../host/clock.ts';
import { classifyFailure, failureMessage } from './failure.ts';
import { listLine, scriptLine } from './nft-script.ts';
import type { Resident, ResidentAnswer } from './resident.ts';

/** Changes and lists of nftables in one namespace. `deadline`: milliseconds for one of them. */
export class Nft {
  readonly #resident: Resident;
  readonly #clock: Clock;
  readonly #deadline: number;

  constructor(resident: Resident, clock: Clock, deadline: number) {
    this.#resident = resident;
    this.#clock = clock;
    this.#deadline = deadline;
  }

  /** Applies all commands of a script, or none. Throws {@link EffectError}. */
  async apply(script: string, tolerate: readonly FailureCode[], signal?: AbortSignal): Promise<void> {
    const line = scriptLine(script);
    if (line === '') return;
    const answer = await this.#ask(line, signal);
    if (answer.kind === 'answered' && answer.failed !== true) return;
    const failure = this.#failure(answer, line);
    if (!tolerate.includes(failure.code)) throw failure;
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
    const tried = `nft ${line.length > 300 ? `${line.slice(0, 300)}…` : line}`;
    if (answer.kind === 'timeout') return new EffectError('timeout', `no answer within ${this.#deadline} ms`, tried);
    const told = reasonsOf(answer.text);
    if (told !== '') return new EffectError(classifyFailure(told), failureMessage(told), tried);
    return new EffectError('program', 'nft ended while it performed the command, which may be done or not', tried);
  }
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
