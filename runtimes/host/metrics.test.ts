import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

describe('metrics', () => {
  it('writes counters, gauges and histograms as Prometheus reads them', () => {
    const metrics = createMetrics();
    const requests = metrics.counter({ name: 'requests_total', help: 'Requests.', labels: ['path', 'code'] });
    requests.of('/a', '200').add();
    requests.of('/a', '200').add(2);
    requests.of('/b', '500').add();
    metrics.gauge({ name: 'temperature', help: 'Now.' }).set(-1.5);
    const duration = metrics.histogram({ name: 'seconds', help: 'Time.', buckets: [0.1, 1], labels: ['phase'] });
    for (const value of [0.1, 0.5, 3]) duration.of('x').observe(value);
    expect(metrics.text()).toBe(`# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{path="/a",code="200"} 3
requests_total{path="/b",code="500"} 1
# HELP temperature Now.
# TYPE temperature gauge
temperature -1.5
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{phase="x",le="0.1"} 1
seconds_bucket{phase="x",le="1"} 2
seconds_bucket{phase="x",le="+Inf"} 3
seconds_sum{phase="x"} 3.6
seconds_count{phase="x"} 3
`);
  });

  it('escapes what would break a line', () => {
    const metrics = createMetrics();
    metrics
      .counter({ name: 'a_total', help: 'two\nlines \\', labels: ['l'] })
      .of('"x"\n\\')
      .add();
    expect(metrics.text()).toBe('# HELP a_total two\\nlines \\\\\n# TYPE a_total counter\na_total{l="\\"x\\"\\n\\\\"} 1\n');
  });

  it('keeps label values apart that joining would confuse', () => {
    const metrics = createMetrics();
    const counter = metrics.counter({ name: 'a_total', help: '', labels: ['x', 'y'] });
    counter.of('1",y="2', '3').add();
    counter.of('1', '2",y="3').add();
    expect(metrics.text().match(/^a_total/gm)).toHaveLength(2);
  });

  it('adds to one series beyond the bound, and loses no count', () => {
    const metrics = createMetrics();
    const counter = metrics.counter({ name: 'a_total', help: '', labels: ['name'], maxSeries: 10 });
    for (let i = 0; i < 1000; i++) counter.of(`name-${i}`).add();
    const lines = metrics
      .text()
      .split('\n')
      .filter((line) => line.startsWith('a_total'));
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe('a_total{name="other"} 990');
  });

  it('refuses bad names and two metrics of one name', () => {
    const metrics = createMetrics();
    expect(() => metrics.counter({ name: 'a-b', help: '' })).toThrow('not valid');
    metrics.gauge({ name: 'a', help: '' });
    expect(() => metrics.counter({ name: 'a', help: '' })).toThrow('already registered');
  });

  it('sets gauges on demand', () => {
    const metrics = createMetrics();
    const gauge = metrics.gauge({ name: 'g', help: '' });
    let value = 0;
    metrics.beforeText(() => gauge.set(++value));
    metrics.text();
    expect(metrics.text()).toContain('\ng 2\n');
  });
});
