import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FAULT_CODES, fault } from '../../engine/rules/network/protocol/fault.ts';
import type { BundleSource } from '../host/bundle-watch.ts';
import { type Clock, systemClock, waitAtMost } from '../host/clock.ts';
import { errorMessage } from '../host/error-message.ts';
import { type Log, logAt, silentLog } from '../host/log.ts';
import { createMetrics, type Metrics } from '../host/metrics.ts';
import { createHost, type Host, type HostOptions } from '../linux/host.ts';
import type { Performer, PerformerOptions } from '../linux/performer.ts';
import { type AddressAllocator, createAddressAllocator } from './addresses/allocator.ts';
import { answerQuestion } from './answer-question.ts';
import { openAnsweredAdds } from './answered-adds.ts';
import { QUESTION } from './ask-daemon.ts';
import { type AnnotationDebts, openAnnotationDebts } from './cluster/owed-annotations.ts';
import type { PodAnnotator } from './cluster/pod-annotator.ts';
import { countRefused, watchDaemon } from './daemon-metrics.ts';
import { createDelegate } from './delegation/delegate.ts';
import { faultAnswer } from './fault-answer.ts';
import { missingForNetworks } from './missing-for-networks.ts';
import { networkEffects } from './network-effects.ts';
import { openNetworkPerformer } from './network-performer.ts';
import { createPlugin, type Plugin } from './plugin.ts';
import { rehearse } from './rehearsal/rehearsal.ts';
import { warmUp } from './rehearsal/warm-up.ts';
import { type InvocationServer, startInvocationServer } from './server.ts';
import { createSpool, type Spool } from './spool.ts';
import { UndoRetries } from './undo-retries.ts';
import { factsWithoutCluster, type NetworkFactsSource } from './verbs/network-facts-source.ts';
import { type Answer, type Invocation, WITHIN } from './wire.ts';

export interface NetworkDaemonOptions {
  /** The rules. Ask {@link NetworkDaemon.reload} to look again after they changed. */
  readonly bundle: BundleSource & { failure?(): string | undefined };
  readonly socketPath: string;
  /** Folder of the journal and the spool; one daemon has it for itself. */
  readonly stateFolder: string;
  /** Name of this node; `` where there is no cluster. */
  readonly nodeName?: string;
  /** Default: there is no cluster. */
  readonly facts?: NetworkFactsSource;
  /** Makes what annotates pods, and is closed with the daemon. Default: there are none. */
  readonly podAnnotator?: (debts: AnnotationDebts) => PodAnnotator;
  readonly allowedPrograms?: readonly string[];
  readonly allowedHosts?: readonly string[];
  readonly version?: string;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly metrics?: Metrics;
  readonly crashPoint?: PerformerOptions['crashPoint'];
  /** Default: this machine. It is closed with the daemon. */
  readonly makeHost?: (options: HostOptions) => Host;
  /** Default: the kernel's. */
  readonly bootId?: string;
  /** Whether it does often what it will do, before it is asked to: see {@link rehearse}. Default: no. */
  readonly rehearses?: boolean;
  /** Capabilities that this process lacks. Default: as the kernel says. */
  readonly privileges?: () => readonly string[];
}

export interface NetworkDaemon {
  /** Why no ADD is served, or undefined when they are. */
  notReady(): string | undefined;
  /** Takes over the bundle that serves now; what is under way ends with the one it began with. */
  reload(): void;
  /** Resolves when what an earlier daemon left half done is undone; rejects where the journal can't be used. */
  readonly recovered: Promise<void>;
  /** Takes no more, ends what was begun, and leaves the networks of containers as they are. `grace` in milliseconds. */
  close(options?: { readonly grace?: number }): Promise<void>;
}

/** Milliseconds that an invocation waits for a daemon that is starting; before the executable gives up. */
const RECOVERY_PATIENCE = 60_000;
/** Milliseconds for steps to end that were called off. What is left then is undone by the next daemon. */
const LAST_STEPS = 5_000;

/**
 * Serves the rules of a bundle as CNI plugins. Resolves when it listens: invocations that come while the last daemon's work is being undone
 * wait for that, STATUS says that it is. Throws `FileError` where another daemon has the socket or the folder.
 */
export async function startNetworkDaemon(options: NetworkDaemonOptions): Promise<NetworkDaemon> {
  const { bundle, socketPath, stateFolder, nodeName = '', clock = systemClock, log = silentLog, metrics = createMetrics() } = options;
  const addresses = createAddressAllocator({ log: logAt(log, 'info') });
  const delegate = createDelegate({ clock, log: logAt(log, 'warn') });
  const { makeHost = createHost } = options;
  const host = makeHost({
    clock,
    allowedPrograms: options.allowedPrograms ?? [],
    allowedHosts: options.allowedHosts ?? [],
    custom: networkEffects(addresses, delegate),
  });
  let performer: Performer | undefined;
  let plugin: Plugin | undefined;
  let server: InvocationServer | undefined;
  try {
    performer = await openNetworkPerformer({
      stateFolder,
      handler: host,
      clock,
      bootId: options.bootId,
      log: logAt(log, 'info'),
      ...(options.crashPoint === undefined ? {} : { crashPoint: options.crashPoint }),
    });
    const recorded = performer;
    plugin = createPlugin({
      program: bundle.current()?.program.network ?? { rules: [] },
      performer,
      host,
      addresses,
      delegate,
      facts: options.facts ?? factsWithoutCluster(nodeName),
      log: logAt(log, 'warn'),
      answered: openAnsweredAdds({
        file: join(stateFolder, 'answered'),
        isRecorded: (id) => recorded.record(id) !== undefined,
        log: logAt(log, 'warn'),
      }),
      metrics,
      clock,
      ...(options.podAnnotator === undefined
        ? {}
        : {
            podAnnotator: options.podAnnotator(openAnnotationDebts({ folder: join(stateFolder, 'annotations'), log: logAt(log, 'warn') })),
          }),
      ...(options.version === undefined ? {} : { version: options.version }),
    });
    const daemon = new Daemon({ ...options, nodeName, clock, log, host, performer, plugin, addresses });
    server = await startInvocationServer({
      path: socketPath,
      handle: (invocation) => daemon.handle(invocation),
      clock,
      log,
      onRefused: countRefused(metrics),
    });
    watchDaemon(metrics, { server, performer, spool: daemon.spool });
    daemon.begin(server);
    return daemon;
  } catch (error) {
    await server?.close({ grace: 0 });
    await plugin?.close();
    await performer?.close();
    await host.close();
    throw error;
  }
}

interface Parts extends NetworkDaemonOptions {
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: Host;
  readonly performer: Performer;
  readonly plugin: Plugin;
  readonly addresses: AddressAllocator;
}

class Daemon implements NetworkDaemon {
  readonly spool: Spool;
  readonly #retries: UndoRetries;
  readonly #parts: Parts;
  #state: 'recovering' | 'serving' | 'broken' | 'stopping' = 'recovering';
  #server: InvocationServer | undefined;
  #recovered: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  readonly #underWay = new Set<Promise<Answer>>();
  readonly #calledOff = new AbortController();
  #rehearsed: Promise<void> = Promise.resolve();
  readonly #rehearsedEnough = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
    // Every invocation under way listens.
    setMaxListeners(0, this.#calledOff.signal);
    const { clock, log, stateFolder } = parts;
    this.spool = createSpool({ folder: join(stateFolder, 'spool'), handle: (invocation) => this.#invoke(invocation), clock, log });
    this.#retries = new UndoRetries({ performer: parts.performer, clock, log });
  }

  /** Undoes what an earlier daemon left half done, then does what was kept while there was none. */
  begin(server: InvocationServer): void {
    this.#server = server;
    const { performer, log } = this.#parts;
    this.#recovered = Promise.all([performer.recover(), this.#prepare()]).then(
      ([{ undone, left }]) => {
        if (this.#state === 'recovering') this.#state = 'serving';
        this.#parts.plugin.resume();
        log(left.length === 0 ? 'info' : 'error', 'recovered', { undone: undone.length, left: left.length, first: left[0] });
        void this.#tellWhatIsMissing();
        if (this.#parts.rehearses === true) this.#rehearsed = this.#rehearse();
        void this.spool.perform().catch((error: unknown) => log('error', 'the spool cannot be read', { reason: errorMessage(error) }));
        this.spool.watch();
        this.#retries.start();
      },
      (error: unknown) => {
        this.#state = 'broken';
        log('error', 'what the last daemon left cannot be undone; nothing is served', { reason: errorMessage(error) });
        throw error;
      },
    );
    // Whoever wants to know asks `recovered`.
    this.#recovered.catch(() => {});
  }

  notReady(): string | undefined {
    switch (this.#state) {
      case 'recovering':
        return 'undoing what the last daemon left half done';
      case 'broken':
        return 'what the last daemon left cannot be undone';
      case 'stopping':
        return 'shutting down';
      case 'serving':
        return this.#parts.bundle.current() === undefined ? 'there are no rules' : this.#lostGround();
    }
  }

  /** Somebody has taken away what it stands on: what it does now nobody would know of after its end. */
  #lostGround(): string | undefined {
    const { stateFolder, socketPath } = this.#parts;
    if (!existsSync(join(stateFolder, 'journal'))) return `${stateFolder} was removed: start the daemon again`;
    return this.#server?.isReachable() === false ? `${socketPath} was removed: start the daemon again` : undefined;
  }

  async handle(invocation: Invocation): Promise<Answer> {
    const { clock, log } = this.#parts;
    const { environment } = invocation;
    const question = environment.get(QUESTION);
    if (question !== undefined)
      return answerQuestion(question, { ...this.#parts, spool: this.spool, retries: this.#retries, notReady: this.notReady() });
    const began = clock.elapsed();
    const answer = await this.#serve(invocation);
    const verb = environment.get('CNI_COMMAND');
    // Asked every few seconds by every runtime.
    log(verb === 'STATUS' && answer.exitCode === 0 ? 'debug' : 'info', 'invocation', {
      verb,
      rule: environment.get('TYPE'),
      container: environment.get('CNI_CONTAINERID'),
      interface: environment.get('CNI_IFNAME'),
      exitCode: answer.exitCode,
      seconds: Math.round((clock.elapsed() - began) * 1000) / 1e6,
    });
    return answer;
  }

  async #serve(invocation: Invocation): Promise<Answer> {
    const { environment } = invocation;
    const verb = environment.get('CNI_COMMAND') ?? '';
    // A part of what is being undone.
    const isWithin = this.#state === 'recovering' && environment.has(WITHIN);
    if (this.#state === 'recovering' && verb !== 'STATUS' && !isWithin)
      await waitAtMost(this.#parts.clock, RECOVERY_PATIENCE, ended(this.#recovered));
    // What was made is removed whatever happens to it.
    const reason = isWithin || this.#state === 'stopping' || (this.#state === 'serving' && verb === 'DEL') ? undefined : this.notReady();
    if (reason !== undefined)
      return faultAnswer(
        fault(verb === 'STATUS' ? FAULT_CODES.notAvailable : FAULT_CODES.tryAgainLater, `the daemon is not ready: ${reason}`),
      );
    if (verb === 'ADD') {
      const left = await this.spool.performFor(environment.get('CNI_CONTAINERID') ?? '', environment.get('CNI_IFNAME') ?? '');
      if (left !== undefined)
        return faultAnswer(fault(FAULT_CODES.tryAgainLater, 'an earlier DEL of this interface could not be done yet', left));
    }
    return this.#invoke(invocation);
  }

  #invoke(invocation: Invocation): Promise<Answer> {
    const answer = this.#parts.plugin.invoke(invocation, this.#calledOff.signal);
    this.#underWay.add(answer);
    return answer.finally(() => this.#underWay.delete(answer));
  }

  /** Does ahead what the first ADD would wait for. Never rejects. */
  #prepare(): Promise<void> {
    const { bundle, host } = this.#parts;
    host.prepare?.();
    return warmUp(bundle.current()?.program.network ?? { rules: [] });
  }

  /** Does often what it will do, so that it is quick at it. */
  #rehearse(): Promise<void> {
    const { bundle, host, clock, log, socketPath } = this.#parts;
    return rehearse({
      program: bundle.current()?.program.network ?? { rules: [] },
      host,
      // Not on a disk.
      folder: join(dirname(socketPath), 'rehearsal'),
      clock,
      isBusy: () => this.#underWay.size > 0,
      signal: this.#rehearsedEnough.signal,
      log,
    });
  }

  /** Looks for what the host lacks before anybody waits for it, and says it where it is looked for first. */
  async #tellWhatIsMissing(): Promise<void> {
    const { bundle, host, log, privileges } = this.#parts;
    for (const missing of await missingForNetworks(host, privileges).catch((error: unknown) => [errorMessage(error)]))
      log('error', 'networks cannot be made', { missing });
    for (const { name, requirements } of bundle.current()?.program.network.rules ?? []) {
      const missing = await host.missing(requirements).catch((error: unknown) => [{ message: errorMessage(error) }]);
      for (const { message } of missing) log('error', 'the host lacks what a rule needs', { rule: name, missing: message });
    }
  }

  get recovered(): Promise<void> {
    return this.#recovered;
  }

  reload(): void {
    const { bundle, plugin } = this.#parts;
    const active = bundle.current();
    if (active === undefined) return;
    plugin.setProgram(active.program.network);
    void warmUp(active.program.network);
    void this.#tellWhatIsMissing();
  }

  close({ grace = 30_000 }: { readonly grace?: number } = {}): Promise<void> {
    this.#closing ??= this.#end(grace);
    return this.#closing;
  }

  async #end(grace: number): Promise<void> {
    const { plugin, performer, host, clock, log } = this.#parts;
    await waitAtMost(clock, grace, ended(this.#recovered));
    this.#state = 'stopping';
    this.#rehearsedEnough.abort();
    await this.#server?.close({ grace });
    // What took longer ends with the step it is in: an ADD is undone, a DEL of the spool stays there for the next daemon.
    this.#calledOff.abort();
    await waitAtMost(
      clock,
      LAST_STEPS,
      ended(Promise.all([this.spool.close(), this.#retries.close(), this.#rehearsed, ...this.#underWay])),
    );
    await plugin.close();
    await performer.close();
    await host.close();
    log('info', 'stopped');
  }
}

/** Work that has ended, however it has. */
const ended = (work: Promise<unknown>): Promise<unknown> => work.catch(() => {});
