/**
 * Counters, gauges and histograms, and their text form for Prometheus (text exposition format 0.0.4).
 *
 * A metric with labels has one series per combination of label values. The number of series is bounded: beyond the
 * bound, values are added to one series whose labels all read `other`, so that no stream of names can fill the memory.
 */
export interface Metrics {
  counter(options: MetricOptions): Counter;
  gauge(options: MetricOptions): Gauge;
  histogram(options: HistogramOptions): Histogram;
  /** Runs before each {@link Metrics.text}, to set gauges that are read on demand. */
  beforeText(callback: () => void): void;
  /** All metrics, for `Content-Type: text/plain; version=0.0.4; charset=utf-8`. */
  text(): string;
}

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Most series kept apart; default 1000. */
  readonly maxSeries?: number;
}

export interface HistogramOptions extends MetricOptions {
  /** Upper bounds, ascending, without the infinite one. */
  readonly buckets: readonly number[];
}

export interface CounterSeries {
  /** Adds `amount` (default 1, never negative). */
  add(amount?: number): void;
}
export interface GaugeSeries {
  set(value: number): void;
}
export interface HistogramSeries {
  observe(value: number): void;
}

/** Hot paths keep the series of {@link Counter.of} instead of looking it up again. */
export interface Counter extends CounterSeries {
  of(...labelValues: readonly string[]): CounterSeries;
}
export interface Gauge extends GaugeSeries {
  of(...labelValues: readonly string[]): GaugeSeries;
  /** Forgets all series, before they are set anew. */
  clear(): void;
}
export interface Histogram extends HistogramSeries {
  of(...labelValues: readonly string[]): HistogramSeries;
}

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Seconds, from a tenth of a millisecond to the longest webhook timeout. */
export const DURATION_BUCKETS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

interface Family<S> {
  of(labelValues: readonly string[]): S;
  clear(): void;
}

/** A fresh, empty registry. */
export function createMetrics(): Metrics {
  const writers = new Map<string, (lines: string[]) => void>();
  const callbacks: (() => void)[] = [];

  function family<S>(
    options: MetricOptions,
    type: string,
    make: () => S,
    write: (lines: string[], labels: string, series: S) => void,
  ): Family<S> {
    const { name, help, labels = [], maxSeries = 1000 } = options;
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw new Error(`metric name ${JSON.stringify(name)} is not valid`);
    if (writers.has(name)) throw new Error(`metric ${name} is already registered`);
    const series = new Map<string, S>();
    writers.set(name, (lines) => {
      lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`);
      for (const [key, one] of series) write(lines, key, one);
    });
    return {
      of(values) {
        let key = '';
        for (let i = 0; i < labels.length; i++) key += `${i === 0 ? '' : ','}${labels[i]}="${escapeLabel(values[i] ?? '')}"`;
        let found = series.get(key);
        if (found !== undefined) return found;
        if (series.size >= maxSeries) {
          key = labels.map((label) => `${label}="other"`).join(',');
          found = series.get(key);
          if (found !== undefined) return found;
        }
        found = make();
        series.set(key, found);
        return found;
      },
      clear: () => series.clear(),
    };
  }

  return {
    counter(options) {
      const all = family(
        options,
        'counter',
        () => {
          const series = {
            value: 0,
            add(amount = 1) {
              series.value += amount;
            },
          };
          return series;
        },
        (lines, labels, series) => lines.push(`${options.name}${braced(labels)} ${formatNumber(series.value)}`),
      );
      return { of: (...values) => all.of(values), add: (amount) => all.of([]).add(amount) };
    },
    gauge(options) {
      const all = family(
        options,
        'gauge',
        () => {
          const series = {
            value: 0,
            set(value: number) {
              series.value = value;
            },
          };
          return series;
        },
        (lines, labels, series) => lines.push(`${options.name}${braced(labels)} ${formatNumber(series.value)}`),
      );
      return { of: (...values) => all.of(values), set: (value) => all.of([]).set(value), clear: () => all.clear() };
    },
    histogram(options) {
      const { buckets, name } = options;
      const all = family(
        options,
        'histogram',
        () => {
          const series = {
            counts: new Float64Array(buckets.length + 1),
            sum: 0,
            observe(value: number) {
              let index = 0;
              while (index < buckets.length && value > buckets[index]!) index++;
              series.counts[index]!++;
              series.sum += value;
            },
          };
          return series;
        },
        (lines, labels, series) => {
          const comma = labels === '' ? '' : ',';
          let total = 0;
          for (let i = 0; i <= buckets.length; i++) {
            total += series.counts[i]!;
            const bound = i === buckets.length ? '+Inf' : formatNumber(buckets[i]!);
            lines.push(`${name}_bucket{${labels}${comma}le="${bound}"} ${total}`);
          }
          lines.push(`${name}_sum${braced(labels)} ${formatNumber(series.sum)}`, `${name}_count${braced(labels)} ${total}`);
        },
      );
      return { of: (...values) => all.of(values), observe: (value) => all.of([]).observe(value) };
    },
    beforeText: (callback) => void callbacks.push(callback),
    text() {
      for (const callback of callbacks) callback();
      const lines: string[] = [];
      for (const write of writers.values()) write(lines);
      return `${lines.join('\n')}\n`;
    },
  };
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return /[\\"\n]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : text;
}
