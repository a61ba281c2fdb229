import { DURATION_BUCKETS, type Metrics } from '../host/metrics.ts';
import type { WriteVerb } from './writer.ts';

/** What a controller counts. */
export interface ControllerMetrics {
  /** `seconds` of one look at an instance of a rule. */
  reconciled(rule: string, result: 'ok' | 'waiting' | 'problem' | 'error', seconds: number): void;
  wrote(verb: WriteVerb, outcome: 'ok' | 'error'): void;
}

export interface ControllerGauges {
  /** Instances that could be looked at now. */
  readonly queued: number;
  readonly leading: boolean;
}

export function controllerMetrics(metrics: Metrics | undefined, gauges: () => ControllerGauges): ControllerMetrics {
  if (metrics === undefined) return { reconciled: () => {}, wrote: () => {} };
  const reconciles = metrics.counter({ name: 'fairlead_reconcile_total', help: 'Looks at instances.', labels: ['rule', 'result'] });
  const seconds = metrics.histogram({
    name: 'fairlead_reconcile_seconds',
    help: 'How long a look at an instance took, writes included.',
    labels: ['rule'],
    buckets: DURATION_BUCKETS,
  });
  const writes = metrics.counter({ name: 'fairlead_controller_writes_total', help: 'Writes to the cluster.', labels: ['verb', 'outcome'] });
  const queued = metrics.gauge({ name: 'fairlead_controller_queue_length', help: 'Instances that wait to be looked at.' });
  const leading = metrics.gauge({ name: 'fairlead_controller_leading', help: '1 where this process leads, 0 where it stands by.' });
  metrics.beforeText(() => {
    const now = gauges();
    queued.set(now.queued);
    leading.set(now.leading ? 1 : 0);
  });
  return {
    reconciled(rule, result, duration) {
      reconciles.of(rule, result).add();
      seconds.of(rule).observe(duration);
    },
    wrote: (verb, outcome) => writes.of(verb, outcome).add(),
  };
}
