import { getSystemErrorMap } from 'node:util';
import { type Command, type Effect, EffectError } from '../../../engine/step/effect.ts';
import type { LinkRow, RouteRow } from '../../../engine/step/effects/show.ts';
import type { Clock } from '../../host/clock.ts';
import { asTyped, batchLine } from '../batch-words.ts';
import type { RelayEnds } from '../child.ts';
import { classifyErrno } from '../failure.ts';
import { askAddresses, decodeAddress, encodeAddress, FAMILY } from './addresses.ts';
import { askLink, askLinkByIndex, askLinks, decodeLink, encodeLink, linkNames, type Places } from './links.ts';
import { type Request, RTM, readAnswer } from './message.ts';
import { Relay, type RelayAnswer, RelayEnded } from './relay.ts';
import { askRoutes, decodeRoute, encodeRoute } from './routes.ts';
import { readOptions } from './words.ts';

export interface NetlinkOptions {
  readonly clock: Clock;
  /** Milliseconds for the lines of one effect. */
  readonly deadline: number;
  /** Starts the relay. May throw {@link EffectError}. */
  start(): RelayEnds;
}

type Change = Pick<Extract<Effect, { kind: 'iproute' }>, 'program' | 'commands' | 'family'>;
type Show = Pick<Extract<Effect, { kind: 'show' }>, 'program' | 'words' | 'family'>;

/** The place where the relay was started. */
const HOME = 0;
const MAX_PLACES = 60_000;
/** Bytes of messages that are sent at once. */
const MAX_TALK = 256 * 1024;
/** Questions until an answer is taken that somebody has interrupted. */
const MAX_DUMPS = 5;
/** Relays that are asked, one after the other's end. */
const MAX_RELAYS = 4;

/**
 * The kernel's own language for links, addresses and routes, for the lines of iproute2 whose meaning is known here: what nearly every
 * attachment does. All lines of an effect are one exchange, a namespace is entered by opening a socket there, and names are looked up by the
 * kernel each time. What is not known is answered with undefined, with nothing done, and is left to iproute2.
 */
export class Netlink {
  readonly #options: NetlinkOptions;
  readonly #places = new Map<number, string>();
  #relay: Relay | undefined;
  #last = HOME;
  #isClosed = false;

  constructor(options: NetlinkOptions) {
    this.#options = options;
  }

  /** Starts the relay, so that who asks first does not wait for it. */
  prepare(): void {
    this.relay();
  }

  /** The relay that there is now. Throws {@link EffectError} where none can be started. */
  relay(): Relay {
    if (this.#isClosed) throw new EffectError('program', 'the host is closed', 'netlink');
    if (!this.#relay?.isOpen) {
      const { clock, deadline, start } = this.#options;
      this.#relay = new Relay({ ends: start(), clock, deadline });
    }
    return this.#relay;
  }

  /** Where to talk to the kernel about the host itself. */
  home(): NetlinkPlace {
    return new NetlinkPlace(this, HOME, undefined);
  }

  /** Where to talk to it about the namespace at a path. Close it. Undefined where too many are open. */
  place(path: string): NetlinkPlace | undefined {
    if (this.#places.size >= MAX_PLACES) return undefined;
    do this.#last = (this.#last % MAX_PLACES) + 1;
    while (this.#places.has(this.#last));
    this.#places.set(this.#last, path);
    return new NetlinkPlace(this, this.#last, path);
  }

  leave(place: number): void {
    this.#places.delete(place);
  }

  async close(patience: number): Promise<void> {
    this.#isClosed = true;
    await this.#relay?.end(patience);
  }
}

/** One namespace, as {@link Netlink} talks about it. */
export class NetlinkPlace {
  readonly number: number;
  readonly path: string | undefined;
  readonly #netlink: Netlink;
  /** The relay that has this place open, and whether it has. */
  #opened: { readonly relay: Relay; readonly answer: Promise<RelayAnswer> } | undefined;

  constructor(netlink: Netlink, number: number, path: string | undefined) {
    this.#netlink = netlink;
    this.number = number;
    this.path = path;
  }

  /**
   * Performs the lines of an effect in order, up to the first that fails. `there`: a place whose namespace they may name. Undefined where
   * some are not known; then nothing is done. Throws {@link EffectError} `invalid` for words that are refused, and rejects with one.
   */
  change({ program, commands, family }: Change, there?: NetlinkPlace): Promise<void> | undefined {
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
    return size > MAX_TALK ? undefined : this.#change(lines, there);
  }

  async #change(lines: readonly Line[], there: NetlinkPlace | undefined): Promise<void> {
    for (let rest = lines; rest.length > 0; ) {
      const requests = rest.flatMap((line) => line.requests);
      const { errno, answers } = await this.#within(async (relay) => {
        // The relay knows a namespace only after it was told of it, by whoever is faster.
        const opened = there?.openIn(relay);
        const talk = relay.talk(this.number, requests);
        talk.catch(() => {});
        // Of a relay that ended it is the talk that matters.
        await opened?.then((end) => requirePlace(end, there!.path!), throwUnlessEnded);
        return talk;
      }, false);
      const stop = firstFailure(rest, answers, errno);
      if (stop === undefined) return;
      const { line, failure } = stop;
      if (!rest[line]!.command.tolerate?.includes(failure.code)) throw failure;
      rest = rest.slice(line + 1);
    }
  }

  /** Rows of a `show`; undefined where the words, or what there is, are not known. Throws, and rejects with, {@link EffectError}. */
  show({ program, words, family }: Show): Promise<readonly object[] | undefined> | undefined {
    if (program !== 'ip' || family !== undefined) return undefined;
    batchLine(program, { words });
    const [object, verb, ...rest] = words;
    if (verb !== 'show') return undefined;
    if (object === 'address' && rest.length === 2 && rest[0] === 'dev') return this.#showLink(rest[1]!, words);
    const options = object === 'route' ? readOptions(rest, ['table', 'dev', 'root']) : undefined;
    const root = options?.get('root');
    if (options?.get('table') !== 'all' || (root !== '0.0.0.0/0' && root !== '::/0')) return undefined;
    return this.#showRoutes(root === '::/0' ? FAMILY.inet6 : FAMILY.inet, options.get('dev'), words);
  }

  /** Text of a key below `/proc/sys`, undefined where there is none. Rejects with {@link EffectError}. */
  async readSysctl(key: string): Promise<string | undefined> {
    const { errno, rest } = await this.#within((relay) => relay.show(this.number, key), true);
    if (errno === 0) return rest.toString('latin1').replace(/\n$/, '');
    const failure = kernelFailure(errno, '', `sysctl ${key}`);
    if (failure.code === 'missing') return undefined;
    throw failure;
  }

  async writeSysctl(key: string, value: string): Promise<void> {
    const { errno } = await this.#within((relay) => relay.write(this.number, key, value), true);
    if (errno !== 0) throw kernelFailure(errno, '', `sysctl -w ${key.replaceAll('/', '.')}=${value}`);
  }

  /** Opens it, where it is not open yet: what is asked next need not wait for it. */
  openIn(relay: Relay): Promise<RelayAnswer> | undefined {
    if (this.path === undefined) return undefined;
    if (this.#opened?.relay !== relay) {
      const answer = relay.open(this.number, this.path);
      // Whoever asks something is told.
      answer.catch(() => {});
      this.#opened = { relay, answer };
    }
    return this.#opened.answer;
  }

  close(): void {
    if (this.path === undefined) return;
    this.#opened?.relay.close(this.number);
    this.#opened = undefined;
    this.#netlink.leave(this.number);
  }

  async #showLink(name: string, words: readonly string[]): Promise<readonly object[] | undefined> {
    for (let attempt = 1; ; attempt++) {
      const { errno, answers } = await this.#ask(askLink(name, 0), askAddresses(0));
      const [link, addresses] = answers.map(readAnswer);
      if (link !== undefined && classifyErrno(errnoName(link.errno)) === 'missing') return [];
      if (link === undefined || link.errno !== 0 || addresses === undefined || addresses.errno !== 0) {
        // The link may have gone in between.
        if (addresses !== undefined && attempt < MAX_DUMPS) continue;
        throw kernelFailure(link?.errno || addresses?.errno || errno, link?.text ?? '', asTyped('ip', words));
      }
      if (addresses.isInterrupted && attempt < MAX_DUMPS) continue;
      const body = link.messages.find(({ type }) => type === RTM.newLink)?.body;
      const found = body && decodeLink(body);
      if (found === undefined) return undefined;
      const row: LinkRow = {
        ...found.row,
        ...(found.master !== undefined && { master: await this.#nameOf(found.master) }),
        addr_info: addresses.messages.flatMap(({ type, body }) => {
          const address = type === RTM.newAddress ? decodeAddress(body) : undefined;
          return address?.index === found.row.ifindex ? [address.info] : [];
        }),
      };
      return [row];
    }
  }

  async #nameOf(index: number): Promise<string> {
    const { answers } = await this.#ask(askLinkByIndex(index));
    return (answers[0] && linkNames(readAnswer(answers[0])).get(index)) ?? `if${index}`;
  }

  async #showRoutes(family: number, dev: string | undefined, words: readonly string[]): Promise<readonly object[] | undefined> {
    for (let attempt = 1; ; attempt++) {
      const { errno, answers } = await this.#ask(askLinks(), askRoutes(family));
      const [links, routes] = answers.map(readAnswer);
      // A kernel without a family has no routes of it.
      if (routes !== undefined && errnoName(routes.errno) === 'EOPNOTSUPP') return [];
      if (links === undefined || links.errno !== 0 || routes === undefined || routes.errno !== 0)
        throw kernelFailure(links?.errno || routes?.errno || errno, '', asTyped('ip', words));
      if ((links.isInterrupted || routes.isInterrupted) && attempt < MAX_DUMPS) continue;
      const names = linkNames(links);
      const rows: RouteRow[] = [];
      for (const { type, body } of routes.messages) {
        const row = type === RTM.newRoute ? decodeRoute(body, names) : 'none';
        if (row === undefined) return undefined;
        if (row !== 'none' && (dev === undefined || row.dev === dev || row.nexthops?.some((hop) => hop.dev === dev))) rows.push(row);
      }
      return rows;
    }
  }

  #ask(...requests: readonly Request[]): Promise<{ readonly errno: number; readonly answers: readonly Buffer[] }> {
    return this.#within((relay) => relay.talk(this.number, requests), true);
  }

  /**
   * Asks in one go with the opening of the place, where it is not open yet. Where the relay ends, the next one is asked: what it has not begun,
   * and what may be asked twice.
   */
  async #within<T>(ask: (relay: Relay) => Promise<T>, isRepeatable: boolean): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const relay = this.#netlink.relay();
      const opened = this.openIn(relay);
      const answer = ask(relay);
      // It is looked at when it is known where it was asked.
      answer.catch(() => {});
      try {
        if (opened !== undefined) requirePlace(await opened, this.path!);
        return await answer;
      } catch (error) {
        if (!(error instanceof RelayEnded) || attempt === MAX_RELAYS) throw error;
        if (!isRepeatable && (await wasBegun(answer))) throw error;
      }
    }
  }
}

function throwUnlessEnded(error: unknown): void {
  if (!(error instanceof RelayEnded)) throw error;
}

/** Whether what was asked of a relay that ended may be done. */
const wasBegun = (answer: Promise<unknown>): Promise<boolean> =>
  answer.then(
    () => true,
    (error) => !(error instanceof RelayEnded) || error.wasBegun,
  );

interface Line {
  readonly command: Command;
  readonly requests: readonly Request[];
}

const EIO = 5;
const NO_PLACES: Places = new Map();

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

/** The line at which it ended, and why; undefined where all is done. `errno`: of the talk itself. */
function firstFailure(
  lines: readonly Line[],
  answers: readonly Buffer[],
  errno: number,
): { readonly line: number; readonly failure: EffectError } | undefined {
  let next = 0;
  for (const [line, { command, requests }] of lines.entries()) {
    for (const [index, { keep }] of requests.entries()) {
      const bytes = answers[next++];
      const answer = bytes === undefined ? { errno: errno || EIO, text: '' } : readAnswer(bytes);
      if (answer.errno === 0) continue;
      const isGone = keep !== undefined && errnoName(answer.errno) === 'ENODEV';
      const text = isGone ? `Cannot find device ${JSON.stringify(lookedUp(command, index))}` : answer.text;
      return { line, failure: kernelFailure(answer.errno, text, asTyped('ip', command.words)) };
    }
  }
  return undefined;
}

/** Name of the link that a message of a line looked for: first the one that the line is about, then its master. */
function lookedUp({ words }: Command, index: number): string {
  return words[words.indexOf(index === 0 ? 'dev' : 'master') + 1] ?? '';
}

function requirePlace({ errno }: RelayAnswer, path: string): void {
  if (errno !== 0) throw new EffectError('namespace', `there is no network namespace ${path}: ${describe(errno)}`, `nsenter --net=${path}`);
}

function kernelFailure(errno: number, text: string, tried: string): EffectError {
  const said = text === '' ? describe(errno) : text.replaceAll(/[^\x20-\x7e]/g, ' ').replace(/\.$/, '');
  return new EffectError(classifyErrno(errnoName(errno)), said, tried);
}

const ERRORS = getSystemErrorMap();
const errnoName = (errno: number): string | undefined => (errno === 0 ? undefined : ERRORS.get(-errno)?.[0]);
const describe = (errno: number): string => ERRORS.get(-errno)?.[1] ?? `errno ${errno}`;
