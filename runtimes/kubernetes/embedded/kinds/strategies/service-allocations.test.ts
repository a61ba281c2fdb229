import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../engine/object/json.ts';
import { ObjectStore } from '../../storage/object-store.ts';
import { accountServices, FIRST_NODE_PORT, LAST_NODE_PORT } from './service-allocations.ts';

const service = (uid: string, clusterIP: string, ...nodePorts: number[]): JsonObject => ({
  metadata: { name: uid, uid },
  spec: { clusterIPs: [clusterIP], ports: nodePorts.map((nodePort) => ({ nodePort })) },
});

describe('what services hold', () => {
  it('is known of services that were there before', () => {
    const store = new ObjectStore();
    store.put('/services', 'a', 'x', service('x', '10.96.1.1', 30_000), 0);
    const services = accountServices(store);
    expect(services.hasAddress('10.96.1.1', 'y')).toBe(true);
    expect(services.hasAddress('10.96.1.1', 'x')).toBe(false);
    expect(services.freeAddress()).toBe('10.96.1.2');
    expect(services.freeNodePort(new Set([30_001]))).toBe(30_002);
  });

  it('follows what is stored, changed and deleted', () => {
    const store = new ObjectStore();
    const services = accountServices(store);
    const first = store.put('/services', 'a', 'x', service('x', '10.96.1.1', 30_000), 0)!;
    const second = store.put('/services', 'a', 'x', service('x', '10.96.1.1', 30_007), first.revision)!;
    expect([services.hasNodePort(30_000, 'y'), services.hasNodePort(30_007, 'y')]).toEqual([false, true]);
    store.remove('/services', 'a/x', second.object, second.revision);
    expect([services.hasAddress('10.96.1.1', 'y'), services.hasNodePort(30_007, 'y')]).toEqual([false, false]);
  });

  it('gives two who create at the same time different ones', () => {
    const services = accountServices(new ObjectStore());
    expect([services.freeAddress(), services.freeAddress()]).toEqual(['10.96.1.1', '10.96.1.2']);
  });

  it('goes round, past what is taken, and ends where everything is', () => {
    const store = new ObjectStore();
    const services = accountServices(store);
    const all = Array.from({ length: LAST_NODE_PORT - FIRST_NODE_PORT + 1 }, (_, i) => FIRST_NODE_PORT + i);
    store.put('/services', 'a', 'x', service('x', 'None', ...all.filter((port) => port !== 30_005)), 0);
    expect([services.freeNodePort(new Set()), services.freeNodePort(new Set())]).toEqual([30_005, 30_005]);
    expect(services.freeNodePort(new Set([30_005]))).toBeUndefined();
    expect(services.hasAddress('None', 'y')).toBe(false);
  });
});
