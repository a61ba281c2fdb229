import { isJsonObject, type JsonObject } from '../../engine/object/json.ts';
import { formatMicroTime } from '../../engine/object/time.ts';
import { type Clock, systemClock, type Timer } from '../host/clock.ts';
import { type Log, silentLog } from '../host/log.ts';
import { ApiError, failureText } from './api-error.ts';
import type { KubernetesClient, ResourceType } from './client.ts';
import { pause } from './pause.ts';

export interface LeaderElectionOptions {
  readonly client: KubernetesClient;
  /** Of the Lease. */
  readonly namespace: string;
  readonly name: string;
  /** Tells this process from all others that may lead: host name and something random. */
  readonly identity: string;
  /** Milliseconds for which a renewal holds; whole seconds. Default 15 000. */
  readonly leaseDuration?: number;
  /** Milliseconds without a renewal after which this process stops leading; less than {@link leaseDuration}. Default 10 000. */
  readonly renewDeadline?: number;
  /** Milliseconds between attempts. Default 2 000. */
  readonly retryPeriod?: number;
  /**
   * Called when this process leads; the caches it needs may be warm long before. It must write nothing more once the signal has
   * aborted, and resolve (or return) when it has stopped.
   */
  readonly lead: (signal: AbortSignal) => Promise<void> | void;
  /** Called with each new holder, this process included; `` while there is none. */
  readonly onLeader?: (identity: string) => void;
  readonly clock?: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
  readonly log?: Log;
}

export interface LeaderElection {
  readonly leading: boolean;
  /** Who leads, as far as is known; `` for nobody. */
  readonly leader: string;
  /** Why the Lease cannot be read or written at present. */
  failure(): string | undefined;
  /** Stops leading, waits for the work to stop, and gives the Lease back, so that another can take it at once. */
  close(): Promise<void>;
}

const LEASES: ResourceType = {
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
  kind: 'Lease',
  namespaced: true,
  verbs: ['create', 'get', 'update'],
  subresources: [],
};

/** Attempts of those who wait are spread over so many periods. */
const JITTER = 1.2;

/** A state of the Lease, and when it was first seen, by this process's clock: others' clocks are not believed. */
interface Observed {
  readonly lease: JsonObject;
  readonly holder: string;
  /** Milliseconds. */
  readonly duration: number;
  readonly seenAt: number;
}

/**
 * Takes part in the election of one leader by a Lease. Two never lead at once: who leads stops when it could not renew for
 * {@link LeaderElectionOptions.renewDeadline}, counted from before the last renewal was sent; who waits takes the Lease only when
 * it has seen no renewal for the longer lease duration, counted from when it saw the last one.
 *
 * Kubernetes: staging/src/k8s.io/client-go/tools/leaderelection/leaderelection.go.
 */
export function startLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const { client, namespace, name, identity, leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2_000 } = options;
  const { clock = systemClock, random = Math.random, log = silentLog } = options;
  if (!(leaseDuration > renewDeadline && renewDeadline > retryPeriod * JITTER))
    throw new Error('the lease must last longer than the renewal deadline, and that longer than the time between attempts');
  const leases = client.resource(LEASES);
  const stop = new AbortController();
  let observed: Observed | undefined;
  let term: { readonly end: AbortController; readonly work: Promise<void> } | undefined;
  let deadline: Timer | undefined;
  let failure: string | undefined;
  let announced: string | undefined;

  function observe(lease: JsonObject): void {
    const spec = isJsonObject(lease['spec']) ? lease['spec'] : {};
    const holder = typeof spec['holderIdentity'] === 'string' ? spec['holderIdentity'] : '';
    const seconds = typeof spec['leaseDurationSeconds'] === 'number' ? spec['leaseDurationSeconds'] : 0;
    const same = observed !== undefined && versionOf(observed.lease) === versionOf(lease);
    observed = { lease, holder, duration: seconds * 1000, seenAt: same ? observed!.seenAt : clock.elapsed() };
    if (announced !== holder) {
      announced = holder;
      options.onLeader?.(holder);
    }
  }

  function spec(of: Observed | undefined): JsonObject {
    const now = formatMicroTime(clock.now());
    const former = isJsonObject(of?.lease['spec']) ? of.lease['spec'] : {};
    const mine = of?.holder === identity;
    const transitions = typeof former['leaseTransitions'] === 'number' ? former['leaseTransitions'] : 0;
    return {
      ...former,
      holderIdentity: identity,
      leaseDurationSeconds: Math.round(leaseDuration / 1000),
      acquireTime: mine ? (former['acquireTime'] ?? now) : now,
      renewTime: now,
      leaseTransitions: mine || of === undefined ? transitions : transitions + 1,
    };
  }

  /** Renews or takes the Lease. True where this process holds it. Rejects where that is not known. */
  async function attempt(signal: AbortSignal): Promise<boolean> {
    if (term === undefined || observed?.holder !== identity) {
      const lease = await leases.get({ namespace, name }, { signal });
      if (lease === null) {
        return write(undefined, () =>
          leases.create(
            { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec: spec(undefined) },
            { signal },
          ),
        );
      }
      observe(lease);
    }
    const current = observed!;
    const isFree = current.holder === '' || current.holder === identity || clock.elapsed() >= current.seenAt + current.duration;
    if (!isFree) return false;
    return write(current, () => leases.update({ ...current.lease, spec: spec(current) }, { signal }));
  }

  async function write(of: Observed | undefined, act: () => Promise<JsonObject>): Promise<boolean> {
    const sentAt = clock.elapsed();
    try {
      const lease = await act();
      observe(lease);
      renewed(sentAt);
      return true;
    } catch (error) {
      // Somebody else wrote in between: what is known is out of date.
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      if (of !== undefined && observed === of) observe((await leases.get({ namespace, name }, { signal: stop.signal })) ?? of.lease);
      return false;
    }
  }

  function renewed(sentAt: number): void {
    if (stop.signal.aborted) return;
    deadline?.cancel();
    const rest = sentAt + renewDeadline - clock.elapsed();
    deadline = clock.after(rest, () => endTerm('the lease could not be renewed in time'));
    if (term !== undefined || rest <= 0) return;
    const end = new AbortController();
    log('info', 'this process leads', { lease: `${namespace}/${name}`, identity });
    const work = Promise.resolve()
      .then(() => options.lead(end.signal))
      .catch((error: unknown) => log('error', 'the work of the leader failed', { error: String(error) }));
    term = { end, work };
  }

  function endTerm(why: string): void {
    deadline?.cancel();
    deadline = undefined;
    if (term === undefined || term.end.signal.aborted) return;
    log('warn', 'this process leads no longer', { lease: `${namespace}/${name}`, identity, reason: why });
    term.end.abort();
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      // What it did as leader must be over before it can lead again.
      if (term?.end.signal.aborted === true) {
        await term.work;
        term = undefined;
      }
      const limit = new AbortController();
      const timer = clock.after(renewDeadline, () => limit.abort());
      const abort = (): void => limit.abort();
      stop.signal.addEventListener('abort', abort, { once: true });
      try {
        const held = await attempt(limit.signal);
        failure = undefined;
        if (!held && term !== undefined && observed?.holder !== identity) endTerm(`${observed?.holder || 'nobody'} holds the lease`);
      } catch (error) {
        failure = `cannot ${term === undefined ? 'take' : 'renew'} lease ${namespace}/${name}: ${failureText(error)}`;
        if (!stop.signal.aborted) log('warn', 'the lease is not to be had', { reason: failure });
      } finally {
        timer.cancel();
        stop.signal.removeEventListener('abort', abort);
      }
      const spread = term === undefined ? random() * JITTER : 0;
      await pause(clock, retryPeriod * (1 + spread), stop.signal);
    }
  }

  const running = run().catch(() => {});

  async function release(): Promise<void> {
    if (observed?.holder !== identity) return;
    const now = formatMicroTime(clock.now());
    const former = isJsonObject(observed.lease['spec']) ? observed.lease['spec'] : {};
    const free = { ...former, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
    // Where it does not succeed, the lease simply ends.
    await leases.update({ ...observed.lease, spec: free }).then(observe, () => {});
  }

  let closing: Promise<void> | undefined;
  return {
    get leading() {
      return term !== undefined && !term.end.signal.aborted;
    },
    get leader() {
      return observed?.holder ?? '';
    },
    failure: () => failure,
    close() {
      closing ??= (async () => {
        stop.abort();
        endTerm('it stops');
        await term?.work;
        await running;
        await release();
      })();
      return closing;
    },
  };
}

function versionOf(lease: JsonObject): unknown {
  return isJsonObject(lease['metadata']) ? lease['metadata']['resourceVersion'] : undefined;
}
