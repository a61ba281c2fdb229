import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { urlConnection } from '../../runtimes/kubernetes/connect.ts';
import { createInformer } from '../../runtimes/kubernetes/create-informer.ts';
import { createObjectDecoder } from '../../runtimes/kubernetes/event-decoder.ts';
import { createKubernetesClient } from '../../runtimes/kubernetes/kubernetes-client.ts';
import { createStore } from '../../runtimes/kubernetes/store.ts';
import { LineSplitter } from '../../runtimes/kubernetes/watch-lines.ts';
import type { Bench, BenchRow } from './bench.ts';
import { compare, percentile, relativeSpread } from './measure.ts';
import { FIVE_FIELDS, podAt } from './watch-pods.ts';

const EVENTS = 30_000;
const ROUNDS = 7;
const LINES = 2000;
const GOAL = 'at least 50,000 events/s on one core';
const PODS = { group: '', version: 'v1', resource: 'pods', kind: 'Pod', namespaced: true, verbs: [], subresources: [] };

/** What a cache hears of one watch: processor time of this process for all events, in microseconds. */
type Follow = (port: number) => Promise<number>;

export const bench: Bench = {
  name: 'watch',
  description:
    'pods of 3 to 4 KB from the bytes of a watch into a cache that keeps five fields, beside @kubernetes/client-node and JSON.parse',
  async *run({ log, signal }): AsyncIterable<BenchRow> {
    const lines = Array.from({ length: LINES }, (_, index) =>
      Buffer.from(`${JSON.stringify({ type: 'MODIFIED', object: podAt(index) })}\n`),
    );
    log(`decoding ${LINES} events of ${Math.round(Buffer.concat(lines).length / LINES)} bytes`);
    yield decodeRow(lines);

    const server = fork(fileURLToPath(new URL('pod-server.ts', import.meta.url)), ['0', String(EVENTS)]);
    try {
      const port = await new Promise<number>((resolve, reject) => {
        server.once('message', (message) => resolve(message as number));
        server.once('exit', () => reject(new Error('the server of pods did not start')));
      });
      log(`${EVENTS} events over a socket, ${ROUNDS} rounds`);
      const theirs = await clientNode();
      const ours: number[] = [];
      const reference: number[] = [];
      // The first round of each warms up.
      for (let round = 0; round <= ROUNDS && !signal.aborted; round++) {
        const [a, b] = [await followOurs(port), await theirs(port)];
        if (round > 0) ours.push(a);
        if (round > 0) reference.push(b);
      }
      if (ours.length === 0) return;
      const perSecond = (microseconds: number): number => EVENTS / (microseconds / 1e6);
      yield {
        name: 'from a socket into a cache, events per second of processor time',
        unit: 'events/s',
        ours: perSecond(percentile(ours, 0.5)),
        reference: { name: '@kubernetes/client-node 1.4 ListWatch', value: perSecond(percentile(reference, 0.5)) },
        spread: relativeSpread(ours.map((time, round) => reference[round]! / time)),
        better: 'higher',
        goal: GOAL,
        note: 'HTTP, framing, decoding, indexes and handlers included; client-node keeps whole objects without an index',
      };
    } finally {
      await stopped(server);
    }
  },
};

/** From lines in memory into a store, beside the least that anybody does who parses them. */
function decodeRow(lines: readonly Buffer[]): BenchRow {
  const decoder = createObjectDecoder(FIVE_FIELDS);
  const store = createStore();
  const splitter = new LineSplitter(1_000_000);
  let version = 1_000_000;
  const { ours, reference, spread } = compare(
    (iteration) => {
      for (const line of splitter.push(lines[iteration % LINES]!)) {
        const { object } = decoder.event(line);
        // Every event is news, as in life.
        store.put({ ...object, metadata: { ...(object['metadata'] as object), resourceVersion: String(version++) } });
      }
      return store.size;
    },
    (iteration) => JSON.parse(lines[iteration % LINES]!.toString('utf8')),
  );
  return {
    name: 'from lines in memory into a store',
    unit: 'events/s',
    ours: 1e9 / ours,
    reference: { name: 'JSON.parse of the line, nothing kept', value: 1e9 / reference },
    spread,
    better: 'higher',
    goal: GOAL,
  };
}

const followOurs: Follow = async (port) => {
  const client = createKubernetesClient({ connection: urlConnection(`http://127.0.0.1:${port}`) });
  const before = process.cpuUsage();
  // The server's streaming list is empty: the changes come with the watch after it.
  const informer = createInformer({ client, type: PODS, fields: FIVE_FIELDS, streams: false });
  let heard = 0;
  await new Promise<void>((resolve) => {
    informer.subscribe(() => {
      if (++heard === EVENTS) resolve();
    });
  });
  const { user, system } = process.cpuUsage(before);
  informer.close();
  client.close();
  return user + system;
};

async function clientNode(): Promise<Follow> {
  const { KubeConfig, ListWatch, Watch } = await import('@kubernetes/client-node');
  return async (port) => {
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true }, { name: 'u' });
    const before = process.cpuUsage();
    const list = async () => ({ items: [], metadata: { resourceVersion: '90000' } }) as never;
    const informer = new ListWatch('/api/v1/pods', new Watch(config), list, false);
    let heard = 0;
    await new Promise<void>((resolve) => {
      informer.on('add', () => {
        if (++heard === EVENTS) resolve();
      });
      void informer.start();
    });
    const { user, system } = process.cpuUsage(before);
    await informer.stop();
    return user + system;
  };
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  await new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill();
  });
}
