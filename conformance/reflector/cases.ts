import type { ServerResponse } from 'node:http';
import type { JsonObject } from '../../engine/object/json.ts';
import type { ManualClock } from '../../runtimes/host/clock.ts';
import type { Informer, StoreChange } from '../../runtimes/kubernetes/informer.ts';
import { eventLine, type Fault, type ModelApi, refuse, status } from '../../runtimes/kubernetes/model-api.fixture.ts';

/** What a case acts with. */
export interface Stage {
  readonly api: ModelApi;
  readonly clock: ManualClock;
  /** Whether the server does streaming lists. */
  readonly streams: boolean;
  readonly informer: Informer;
  /** Starts the cache. */
  begin(): void;
  /** Waits for something, and moves the clock by `step` milliseconds now and then. */
  until(what: string, condition: () => boolean, step?: number): Promise<void>;
  /** Waits until the cache is as the server is. */
  caughtUp(step?: number): Promise<void>;
  readonly changes: readonly StoreChange[];
}

/** A failure, and what the server's state is meanwhile. In the end the cache must be as the server is. */
export interface ReflectorCase {
  readonly name: string;
  readonly firstVersion?: number;
  act(stage: Stage): Promise<void>;
}

const expired = status(410, 'Expired', 'too old resource version');
const tooLarge = { details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] } };

/** Starts with some objects and waits until they are known. */
async function settled({ api, begin, caughtUp }: Stage): Promise<void> {
  for (const name of ['a', 'b', 'c']) api.put(name);
  begin();
  await caughtUp();
}

/** Lists that were asked for after the first. */
function relists(api: ModelApi, before: number): readonly string[] {
  return api.requests.slice(before).filter((request) => request.startsWith('list') || request.includes('sendInitialEvents'));
}

function expect(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/** Answers a watch with these bytes, in the place of the server. */
function answerWatch(write: (response: ServerResponse) => void): Fault {
  return ({ kind }, response) => {
    if (kind !== 'watch') return false;
    response.writeHead(200, { 'content-type': 'application/json' });
    write(response);
    return true;
  };
}

export const cases: readonly ReflectorCase[] = [
  {
    name: 'nothing goes wrong',
    async act(stage) {
      await settled(stage);
      stage.api.put('d');
      stage.api.put('a', { spec: { x: 1 } });
      stage.api.remove('b');
    },
  },
  {
    name: 'the watch ends cleanly: watched again from the last version, at once, without a list',
    async act(stage) {
      await settled(stage);
      const { api, until } = stage;
      const before = api.requests.length;
      api.put('d');
      await until('d is known', () => stage.informer.store.size === 4);
      api.end();
      await until('it watches again', () => api.requests.length > before);
      api.remove('a');
      await stage.caughtUp(0);
      expect(relists(api, before).length === 0, `it listed again: ${api.requests}`);
    },
  },
  {
    name: 'the connection breaks, with changes meanwhile',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      const before = api.requests.length;
      api.mute(true);
      api.put('d');
      api.remove('b');
      api.mute(false);
      api.cut();
      await stage.caughtUp();
      expect(relists(api, before).length === 0, `it listed again: ${api.requests}`);
    },
  },
  {
    name: '410 in the watch, with deletions and additions that nobody told of',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      api.mute(true);
      api.remove('a');
      api.put('d');
      api.put('b', { spec: { x: 2 } });
      api.mute(false);
      api.compact();
      api.send(eventLine('ERROR', expired));
      await stage.caughtUp();
      const gone = stage.changes.find(({ type, key }) => type === 'deleted' && key === 'shop/a');
      expect(gone?.finalStateUnknown === true, 'the deletion that a list found does not say so');
    },
  },
  {
    name: '410 as the answer to a watch',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      api.mute(true);
      api.remove('c');
      api.mute(false);
      api.compact();
      api.faults.push(refuse(410, 'Expired', 'too old'));
      api.end();
    },
  },
  {
    name: '410 between two pages: one list in one piece',
    async act(stage) {
      const { api } = stage;
      for (let i = 0; i < 1200; i++) api.put(`pod-${i}`);
      // By pages only what is read from storage: after a version that was not to be had.
      api.faults.push(refuse(504, 'Timeout', 'Too large resource version', {}, tooLarge));
      if (stage.streams) api.faults.push(refuse(500, 'InternalError'));
      api.faults.push(
        () => false,
        () => {
          api.compact();
          return false;
        },
      );
      stage.begin();
      await stage.caughtUp();
    },
  },
  {
    name: 'a half-open connection: found by its silence, watched again, not listed',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      const before = api.requests.length;
      api.silence();
      api.remove('a');
      api.put('d');
      await stage.caughtUp(5000);
      expect(relists(api, before).length === 0, `it listed again: ${api.requests}`);
    },
  },
  {
    name: 'a connection that never answers',
    async act(stage) {
      stage.api.put('a');
      stage.api.faults.push(() => true);
      stage.begin();
      await stage.caughtUp(2000);
    },
  },
  {
    name: 'a bookmark, then the server dies: watched again from the bookmark',
    async act(stage) {
      await settled(stage);
      const { api, until } = stage;
      api.mute(true);
      api.put('elsewhere');
      api.remove('elsewhere');
      api.mute(false);
      api.bookmark();
      await until('the bookmark is known', () => stage.informer.store.resourceVersion === '6');
      const before = api.requests.length;
      api.cut();
      await until('it watches again', () => api.requests.length > before, 100);
      expect(api.requests[before] === 'watch resourceVersion=6', `it asked for ${api.requests[before]}`);
    },
  },
  {
    name: 'a version that the server does not have yet',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      api.faults.push(refuse(504, 'Timeout', 'Too large resource version', {}, tooLarge));
      api.mute(true);
      api.remove('a');
      api.mute(false);
      api.cut();
      await stage.caughtUp();
    },
  },
  {
    name: 'the server was set back to an older state',
    firstVersion: 1000,
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      api.faults.push(refuse(504, 'Timeout', 'Too large resource version', {}, tooLarge));
      api.mute(true);
      api.remove('b');
      api.mute(false);
      api.end();
    },
  },
  {
    name: 'a deletion comes twice',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      const gone = { ...api.objects.get('shop/a')! };
      api.remove('a');
      api.send(eventLine('DELETED', { ...gone, metadata: { ...(gone['metadata'] as JsonObject), resourceVersion: '5' } }));
      api.put('d');
      await stage.caughtUp();
      expect(stage.changes.filter(({ type }) => type === 'deleted').length === 1, 'it was deleted twice');
    },
  },
  {
    name: 'events come twice, and older ones after newer ones',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      const old = api.objects.get('shop/a')!;
      const newer = api.put('a', { spec: { x: 1 } });
      api.send(eventLine('MODIFIED', newer));
      api.send(eventLine('MODIFIED', old));
      api.put('d');
      await stage.caughtUp();
      expect(stage.changes.filter(({ type }) => type === 'modified').length === 1, 'it was modified more than once');
    },
  },
  {
    name: 'deleted and made anew while nobody looked: a deletion, then an addition',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      api.mute(true);
      api.remove('a');
      api.put('a');
      api.mute(false);
      api.compact();
      api.end();
      await stage.caughtUp();
      const about = stage.changes.filter(({ key }) => key === 'shop/a').map(({ type }) => type);
      expect(about.join() === 'added,deleted,added', `it was told ${about}`);
    },
  },
  {
    name: 'an event of another object of the same name, whose predecessor’s deletion was lost',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      api.mute(true);
      api.remove('a');
      api.mute(false);
      api.put('a');
      await stage.caughtUp();
    },
  },
  {
    name: 'the first list is cut',
    async act(stage) {
      const { api } = stage;
      for (const name of ['a', 'b', 'c']) api.put(name);
      const cut: Fault = ({ kind }, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write(kind === 'watch' ? eventLine('ADDED', api.objects.get('shop/a')!) : '{"kind":"PodList","items":[', () =>
          response.destroy(),
        );
        return true;
      };
      if (!stage.streams) api.faults.push(() => false);
      api.faults.push(cut, cut);
      stage.begin();
      await stage.until('the list was cut', () => api.requests.length >= 2, 100);
      expect(!stage.informer.synced && stage.informer.store.size === 0, 'a part of a list is in the cache');
    },
  },
  {
    name: 'a list to repair is cut: the cache stays as it was until there is a whole one',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      const cut: Fault = ({ kind }, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write(kind === 'watch' ? eventLine('ADDED', api.objects.get('shop/b')!) : '{"kind":"PodList","items":[', () =>
          response.destroy(),
        );
        return true;
      };
      api.mute(true);
      api.remove('a');
      api.mute(false);
      api.compact();
      api.faults.push(cut);
      const before = api.requests.length;
      api.send(eventLine('ERROR', expired));
      await stage.until('the list was cut', () => api.requests.length > before, 100);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(stage.informer.store.size === 3, `a part of a list is in the cache: ${stage.informer.store.size} objects`);
    },
  },
  {
    name: 'a streaming list ends before its last bookmark',
    async act(stage) {
      const { api } = stage;
      api.put('a');
      api.put('b');
      api.faults.push(answerWatch((response) => response.end(eventLine('ADDED', api.objects.get('shop/a')!))));
      stage.begin();
      await stage.caughtUp();
    },
  },
  {
    name: 'changes within a streaming list, before its last bookmark',
    async act(stage) {
      const { api } = stage;
      const a = api.put('a');
      const newer = api.put('a', { spec: { x: 1 } });
      api.faults.push(
        answerWatch((response) => {
          const ghost = { ...a, metadata: { ...(a['metadata'] as JsonObject), name: 'ghost' } };
          for (const [type, object] of [
            ['ADDED', a],
            ['ADDED', ghost],
            ['MODIFIED', newer],
            ['DELETED', ghost],
          ] as const)
            response.write(eventLine(type, object));
          response.write(
            eventLine('BOOKMARK', {
              kind: 'Pod',
              metadata: { resourceVersion: '3', annotations: { 'k8s.io/initial-events-end': 'true' } },
            }),
          );
          setTimeout(() => response.end(), 5);
        }),
      );
      stage.begin();
      await stage.caughtUp();
      expect(!stage.changes.some(({ key }) => key === 'shop/ghost'), 'it told of what came and went before the list was complete');
    },
  },
  ...[429, 500, 502, 503, 504].map(
    (code): ReflectorCase => ({
      name: `${code} as the answer to three requests in a row, first and later`,
      async act(stage) {
        const { api } = stage;
        const fail = refuse(code, 'Failure', `because of ${code}`, code === 429 ? { 'retry-after': '7' } : {});
        api.put('a');
        api.faults.push(fail, fail, fail);
        stage.begin();
        await stage.until('it says why', () => stage.informer.failure() !== undefined);
        const began = stage.clock.elapsed();
        await stage.caughtUp(100);
        if (code === 429) expect(stage.clock.elapsed() - began >= 7000, 'it did not wait as long as it was asked to');
        api.mute(true);
        api.put('b');
        api.mute(false);
        api.faults.push(fail, fail, fail);
        api.end();
      },
    }),
  ),
  ...[401, 403, 404].map(
    (code): ReflectorCase => ({
      name: `${code} for a while: said in words, and tried again`,
      async act(stage) {
        await settled(stage);
        const { api } = stage;
        const fail = refuse(code, 'Failure', `because of ${code}`);
        api.faults.push(...Array.from({ length: 6 }, () => fail));
        api.mute(true);
        api.put('d');
        api.mute(false);
        api.end();
        await stage.until('it says why', () => stage.informer.failure()?.includes(`because of ${code}`) === true, 100);
        expect(stage.informer.store.size === 3, 'it forgot what it knew');
        await stage.caughtUp(2000);
        expect(stage.informer.failure() === undefined, `it still complains: ${stage.informer.failure()}`);
      },
    }),
  ),
  ...[429, 500].map(
    (code): ReflectorCase => ({
      name: `${code} in the watch`,
      async act(stage) {
        await settled(stage);
        const { api } = stage;
        api.mute(true);
        api.put('d');
        api.mute(false);
        api.send(eventLine('ERROR', status(code, 'Failure', 'not now')));
      },
    }),
  ),
  ...(
    [
      ['a line that is not JSON', 'this is no event\n'],
      ['half an event', '{"type":"ADDED","object":{"metadata":\n'],
      ['an event without an object', '{"type":"ADDED"}\n'],
      ['an event of an unknown type', '{"type":"RENAMED","object":{}}\n'],
      ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x0a])],
      ['an event that is too large', eventLine('ADDED', { metadata: { name: 'x'.repeat(70_000) } })],
      ['a line without end', 'x'.repeat(100_000)],
    ] as const
  ).map(
    ([what, text]): ReflectorCase => ({
      name: `${what}: watched again`,
      async act(stage) {
        await settled(stage);
        const { api } = stage;
        api.send(text);
        api.put('d');
        await stage.caughtUp();
        api.remove('a');
      },
    }),
  ),
  {
    name: 'unreadable data at the same place again and again: listed',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      const garbage = answerWatch((response) => response.end('garbage\n'));
      api.faults.push(garbage, garbage);
      api.mute(true);
      api.put('d');
      api.mute(false);
      const before = api.requests.length;
      api.end();
      await stage.caughtUp();
      expect(relists(api, before).length === 1, `it did not list: ${api.requests}`);
    },
  },
  {
    name: 'bytes one by one, and characters cut in two',
    async act(stage) {
      const { api, clock } = stage;
      await settled(stage);
      const object = { ...api.objects.get('shop/a')!, data: { text: 'äöü €  𝄞', escaped: 'a"b\\c\nd' } };
      api.mute(true);
      api.put('a', { data: object.data });
      api.mute(false);
      const line = Buffer.from(eventLine('MODIFIED', api.objects.get('shop/a')!));
      for (const byte of line) {
        api.send(Buffer.from([byte]));
        clock.advance(10);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await stage.caughtUp(0);
    },
  },
  {
    name: 'an empty line, and several events in one chunk',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      api.mute(true);
      const d = api.put('d');
      const e = api.put('e');
      api.mute(false);
      api.send(`\n${eventLine('ADDED', d)}\n${eventLine('ADDED', e)}`);
      await stage.caughtUp(0);
    },
  },
  {
    name: 'watches that end at once: asked for less and less often',
    async act(stage) {
      await settled(stage);
      const { api, clock } = stage;
      const end = answerWatch((response) => response.end());
      api.faults.push(...Array.from({ length: 5 }, () => end));
      const began = clock.elapsed();
      const before = api.requests.length;
      api.end();
      await stage.until('it has asked six times', () => api.requests.length >= before + 6, 100);
      expect(clock.elapsed() - began >= 800 + 1600 + 3200 + 6400, `six watches in ${clock.elapsed() - began} ms`);
      expect(relists(api, before).length === 0, `it listed again: ${api.requests}`);
    },
  },
  {
    name: 'versions with more digits than numbers are exact',
    firstVersion: 9007199254740000,
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      api.put('a', { spec: { x: 1 } });
      api.remove('b');
      api.end();
      api.put('c', { spec: { x: 2 } });
    },
  },
  {
    name: 'thousands of objects, and changes of all of them',
    async act(stage) {
      const { api } = stage;
      for (let i = 0; i < 3000; i++) api.put(`pod-${i}`);
      stage.begin();
      await stage.caughtUp(0);
      for (let i = 0; i < 3000; i += 2) api.put(`pod-${i}`, { spec: { i } });
      for (let i = 0; i < 3000; i += 3) api.remove(`pod-${i}`);
      await stage.caughtUp(0);
    },
  },
  {
    name: 'a server that fails at random, for a long time',
    async act(stage) {
      await settled(stage);
      const { api } = stage;
      let seed = 42;
      const random = (below: number): number => {
        seed = (seed * 1103515245 + 12345) % 2 ** 31;
        return Math.floor((seed / 2 ** 31) * below);
      };
      const acts: readonly (() => void)[] = [
        () => api.put(`p${random(10)}`, { spec: { x: random(100) } }),
        () => {
          const [key] = [...api.objects.keys()].slice(random(api.objects.size));
          if (key !== undefined) api.remove(key.slice(5));
        },
        () => api.end(),
        () => api.cut(),
        () => api.silence(),
        () => api.compact(),
        () => api.bookmark(),
        () => api.mute(random(2) === 0),
        () => api.send('garbage\n'),
        () => api.send(eventLine('ERROR', expired)),
        () => api.faults.push(refuse([401, 403, 404, 410, 422, 429, 500, 503, 504][random(9)]!, 'Failure')),
        () => api.faults.push(answerWatch((response) => response.destroy())),
        () => stage.clock.advance(random(40_000)),
      ];
      for (let i = 0; i < 600; i++) {
        acts[random(acts.length)]!();
        if (random(4) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      api.mute(false);
      api.faults.length = 0;
      // What was never told can only be found by a list or by the end of a watch.
      api.compact();
      api.end();
      await stage.caughtUp(5000);
    },
  },
];
