import type { AddressInfo } from 'node:net';
import { createServer, type Server, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { manualClock } from '../host/clock.ts';
import { urlConnection } from '../kubernetes/connect.ts';
import { createKubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { changingBundle, startTestCluster, type TestCluster } from './cluster.fixture.ts';
import { configMapEntry, createInstance, GROUP, instanceOf, ruleFor, untilCondition } from './rules.fixture.ts';

describe('who works', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  });
  afterAll(() => cluster.close());

  it('is one of several; the others know everything and write nothing, and one takes over at once', async () => {
    const bundle = changingBundle(ruleFor('Led', `objects: ${configMapEntry('copy')}`));
    const start = (identity: string) => cluster.control(bundle, { name: 'led', namespace: 'state', leaderElection: true, identity });
    const first = await start('first');
    await cluster.until(async () => first.status().leading);
    const second = await start('second');
    const instance = await createInstance(cluster, instanceOf('Led', 'shop'));
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    await cluster.until(async () => second.status().rules[0]?.instances === 1);
    expect([second.status().leading, second.notReady()]).toEqual([false, undefined]);
    const lease = async (): Promise<unknown> => {
      const found = (await cluster.get('coordination.k8s.io/v1', 'Lease', 'state', 'led')) as { readonly spec: JsonObject } | null;
      return found?.spec['holderIdentity'];
    };
    expect(await lease()).toBe('first');

    await first.stop();
    await cluster.until(async () => second.status().leading);
    expect(await lease()).toBe('second');
    await cluster.merge(`${GROUP}/v1`, 'Led', 'shop', 'a', { spec: { value: 'y' } });
    await cluster.until(async () => ((await cluster.get('v1', 'ConfigMap', 'shop', 'a-copy'))!['data'] as JsonObject)['value'] === 'y');
    expect(first.status().leading).toBe(false);
  });

  it('is nobody who lost the lease: nothing is written any more', async () => {
    const clock = manualClock(Date.now());
    const bundle = changingBundle(ruleFor('Robbed', `objects: ${configMapEntry('robbed')}`));
    const controller = await cluster.control(bundle, {
      name: 'robbed',
      namespace: 'state',
      leaderElection: true,
      identity: 'robbed',
      clock,
    });
    const instance = await createInstance(cluster, instanceOf('Robbed', 'shop'));
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    const spec = { holderIdentity: 'robber', leaseDurationSeconds: 3600 };
    await cluster.merge('coordination.k8s.io/v1', 'Lease', 'state', 'robbed', { spec });
    await cluster.until(async () => {
      clock.advance(100);
      return !controller.status().leading;
    });
    const writes: string[] = [];
    const stop = cluster.server.registry.subscribe(({ object }) => writes.push(String((object['metadata'] as JsonObject)['name'])));
    await cluster.merge(`${GROUP}/v1`, 'Robbed', 'shop', 'a', { spec: { value: 'y' } });
    // Another one does it, and the robbed one sees it done.
    const next = await cluster.control(bundle, { name: 'robbed', namespace: 'state' });
    await cluster.until(async () => ((await cluster.get('v1', 'ConfigMap', 'shop', 'a-robbed'))!['data'] as JsonObject)['value'] === 'y');
    await next.idle();
    stop();
    expect(writes.filter((name) => name === 'a-robbed')).toHaveLength(1);
    expect(controller.status().leading).toBe(false);
  });

  it('waits for a server that is not reached, at the start and later, and goes on by itself', async () => {
    const way = await openWay(cluster.server.port);
    const client = createKubernetesClient({ connection: urlConnection(`http://127.0.0.1:${way.port}`) });
    try {
      way.block();
      const bundle = changingBundle(ruleFor('Cut', `objects: ${configMapEntry('cut')}`));
      const controller = await cluster.control(bundle, { client, name: 'cut' });
      await cluster.until(async () => controller.notReady() !== undefined);
      expect(controller.notReady()).toContain(`127.0.0.1:${way.port}`);
      way.open();
      const instance = await createInstance(cluster, instanceOf('Cut', 'shop'));
      await untilCondition(cluster, instance, 'Ready', { status: 'True' });
      // Each of its watches finds the server again by itself.
      await cluster.until(async () => controller.notReady() === undefined);

      way.block();
      await cluster.merge(`${GROUP}/v1`, 'Cut', 'shop', 'a', { spec: { value: 'y' } });
      await cluster.until(async () => controller.notReady() !== undefined);
      way.open();
      await cluster.until(async () => ((await cluster.get('v1', 'ConfigMap', 'shop', 'a-cut'))!['data'] as JsonObject)['value'] === 'y');
      await cluster.until(async () => controller.notReady() === undefined);
      await controller.stop();
    } finally {
      client.close();
      await way.close();
    }
  });

  it('cleans up what a rule made that is in no bundle any more', async () => {
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'elsewhere' } });
    const far = '{ id: far, template: { apiVersion: v1, kind: ConfigMap, metadata: { name: far, namespace: elsewhere } } }';
    const bundle = changingBundle(ruleFor('Left', `objects: [${far}]`));
    const first = await cluster.control(bundle, { name: 'left' });
    const instance = await createInstance(cluster, instanceOf('Left', 'shop'));
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    bundle.set(ruleFor('Other', `objects: ${configMapEntry('other')}`));
    await first.stop();
    const second = await cluster.control(bundle, { name: 'left' });
    await cluster.until(async () => second.status().retired.length === 1);
    await second.idle();
    expect(await cluster.get('v1', 'ConfigMap', 'elsewhere', 'far')).not.toBeNull();
    expect(await cluster.get('apiextensions.k8s.io/v1', 'CustomResourceDefinition', undefined, `lefts.${GROUP}`)).not.toBeNull();
    await cluster.remove(`${GROUP}/v1`, 'Left', 'shop', 'a');
    await cluster.until(async () => (await cluster.get(`${GROUP}/v1`, 'Left', 'shop', 'a')) === null);
    expect(await cluster.get('v1', 'ConfigMap', 'elsewhere', 'far')).toBeNull();
    await cluster.until(async () => second.status().retired.length === 0);
  });
});

interface Way {
  readonly port: number;
  block(): void;
  open(): void;
  close(): Promise<void>;
}

/** A way to a port of this machine that can be cut: what is under way breaks, and what comes is turned away. */
async function openWay(target: number): Promise<Way> {
  const sockets = new Set<Socket>();
  let blocked = false;
  const server: Server = createServer((near) => {
    if (blocked) return void near.destroy();
    const far = new Socket().connect(target, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    block() {
      blocked = true;
      cut();
    },
    open() {
      blocked = false;
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
