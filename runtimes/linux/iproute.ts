import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';
import { type Command, type Effect, EffectError, type IprouteFamily, type IprouteProgram } from '../../engine/step/effect.ts';
import type { Clock } from '../host/clock.ts';
import { asTyped, batchLine, changedNames, deletedLink, renamedLinks } from './batch-words.ts';
import { classifyFailure, failureMessage } from './failure.ts';
import type { Resident, ResidentAnswer } from './resident.ts';

export interface IprouteOptions {
  /** The child for a program, with `-details`, and `-6` where a family is named, that is kept for a purpose; the same each time. */
  resident(program: IprouteProgram, family: IprouteFamily | undefined, purpose: string): Resident;
  readonly clock: Clock;
  /** Milliseconds for one command. */
  readonly deadline: number;
  /** Milliseconds in which a child may be used; see {@link Resident}. Default: as long as it lives. */
  readonly maxAge?: number;
  /** Deletes a link by its name, where that is better not done by the child that others wait for. */
  readonly deleteLink?: ((name: string, signal: AbortSignal | undefined) => Promise<ResidentAnswer>) | undefined;
  /** Nobody else changes links here while this lives: what a child knows of names stays true. */
  readonly isAlone?: boolean;
  /** Says why there is no namespace, when a child ended at once. */
  readonly whyEnded?: (() => Promise<string | undefined>) | undefined;
}

/**
 * Commands and questions of iproute2 in one namespace. A child keeps more than it should from one line of a batch to the next.
 *
 * It keeps the index of each link whose name it came across, and believes in it (lib/ll_map.c). When somebody else deletes the link and
 * makes another of that name, commands go to an index that is nobody's: changes fail with ENODEV, having done nothing, and questions are
 * answered with rows that are empty objects, with no rows, or by the end of the child. Each of these is asked once more of a child that
 * has seen nothing before this question was put.
 *
 * `tc` and `bridge` keep what they were asked to show: after `qdisc show dev a`, `qdisc show` tells of `a` only. So each form of a question
 * has a child of its own there, to which the same words give new values. `ip` forgets, except that after `link show` it leaves the
 * addresses out of `address show` until it ends; `address show` tells all that is read of a link, too, and is asked instead.
 */
export class Iproute {
  readonly #options: IprouteOptions;
  /** `Clock.elapsed` at which a name stopped meaning the link that it meant. */
  readonly #forgotten = new Map<string, number>();
  /** Forms of questions that have a child. */
  readonly #forms = new Set<string>();

  constructor(options: IprouteOptions) {
    this.#options = options;
  }

  /** A name does not mean any more what it meant: children that may believe so are not asked about it. */
  forget(name: string): void {
    const { clock, maxAge = Number.POSITIVE_INFINITY } = this.#options;
    const now = clock.elapsed();
    // Older than any child. The map keeps the order in which names were set.
    for (const [old, at] of this.#forgotten) {
      if (now - at <= maxAge && this.#forgotten.size < MAX_FORGOTTEN) break;
      this.#forgotten.delete(old);
    }
    this.#forgotten.delete(name);
    this.#forgotten.set(name, now);
  }

  /** The same of the names that lines have changed which somebody else performed. */
  forgetChanged(commands: readonly Command[]): void {
    for (const { words } of commands) for (const name of changedNames(words)) this.forget(name);
  }

  /** Performs commands in order, up to the first that fails, or all where that is allowed. Throws {@link EffectError}. */
  async change(
    { program, commands, family, eager }: Pick<Extract<Effect, { kind: 'iproute' }>, 'program' | 'commands' | 'family' | 'eager'>,
    signal?: AbortSignal,
  ): Promise<void> {
    // What is refused is refused before anything is changed.
    const lines = commands.map((command) => batchLine(program, command));
    const perform = async (command: Command, index: number): Promise<void> => {
      try {
        await this.#change({ program, family, line: lines[index]!, purpose: '' }, command.words, signal);
      } catch (error) {
        if (!(error instanceof EffectError && command.tolerate?.includes(error.code))) throw error;
      }
    };
    // With others around, a line may have to be asked again, and would come behind those that follow it.
    if (eager && this.#options.isAlone === true) {
      const ends = await Promise.allSettled(commands.map(perform));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    } else for (const [index, command] of commands.entries()) await perform(command, index);
  }

  async #change(question: Question, words: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const { clock, deleteLink } = this.#options;
    const began = clock.elapsed();
    const deleted = question.program === 'ip' && deleteLink !== undefined ? deletedLink(words) : undefined;
    let answer = deleted === undefined ? await this.#ask(question, signal) : await deleteLink!(deleted, signal);
    if (answer.firstUse < began && !isDone(answer) && LINK_IS_GONE.test(answer.text)) {
      answer = await this.#ask(question, signal, clock.elapsed());
    }
    if (!isDone(answer)) throw await this.#failure(question.program, words, answer);
    for (const name of renamedLinks(words)) this.forget(name);
  }

  /** Rows of a `show`; none where what is asked for does not exist. Throws {@link EffectError}. */
  async show(
    { program, words, family }: Pick<Extract<Effect, { kind: 'show' }>, 'program' | 'words' | 'family'>,
    signal?: AbortSignal,
  ): Promise<readonly JsonObject[]> {
    const { clock } = this.#options;
    const line = batchLine(program, { words: asked(program, words) });
    const purpose = purposeOf(program, words, this.#forms);
    const question = { program, family, line, purpose: purpose ?? 'other questions' };
    const began = clock.elapsed();
    let answer = await this.#dump(question, signal, purpose === undefined ? began : 0);
    let rows = readRows(answer);
    if (answer.firstUse < began && !(await this.#isTrustworthy(answer, rows, question, words, signal))) {
      answer = await this.#dump(question, signal, clock.elapsed());
      rows = readRows(answer);
    }
    // One that was killed with those before it, perhaps in the middle of an answer.
    if (isCutShort(answer)) {
      answer = await this.#dump(question, signal, clock.elapsed());
      rows = readRows(answer);
    }
    if (rows !== undefined) return rows;
    const failure = await this.#failure(program, words, answer);
    if (failure.code === 'missing') return [];
    throw failure;
  }

  /** Asks until nobody has changed what is shown while it was; at last takes what there is. */
  async #dump(question: Question, signal: AbortSignal | undefined, since = 0): Promise<ResidentAnswer> {
    let answer = await this.#ask(question, signal, since);
    for (let attempt = 1; attempt < MAX_DUMPS && INTERRUPTED.test(answer.text); attempt++)
      answer = await this.#ask(question, signal, since);
    return { ...answer, text: answer.text.replace(INTERRUPTED, '') };
  }

  /** Whether an answer can't come from an index that is out of date. */
  async #isTrustworthy(
    answer: ResidentAnswer,
    rows: readonly JsonObject[] | undefined,
    question: Question,
    words: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    // `Device "x" does not exist.` and `Cannot find device "x"` are said when the kernel was asked for the name.
    if (rows === undefined) return answer.kind === 'answered' && answer.failed === true && !LINK_IS_GONE.test(answer.text);
    const at = words.findIndex((word) => NAMES_A_LINK.includes(word));
    if (rows.length > 0 || at === -1 || (this.#options.isAlone === true && answer.text.trim() === '[]')) return true;
    if (question.program !== 'ip' || words[0] === 'link') return false;
    // There may be nothing to show. The link itself there is, if the child knows it rightly.
    const link = await this.#ask({ ...question, line: `address show dev ${words[at + 1] ?? ''}` }, signal);
    return link.firstUse === answer.firstUse && (readRows(link) ?? []).length > 0;
  }

  #ask({ program, family, line, purpose }: Question, signal: AbortSignal | undefined, since = 0): Promise<ResidentAnswer> {
    const { resident, deadline } = this.#options;
    const known = line.split(' ').reduce((latest, word) => Math.max(latest, this.#forgotten.get(word) ?? 0), since);
    return resident(program, family, purpose).ask(line, { deadline, signal, since: known });
  }

  async #failure(program: IprouteProgram, words: readonly string[], answer: ResidentAnswer): Promise<EffectError> {
    const tried = asTyped(program, words);
    if (answer.kind === 'timeout') return new EffectError('timeout', `no answer within ${this.#options.deadline} ms`, tried);
    const message = isCutShort(answer) ? '' : failureMessage(answer.text);
    if (answer.kind === 'ended' && message === '') {
      const why = await this.#options.whyEnded?.();
      return why === undefined
        ? new EffectError('program', `${program} ended while it performed the command, which may be done or not`, tried)
        : new EffectError(classifyFailure(why), failureMessage(why), tried);
    }
    return new EffectError(classifyFailure(answer.text), message === '' ? 'failed without a word' : message, tried);
  }
}

interface Question {
  readonly program: IprouteProgram;
  readonly family: IprouteFamily | undefined;
  readonly line: string;
  readonly purpose: string;
}

/** What is asked instead of what was asked. */
const asked = (program: IprouteProgram, words: readonly string[]): readonly string[] =>
  program === 'ip' && words[0] === 'link' ? ['address', ...words.slice(1)] : words;

/** Words of a question that are followed by a value. */
const TAKES_VALUE = ['dev', 'br', 'brport', 'master', 'parent', 'vid', 'vlan', 'handle', 'protocol', 'pref'];

/** What a child is kept for: changes, or questions of one form. Undefined where it would be one form too many. */
function purposeOf(program: IprouteProgram, words: readonly string[], known: Set<string>): string | undefined {
  if (program === 'ip') return '';
  const form = words.map((word, at) => (at > 0 && TAKES_VALUE.includes(words[at - 1]!) ? '_' : word)).join(' ');
  if (!known.has(form) && known.size >= MAX_FORMS) return undefined;
  known.add(form);
  return form;
}

/** Forms of questions to `tc` and `bridge` that have a child of their own. The vocabulary of steps has a few. */
const MAX_FORMS = 12;

/** What is said in the middle of an answer when a link or an address was made or removed meanwhile. */
const INTERRUPTED = /Dump was interrupted and may be inconsistent\.\n/;
/** Questions until an answer is taken that was interrupted. */
const MAX_DUMPS = 5;

/** Names that are remembered as forgotten. */
const MAX_FORGOTTEN = 4096;

/** Words of ENODEV, which the kernel answers for an index that no link has. */
const LINK_IS_GONE = /No such device|[Dd]evice not found|[Ii]nvalid .*device|device .*(not found|invalid)/;

function isDone(answer: ResidentAnswer): boolean {
  return answer.kind === 'answered' && answer.failed !== true;
}

/** Whether a child ended without a word about it, perhaps in the middle of JSON: killed. */
const isCutShort = ({ kind, text }: ResidentAnswer): boolean =>
  kind === 'ended' && (text.trim() === '' || (text.startsWith('[{"') && !/(Cannot|No such|failed)[^"]*$/.test(text)));

/** Rows of an answer; undefined where it is a failure or is no JSON. */
function readRows(answer: ResidentAnswer): readonly JsonObject[] | undefined {
  if (!isDone(answer)) return undefined;
  if (answer.text.trim() === '') return [];
  let rows: Json;
  try {
    rows = JSON.parse(answer.text) as Json;
  } catch {
    return undefined;
  }
  // A dump leaves `{}` for each object that was filtered out.
  return Array.isArray(rows) ? rows.filter(isJsonObject).filter((row) => Object.keys(row).length > 0) : undefined;
}

const NAMES_A_LINK = ['dev', 'master', 'brport', 'iif', 'oif', 'vrf'];
