import { isJsonObject, type JsonObject, ownValue } from '../../engine/object/json.ts';
import type { Clock } from '../host/clock.ts';
import { apiErrorOfStatus } from './api-error.ts';
import type { ResourceClient, WatchEvent } from './client.ts';
import { pause } from './pause.ts';
import { afterStep, classifyFailure, initialState, type ReflectorOutcome, type ReflectorState, whileReceiving } from './reflector-state.ts';
import { identityOf } from './store.ts';

/** Where a reflector brings what it hears. */
export interface ReflectorSink {
  /** Everything there is, at once. */
  replace(objects: Iterable<JsonObject>, resourceVersion: string): void;
  /** One change. Answers whether it was news. */
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: JsonObject): boolean;
  advance(resourceVersion: string): void;
  readonly resourceVersion: string;
}

/** Which objects are followed, and how. */
export interface ReflectorOptions {
  readonly resource: ResourceClient;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Makes an event of a line, with what is kept of its object. */
  readonly decode: (line: Buffer) => WatchEvent;
  readonly project: (object: JsonObject) => JsonObject;
  readonly sink: ReflectorSink;
  readonly clock: Clock;
  readonly random: () => number;
  /** Tries a streaming list first; default: true. */
  readonly streams?: boolean;
  /** Called with every new state. */
  readonly onState?: (state: ReflectorState) => void;
}

/** Keeps a sink as the server is, until it is closed. What it does when is in `reflector-state.ts`. */
export interface Reflector {
  readonly state: ReflectorState;
  close(): void;
}

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Starts at once. Never throws or rejects: failures are in the state. */
export function startReflector(options: ReflectorOptions): Reflector {
  const { resource, namespace, labelSelector, fieldSelector, decode, project, sink, clock, random } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const query = { namespace, labelSelector, fieldSelector };
  const { group, resource: plural } = resource.type;
  const subject = `${plural}${group === '' ? '' : `.${group}`}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;
  let state = initialState({ streams: options.streams ?? true });

  function enter(next: ReflectorState): void {
    state = next;
    options.onState?.(next);
  }

  async function list(): Promise<ReflectorOutcome> {
    const { step } = state;
    try {
      const { items, resourceVersion } = await resource.list({
        ...query,
        project,
        signal,
        retry: false,
        resourceVersion: step.resourceVersion,
        ...(step.kind === 'list' && step.paged ? {} : { limit: 0 }),
      });
      if (!signal.aborted) {
        enter(whileReceiving(state));
        sink.replace(items, resourceVersion);
      }
      return { kind: 'listed', resourceVersion };
    } catch (error) {
      return { kind: 'failed', failure: classifyFailure(error, `list ${subject}`) };
    }
  }

  /** A watch, or a stream: the same, with all objects first. */
  async function watch(): Promise<ReflectorOutcome> {
    const { step } = state;
    let openedAt: number | undefined;
    // A stream's objects wait here until it has sent them all: the sink never holds a part of them.
    let arriving = step.kind === 'stream' ? new Map<string, JsonObject>() : undefined;
    let news = false;
    const ended = (error?: unknown): ReflectorOutcome => ({
      kind: 'ended',
      failure: error === undefined ? undefined : classifyFailure(error, `watch ${subject}`),
      complete: arriving === undefined,
      // What is known from before a stream is still the newest while it is incomplete.
      resourceVersion: sink.resourceVersion,
      news,
      lasted: openedAt === undefined ? 0 : clock.elapsed() - openedAt,
    });
    try {
      const events = resource.watch({
        ...query,
        decode,
        signal,
        resourceVersion: step.resourceVersion === '' ? undefined : step.resourceVersion,
        ...(step.kind === 'stream' ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' as const } : {}),
        allowBookmarks: true,
        timeoutSeconds: 300 + Math.floor(random() * 300),
        // Bookmarks come about once a minute.
        idleTimeout: 70_000 + random() * 20_000,
        onOpen() {
          openedAt = clock.elapsed();
          enter(whileReceiving(state));
        },
      });
      for await (const { type, object } of events) {
        if (signal.aborted) break;
        if (type === 'ERROR') return ended(apiErrorOfStatus(object));
        const identity = identityOf(object);
        if (type === 'BOOKMARK') {
          if (arriving === undefined) {
            news ||= identity.resourceVersion !== sink.resourceVersion;
            sink.advance(identity.resourceVersion);
          } else if (endsInitialEvents(object)) {
            const all = arriving;
            arriving = undefined;
            news = true;
            sink.replace(all.values(), identity.resourceVersion);
          }
        } else if (arriving === undefined) {
          if (sink.apply(type, object)) news = true;
        } else if (type === 'DELETED') arriving.delete(identity.key);
        else arriving.set(identity.key, object);
      }
      return ended();
    } catch (error) {
      return ended(error);
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      if (state.step.after > 0) await pause(clock, state.step.after, signal);
      const outcome = state.step.kind === 'list' ? await list() : await watch();
      if (!signal.aborted) enter(afterStep(state, outcome, clock.elapsed(), random()));
    }
  }

  // Only a pause that is given up rejects.
  run().catch(() => {});
  return {
    get state() {
      return state;
    },
    close: () => stop.abort(),
  };
}

function endsInitialEvents(bookmark: JsonObject): boolean {
  const metadata = ownValue(bookmark, 'metadata');
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined;
  return isJsonObject(annotations) && annotations[INITIAL_EVENTS_END] === 'true';
}
