import { EffectError } from '../../../engine/step/effect.ts';
import { type Condition, NotBegun } from '../perform-together.ts';
import { describeErrno, kernelFailure } from './kernel-failure.ts';
import type { Request } from './message.ts';
import { type Relay, type RelayAnswer, RelayEnded, UNMET } from './relay.ts';

export interface NetlinkPlaceOptions {
  /** The relay that there is now. */
  relay(): Relay;
  /** By which relays know it. */
  readonly number: number;
  /** Of its namespace; undefined for the one in which relays are started. */
  readonly path: string | undefined;
  readonly onClose: () => void;
}

export interface TalkOptions {
  /** Whether nothing comes of it if it is said twice. */
  readonly isRepeatable: boolean;
  /** A place whose namespace the messages name. */
  readonly there?: NetlinkPlace | undefined;
  /** What heeds one is asked of one relay only, and rejected with {@link NotBegun} where it was not begun. */
  readonly condition?: Condition | undefined;
}

/** What was answered to messages that were sent one after the other. */
export interface Talk {
  /** Of the talk itself; 0 where none of it failed. */
  readonly errno: number;
  /** To each message that was sent; the last may be a failure. */
  readonly answers: readonly Buffer[];
}

/** Relays that are asked, one after the other's end. */
const MAX_RELAYS = 4;

/** One network namespace, to talk to the kernel about. It is opened with what is asked first. Close it. */
export class NetlinkPlace {
  readonly #options: NetlinkPlaceOptions;
  /** The relay that has this place open, and whether it has. */
  #opened: { readonly relay: Relay; readonly answer: Promise<RelayAnswer> } | undefined;

  constructor(options: NetlinkPlaceOptions) {
    this.#options = options;
  }

  get path(): string | undefined {
    return this.#options.path;
  }

  get number(): number {
    return this.#options.number;
  }

  /** Sends messages one after the other until one fails. Rejects with {@link EffectError}. */
  talk(requests: readonly Request[], { isRepeatable, there, condition }: TalkOptions): Promise<Talk> {
    return this.#within(
      async (relay) => {
        // The relay knows a namespace only after it was told of it, by whoever is faster.
        const opened = there === undefined ? undefined : there.#openIn(relay);
        const talk = relay.talk(this.number, requests, condition);
        talk.catch(() => {});
        // Of a relay that ended it is the talk that matters.
        await opened?.then((end) => requirePlace(end, there!.path!), throwUnlessEnded);
        return talk;
      },
      { isRepeatable, condition },
    );
  }

  /** Text of a key below `/proc/sys`, undefined where there is none. Rejects with {@link EffectError}. */
  async readSysctl(key: string): Promise<string | undefined> {
    const { errno, rest } = await this.#within((relay) => relay.show(this.number, key), { isRepeatable: true });
    if (errno === 0) return rest.toString('latin1').replace(/\n$/, '');
    const failure = kernelFailure(errno, '', `sysctl ${key}`);
    if (failure.code === 'missing') return undefined;
    throw failure;
  }

  async writeSysctl(key: string, value: string, condition?: Condition): Promise<void> {
    const options = { isRepeatable: true, condition };
    const { errno } = await this.#within((relay) => relay.write(this.number, key, value, condition), options);
    if (errno !== 0) throw kernelFailure(errno, '', `sysctl -w ${key.replaceAll('/', '.')}=${value}`);
  }

  /** Opens it, where it is not open yet: what is asked next need not wait for it. */
  #openIn(relay: Relay): Promise<RelayAnswer> | undefined {
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
    const opened = this.#opened;
    this.#opened = undefined;
    // Whoever waits for what was done here is answered first.
    setImmediate(() => {
      opened?.relay.close(this.number);
      this.#options.onClose();
    });
  }

  /**
   * Asks in one go with the opening of the place, where it is not open yet. Where the relay ends, the next one is asked: what it has not begun,
   * and what may be asked twice.
   */
  async #within<T extends { readonly errno: number }>(
    ask: (relay: Relay) => Promise<T>,
    { isRepeatable, condition }: Pick<TalkOptions, 'isRepeatable' | 'condition'>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const relay = this.#options.relay();
      const opened = this.#openIn(relay);
      const answer = ask(relay);
      // It is looked at when it is known where it was asked.
      answer.catch(() => {});
      try {
        if (opened !== undefined) requirePlace(await opened, this.path!);
        const given = await answer;
        if (condition === 'heeds' && given.errno === UNMET) throw new NotBegun('netlink');
        return given;
      } catch (error) {
        // Another relay knows nothing of the condition.
        if (condition === 'heeds' && error instanceof RelayEnded) throw (await wasBegun(answer)) ? error : new NotBegun('netlink');
        if (!(error instanceof RelayEnded) || attempt === MAX_RELAYS) throw error;
        if (!isRepeatable && (await wasBegun(answer))) throw error;
      }
    }
  }
}

/** Who talks to the kernel about a namespace. */
export type NetlinkTalker = Pick<NetlinkPlace, 'talk'>;

function throwUnlessEnded(error: unknown): void {
  if (!(error instanceof RelayEnded)) throw error;
}

/** Whether what was asked of a relay that ended may be done. */
const wasBegun = (answer: Promise<unknown>): Promise<boolean> =>
  answer.then(
    () => true,
    (error) => !(error instanceof RelayEnded) || error.wasBegun,
  );

function requirePlace({ errno }: RelayAnswer, path: string): void {
  if (errno !== 0)
    throw new EffectError('namespace', `there is no network namespace ${path}: ${describeErrno(errno)}`, `nsenter --net=${path}`);
}
