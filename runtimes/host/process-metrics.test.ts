import { expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';
import { processMetrics } from './process-metrics.ts';

it('tells of memory, processor time and lateness, and counts time once', () => {
  const metrics = createMetrics();
  const stop = processMetrics(metrics);
  const read = (name: string): number => Number(new RegExp(`^${name} (.*)$`, 'm').exec(metrics.text())![1]);
  expect(read('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
  expect(read('nodejs_heap_used_bytes')).toBeGreaterThan(1_000_000);
  expect(read('process_start_time_seconds')).toBeLessThanOrEqual(Date.now() / 1000);
  expect(read('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
  const { user, system } = process.cpuUsage();
  const counted = read('process_cpu_seconds_total');
  expect(counted).toBeGreaterThanOrEqual((user + system) / 1e6);
  expect(counted).toBeLessThan((user + system) / 1e6 + 10);
  stop();
});
