import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { type ManualClock, manualClock } from '../host/clock.ts';
import { ApiError, ConnectionError } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { type LeaderElection, startLeaderElection } from './leader-election.ts';

/** One Lease, with the server's checks. Clients of it can be cut off. */
function leaseServer(clock: ManualClock) {
  let lease: JsonObject | undefined;
  let version = 0;
  const store = (object: JsonObject): JsonObject => {
    lease = { ...object, metadata: { ...(object['metadata'] as JsonObject), resourceVersion: String(++version) } };
    return lease;
  };
  return {
    get spec(): JsonObject | undefined {
      return lease?.['spec'] as JsonObject | undefined;
    },
    client(link: { up: boolean; delay?: number }): KubernetesClient {
      const reach = async (signal?: AbortSignal): Promise<void> => {
        if (link.delay) {
          await new Promise<void>((resolve, reject) => {
            clock.after(link.delay!, resolve);
            signal?.addEventListener('abort', () => reject(new ConnectionError('given up')), { once: true });
          });
        }
        if (!link.up) throw new ConnectionError('not reached');
      };
      const resource = {
        get: async (_: unknown, { signal }: { signal?: AbortSignal } = {}) => {
          await reach(signal);
          return lease ?? null;
        },
        create: async (object: JsonObject, { signal }: { signal?: AbortSignal } = {}) => {
          await reach(signal);
          if (lease !== undefined) throw new ApiError(409, 'exists', { reason: 'AlreadyExists' });
          return store(object);
        },
        update: async (object: JsonObject, { signal }: { signal?: AbortSignal } = {}) => {
          await reach(signal);
          if ((object['metadata'] as JsonObject)['resourceVersion'] !== String(version))
            throw new ApiError(409, 'conflict', { reason: 'Conflict' });
          return store(object);
        },
      };
      return { resource: () => resource } as unknown as KubernetesClient;
    },
  };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 30; i++) await Promise.resolve();
};

async function pass(clock: ManualClock, milliseconds: number, step = 500): Promise<void> {
  for (let rest = milliseconds; rest > 0; rest -= step) {
    clock.advance(Math.min(step, rest));
    await settle();
  }
}

function candidate(
  clock: ManualClock,
  server: ReturnType<typeof leaseServer>,
  identity: string,
  link: { up: boolean; delay?: number } = { up: true },
) {
  const state = { terms: 0, working: false, leaders: [] as string[] };
  const election: LeaderElection = startLeaderElection({
    client: server.client(link),
    namespace: 'system',
    name: 'lock',
    identity,
    clock,
    random: () => 0.5,
    onLeader: (leader) => state.leaders.push(leader),
    lead: (signal) =>
      new Promise((resolve) => {
        state.terms++;
        state.working = true;
        signal.addEventListener('abort', () => {
          state.working = false;
          resolve();
        });
      }),
  });
  return { election, state, link };
}

describe('the election of a leader', () => {
  it('makes the first one the leader, who renews', async () => {
    const clock = manualClock(Date.UTC(2026, 0, 1));
    const server = leaseServer(clock);
    const a = candidate(clock, server, 'a');
    await settle();
    expect(a.state).toEqual({ terms: 1, working: true, leaders: ['a'] });
    expect(server.spec).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
    await pass(clock, 60_000);
    expect(a.state.terms).toBe(1);
    expect(server.spec).toMatchObject({ acquireTime: '2026-01-01T00:00:00.000000Z', renewTime: '2026-01-01T00:01:00.000000Z' });
    await a.election.close();
  });

  it('lets another follow at once when the leader stops', async () => {
    const clock = manualClock();
    const server = leaseServer(clock);
    const a = candidate(clock, server, 'a');
    await settle();
    const b = candidate(clock, server, 'b');
    await pass(clock, 30_000);
    expect(b.state.terms).toBe(0);
    expect(b.election.leader).toBe('a');
    const closing = a.election.close();
    await settle();
    await closing;
    expect(a.state.working).toBe(false);
    expect(server.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    await pass(clock, 4000);
    expect(b.state).toEqual({ terms: 1, working: true, leaders: ['a', '', 'b'] });
    expect(server.spec).toMatchObject({ leaseTransitions: 1 });
    const closingToo = b.election.close();
    await settle();
    await closingToo;
  });

  it('stops leading before another may take the lease, and says why', async () => {
    const clock = manualClock();
    const server = leaseServer(clock);
    const a = candidate(clock, server, 'a');
    await settle();
    const b = candidate(clock, server, 'b');
    await settle();
    a.link.up = false;
    await pass(clock, 9_500);
    expect(a.state.working).toBe(true);
    expect(a.election.failure()).toBe('cannot renew lease system/lock: not reached');
    await pass(clock, 500);
    expect(a.state.working).toBe(false);
    expect(b.state.working).toBe(false);
    await pass(clock, 10_000);
    expect(b.state.working).toBe(true);
    a.link.up = true;
    await pass(clock, 10_000);
    expect(a.state.working).toBe(false);
    expect(a.election.leader).toBe('b');
    for (const { election } of [a, b]) void election.close();
    await settle();
  });

  it('does not believe the clock of the holder', async () => {
    const clock = manualClock(0);
    const server = leaseServer(clock);
    const future = manualClock(1e12);
    const a = candidate(future, server, 'a');
    await settle();
    const b = candidate(clock, server, 'b');
    // The holder renews by a clock that is decades ahead; then it dies.
    await pass(clock, 14_000);
    expect(b.state.working).toBe(false);
    await pass(clock, 6_000);
    expect(b.state.working).toBe(true);
    for (const { election } of [a, b]) void election.close();
    await settle();
  });

  it('stops in time when requests hang', async () => {
    const clock = manualClock();
    const server = leaseServer(clock);
    const a = candidate(clock, server, 'a');
    await settle();
    a.link.delay = 60_000;
    await pass(clock, 10_000);
    expect(a.state.working).toBe(false);
    void a.election.close();
    await settle();
  });

  it('refuses times that would let two lead', () => {
    const clock = manualClock();
    const client = leaseServer(clock).client({ up: true });
    const options = { client, namespace: 'n', name: 'l', identity: 'i', lead: () => {}, clock };
    expect(() => startLeaderElection({ ...options, leaseDuration: 10_000, renewDeadline: 10_000 })).toThrow('must last longer');
    expect(() => startLeaderElection({ ...options, renewDeadline: 2_000 })).toThrow('must last longer');
  });

  it('never has two leaders, whoever is cut off and slow when', async () => {
    const change = fc.record({
      who: fc.nat(2),
      up: fc.boolean(),
      delay: fc.constantFrom(0, 0, 300, 4000, 9000, 20_000),
      wait: fc.integer({ min: 1, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const clock = manualClock();
        const server = leaseServer(clock);
        const all = ['a', 'b', 'c'].map((identity) => candidate(clock, server, identity, { up: true, delay: 0 }));
        for (const { who, up, delay, wait } of changes) {
          Object.assign(all[who]!.link, { up, delay });
          for (let i = 0; i < wait * 2; i++) {
            clock.advance(500);
            await settle();
            expect(all.filter(({ state }) => state.working).length).toBeLessThanOrEqual(1);
          }
        }
        for (const { link } of all) Object.assign(link, { up: true, delay: 0 });
        await pass(clock, 60_000);
        expect(all.filter(({ state }) => state.working).length).toBe(1);
        for (const { election } of all) void election.close();
        await settle();
      }),
      { numRuns: 25 },
    );
  });
});
