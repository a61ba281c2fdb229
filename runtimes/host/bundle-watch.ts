import type { BundleProgram, CompiledBundle } from '../../engine/bundle/bundle.ts';
import { isError } from '../../engine/text/diagnostic.ts';
import { type Clock, systemClock } from './clock.ts';
import { errorMessage } from './error-message.ts';
import { type FolderEvents, watchFolder } from './folder-watch.ts';
import { type Log, silentLog } from './log.ts';
import type { Metrics } from './metrics.ts';

/** A bundle that compiled, while it serves. */
export interface ActiveBundle {
  readonly bundle: CompiledBundle;
  readonly program: BundleProgram;
  /** Counts the bundles that served in this process, from 1. */
  readonly generation: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** Where a runtime finds the bundle to serve. Ask anew for each request: the answer is swapped as a whole. */
export interface BundleSource {
  current(): ActiveBundle | undefined;
}

/** A bundle that never changes. Throws when it did not compile. */
export function fixedBundle(bundle: CompiledBundle): BundleSource {
  if (bundle.program === undefined) throw new Error(`bundle ${bundle.name} did not compile`);
  const active: ActiveBundle = { bundle, program: bundle.program, generation: 1, since: Date.now() };
  return { current: () => active };
}

export interface WatchedBundleOptions {
  /** Files and folders of the bundle. */
  readonly paths: readonly string[];
  /** Reads and compiles. A throw counts as a bundle that failed. */
  readonly load: () => Promise<CompiledBundle>;
  /** Told of each attempt's diagnostics, for people who watch the terminal. */
  readonly onLoaded?: (bundle: CompiledBundle, active: boolean) => void;
  /** Milliseconds without events after which files count as written; default 100. */
  readonly settle?: number;
  readonly poll?: number;
  readonly clock?: Clock;
  readonly events?: FolderEvents;
  readonly log?: Log;
  readonly metrics?: Metrics;
}

export interface WatchedBundle extends BundleSource {
  /** What kept the newest version from serving, or undefined when the newest serves. */
  failure(): string | undefined;
  /** Looks for changes now. */
  check(): Promise<void>;
  close(): void;
}

/**
 * Loads a bundle and loads it again whenever its files change. The newest good bundle serves: one that fails to load or
 * to compile leaves the former in place, and says so in the log and in `fairlead_bundle_reload_successful`.
 */
export async function watchBundle(options: WatchedBundleOptions): Promise<WatchedBundle> {
  const { clock = systemClock, log = silentLog } = options;
  const metrics = options.metrics === undefined ? undefined : bundleMetrics(options.metrics);
  let active: ActiveBundle | undefined;
  let failure: string | undefined;

  async function load(): Promise<void> {
    const started = clock.elapsed();
    let bundle: CompiledBundle | undefined;
    try {
      bundle = await options.load();
      const errors = bundle.diagnostics.filter(isError).length;
      if (bundle.program === undefined || errors > 0) failure = `${errors} error${errors === 1 ? '' : 's'}`;
      else {
        failure = undefined;
        active = { bundle, program: bundle.program, generation: (active?.generation ?? 0) + 1, since: clock.now() };
      }
    } catch (error) {
      failure = errorMessage(error);
    }
    const seconds = (clock.elapsed() - started) / 1000;
    metrics?.(failure === undefined, active, seconds);
    if (failure === undefined) {
      log('info', 'bundle serves', {
        bundle: active!.bundle.name,
        version: active!.bundle.version,
        generation: active!.generation,
        seconds,
      });
    } else {
      log('error', active === undefined ? 'bundle failed; nothing serves' : 'bundle failed; the former one goes on serving', {
        reason: failure,
        generation: active?.generation,
        ...firstError(bundle),
      });
    }
    if (bundle !== undefined) options.onLoaded?.(bundle, failure === undefined);
  }

  // One attempt at a time, in the order of the changes.
  let attempts: Promise<void> = Promise.resolve();
  const onChange = (): Promise<void> => {
    attempts = attempts.then(load);
    return attempts;
  };
  const { paths, settle, poll, events } = options;
  // Watching begins before the first load, so that no change can fall between the two.
  const watch = await watchFolder({ paths, onChange, clock, settle, poll, events });
  await onChange();
  return { current: () => active, failure: () => failure, check: watch.check, close: watch.close };
}

function firstError(bundle: CompiledBundle | undefined): { readonly file?: string; readonly code?: string } {
  const first = bundle?.diagnostics.find(isError);
  if (first === undefined) return {};
  return { code: first.code, ...(first.source === undefined ? {} : { file: first.source.name }) };
}

function bundleMetrics(metrics: Metrics): (succeeded: boolean, active: ActiveBundle | undefined, seconds: number) => void {
  const generation = metrics.gauge({
    name: 'fairlead_bundle_generation',
    help: 'Bundles that have served in this process; 0 when none has yet.',
  });
  const rules = metrics.gauge({ name: 'fairlead_bundle_rules', help: 'Rules of the bundle that serves.', labels: ['kind'], maxSeries: 32 });
  const reloads = metrics.counter({ name: 'fairlead_bundle_reloads_total', help: 'Attempts to load the bundle.', labels: ['result'] });
  const good = metrics.gauge({
    name: 'fairlead_bundle_reload_successful',
    help: '1 when the newest version of the bundle serves, 0 when it failed.',
  });
  const time = metrics.gauge({ name: 'fairlead_bundle_last_success_timestamp_seconds', help: 'When the bundle that serves was loaded.' });
  const duration = metrics.gauge({ name: 'fairlead_bundle_load_seconds', help: 'How long the last attempt took.' });
  generation.set(0);
  good.set(0);
  return (succeeded, active, seconds) => {
    reloads.of(succeeded ? 'success' : 'failure').add();
    good.set(succeeded ? 1 : 0);
    duration.set(seconds);
    if (active === undefined) return;
    generation.set(active.generation);
    time.set(active.since / 1000);
    rules.clear();
    const counts = new Map<string, number>();
    const { admission, reconcile, network } = active.program;
    const kinds = [
      ...admission.rules.map((rule) => rule.kind),
      ...reconcile.rules.map((rule) => rule.ruleKind),
      ...network.rules.map(() => 'NetworkRule'),
    ];
    for (const kind of kinds) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    for (const [kind, count] of counts) rules.of(kind).set(count);
  };
}
