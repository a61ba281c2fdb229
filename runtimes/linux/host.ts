import type { JsonObject } from '../../engine/object/json.ts';
import {
  type Effect,
  EffectError,
  type EffectHandler,
  type IprouteFamily,
  type IprouteProgram,
  type Netns,
} from '../../engine/step/effect.ts';
import type { MissingRequirement, Requirement } from '../../engine/step/requirement.ts';
import { type Clock, systemClock } from '../host/clock.ts';
import { startChild } from './child.ts';
import { iprouteFraming, nftFraming } from './framing.ts';
import { Iproute } from './iproute.ts';
import { LinkDeletion } from './link-deletion.ts';
import { NamespacePool } from './namespace-pool.ts';
import { findNamespace, NamespaceSession } from './namespace-session.ts';
import { Nft } from './nft.ts';
import type { HostHandler, HostSession } from './performer.ts';
import { Resident } from './resident.ts';
import { readSysctl, writeSysctl } from './sysctl.ts';

export interface HostOptions {
  readonly clock?: Clock;
  /** Milliseconds for one command of a resident child, counted from when those before it are done; default 10 s. */
  readonly commandDeadline?: number;
  /** Effects of floors above, by name. */
  readonly custom?: ReadonlyMap<string, (request: JsonObject, signal?: AbortSignal) => Promise<unknown>>;
}

/** The kernel and the disk of this machine. */
export interface Host extends HostHandler {
  /** Ends all children, and waits for deletions of links that the kernel has not ended. */
  close(): Promise<void>;
}

/** Milliseconds in which a child may believe what it knows of names. */
const MAX_AGE = 1000;
/** Links that are being deleted at the same time. */
const DELETERS = 4;
/** Milliseconds at `close` until children are killed. */
const PATIENCE = 5000;

/**
 * Performs effects on this machine. Children are started when first needed; they end when this process ends, however it ends.
 */
export function createHost(options: HostOptions = {}): Host {
  return new LinuxHost(options);
}

class LinuxHost implements Host {
  readonly #clock: Clock;
  readonly #deadline: number;
  readonly #options: HostOptions;
  readonly #residents = new Map<string, Resident>();
  readonly #pool: NamespacePool;
  readonly #iproute: Iproute;
  readonly #nft: Nft;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#deadline = options.commandDeadline ?? 10_000;
    this.#pool = new NamespacePool({ clock: this.#clock, spares: 2, limit: 64 });
    const deletion = new LinkDeletion({
      residents: Array.from({ length: DELETERS }, (_, index) => this.#iprouteResident('ip', undefined, `delete ${index}`)),
      clock: this.#clock,
      deadline: this.#deadline,
      gone: () => this.#renew(),
    });
    this.#iproute = new Iproute({
      resident: (program, family) => this.#iprouteResident(program, family, ''),
      clock: this.#clock,
      deadline: this.#deadline,
      deleteLink: (name, signal) => deletion.delete(name, signal),
    });
    this.#nft = new Nft(
      this.#resident('nft', () => ({
        name: 'nft',
        start: () => startChild('nft', ['-j', '-a', '-i']),
        framing: nftFraming,
        clock: this.#clock,
        maxAge: 60_000,
        keepsSpare: false,
      })),
      this.#deadline,
    );
  }

  async session(netns: Netns): Promise<HostSession> {
    return netns === undefined ? this.#hostSession() : this.#namespaceSession(netns);
  }

  #hostSession(): HostSession {
    return { netnsGone: false, perform: (effect, signal) => this.perform(effect, signal), close: () => {} };
  }

  async #namespaceSession(path: string): Promise<HostSession> {
    const isThere = await findNamespace(path);
    const inside = isThere ? new NamespaceSession({ path, pool: this.#pool, clock: this.#clock, deadline: this.#deadline }) : undefined;
    const perform: EffectHandler['perform'] = async (effect, signal) => {
      if (effect.kind === 'all') return performAll(effect.effects, perform, signal);
      if (!('netns' in effect) || effect.netns !== path) return this.perform(effect, signal);
      if (inside === undefined) throw new EffectError('namespace', `there is no network namespace ${path}`, `nsenter --net=${path}`);
      return performInside(inside, effect, signal);
    };
    return { netnsGone: !isThere, perform, close: () => inside?.close() };
  }

  async perform(effect: Effect, signal?: AbortSignal): Promise<unknown> {
    if (signal?.aborted) throw new EffectError('timeout', 'given up', effect.kind);
    if ('netns' in effect && effect.netns !== undefined) {
      const session = await this.#namespaceSession(effect.netns);
      try {
        return await session.perform(effect, signal);
      } finally {
        session.close();
      }
    }
    switch (effect.kind) {
      case 'iproute':
        return this.#iproute.change(effect, signal);
      case 'show':
        return this.#iproute.show(effect, signal);
      case 'nft':
        return this.#nft.apply(effect.script, effect.tolerate ?? [], signal);
      case 'nft-list':
        return this.#nft.list(effect.words, signal);
      case 'sysctl-read':
        return readSysctl(effect.key);
      case 'sysctl-write':
        return writeSysctl(effect.key, effect.value);
      case 'all':
        return performAll(effect.effects, (each, itsSignal) => this.perform(each, itsSignal), signal);
      case 'custom': {
        const handler = this.#options.custom?.get(effect.name);
        if (handler === undefined) throw new EffectError('unsupported', `nobody performs ${effect.name} here`, effect.name);
        return handler(effect.request, signal);
      }
      default:
        throw new EffectError('unsupported', `${effect.kind} can't be performed here`, effect.kind);
    }
  }

  async missing(_requirements: readonly Requirement[]): Promise<readonly MissingRequirement[]> {
    return [];
  }

  async close(): Promise<void> {
    this.#pool.close();
    await Promise.all([...this.#residents.values()].map((resident) => resident.close(PATIENCE)));
  }

  /** What children know of names is out of date. */
  #renew(): void {
    for (const [key, resident] of this.#residents) if (/^(ip|tc|bridge) \d?$/.test(key)) resident.renew();
  }

  #iprouteResident(program: IprouteProgram, family: IprouteFamily | undefined, purpose: string): Resident {
    const isMain = purpose === '' && program === 'ip' && family === undefined;
    return this.#resident(`${program} ${family ?? ''}${purpose}`, () => ({
      name: program,
      start: () => startChild(program, [...(family === 6 ? ['-6'] : []), '-details', '-json', '-force', '-batch', '-']),
      framing: iprouteFraming(program),
      clock: this.#clock,
      maxAge: MAX_AGE,
      keepsSpare: isMain,
    }));
  }

  #resident(key: string, make: () => ConstructorParameters<typeof Resident>[0]): Resident {
    let resident = this.#residents.get(key);
    if (resident === undefined) {
      resident = new Resident(make());
      this.#residents.set(key, resident);
    }
    return resident;
  }
}

function performInside(
  inside: NamespaceSession,
  effect: Extract<Effect, { netns?: Netns }>,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  switch (effect.kind) {
    case 'iproute':
      return inside.change(effect, signal);
    case 'show':
      return inside.show(effect, signal);
    case 'nft':
      return inside.nft(signal).then((nft) => nft.apply(effect.script, effect.tolerate ?? [], signal));
    case 'nft-list':
      return inside.nft(signal).then((nft) => nft.list(effect.words, signal));
    case 'sysctl-read':
      return inside.readSysctl(effect.key, signal);
    case 'sysctl-write':
      return inside.writeSysctl(effect.key, effect.value, signal);
    case 'run':
      throw new EffectError('unsupported', 'run', 'run');
  }
}

/** At once; the first failure in the order of the effects is thrown after all have ended. */
async function performAll(
  effects: readonly Effect[],
  perform: EffectHandler['perform'],
  signal: AbortSignal | undefined,
): Promise<readonly unknown[]> {
  const ends = await Promise.allSettled(effects.map((effect) => perform(effect, signal)));
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}
