import type { JsonObject } from '../../engine/object/json.ts';
import { formatMicroTime } from '../../engine/object/time.ts';
import { type Clock, systemClock } from '../host/clock.ts';
import { type Log, silentLog } from '../host/log.ts';
import { ApiError, failureText } from './api-error.ts';
import type { KubernetesClient, ResourceType } from './client.ts';
import { pause } from './pause.ts';

/** What is told about an object. */
export interface RecordedEvent {
  readonly type: 'Normal' | 'Warning';
  /** What happened, as one word for machines: `Applied`, `Conflict`. */
  readonly reason: string;
  /** What was tried, as one word: `Apply`, `Prune`. */
  readonly action: string;
  /** For people; longer than 1024 bytes is cut. */
  readonly note: string;
  readonly regarding: EventSubject;
  readonly related?: EventSubject;
}

export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

export interface EventRecorderOptions {
  readonly client: KubernetesClient;
  /** Who tells: `fairlead.dev/controller`. */
  readonly controller: string;
  /** Which process of them. */
  readonly instance: string;
  /** Events that wait to be sent; more are dropped. Default 1000. */
  readonly maxQueue?: number;
  /** Events about one object that may come at once; default 25, and one more every five minutes. */
  readonly burst?: number;
  readonly clock?: Clock;
  /** From 0 up to 1; makes names. */
  readonly random?: () => number;
  readonly log?: Log;
}

/** Tells of objects by Events. Never blocks and never fails: what cannot be told is counted and dropped. */
export interface EventRecorder {
  record(event: RecordedEvent): void;
  /** Events that were told of in vain: too many about one object, too many at once, or refused. */
  readonly dropped: number;
  /** Sends what waits, but for no longer than so many milliseconds. */
  close(grace?: number): Promise<void>;
}

const EVENTS: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  resource: 'events',
  kind: 'Event',
  namespaced: true,
  verbs: ['create', 'patch'],
  subresources: [],
};

/** Milliseconds within which the same event is the same series. Kubernetes: staging/src/k8s.io/client-go/tools/events. */
const SERIES = 6 * 60_000;
/** A series is written at most this often; milliseconds. */
const SERIES_INTERVAL = 30_000;
/** Different notes of what is otherwise the same event, within a series' time, that are told apart. */
const MOST_NOTES = 10;
const MOST_REMEMBERED = 4096;
const REFILL = 5 * 60_000;
const ATTEMPTS = 4;
const LONGEST_NOTE = 1024;

interface Series {
  readonly event: RecordedEvent;
  /** Undefined until the first event is stored. */
  name: string | undefined;
  count: number;
  lastAt: number;
  /** When it was last sent; milliseconds of the steady clock. */
  sentAt: number;
  queued: boolean;
}

/** Starts at once; needs `create` and `patch` on events.events.k8s.io. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, controller, instance, maxQueue = 1000, burst = 25 } = options;
  const { clock = systemClock, random = Math.random, log = silentLog } = options;
  const events = client.resource(EVENTS);
  const stop = new AbortController();
  const series = new Map<string, Series>();
  const buckets = new Map<string, { tokens: number; at: number }>();
  const notes = new Map<string, { readonly texts: Set<string>; at: number }>();
  const queue: Series[] = [];
  let sending: Promise<void> | undefined;
  let dropped = 0;
  let closed = false;

  function record(event: RecordedEvent): void {
    if (closed) return;
    const now = clock.elapsed();
    const told = { ...event, note: cut(event.note, LONGEST_NOTE) };
    const key = seriesKey(told, now);
    let known = series.get(key);
    if (known !== undefined && now - known.lastAt > SERIES) known = undefined;
    if (known !== undefined) {
      known.count++;
      known.lastAt = now;
      const wait = known.sentAt + SERIES_INTERVAL - now;
      if (known.queued) return;
      known.queued = true;
      if (wait <= 0) enqueue(known);
      else clock.after(wait, () => enqueue(known!));
      return;
    }
    if (!take(subjectKey(told.regarding), now)) {
      dropped++;
      return;
    }
    const fresh: Series = { event: told, name: undefined, count: 1, lastAt: now, sentAt: now, queued: true };
    remember(series, key, fresh);
    enqueue(fresh);
  }

  /** The same event is told apart by its note, unless there are too many of those. */
  function seriesKey(event: RecordedEvent, now: number): string {
    const { type, reason, action, note, regarding, related } = event;
    const base = JSON.stringify([type, reason, action, subjectKey(regarding), related === undefined ? '' : subjectKey(related)]);
    let seen = notes.get(base);
    if (seen === undefined || now - seen.at > SERIES) {
      seen = { texts: new Set(), at: now };
      remember(notes, base, seen);
    }
    seen.at = now;
    if (!seen.texts.has(note) && seen.texts.size >= MOST_NOTES) return base;
    seen.texts.add(note);
    return `${base} ${note}`;
  }

  function take(subject: string, now: number): boolean {
    let bucket = buckets.get(subject);
    if (bucket === undefined) {
      bucket = { tokens: burst, at: now };
      remember(buckets, subject, bucket);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / REFILL);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  function enqueue(one: Series): void {
    if (stop.signal.aborted) return;
    if (queue.length >= maxQueue) {
      one.queued = false;
      dropped++;
      return;
    }
    queue.push(one);
    sending ??= send().finally(() => {
      sending = undefined;
    });
  }

  async function send(): Promise<void> {
    for (let one = queue.shift(); one !== undefined && !stop.signal.aborted; one = queue.shift()) {
      one.queued = false;
      one.sentAt = clock.elapsed();
      await deliver(one).catch((error: unknown) => {
        dropped++;
        if (!stop.signal.aborted)
          log('warn', 'an event was not taken', { reason: failureText(error), about: subjectKey(one.event.regarding) });
      });
    }
  }

  async function deliver(one: Series): Promise<void> {
    const namespace = one.event.regarding.namespace || 'default';
    for (let attempt = 1; ; attempt++) {
      try {
        if (one.name !== undefined) {
          const times = { count: one.count, lastObservedTime: formatMicroTime(clock.now() - (clock.elapsed() - one.lastAt)) };
          await events.patch({ namespace, name: one.name }, 'merge', { series: times }, { signal: stop.signal });
        } else {
          const object = eventObject(one, namespace);
          await events.create(object, { signal: stop.signal });
          one.name = (object['metadata'] as { readonly name: string }).name;
        }
        return;
      } catch (error) {
        // Events do not live long; a series may outlive its own.
        if (error instanceof ApiError && error.status === 404 && one.name !== undefined) one.name = undefined;
        else if (error instanceof ApiError && error.status < 500 && error.status !== 409 && error.status !== 429) throw error;
        if (attempt >= ATTEMPTS) throw error;
        await pause(clock, 500 * 2 ** attempt * (1 + random()), stop.signal);
      }
    }
  }

  function eventObject({ event, count, lastAt }: Series, namespace: string): JsonObject {
    const now = clock.now();
    const suffix = `${Math.floor(now).toString(16)}${Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')}`;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${event.regarding.name.slice(0, 200)}.${suffix}`, namespace },
      eventTime: formatMicroTime(now - (clock.elapsed() - lastAt)),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      type: event.type,
      reason: event.reason.slice(0, 128),
      action: event.action.slice(0, 128),
      note: event.note,
      regarding: subjectOf(event.regarding),
      ...(event.related === undefined ? {} : { related: subjectOf(event.related) }),
      ...(count > 1 ? { series: { count, lastObservedTime: formatMicroTime(now) } } : {}),
    };
  }

  return {
    record,
    get dropped() {
      return dropped;
    },
    async close(grace = 2000) {
      closed = true;
      const timer = clock.after(grace, () => stop.abort());
      await sending;
      timer.cancel();
      stop.abort();
    },
  };
}

/** Bounded: the one that was remembered first goes first. */
function remember<T>(into: Map<string, T>, key: string, value: T): void {
  into.delete(key);
  into.set(key, value);
  if (into.size <= MOST_REMEMBERED) return;
  for (const oldest of into.keys()) {
    into.delete(oldest);
    return;
  }
}

function subjectKey({ apiVersion, kind, namespace = '', name, uid = '' }: EventSubject): string {
  return `${apiVersion}/${kind}/${namespace}/${name}/${uid}`;
}

function subjectOf({ apiVersion, kind, namespace, name, uid, resourceVersion }: EventSubject): JsonObject {
  return {
    apiVersion,
    kind,
    name,
    ...(namespace ? { namespace } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
  };
}

/** The first so many bytes of UTF-8, without half a character. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const room = Buffer.from(text).subarray(0, bytes - 3);
  let end = room.length;
  while (end > 0 && (Buffer.from(text)[end]! & 0xc0) === 0x80) end--;
  return `${room.subarray(0, end).toString('utf8')}…`;
}
