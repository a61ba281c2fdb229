import { type Effect, EffectError } from '../../engine/step/effect.ts';
import { ImaginedHost } from '../../engine/step/imagined-host.ts';
import { changeByNetlink } from './netlink/change.ts';
import { NetlinkPlace, type NetlinkTalker } from './netlink/place.ts';
import type { HostHandler, HostSession } from './performer.ts';

/** `NLMSG_ERROR` without an error. */
const DONE = Buffer.alloc(36);
DONE.writeUInt32LE(DONE.length, 0);
DONE.writeUInt16LE(2, 4);

/** A kernel that has done whatever it is told. */
const yes: NetlinkTalker = { talk: async (requests) => ({ errno: 0, answers: requests.map(() => DONE) }) };

/** Changes nothing, and is the same on every host. */
const QUESTION: Effect = { kind: 'show', program: 'ip', netns: undefined, words: ['address', 'show', 'dev', 'lo'] };

export interface RehearsalHostOptions {
  /** Is asked a question that changes nothing, as often as a rehearsal asks one. */
  readonly real: HostHandler;
  /** Performs the effects of floors above, by name. */
  readonly custom: ReadonlyMap<string, (request: Extract<Effect, { kind: 'custom' }>['request']) => Promise<unknown>>;
}

/**
 * A host on which all is done that is done on a real one, up to the kernel, and nothing comes of it: what is changed is put into messages, and
 * what is there is imagined.
 */
export class RehearsalHost implements HostHandler {
  readonly #options: RehearsalHostOptions;
  #imagined = new ImaginedHost(noCustom);

  constructor(options: RehearsalHostOptions) {
    this.#options = options;
  }

  /** Forgets what was imagined. */
  clear(): void {
    this.#imagined = new ImaginedHost(noCustom);
  }

  perform(effect: Effect): Promise<unknown> {
    return this.#perform(effect, undefined);
  }

  async session(netns: string | undefined): Promise<HostSession> {
    const there = netns === undefined ? undefined : new NetlinkPlace({ relay: noRelay, number: 1, path: netns, onClose: () => {} });
    return { netnsGone: false, perform: (effect) => this.#perform(effect, there), close: () => {} };
  }

  missing(): Promise<readonly never[]> {
    return Promise.resolve([]);
  }

  async #perform(effect: Effect, there: NetlinkPlace | undefined): Promise<unknown> {
    if (effect.kind === 'custom') return this.#options.custom.get(effect.name)?.(effect.request);
    if (effect.kind === 'all') {
      const answers: unknown[] = [];
      for (const each of effect.effects) answers.push(await this.#perform(each, there));
      return answers;
    }
    if (effect.kind === 'iproute') await changeByNetlink(yes, effect, { there });
    else if (effect.kind === 'show') await this.#options.real.perform(QUESTION);
    return this.#imagined.answer(effect);
  }
}

function noCustom(): never {
  throw new EffectError('unsupported', 'nothing is done in a rehearsal that others would do', 'rehearse');
}

function noRelay(): never {
  throw new EffectError('unsupported', 'the kernel is told nothing in a rehearsal', 'rehearse');
}
