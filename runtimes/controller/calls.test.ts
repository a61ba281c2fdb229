import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { type ManualClock, manualClock } from '../host/clock.ts';
import { createHttpCaller } from '../host/http-caller.ts';
import { changingBundle, startTestCluster, type TestCluster } from './cluster.fixture.ts';
import type { Controller } from './controller.ts';
import { conditionOf, configMapEntry, createInstance, GROUP, instanceOf, ruleFor, untilCondition } from './rules.fixture.ts';

interface Call {
  readonly text: string;
  readonly key: string;
}

describe('calls to the outside world', () => {
  let cluster: TestCluster;
  let outside: Server;
  let host: string;
  const calls: Call[] = [];
  /** What the outside answers, by path; 201 where it says nothing. */
  const statuses = new Map<string, number>();
  beforeAll(async () => {
    cluster = await startTestCluster();
    outside = createServer((request, response) => {
      const path = request.url ?? '';
      calls.push({ text: `${request.method} ${path}`, key: String(request.headers['idempotency-key']) });
      response.writeHead(statuses.get(path) ?? 201, { 'content-type': 'application/json' }).end('{"id":"7"}');
    });
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(outside.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await cluster.close();
    outside.closeAllConnections();
    await new Promise((resolve) => outside.close(resolve));
  });

  async function begin(
    kind: string,
    body: (url: string) => string,
    allowedHosts: readonly string[] = [host],
  ): Promise<{
    readonly clock: ManualClock;
    readonly controller: Controller;
    readonly instance: JsonObject;
    readonly made: () => string[];
  }> {
    const namespace = kind.toLowerCase();
    const clock = manualClock(Date.parse('2030-01-01T00:00:00Z'));
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const call = createHttpCaller({ allowedHosts });
    const bundle = changingBundle(ruleFor(kind, body(`http://${host}/${namespace}`)));
    const controller = await cluster.control(bundle, { name: namespace, namespace: `state-${namespace}`, clock, call });
    const instance = await createInstance(cluster, instanceOf(kind, namespace));
    return { clock, controller, instance, made: () => calls.flatMap(({ text }) => (text.includes(`/${namespace}`) ? [text] : [])) };
  }
  const there = (kind: string): Promise<JsonObject | null> => cluster.get(`${GROUP}/v1`, kind, kind.toLowerCase(), 'a');

  it('happen once, are known to the rule, and are undone by what was answered', async () => {
    const { instance, made } = await begin(
      'Account',
      (url) => `
calls:
- id: account
  http: { method: POST, url: "${url}" }
  undo: { method: DELETE, url: "${url}/\${account.body.id}" }
objects: ${configMapEntry('copy', '{ id: "${account.body.id}" }')}`,
    );
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    expect((await cluster.get('v1', 'ConfigMap', 'account', 'a-copy'))?.['data']).toEqual({ id: '7' });
    await cluster.merge(`${GROUP}/v1`, 'Account', 'account', 'a', { spec: { value: 'y' } });
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    expect(made()).toEqual(['POST /account']);
    await cluster.remove(`${GROUP}/v1`, 'Account', 'account', 'a');
    await cluster.until(async () => (await there('Account')) === null);
    expect(made()).toEqual(['POST /account', 'DELETE /account/7']);
    expect((await cluster.list('v1', 'Secret')).filter(({ type }) => type === 'fairlead.dev/journal')).toEqual([]);
  });

  it('are repeated under the same key until they succeed, and so are their undoings', async () => {
    statuses.set('/flaky', 503).set('/flaky/7', 500);
    const { clock, instance, made } = await begin(
      'Flaky',
      (url) => `calls: [{ id: one, http: { method: POST, url: "${url}" }, undo: { method: DELETE, url: "${url}/7" } }]`,
    );
    const failed = await untilCondition(cluster, instance, 'Ready', { status: 'False', reason: 'CallFailed' });
    expect(conditionOf(failed, 'Ready')?.message).toBe('call one was answered with 503');
    statuses.delete('/flaky');
    await cluster.until(async () => {
      clock.advance(1000);
      return conditionOf(await there('Flaky'), 'Ready')?.status === 'True';
    });
    const keys = calls.filter(({ text }) => text === 'POST /flaky').map(({ key }) => key);
    expect([keys.length >= 2, new Set(keys).size]).toEqual([true, 1]);
    await cluster.remove(`${GROUP}/v1`, 'Flaky', 'flaky', 'a');
    await cluster.until(async () => made().includes('DELETE /flaky/7'));
    expect(await there('Flaky')).not.toBeNull();
    statuses.set('/flaky/7', 404);
    await cluster.until(async () => {
      clock.advance(1000);
      return (await there('Flaky')) === null;
    });
  });

  it('are made anew when their answers are too old', async () => {
    const { clock, instance, made } = await begin('Fresh', (url) => `calls: [{ id: one, http: { url: "${url}" }, refresh: 1h }]`);
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    clock.advance(59 * 60_000);
    await cluster.merge(`${GROUP}/v1`, 'Fresh', 'fresh', 'a', { spec: { value: 'y' } });
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    expect(made()).toEqual(['GET /fresh']);
    await cluster.until(async () => {
      clock.advance(60_000);
      return made().length > 1;
    });
  });

  it('are refused where nobody allowed the host, and the condition says how to', async () => {
    const { instance, made } = await begin('Barred', (url) => `calls: [{ id: one, http: { method: POST, url: "${url}" } }]`, []);
    const failed = await untilCondition(cluster, instance, 'Stalled', { status: 'True', reason: 'CallRefused' });
    expect(conditionOf(failed, 'Ready')?.message).toContain('--allow-call');
    expect(made()).toEqual([]);
  });
});
