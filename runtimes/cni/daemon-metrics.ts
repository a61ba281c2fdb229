import type { Metrics } from '../host/metrics.ts';
import type { Performer } from '../linux/performer.ts';
import type { InvocationServer } from './server.ts';
import type { Spool } from './spool.ts';

export interface Watched {
  readonly server: InvocationServer;
  readonly performer: Performer;
  readonly spool: Spool;
}

/** Counts invocations by why they were refused. */
export function countRefused(metrics: Metrics): (reason: string) => void {
  const refused = metrics.counter({
    name: 'fairlead_cni_refused_total',
    help: 'Invocations that were refused before a rule saw them.',
    labels: ['reason'],
  });
  return (reason) => refused.of(reason).add();
}

/** Gauges of what a daemon has to do, and has not been able to do. */
export function watchDaemon(metrics: Metrics, { server, performer, spool }: Watched): void {
  const running = metrics.gauge({ name: 'fairlead_cni_invocations_running', help: 'Invocations that are worked on.' });
  const queued = metrics.gauge({ name: 'fairlead_cni_invocations_queued', help: 'Invocations that wait for their turn.' });
  const records = metrics.gauge({
    name: 'fairlead_cni_records',
    help: 'What the journal holds; `undoing` is what could not be removed yet.',
    labels: ['state'],
    maxSeries: 8,
  });
  const spooled = metrics.gauge({ name: 'fairlead_cni_spooled', help: 'DELs that came while there was no daemon and are not done.' });
  metrics.beforeText(() => {
    running.set(server.running());
    queued.set(server.queued());
    spooled.set(spool.waiting());
    records.clear();
    const counts = new Map<string, number>([['performed', 0]]);
    for (const { state } of performer.records()) counts.set(state, (counts.get(state) ?? 0) + 1);
    for (const [state, count] of counts) records.of(state).set(count);
  });
}
