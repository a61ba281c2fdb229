import type { Command, Effect, EffectError } from '../../../engine/step/effect.ts';
import { asTyped, batchLine, changedNames } from '../batch-words.ts';
import type { Condition } from '../perform-together.ts';
import { encodeAddress } from './addresses.ts';
import { errnoName, kernelFailure } from './kernel-failure.ts';
import { encodeLink, type Places } from './links.ts';
import { type Request, readAnswer } from './message.ts';
import type { NetlinkPlace, NetlinkTalker } from './place.ts';
import { encodeRoute } from './routes.ts';

interface Line {
  readonly command: Command;
  readonly requests: readonly Request[];
}

/** Bytes of messages that are sent at once. */
const MAX_TALK = 256 * 1024;
const EIO = 5;
const NO_PLACES: Places = new Map();

export interface ChangeOptions {
  /** A place whose namespace the lines may name. */
  readonly there?: NetlinkPlace | undefined;
  readonly condition?: Condition | undefined;
}

/**
 * Performs the lines of an effect in order, up to the first that fails, in one exchange with the kernel. Undefined where some are not known; then nothing is done. Throws {@link EffectError} `invalid` for words that are refused, and rejects
 * with one.
 */
export function changeByNetlink(
  place: NetlinkTalker,
  { program, commands, family }: Pick<Extract<Effect, { kind: 'iproute' }>, 'program' | 'commands' | 'family'>,
  options: ChangeOptions = {},
): Promise<void> | undefined {
  const { there } = options;
  if (program !== 'ip' || family !== undefined) return undefined;
  const places: Places = there?.path === undefined ? NO_PLACES : new Map([[there.path, there.number]]);
  const lines: Line[] = [];
  let size = 0;
  for (const command of commands) {
    // The same words are refused, whoever performs them.
    batchLine(program, command);
    const requests = encode(command.words, places);
    if (requests === undefined) return undefined;
    lines.push({ command, requests });
    size += requests.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
  return size > MAX_TALK ? undefined : perform(place, lines, options);
}

async function perform(place: NetlinkTalker, all: readonly Line[], options: ChangeOptions): Promise<void> {
  let { condition } = options;
  for (let rest = all; rest.length > 0; ) {
    const lines = withoutRepetitions(rest);
    const requests = lines.flatMap((line) => line.requests);
    const { errno, answers } = await place.talk(requests, { there: options.there, condition, isRepeatable: false });
    const stop = firstFailure(lines, answers, errno);
    if (stop === undefined) return;
    const { line, failure } = stop;
    if (!rest[line]!.command.tolerate?.includes(failure.code)) throw failure;
    rest = rest.slice(line + 1);
    // It was for what was begun before; the relay may have another by now.
    condition = undefined;
  }
}

function encode([object, ...words]: readonly string[], places: Places): readonly Request[] | undefined {
  switch (object) {
    case 'link':
      return encodeLink(words, places);
    case 'address':
      return encodeAddress(words);
    case 'route':
      return encodeRoute(words);
    default:
      return undefined;
  }
}

/** The same lines, without what asks for the index that a register holds already. */
function withoutRepetitions(lines: readonly Line[]): readonly Line[] {
  const held = new Map<number, Buffer>();
  return lines.map(({ command, requests }) => {
    const needed = requests.filter(({ keep, bytes }) => {
      if (keep === undefined) return true;
      const isHeld = held.get(keep)?.equals(bytes) === true;
      held.set(keep, bytes);
      return !isHeld;
    });
    // A name may mean another link from here on.
    if ((command.words[0] === 'link' && command.words[1] === 'add') || changedNames(command.words).length > 0) held.clear();
    return { command, requests: needed };
  });
}

/** The line at which it ended, and why; undefined where all is done. `errno`: of the talk itself. */
function firstFailure(
  lines: readonly Line[],
  answers: readonly Buffer[],
  errno: number,
): { readonly line: number; readonly failure: EffectError } | undefined {
  let next = 0;
  for (const [line, { command, requests }] of lines.entries()) {
    for (const { keep } of requests) {
      const bytes = answers[next++];
      const answer = bytes === undefined ? { errno: errno || EIO, text: '' } : readAnswer(bytes);
      if (answer.errno === 0) continue;
      const isGone = keep !== undefined && errnoName(answer.errno) === 'ENODEV';
      const text = isGone ? `Cannot find device ${JSON.stringify(lookedUp(command, keep))}` : answer.text;
      return { line, failure: kernelFailure(answer.errno, text, asTyped('ip', command.words)) };
    }
  }
  return undefined;
}

/** Name of the link whose index a register was to hold: of the one that the line is about, or of its master. */
function lookedUp({ words }: Command, keep: number): string {
  return words[words.indexOf(keep === 0 ? 'dev' : 'master') + 1] ?? '';
}
