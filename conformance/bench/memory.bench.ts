import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Bench, BenchRow } from './bench.ts';
import { percentile, relativeSpread } from './measure.ts';
import type { MemoryReport } from './memory-child.ts';

const RULES = 1_000;
const ROUNDS = 5;
const MEGABYTE = 1_000_000;

export const bench: Bench = {
  name: 'memory',
  description: `what a process holds with ${RULES} policies that have decided on pods, beside an empty one`,
  async *run({ log, signal }): AsyncIterable<BenchRow> {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-memory-'));
    try {
      // Bundled, as in a release: a loader of TypeScript in the process would be measured too.
      const child = join(folder, 'child.cjs');
      await build({
        entryPoints: [fileURLToPath(new URL('memory-child.ts', import.meta.url))],
        outfile: child,
        bundle: true,
        platform: 'node',
        target: 'node20.19',
        format: 'cjs',
        minify: true,
        external: ['cue-wasm', 'pino'],
        logLevel: 'error',
      });
      const empty = join(folder, 'empty.cjs');
      writeFileSync(
        empty,
        'const {rss,heapUsed}=(gc(),process.memoryUsage());process.stdout.write(JSON.stringify({resident:rss,heap:heapUsed}))',
      );
      const measure = (file: string, rules: number): readonly MemoryReport[] =>
        Array.from({ length: ROUNDS }, () =>
          JSON.parse(execFileSync(process.execPath, ['--expose-gc', file, String(rules)], { encoding: 'utf8' })),
        );
      const nothing = measure(empty, 0);
      for (const rules of [1, RULES]) {
        if (signal.aborted) return;
        log(`${rules} policies, ${ROUNDS} processes`);
        const found = measure(child, rules);
        const residents = found.map(({ resident }) => resident);
        yield {
          name: `resident with ${rules.toLocaleString('en')} ${rules === 1 ? 'policy' : 'policies'}`,
          unit: 'MB',
          ours: percentile(residents, 0.5) / MEGABYTE,
          reference: {
            name: 'an empty Node.js process',
            value:
              percentile(
                nothing.map(({ resident }) => resident),
                0.5,
              ) / MEGABYTE,
          },
          spread: relativeSpread(residents),
          better: 'lower',
          ...(rules === RULES ? { goal: 'at most 150 MB' } : {}),
          note: `of it heap ${(
            percentile(
              found.map(({ heap }) => heap),
              0.5,
            ) / MEGABYTE
          ).toFixed(0)} MB`,
        };
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
