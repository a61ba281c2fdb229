import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { manualClock } from '../host/clock.ts';
import { ApiError } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { createEventRecorder, type EventRecorderOptions, type RecordedEvent } from './event-recorder.ts';

function open(options: Partial<EventRecorderOptions> = {}) {
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const sent: JsonObject[] = [];
  const failures: (ApiError | undefined)[] = [];
  const logged: string[] = [];
  const take = (request: JsonObject): Promise<JsonObject> => {
    const failure = failures.shift();
    if (failure !== undefined) return Promise.reject(failure);
    sent.push(request);
    return Promise.resolve(request);
  };
  const resource = {
    create: (object: JsonObject) => take(object),
    patch: (name: JsonObject, _: string, body: JsonObject) => take({ patch: name, ...body }),
  };
  const client = { resource: () => resource } as unknown as KubernetesClient;
  const recorder = createEventRecorder({
    client,
    controller: 'fairlead.dev/controller',
    instance: 'host-1',
    clock,
    random: () => 0.5,
    log: (_, message, fields) => logged.push(`${message}: ${fields?.['reason']}`),
    ...options,
  });
  return { clock, recorder, sent, failures, logged };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 200; i++) await Promise.resolve();
};
const event = (more: Partial<RecordedEvent> = {}): RecordedEvent => ({
  type: 'Normal',
  reason: 'Applied',
  action: 'Apply',
  note: 'Deployment shop/web applied',
  regarding: { apiVersion: 'example.com/v1', kind: 'App', namespace: 'shop', name: 'web', uid: 'u1' },
  ...more,
});

describe('a recorder of events', () => {
  it('tells of an object', async () => {
    const { recorder, sent } = open();
    recorder.record(event());
    await settle();
    expect(sent).toEqual([
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'web.19b76daa80080000000', namespace: 'shop' },
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingController: 'fairlead.dev/controller',
        reportingInstance: 'host-1',
        type: 'Normal',
        reason: 'Applied',
        action: 'Apply',
        note: 'Deployment shop/web applied',
        regarding: { apiVersion: 'example.com/v1', kind: 'App', namespace: 'shop', name: 'web', uid: 'u1' },
      },
    ]);
  });

  it('tells of cluster-scoped objects in namespace default', async () => {
    const { recorder, sent } = open();
    recorder.record(event({ regarding: { apiVersion: 'v1', kind: 'Node', name: 'n' } }));
    await settle();
    expect(sent[0]).toMatchObject({ metadata: { namespace: 'default' } });
  });

  it('makes a series of what happens again, written at most every 30 seconds', async () => {
    const { clock, recorder, sent } = open();
    recorder.record(event());
    await settle();
    for (let second = 1; second <= 90; second++) {
      clock.advance(1000);
      recorder.record(event());
      await settle();
    }
    expect(sent.slice(1).map(({ series }) => series)).toEqual([
      { count: 30, lastObservedTime: '2026-01-01T00:00:29.000000Z' },
      { count: 60, lastObservedTime: '2026-01-01T00:00:59.000000Z' },
      { count: 90, lastObservedTime: '2026-01-01T00:01:29.000000Z' },
    ]);
    expect(sent[1]).toMatchObject({ patch: { namespace: 'shop', name: 'web.19b76daa80080000000' } });
  });

  it('tells anew of what has not happened for six minutes', async () => {
    const { clock, recorder, sent } = open();
    recorder.record(event());
    await settle();
    clock.advance(6 * 60_000 + 1);
    recorder.record(event());
    await settle();
    expect(sent.map(({ kind }) => kind)).toEqual(['Event', 'Event']);
  });

  it('tells different notes apart, but not endlessly', async () => {
    const { recorder, sent } = open();
    for (let i = 0; i < 20; i++) recorder.record(event({ note: `waits for ${i}` }));
    await settle();
    expect(sent).toHaveLength(11);
    expect(recorder.dropped).toBe(0);
  });

  it('tells only so much of one object, and a little more with time', async () => {
    const { clock, recorder, sent } = open({ burst: 3 });
    for (let i = 0; i < 5; i++) recorder.record(event({ reason: `Reason${i}` }));
    recorder.record(event({ regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'other' } }));
    await settle();
    expect(sent).toHaveLength(4);
    expect(recorder.dropped).toBe(2);
    clock.advance(5 * 60_000);
    recorder.record(event({ reason: 'Reason7' }));
    recorder.record(event({ reason: 'Reason8' }));
    await settle();
    expect(sent).toHaveLength(5);
  });

  it('cuts long notes between characters', async () => {
    const { recorder, sent } = open();
    recorder.record(event({ note: 'ä'.repeat(1000) }));
    recorder.record(event({ note: 'x'.repeat(1024) }));
    await settle();
    const [first, second] = sent.map(({ note }) => note as string);
    expect(Buffer.byteLength(first!)).toBeLessThanOrEqual(1024);
    expect(first).toMatch(/^ä{500,}…$/);
    expect(second).toHaveLength(1024);
  });

  it('tries again where the server is busy or broken, and drops what it refuses', async () => {
    const { clock, recorder, sent, failures, logged } = open();
    failures.push(new ApiError(503, 'away'), new ApiError(429, 'busy'));
    recorder.record(event());
    await settle();
    expect(sent).toHaveLength(0);
    clock.advance(1500);
    await settle();
    clock.advance(3000);
    await settle();
    expect(sent).toHaveLength(1);
    failures.push(new ApiError(403, 'namespace is being terminated'));
    recorder.record(event({ reason: 'Other' }));
    await settle();
    expect(sent).toHaveLength(1);
    expect(recorder.dropped).toBe(1);
    expect(logged).toEqual(['an event was not taken: namespace is being terminated']);
  });

  it('begins a series anew when its event has gone', async () => {
    const { clock, recorder, sent, failures } = open();
    recorder.record(event());
    await settle();
    clock.advance(40_000);
    failures.push(new ApiError(404, 'gone'));
    recorder.record(event());
    await settle();
    clock.advance(2000);
    await settle();
    expect(sent).toHaveLength(2);
    expect(sent[1]).toMatchObject({ kind: 'Event', series: { count: 2 } });
  });

  it('never holds more than so many', () => {
    const { recorder } = open({ maxQueue: 5, burst: 1000 });
    for (let i = 0; i < 100; i++) recorder.record(event({ reason: `R${i}` }));
    expect(recorder.dropped).toBeGreaterThan(90);
  });

  it('sends what waits when it is closed, but does not wait for ever', async () => {
    const { clock, recorder, sent, failures } = open();
    recorder.record(event());
    recorder.record(event({ reason: 'Second' }));
    await recorder.close();
    expect(sent).toHaveLength(2);
    recorder.record(event({ reason: 'Late' }));
    expect(sent).toHaveLength(2);

    const slow = open();
    failures.length = 0;
    slow.failures.push(new ApiError(500, 'a'));
    slow.recorder.record(event());
    await settle();
    const closing = slow.recorder.close(1000);
    slow.clock.advance(1000);
    await closing;
    expect(slow.sent).toHaveLength(0);
    expect(clock.pending()).toBe(0);
  });
});
