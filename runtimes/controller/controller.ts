import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { ReconcileProgram } from '../../engine/rules/reconcile/program.ts';
import type { BundleSource } from '../host/bundle-watch.ts';
import { type Clock, pause, systemClock, type Timer } from '../host/clock.ts';
import { createHttpCaller, type HttpCaller } from '../host/http-caller.ts';
import { boundLog, type Log, silentLog } from '../host/log.ts';
import type { Metrics } from '../host/metrics.ts';
import { ApiError, ConnectionError, failureText } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { createEventRecorder } from '../kubernetes/event-recorder.ts';
import { type LeaderElection, startLeaderElection } from '../kubernetes/leader-election.ts';
import { findMissingAccess, type MissingAccess, missingText, requiredAccess } from './access.ts';
import { ClusterRules } from './cluster-rules/cluster-rules.ts';
import { type ControllerMetrics, controllerMetrics } from './controller-metrics.ts';
import type { ControllerStatus } from './controller-status.ts';
import type { Environment } from './environment.ts';
import type { RandomBytes } from './generate.ts';
import { nameOf, namespaceOf, uidOf } from './ownership.ts';
import { createRewriteWatch } from './rewrite-watch.ts';
import { openRuleRegistry } from './rule-registry.ts';
import { ensureNamespace } from './state-namespace.ts';
import { Work } from './work.ts';
import { createWriter, typeOf } from './writer.ts';

export interface ControllerOptions {
  readonly client: KubernetesClient;
  /** Looked at again and again: the newest good bundle serves. */
  readonly bundle: BundleSource;
  readonly log?: Log;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  /** From 0 up to 1; spreads retries. */
  readonly random?: () => number;
  /** Default: those of `node:crypto`. */
  readonly randomBytes?: RandomBytes;
  /** Where the controller keeps its state; made where it is missing. Default `fairlead-system`. */
  readonly namespace?: string;
  /** Tells controllers with different bundles in one namespace apart. Default `fairlead-controller`. */
  readonly name?: string;
  /** Whether to wait for a Lease; without, this must be the only controller of its name. Default true. */
  readonly leaderElection?: boolean;
  /** Tells this process from its replicas. Default: host name and something random. */
  readonly identity?: string;
  /** Instances that are looked at at the same time; default 16. */
  readonly concurrency?: number;
  /** Makes the calls of rules. Default: none is allowed. */
  readonly call?: HttpCaller;
  /** Milliseconds between looks at {@link bundle}; default 1000. */
  readonly bundlePeriod?: number;
  /** Whether ReconcileRules and ResourceGraphDefinitions that are objects of the cluster are served, too. Default false. */
  readonly watchRules?: boolean;
}

/** Rules at work on a cluster. */
export interface Controller {
  /** Why it cannot do its work at present, in words for a person. */
  notReady(): string | undefined;
  status(): ControllerStatus;
  /** Looks at the bundle now. */
  refresh(): void;
  /** Resolves once this process leads and there is nothing left to do but to wait: for events, for retries, for the time. */
  idle(): Promise<void>;
  /** Ends what is being done, gives up the lease, and resolves when nothing is written any more. */
  stop(): Promise<void>;
}

export type { ControllerStatus } from './controller-status.ts';

/** The server was not reached, or does not know us. */
const isNoAnswer = (error: unknown): boolean => error instanceof ConnectionError || (error instanceof ApiError && error.status === 401);

/** Milliseconds between looks at whether everything is done. */
const IDLE_PERIOD = 2;
const START_RETRY = 1000;
const LONGEST_START_RETRY = 30_000;

/**
 * Starts to perform the reconcile rules of a bundle. Resolves at once; whether the cluster is reached shows in {@link Controller.notReady}.
 * Caches are filled before this process leads, so that it can take over without delay; nothing is written before.
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { client, clock = systemClock, random = Math.random, watchRules = false } = options;
  const { namespace = 'fairlead-system', name = 'fairlead-controller', leaderElection = true, concurrency = 16 } = options;
  const log = boundLog(options.log ?? silentLog, { clock });
  const identity = options.identity ?? `${hostname()}_${randomBytes(6).toString('hex')}`;
  const recorder = createEventRecorder({ client, controller: 'fairlead.dev/controller', instance: identity, clock, random, log });
  let election: LeaderElection | undefined;
  let leading = false;
  let stopped = false;
  let access: readonly MissingAccess[] = [];
  /** Of the bundle for which it was looked what is allowed. */
  let checkedGeneration: number | undefined;
  let startFailure: string | undefined;
  /** Why the last write came to nothing, where it is not for what was written. */
  let writeFailure: string | undefined;

  const metrics: ControllerMetrics = controllerMetrics(options.metrics, () => ({ queued: work.queued, leading }));
  const writer = createWriter({
    client,
    stopped: () => (leading ? undefined : 'this controller does not lead'),
    onWrite(verb, outcome, error) {
      metrics.wrote(verb, outcome);
      writeFailure = isNoAnswer(error) ? failureText(error) : undefined;
    },
  });
  const clusterRules = watchRules
    ? new ClusterRules({
        client,
        writer,
        bundle: options.bundle,
        clock,
        random,
        log,
        leads: () => leading,
        statusOfRules: () => work.status().rules,
        onChange: refresh,
      })
    : undefined;
  const bundle = clusterRules ?? options.bundle;
  const work: Work = new Work({
    client,
    bundle,
    clock,
    log,
    metrics,
    concurrency,
    random,
    environment: (parts): Environment => ({
      client,
      writer,
      call: options.call ?? createHttpCaller({ allowedHosts: [] }),
      clock,
      randomBytes: options.randomBytes ?? randomBytes,
      log,
      report(about, type, reason, message) {
        const place = namespaceOf(about) === '' ? {} : { namespace: namespaceOf(about) };
        const regarding = { ...typeOf(about), ...place, name: nameOf(about), uid: uidOf(about) };
        recorder.record({ type, reason, action: 'Reconcile', note: message, regarding });
      },
      rewrites: createRewriteWatch({ clock }),
      stateNamespace: namespace,
      ...parts,
    }),
  });

  /** Resolves when it is done, or the signal has aborted. */
  async function keepTrying(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    for (let wait = START_RETRY; !signal.aborted; wait = Math.min(wait * 2, LONGEST_START_RETRY)) {
      try {
        return await act();
      } catch (error) {
        startFailure = failureText(error);
        log('error', 'cannot begin', { reason: startFailure });
        await pause(clock, wait, signal);
      }
    }
  }

  const lead = (signal: AbortSignal): Promise<void> =>
    keepTrying(signal, async () => {
      leading = true;
      try {
        await ensureNamespace(client, namespace);
        const registry = await openRuleRegistry(writer, namespace, `${name}-rules`);
        startFailure = undefined;
        checkedGeneration = undefined;
        checkAccess();
        await work.run(registry, signal);
      } finally {
        leading = false;
      }
    });

  /** The Lease needs its namespace, and whoever stands by may make it as well as the leader. */
  async function elect(signal: AbortSignal): Promise<void> {
    await keepTrying(signal, async () => {
      await ensureNamespace(client, namespace);
      startFailure = undefined;
    });
    if (!signal.aborted) election = startLeaderElection({ client, namespace, name, identity, lead, clock, random, log });
  }

  /** Takes over the newest good bundle, and looks whether what its rules need is allowed. */
  function refresh(): void {
    work.refresh();
    if (leading) checkAccess();
  }

  /** Once for each bundle. */
  function checkAccess(): void {
    const active = bundle.current();
    if (active === undefined || active.generation === checkedGeneration) return;
    checkedGeneration = active.generation;
    void reviewAccess(active.program.reconcile);
  }

  /** Says what is not allowed before it is missed. What the server does not answer is no obstacle. */
  async function reviewAccess(program: ReconcileProgram): Promise<void> {
    const generation = checkedGeneration;
    try {
      const resource = (apiVersion: string, kind: string): string | undefined => client.discovery.known(apiVersion, kind)?.resource;
      await Promise.all(
        program.rules.flatMap(({ touches }) => touches.map(({ apiVersion, kind }) => client.discovery.resourceOf(apiVersion, kind))),
      );
      const found = await findMissingAccess(client, requiredAccess(program, resource, { namespace, leaderElection, watchRules }));
      if (stopped || generation !== checkedGeneration) return;
      access = found;
      for (const missing of access)
        log('error', missingText(missing), { advice: 'fairlead serve --cluster --print-rbac prints a role that allows it' });
    } catch (error) {
      log('debug', 'what this controller may do is not known', { reason: failureText(error) });
    }
  }

  const stop = new AbortController();
  refresh();
  let looking: Timer | undefined;
  const look = (): void => {
    looking = clock.after(options.bundlePeriod ?? 1000, () => {
      refresh();
      look();
    });
  };
  look();

  const term = leaderElection ? elect(stop.signal) : lead(stop.signal);

  return {
    notReady() {
      if (stopped) return 'the controller has stopped';
      return startFailure ?? election?.failure() ?? clusterRules?.failure() ?? work.failure() ?? writeFailure;
    },
    status: () => ({ ...work.status(), leading, missingAccess: access.map(missingText) }),
    refresh,
    async idle() {
      while (!stopped && !work.isIdle()) {
        await new Promise<void>((resolve) => void clock.after(IDLE_PERIOD, resolve));
      }
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      looking?.cancel();
      stop.abort();
      await election?.close();
      await term;
      clusterRules?.close();
      await work.close();
      await recorder.close(1000);
    },
  };
}
