import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

/**
 * Registers what every Prometheus client library tells of its process, and how late the event loop runs: the first thing to
 * look at when answers are slow. Returns how to stop measuring.
 */
export function processMetrics(metrics: Metrics): () => void {
  const memory = metrics.gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory.' });
  const heap = metrics.gauge({ name: 'nodejs_heap_used_bytes', help: 'JavaScript heap in use.' });
  const cpu = metrics.counter({ name: 'process_cpu_seconds_total', help: 'User and system time.' });
  const start = metrics.gauge({ name: 'process_start_time_seconds', help: 'When the process started.' });
  const lag = metrics.gauge({
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: 'How late timers were since the last scrape: 99th percentile.',
  });
  start.set((Date.now() - process.uptime() * 1000) / 1000);
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let counted = 0;
  metrics.beforeText(() => {
    const usage = process.memoryUsage();
    memory.set(usage.rss);
    heap.set(usage.heapUsed);
    const { user, system } = process.cpuUsage();
    const seconds = (user + system) / 1e6;
    cpu.add(seconds - counted);
    counted = seconds;
    // The histogram counts whole intervals; what exceeds the resolution is lateness.
    lag.set(Math.max(0, delay.percentile(99) / 1e9 - 0.02) || 0);
    delay.reset();
  });
  return () => delay.disable();
}
