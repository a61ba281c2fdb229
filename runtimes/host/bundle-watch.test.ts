import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import { fixedBundle, watchBundle } from './bundle-watch.ts';
import { manualClock } from './clock.ts';
import { createMetrics } from './metrics.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-bundle-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const failed: CompiledBundle = { name: 'b', version: '', diagnostics: [{ code: 'x', severity: 'error', message: 'no' }] };

function good(version: string): CompiledBundle {
  const decision = { allowed: true, patch: [], object: null, warnings: [], auditAnnotations: {}, outcomes: [] };
  const admission = { rules: [{ kind: 'AdmissionRule', name: version }], admit: () => ({ kind: 'decision' as const, decision }) };
  return {
    name: 'b',
    version,
    diagnostics: [{ code: 'w', severity: 'warning', message: 'hm' }],
    program: { admission, reconcile: { rules: [] }, network: { rules: [] } },
  };
}

async function watch() {
  const metrics = createMetrics();
  const lines: string[] = [];
  const loaded: boolean[] = [];
  const file = join(folder, 'rule.yaml');
  const put = (content: string): Promise<void> => writeFile(file, content);
  await put('one');
  const bundle = await watchBundle({
    paths: [folder],
    clock: manualClock(1_000_000),
    events: () => ({ close() {} }),
    metrics,
    log: (level, message) => lines.push(`${level} ${message}`),
    onLoaded: (_, active) => loaded.push(active),
    async load() {
      const content = await readFile(file, 'utf8');
      if (content === 'throw') throw new Error('cannot read');
      return content === 'bad' ? failed : good(content);
    },
  });
  const metric = (name: string): string => new RegExp(`^${name} (.*)$`, 'm').exec(metrics.text())![1]!;
  return { bundle, put, lines, loaded, metric, metrics };
}

describe('a watched bundle', () => {
  it('is swapped as a whole when a new version compiles', async () => {
    const { bundle, put, metric, loaded } = await watch();
    const first = bundle.current()!;
    expect(first).toMatchObject({ generation: 1, since: 1_000_000, bundle: { version: 'one' } });
    await put('two, longer');
    await bundle.check();
    expect(bundle.current()).toMatchObject({ generation: 2, bundle: { version: 'two, longer' } });
    expect(first.bundle.version).toBe('one');
    expect(metric('fairlead_bundle_generation')).toBe('2');
    expect(metric('fairlead_bundle_reload_successful')).toBe('1');
    expect(metric('fairlead_bundle_rules{kind="AdmissionRule"}')).toBe('1');
    expect(loaded).toEqual([true, true]);
    bundle.close();
  });

  it.each(['bad', 'throw'])('goes on serving the good one when a new one fails: %s', async (content) => {
    const { bundle, put, lines, metric, metrics, loaded } = await watch();
    const first = bundle.current();
    await put(content);
    await bundle.check();
    expect(bundle.current()).toBe(first);
    expect(bundle.failure()).toBe(content === 'bad' ? '1 error' : 'cannot read');
    expect(lines.at(-1)).toBe('error bundle failed; the former one goes on serving');
    expect(metric('fairlead_bundle_reload_successful')).toBe('0');
    expect(metric('fairlead_bundle_generation')).toBe('1');
    expect(metrics.text()).toContain('fairlead_bundle_reloads_total{result="failure"} 1');
    await put('good again');
    await bundle.check();
    expect(bundle.failure()).toBeUndefined();
    expect(bundle.current()).toMatchObject({ generation: 2 });
    expect(loaded.at(-1)).toBe(true);
    bundle.close();
  });

  it('serves nothing until something compiles', async () => {
    const bundle = await watchBundle({ paths: [folder], clock: manualClock(), events: () => ({ close() {} }), load: async () => failed });
    expect(bundle.current()).toBeUndefined();
    expect(() => fixedBundle(failed)).toThrow('did not compile');
    bundle.close();
  });
});
