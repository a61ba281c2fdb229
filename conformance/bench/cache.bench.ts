import { execFile, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench, BenchRow } from './bench.ts';
import type { CacheKind, CacheReport } from './cache-child.ts';
import { percentile, relativeSpread } from './measure.ts';

const OBJECTS = 10_000;
const ROUNDS = 3;
const MEGABYTE = 1_000_000;

export const bench: Bench = {
  name: 'cache',
  description: `what ${OBJECTS} cached pods of 3 to 4 KB take, for a rule that reads five fields, beside whole objects and @kubernetes/client-node`,
  async *run({ log, signal }): AsyncIterable<BenchRow> {
    const server = fork(fileURLToPath(new URL('pod-server.ts', import.meta.url)), [String(OBJECTS), '0']);
    try {
      const port = await new Promise<number>((resolve, reject) => {
        server.once('message', (message) => resolve(message as number));
        server.once('exit', () => reject(new Error('the server of pods did not start')));
      });
      const child = fileURLToPath(new URL('cache-child.ts', import.meta.url));
      const measure = async (kind: CacheKind, rounds: number): Promise<readonly CacheReport[]> => {
        log(`${kind}, ${rounds} processes`);
        const reports: CacheReport[] = [];
        for (let round = 0; round < rounds; round++) {
          const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--import', 'tsx', child, kind, String(port)]);
          const report = JSON.parse(stdout) as CacheReport;
          if (report.objects !== OBJECTS) throw new Error(`${kind}: ${report.objects} objects instead of ${OBJECTS}`);
          reports.push(report);
        }
        return reports;
      };
      const heapOf = (reports: readonly CacheReport[]): number[] => reports.map(({ heap, external }) => (heap + external) / MEGABYTE);
      const peer = heapOf(await measure('client-node', 1));
      for (const kind of ['five fields', 'everything'] as const) {
        if (signal.aborted) return;
        const ours = heapOf(await measure(kind, ROUNDS));
        yield {
          name: `${OBJECTS.toLocaleString('en')} pods, ${kind}`,
          unit: 'MB',
          ours: percentile(ours, 0.5),
          reference: { name: '@kubernetes/client-node 1.4 ListWatch', value: percentile(peer, 0.5) },
          spread: relativeSpread(ours),
          better: 'lower',
          ...(kind === 'five fields' ? { goal: 'at most 20 MB over the baseline' } : { note: 'without managedFields' }),
        };
      }
    } finally {
      server.kill();
    }
  },
};
