import { type Effect, EffectError, type IprouteFamily, type IprouteProgram } from '../../engine/step/effect.ts';
import { type Clock, waitAtMost } from '../host/clock.ts';
import type { ChannelEnds } from './channel.ts';
import { failureMessage } from './failure.ts';
import { iprouteFraming, nftFraming } from './framing.ts';
import { Iproute } from './iproute.ts';
import type { NamespaceEntry } from './namespace-entry.ts';
import type { NamespacePool } from './namespace-pool.ts';
import { changeByNetlink } from './netlink/change.ts';
import type { NetlinkPlace } from './netlink/place.ts';
import { showByNetlink } from './netlink/show.ts';
import { Nft } from './nft.ts';
import type { Condition } from './perform-together.ts';
import { orAborted, Resident } from './resident.ts';
import { checkSysctl, sysctlFailure } from './sysctl.ts';

/** Shells that are asked the same, one after the other's end: those that waited outside may have been killed, too. */
const MAX_SHELLS = 4;

export interface NamespaceSessionOptions {
  readonly path: string;
  /** Where the kernel is asked directly, where that can be. The session closes it. */
  readonly netlink: NetlinkPlace | undefined;
  readonly pool: NamespacePool;
  readonly clock: Clock;
  /** Milliseconds for one command. */
  readonly deadline: number;
}

/** What is done in one namespace, by processes that entered it once. Close it. */
export class NamespaceSession {
  readonly #options: NamespaceSessionOptions;
  readonly #entries: NamespaceEntry[] = [];
  readonly #residents = new Map<string, Resident>();
  readonly #iproute: Iproute;
  #turn: Promise<void> | undefined;
  #hasTurn = false;
  #isClosed = false;

  constructor(options: NamespaceSessionOptions) {
    this.#options = options;
    const { clock, deadline } = options;
    this.#iproute = new Iproute({
      resident: (program, family, purpose) => this.#resident(program, family, purpose),
      clock,
      deadline,
      isAlone: true,
      whyEnded: () => this.#failure(),
    });
  }

  get netlink(): NetlinkPlace | undefined {
    return this.#options.netlink;
  }

  /** Whether a process was sent inside, or is about to be. */
  get hasEntered(): boolean {
    return this.#turn !== undefined;
  }

  /** Enters in the background, as something is about to be done inside. */
  prepare(): void {
    this.#enter(undefined).catch(() => {});
  }

  async change(effect: Extract<Effect, { kind: 'iproute' }>, signal?: AbortSignal): Promise<void> {
    const changed = this.changeDirectly(effect, signal);
    if (changed !== undefined) return changed;
    await this.#enter(signal);
    return this.#iproute.change(effect, signal);
  }

  /** By the relay, which does in order what it is asked in order; undefined where it can't. Throws, and rejects with, {@link EffectError}. */
  changeDirectly(
    effect: Extract<Effect, { kind: 'iproute' }>,
    signal: AbortSignal | undefined,
    condition?: Condition,
  ): Promise<void> | undefined {
    const changed = this.netlink && changeByNetlink(this.netlink, effect, { condition });
    // Its children may remember what is no more.
    return changed && orAborted(changed, signal, effect.program).then(() => this.#iproute.forgetChanged(effect.commands));
  }

  async show(effect: Extract<Effect, { kind: 'show' }>, signal?: AbortSignal): Promise<unknown> {
    const shown = this.netlink && showByNetlink(this.netlink, effect);
    const rows = shown && (await orAborted(shown, signal, effect.program));
    if (rows !== undefined) return rows;
    await this.#enter(signal);
    return this.#iproute.show(effect, signal);
  }

  async nft(signal?: AbortSignal): Promise<Nft> {
    await this.#enter(signal);
    const resident = this.#program('nft', () => ({ words: ['nft', '-j', '-a', '-i'], framing: nftFraming }));
    return new Nft(resident, this.#options.clock, this.#options.deadline);
  }

  /** Value of a key; undefined where there is none. */
  async readSysctl(key: string, signal?: AbortSignal): Promise<string | undefined> {
    checkNetworkKey(key);
    if (this.netlink !== undefined) return orAborted(this.netlink.readSysctl(key), signal, `sysctl ${key}`);
    const answer = await this.#control(`r ${key}`, `sysctl ${key}`, signal);
    if (!answer.failed) return answer.text.replace(/\n$/, '');
    const failure = sysctlFailure(answer.text, key, `sysctl ${key}`);
    if (failure.code === 'missing') return undefined;
    throw failure;
  }

  /** `condition`: only where there is netlink. */
  async writeSysctl(key: string, value: string, signal?: AbortSignal, condition?: Condition): Promise<void> {
    checkNetworkKey(key, value);
    const tried = `sysctl -w ${key.replaceAll('/', '.')}=${value}`;
    if (this.netlink !== undefined) return orAborted(this.netlink.writeSysctl(key, value, condition), signal, tried);
    const answer = await this.#control(`w ${key} ${value}`, tried, signal);
    if (answer.failed) throw sysctlFailure(answer.text, key, tried);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { pool, netlink } = this.#options;
    netlink?.close();
    // Of several the first has gone wrong somehow.
    const isClean = this.#entries.length === 1 && [...this.#residents.values()].map((resident) => resident.release()).every(Boolean);
    const left = Promise.all(this.#entries.map((entry) => pool.takeBack(entry, isClean)));
    if (this.#hasTurn) void left.then(() => pool.leave());
  }

  async #enter(signal: AbortSignal | undefined): Promise<NamespaceEntry> {
    const { pool, path } = this.#options;
    this.#turn ??= pool.turn(signal).then(
      () => {
        if (this.#isClosed) pool.leave();
        else this.#hasTurn = true;
      },
      (error) => {
        // Who gave up is not everybody.
        this.#turn = undefined;
        throw error;
      },
    );
    await this.#turn;
    if (this.#isClosed) throw new EffectError('namespace', 'the session is closed', `nsenter --net=${path}`);
    let entry = this.#entries.at(-1);
    if (entry === undefined || !entry.isOpen) {
      entry = pool.enter(path);
      this.#entries.push(entry);
      // Hardly anybody enters and does nothing by it; it starts while the shell is asked something else.
      this.#resident('ip', undefined, '').prepare();
    }
    return entry;
  }

  /** Asks the shell. A value is read, or written, as well twice: where the shell was killed, another one is asked. */
  async #control(
    line: string,
    tried: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly text: string; readonly failed: boolean }> {
    const { deadline, path } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const entry = await this.#enter(signal);
      const asked = entry.ask(line, deadline);
      const answer = await orAborted(asked, signal, tried);
      if (answer.kind === 'answered') return { text: answer.text, failed: answer.failed === true };
      if (answer.kind === 'timeout') throw new EffectError('timeout', `no answer within ${deadline} ms`, tried);
      const why = await this.#failureOf(entry);
      if (why !== undefined) throw new EffectError('namespace', failureMessage(why), tried);
      if (attempt === MAX_SHELLS) throw new EffectError('program', `the shell in ${path} ended`, tried);
    }
  }

  #resident(program: IprouteProgram, family: IprouteFamily | undefined, purpose: string): Resident {
    return this.#program(`${program} ${family ?? ''} ${purpose}`, () => ({
      words: [program, ...(family === 6 ? ['-6'] : []), '-details', '-json', '-force', '-batch', '-'],
      framing: iprouteFraming(program),
    }));
  }

  #program(key: string, make: () => { readonly words: readonly string[]; readonly framing: ReturnType<typeof iprouteFraming> }): Resident {
    let resident = this.#residents.get(key);
    if (resident === undefined) {
      const { words, framing } = make();
      // A session is short: nobody else makes links in its namespace meanwhile.
      resident = new Resident({
        name: words[0]!,
        start: () => this.#start(words),
        framing,
        clock: this.#options.clock,
        maxAge: Number.POSITIVE_INFINITY,
        keepsSpare: false,
      });
      this.#residents.set(key, resident);
    }
    return resident;
  }

  #start(words: readonly string[]): ChannelEnds {
    const { pool, path, deadline } = this.#options;
    let entry = this.#entries.find((candidate) => candidate.hasSlot);
    if (entry === undefined) {
      entry = pool.enter(path);
      this.#entries.push(entry);
    }
    return entry.start(words, deadline);
  }

  async #failure(): Promise<string | undefined> {
    const entry = this.#entries.at(-1);
    if (entry === undefined) return undefined;
    // The end of a program may be seen before the end of the shell that should have started it; one that is inside answers.
    const { kind } = await entry.ask('n', this.#options.deadline);
    return kind === 'answered' ? undefined : this.#failureOf(entry);
  }

  /** What was said by one that has ended, when it could not enter. */
  async #failureOf(entry: NamespaceEntry): Promise<string | undefined> {
    const { clock, deadline } = this.#options;
    let why: string | undefined;
    const said = entry.failure.then((failure) => {
      why = failure;
    });
    await waitAtMost(clock, deadline, said);
    return why;
  }
}

/** Keys of other groups are not of a network namespace: they would be the host's. */
function checkNetworkKey(key: string, value?: string): void {
  checkSysctl(key, value);
  if (!key.startsWith('net/')) throw new EffectError('invalid', `${key} is not a key of a network namespace`, `sysctl ${key}`);
}
