import type { JsonObject } from '../../engine/object/json.ts';
import {
  type Effect,
  EffectError,
  type EffectHandler,
  type IprouteFamily,
  type IprouteProgram,
  type Netns,
  type ProgramResult,
} from '../../engine/step/effect.ts';
import type { MissingRequirement, Requirement } from '../../engine/step/requirement.ts';
import { type Clock, systemClock, pause as wait } from '../host/clock.ts';
import { CallError, createHttpCaller, type HttpCaller, type HttpCallerOptions } from '../host/http-caller.ts';
import { allowedProgram } from './allowed-programs.ts';
import { deletedLink } from './batch-words.ts';
import { findProgram, startChild, startRelay } from './child.ts';
import { performFileEffect } from './file-effects.ts';
import { findNamespace } from './find-namespace.ts';
import { iprouteFraming, nftFraming } from './framing.ts';
import { Iproute } from './iproute.ts';
import { iptablesRestore, iptablesSave } from './iptables.ts';
import { LinkDeletion } from './link-deletion.ts';
import { NamespacePool } from './namespace-pool.ts';
import { NamespaceSession } from './namespace-session.ts';
import { type ChangeOptions, changeByNetlink } from './netlink/change.ts';
import { Netlink } from './netlink/netlink.ts';
import type { NetlinkPlace } from './netlink/place.ts';
import { type RelayProgram, relayProgram } from './netlink/relay-program.ts';
import { showByNetlink } from './netlink/show.ts';
import { Nft } from './nft.ts';
import { type Condition, performTogether } from './perform-together.ts';
import type { HostHandler, HostSession } from './performer.ts';
import { Probe } from './probe.ts';
import { orAborted, Resident } from './resident.ts';
import { ProgramRunner } from './run-program.ts';
import { checkSysctl, readSysctl, writeSysctl } from './sysctl.ts';

export interface HostOptions {
  readonly clock?: Clock;
  /** Milliseconds for one command of a resident child, counted from when those before it are done; default 10 s. */
  readonly commandDeadline?: number;
  /** Programs that rules may run: names, or absolute paths. Default: none. */
  readonly allowedPrograms?: readonly string[];
  /** Whether links, addresses and routes are told to the kernel in its own language, where this host can; else by iproute2. Default: yes. */
  readonly netlink?: boolean;
  /** Milliseconds for one program; default one minute. */
  readonly programDeadline?: number;
  /** Hosts that rules may call, as in {@link HttpCallerOptions.allowedHosts}. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Milliseconds for one call; default 30 s. */
  readonly callDeadline?: number;
  /** Effects of floors above, by name. */
  readonly custom?: ReadonlyMap<string, (request: JsonObject, signal?: AbortSignal) => Promise<unknown>>;
}

/** The kernel and the disk of this machine. */
export interface Host extends HostHandler {
  /** Looks anew for what the host lacks when it is asked next. */
  probeAnew(): void;
  /** Starts the children that nearly every plan needs, so that the first does not wait for them. */
  prepare?(): void;
  /** Ends all children, and waits for deletions of links that the kernel has not ended. */
  close(): Promise<void>;
}

/** Milliseconds in which a child may believe what it knows of names. */
const MAX_AGE = 1000;
/** Bytes that nft may say of a large script: of each of its commands that failed some hundred. */
const MAX_NFT_ERRORS = 16 * 1024 * 1024;
/** What a child that deletes links is kept for. */
const DELETES = 'deletions';
/** Links that are being deleted at the same time: each keeps a child for some 20 ms, and one after the other they may come every 4. */
const DELETERS = 8;
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
  readonly #netlink: Netlink | undefined;
  readonly #home: NetlinkPlace | undefined;
  readonly #iproute: Iproute;
  readonly #nft: Nft;
  readonly #runner: ProgramRunner;
  readonly #probe: Probe;
  readonly #call: HttpCaller;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#deadline = options.commandDeadline ?? 10_000;
    this.#runner = new ProgramRunner(this.#clock, options.programDeadline ?? 60_000);
    this.#probe = new Probe(this.#clock, new ProgramRunner(this.#clock, this.#deadline));
    this.#call = createHttpCaller({
      allowedHosts: options.allowedHosts ?? [],
      clock: this.#clock,
      remedy: (host) => `${host} must be among those that this host may call`,
    });
    const relay = options.netlink === false ? undefined : relayProgram();
    this.#netlink = relay && this.#startNetlink(relay);
    this.#home = this.#netlink?.home();
    this.#pool = new NamespacePool({ clock: this.#clock, spares: 2, kept: 16, limit: 16, patience: 500 });
    const deletion = new LinkDeletion({
      residents: Array.from({ length: DELETERS }, (_, index) => this.#iprouteResident('ip', undefined, `${DELETES} ${index}`)),
      clock: this.#clock,
      deadline: this.#deadline,
      gone: (name) => this.#iproute.forget(name),
    });
    this.#iproute = new Iproute({
      resident: (program, family, purpose) => this.#iprouteResident(program, family, purpose),
      clock: this.#clock,
      deadline: this.#deadline,
      maxAge: MAX_AGE,
      deleteLink: (name, signal) => deletion.delete(name, signal),
    });
    this.#nft = new Nft(
      this.#resident('nft', () => ({
        name: 'nft',
        start: () => startChild('nft', ['-j', '-a', '-i']),
        framing: nftFraming,
        clock: this.#clock,
        maxAge: Number.POSITIVE_INFINITY,
        keepsSpare: false,
      })),
      this.#clock,
      this.#deadline,
      (script, signal) => this.#runner.run({ program: 'nft', arguments: ['-f', '-'], stdin: script, limit: MAX_NFT_ERRORS }, signal),
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
    const netlink = isThere ? this.#netlink?.place(path) : undefined;
    const inside = isThere
      ? new NamespaceSession({ path, netlink, pool: this.#pool, clock: this.#clock, deadline: this.#deadline })
      : undefined;
    const perform: EffectHandler['perform'] = async (effect, signal) => {
      if (effect.kind === 'all') {
        return performTogether(effect, perform, signal, (each, condition) =>
          inside === undefined ? undefined : this.#performByRelay(inside, each, signal, condition),
        );
      }
      if (effect.kind === 'iproute' && effect.netns === undefined && effect.commands.some(({ words }) => words.includes(path))) {
        const changed = netlink && this.#changeDirectly(effect, signal, { there: netlink });
        if (changed !== undefined) return changed;
        // A link on its way there will be set up there: entering takes longer than making it.
        inside?.prepare();
      }
      if (!('netns' in effect) || effect.netns !== path) return this.perform(effect, signal);
      if (inside === undefined) throw new EffectError('namespace', `there is no network namespace ${path}`, `nsenter --net=${path}`);
      return effect.kind === 'run' ? this.#run(effect, path, signal) : performInside(inside, effect, signal);
    };
    return {
      netnsGone: !isThere,
      get hasEntered() {
        return inside?.hasEntered === true;
      },
      perform,
      prepare: () => inside?.prepare(),
      close: () => inside?.close(),
    };
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
        return this.#changeDirectly(effect, signal) ?? this.#iproute.change(effect, signal);
      case 'show': {
        const shown = this.#home && showByNetlink(this.#home, effect);
        return (shown && (await orAborted(shown, signal, effect.program))) ?? this.#iproute.show(effect, signal);
      }
      case 'nft':
        return this.#nft.apply(effect.script, effect.tolerate ?? [], signal);
      case 'nft-list':
        return this.#nft.list(effect.words, signal);
      case 'sysctl-read':
        return readSysctl(effect.key);
      case 'sysctl-write':
        return tolerating(effect, writeSysctl(effect.key, effect.value));
      case 'iptables':
        return iptablesRestore(effect.family, effect.script, this.#runner, signal);
      case 'iptables-save':
        return iptablesSave(effect.family, effect.table, this.#runner, signal);
      case 'stat':
      case 'read-file':
      case 'write-file':
      case 'make-directory':
      case 'remove-path':
        return performFileEffect(effect);
      case 'run':
        return this.#run(effect, undefined, signal);
      case 'http':
        return this.#http(effect, signal);
      case 'pause':
        return pause(effect.milliseconds, this.#clock, signal);
      case 'all':
        return performTogether(effect, (each, itsSignal) => this.perform(each, itsSignal), signal);
      case 'custom': {
        const handler = this.#options.custom?.get(effect.name);
        if (handler === undefined) throw new EffectError('unsupported', `nobody performs ${effect.name} here`, effect.name);
        return handler(effect.request, signal);
      }
      case 'remember':
        throw new EffectError('unsupported', 'nobody keeps what a step remembers, outside of a plan', 'remember');
    }
  }

  /** By the kernel's own language; undefined where it is not to be used for these lines. */
  #changeDirectly(
    effect: Extract<Effect, { kind: 'iproute' }>,
    signal: AbortSignal | undefined,
    options?: ChangeOptions,
  ): Promise<void> | undefined {
    // Deleting takes the kernel long, and nobody shall wait behind it.
    if (effect.commands.some(({ words }) => deletedLink(words) !== undefined)) return undefined;
    const changed = this.#home && changeByNetlink(this.#home, effect, options);
    if (changed === undefined) return undefined;
    // Children of iproute2 may remember what is no more.
    return orAborted(changed, signal, effect.program).finally(() => this.#iproute.forgetChanged(effect.commands));
  }

  /**
   * What the relay can do alone: in the namespace, or for what goes there, with a condition also on the host. Undefined where it can't. Throws,
   * and rejects with, {@link EffectError}.
   */
  #performByRelay(
    inside: NamespaceSession,
    effect: Effect,
    signal: AbortSignal | undefined,
    condition: Condition | undefined,
  ): Promise<unknown> | undefined {
    const { netlink } = inside;
    if (netlink === undefined || this.#home === undefined) return undefined;
    if (effect.kind !== 'iproute' && effect.kind !== 'sysctl-write') return undefined;
    if (effect.netns === netlink.path) {
      if (effect.kind === 'iproute') return inside.changeDirectly(effect, signal, condition);
      return tolerating(effect, inside.writeSysctl(effect.key, effect.value, signal, condition));
    }
    if (effect.netns !== undefined || condition === undefined) return undefined;
    if (effect.kind === 'iproute') return this.#changeDirectly(effect, signal, { there: netlink, condition });
    checkSysctl(effect.key, effect.value);
    return tolerating(effect, orAborted(this.#home.writeSysctl(effect.key, effect.value, condition), signal, `sysctl ${effect.key}`));
  }

  #startNetlink(program: RelayProgram): Netlink {
    return new Netlink({
      clock: this.#clock,
      deadline: this.#deadline,
      start: () => startRelay(program.file, program.arguments),
    });
  }

  missing(requirements: readonly Requirement[]): Promise<readonly MissingRequirement[]> {
    return this.#probe.missing(requirements);
  }

  probeAnew(): void {
    this.#probe.forget();
  }

  prepare(): void {
    this.#netlink?.prepare();
    if (this.#netlink !== undefined || findProgram('ip') === undefined) return;
    this.#iprouteResident('ip', undefined, '').prepare();
    this.#pool.prepare();
  }

  async close(): Promise<void> {
    this.#pool.close();
    await Promise.all([...[...this.#residents.values()].map((resident) => resident.close(PATIENCE)), this.#netlink?.close(PATIENCE)]);
  }

  #run(effect: Extract<Effect, { kind: 'run' }>, netns: Netns, signal: AbortSignal | undefined): Promise<ProgramResult> {
    const program = allowedProgram(effect, this.#options.allowedPrograms ?? []);
    const { arguments: args, stdin, environment } = effect;
    return this.#runner.run({ program, arguments: args, netns, stdin, environment }, signal);
  }

  async #http({ method, url, headers, body }: Extract<Effect, { kind: 'http' }>, signal: AbortSignal | undefined): Promise<unknown> {
    const timeout = this.#options.callDeadline ?? 30_000;
    try {
      return await this.#call({ method, url, headers, timeout, ...(body !== undefined && { body }) }, undefined, signal);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      const isLate = signal?.aborted === true || error.message.includes('no answer within');
      // The place of the call is in its message, without what may be a secret of its path.
      throw new EffectError(isLate ? 'timeout' : error.final ? 'invalid' : 'other', error.message, 'http');
    }
  }

  #iprouteResident(program: IprouteProgram, family: IprouteFamily | undefined, purpose: string): Resident {
    return this.#resident(`${program} ${family ?? ''} ${purpose}`, () => ({
      name: program,
      start: () => startChild(program, [...(family === 6 ? ['-6'] : []), '-details', '-json', '-force', '-batch', '-']),
      framing: iprouteFraming(program),
      clock: this.#clock,
      // One that only deletes forgets each name with its link.
      maxAge: purpose.startsWith(DELETES) ? Number.POSITIVE_INFINITY : MAX_AGE,
      keepsSpare: !purpose.startsWith(DELETES),
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
  effect: Exclude<Extract<Effect, { netns?: Netns }>, { kind: 'run' }>,
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
      return tolerating(effect, inside.writeSysctl(effect.key, effect.value, signal));
  }
}

async function tolerating({ tolerate }: Extract<Effect, { kind: 'sysctl-write' }>, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof EffectError && tolerate?.includes(error.code))) throw error;
  }
}

/** Milliseconds. */
const MAX_PAUSE = 60_000;

async function pause(milliseconds: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  // A timer of the clock does not keep the process alive, and a step must.
  const alive = setInterval(() => {}, MAX_PAUSE);
  try {
    if (!(await wait(clock, Math.min(milliseconds, MAX_PAUSE), signal)))
      throw new EffectError('timeout', 'given up', `pause ${milliseconds}`);
  } finally {
    clearInterval(alive);
  }
}
