import type { AdmissionDecision, AdmissionPhase, Operation } from '../../engine/rules/admission/decision.ts';
import { type CounterSeries, DURATION_BUCKETS, type HistogramSeries, type Metrics } from '../host/metrics.ts';

export interface AdmissionMetrics {
  /** Counts one answered review; seconds from its headers to its answer. */
  reviewed(phase: AdmissionPhase, operation: Operation, decision: AdmissionDecision, seconds: number): void;
  /** Counts a review that could not be answered. */
  failed(phase: AdmissionPhase, reason: FailureReason): void;
  factsFetched(seconds: number): void;
}

export type FailureReason = 'json' | 'review' | 'deadline' | 'facts' | 'no-bundle' | 'internal';

/** Registers the metrics of an admission server. */
export function admissionMetrics(metrics: Metrics): AdmissionMetrics {
  const requests = metrics.counter({
    name: 'fairlead_admission_requests_total',
    help: 'Reviews answered, by what was asked and how it was decided.',
    labels: ['phase', 'operation', 'decision'],
    maxSeries: 32,
  });
  const failures = metrics.counter({
    name: 'fairlead_admission_failures_total',
    help: 'Reviews that could not be answered, so that the failure policy of the webhook decides.',
    labels: ['phase', 'reason'],
    maxSeries: 32,
  });
  const duration = metrics.histogram({
    name: 'fairlead_admission_duration_seconds',
    help: 'From the headers of a review to its answer.',
    labels: ['phase'],
    buckets: DURATION_BUCKETS,
    maxSeries: 8,
  });
  const patched = metrics.counter({
    name: 'fairlead_admission_patches_total',
    help: 'Reviews whose object was changed.',
    labels: ['phase'],
    maxSeries: 8,
  });
  const outcomes = metrics.counter({
    name: 'fairlead_admission_rule_outcomes_total',
    help: 'What rules said, where they said more than yes: deny, warn, audit, mutate, error.',
    labels: ['kind', 'rule', 'result'],
    maxSeries: 5000,
  });
  const facts = metrics.histogram({
    name: 'fairlead_admission_facts_seconds',
    help: 'Time that reviews waited for facts from the cluster.',
    buckets: DURATION_BUCKETS,
  });

  // The series of the hot path, found without joining labels.
  const counters = new Map<Operation, { readonly allow: CounterSeries; readonly deny: CounterSeries }>();
  const byPhase = new Map<AdmissionPhase, { readonly counters: typeof counters; readonly duration: HistogramSeries }>();
  for (const phase of ['mutate', 'validate', 'all'] as const) {
    const series: typeof counters = new Map();
    for (const operation of ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const) {
      series.set(operation, { allow: requests.of(phase, operation, 'allow'), deny: requests.of(phase, operation, 'deny') });
    }
    byPhase.set(phase, { counters: series, duration: duration.of(phase) });
  }

  return {
    reviewed(phase, operation, decision, seconds) {
      const series = byPhase.get(phase)!;
      series.counters.get(operation)![decision.allowed ? 'allow' : 'deny'].add();
      series.duration.observe(seconds);
      if (decision.patch.length > 0 && decision.allowed) patched.of(phase).add();
      for (const outcome of decision.outcomes) {
        if (outcome.result !== 'skip' && outcome.result !== 'allow') outcomes.of(outcome.ruleKind, outcome.rule, outcome.result).add();
      }
    },
    failed: (phase, reason) => failures.of(phase, reason).add(),
    factsFetched: (seconds) => facts.observe(seconds),
  };
}
