import { ApiError, ConnectionError, failureText } from './api-error.ts';
import { BAD_STREAM_DATA, SILENT_STREAM } from './watch-lines.ts';

/*
 * What a reflector does next, decided by what just happened. Nothing here asks a server or looks at a clock: the reflector does
 * a step, tells what became of it, and gets the next one.
 *
 *   stream   a watch that first sends all objects, then a bookmark that says so, then changes: one request for list and watch
 *   list     all objects, by pages where no version is asked for
 *   watch    changes from a version on
 *
 * | while       | what happened                                   | next                          | after             |
 * |-------------|-------------------------------------------------|-------------------------------|-------------------|
 * | stream that | ended or broke                                  | stream, from the start        | backoff           |
 * | is not      | 410, version too large                          | stream without version        | at once, then backoff |
 * | complete    | 422                                             | list; stream no more          | at once           |
 * |             | 401, 404, 429, 503, not reached                 | stream                        | backoff           |
 * |             | another refusal, unreadable data                | list                          | at once           |
 * | list        | whole                                           | watch from its version        | at once           |
 * |             | 410, version too large                          | list without version          | at once, then backoff |
 * |             | anything else                                   | list                          | backoff           |
 * | watch, or a | ended after a second or more, or with news      | watch from the last version   | at once           |
 * | stream that | ended within a second and without news          | watch from the last version   | backoff           |
 * | is complete | silent: the connection is half open             | watch from the last version   | at once           |
 * |             | broke, 401, 403, 429, 5xx                       | watch from the last version   | backoff (at once where a watch that did well broke) |
 * |             | 410, 404                                        | stream or list                | backoff           |
 * |             | version too large, 400, 422                     | stream or list without version | backoff          |
 * |             | unreadable data, once                           | watch from the last version   | backoff           |
 * |             | unreadable data at the same version again       | stream or list                | backoff           |
 *
 * Backoff is 0.8 s, doubled up to 30 s, plus up to as much again at random; it starts anew after two minutes without failure, and
 * is never shorter than the server's Retry-After. Kubernetes: staging/src/k8s.io/client-go/tools/cache/reflector.go.
 */

/** The next thing to do, `after` so many milliseconds. */
export type ReflectorStep =
  | { readonly kind: 'stream'; readonly resourceVersion: string; readonly after: number }
  | { readonly kind: 'list'; readonly resourceVersion: string; readonly paged: boolean; readonly after: number }
  | { readonly kind: 'watch'; readonly resourceVersion: string; readonly after: number };

/** What became of a step. */
export type ReflectorOutcome =
  | { readonly kind: 'listed'; readonly resourceVersion: string }
  | { readonly kind: 'failed'; readonly failure: ReflectorFailure }
  | {
      /** A stream or watch is over. */
      readonly kind: 'ended';
      /** Undefined where the server ended it as it should. */
      readonly failure: ReflectorFailure | undefined;
      /** A stream sent everything; always true of a watch. */
      readonly complete: boolean;
      /** Of the newest event or bookmark. */
      readonly resourceVersion: string;
      /** It brought something that was not known. */
      readonly news: boolean;
      /** Milliseconds since the server accepted it; 0 where it did not. */
      readonly lasted: number;
    };

/** Why a step failed, as far as it matters for what to do. */
export interface ReflectorFailure {
  readonly kind:
    | 'expired'
    | 'too-large-version'
    | 'busy'
    | 'invalid'
    | 'not-found'
    | 'forbidden'
    | 'unauthorized'
    | 'unavailable'
    | 'server-error'
    | 'broken'
    | 'silent'
    | 'bad-data';
  /** In words for a person. */
  readonly text: string;
  /** Milliseconds that the server asks to wait; 0 where it does not. */
  readonly retryAfter: number;
}

/** Immutable. */
export interface ReflectorState {
  readonly step: ReflectorStep;
  /** Whether the server does streaming lists, as far as is known. */
  readonly streams: boolean;
  /** The last version is not to be had: a list must not ask for it. */
  readonly versionUnavailable: boolean;
  /** Unreadable data ended the last watch, from this version on. */
  readonly badDataAt: string | undefined;
  readonly backoff: Backoff;
  /** Why nothing is received at present. */
  readonly failure: string | undefined;
}

interface Backoff {
  /** Failures in a row. */
  readonly failures: number;
  /** When the last of them was, in milliseconds of whatever clock. */
  readonly at: number;
}

const FIRST_WAIT = 800;
const LONGEST_WAIT = 30_000;
const HEALTHY = 120_000;
/** A server's Retry-After is not followed beyond this; milliseconds. */
const LONGEST_RETRY_AFTER = 300_000;
const VERY_SHORT_WATCH = 1000;

/** Before the first step. */
export function initialState(options: { readonly streams: boolean }): ReflectorState {
  const start: ReflectorState = {
    step: { kind: 'watch', resourceVersion: '', after: 0 },
    streams: options.streams,
    versionUnavailable: false,
    badDataAt: undefined,
    backoff: { failures: 0, at: Number.NEGATIVE_INFINITY },
    failure: undefined,
  };
  return { ...start, step: relist(start, '', 0) };
}

/** The state after a step. `now` is milliseconds of a clock that never goes back, `random` a number from 0 up to 1. */
export function afterStep(state: ReflectorState, outcome: ReflectorOutcome, now: number, random: number): ReflectorState {
  switch (outcome.kind) {
    case 'listed':
      return {
        ...state,
        step: { kind: 'watch', resourceVersion: outcome.resourceVersion, after: 0 },
        versionUnavailable: false,
        failure: undefined,
      };
    case 'failed':
      return afterFailedList(state, outcome.failure, now, random);
    case 'ended':
      return outcome.complete ? afterWatch(state, outcome, now, random) : afterIncompleteStream(state, outcome.failure, now, random);
  }
}

/** The state once a server has accepted a watch: nothing is wrong any more. */
export function whileReceiving(state: ReflectorState): ReflectorState {
  return state.failure === undefined ? state : { ...state, failure: undefined };
}

function afterFailedList(state: ReflectorState, failure: ReflectorFailure, now: number, random: number): ReflectorState {
  const { resourceVersion } = state.step;
  if (isUnavailableVersion(failure) && !state.versionUnavailable) {
    const unavailable = { ...state, versionUnavailable: true };
    return { ...unavailable, step: { kind: 'list', ...listVersion(unavailable, resourceVersion), after: 0 } };
  }
  const { backoff, wait } = backOff(state.backoff, failure, now, random);
  return { ...state, backoff, step: { ...state.step, after: wait }, failure: failure.text };
}

function afterIncompleteStream(state: ReflectorState, failure: ReflectorFailure | undefined, now: number, random: number): ReflectorState {
  const { resourceVersion } = state.step;
  const list = (next: ReflectorState): ReflectorState => ({
    ...next,
    step: { kind: 'list', ...listVersion(next, resourceVersion), after: 0 },
  });
  switch (failure?.kind) {
    case 'invalid':
      return list({ ...state, streams: false });
    case 'forbidden':
    case 'server-error':
    case 'bad-data':
      return list(state);
    case 'expired':
    case 'too-large-version':
      if (!state.versionUnavailable) return { ...state, versionUnavailable: true, step: { kind: 'stream', resourceVersion: '', after: 0 } };
  }
  const { backoff, wait } = backOff(state.backoff, failure, now, random);
  return {
    ...state,
    backoff,
    step: { kind: 'stream', resourceVersion: state.versionUnavailable ? '' : resourceVersion, after: wait },
    failure: failure?.text ?? 'the server ends its list before it is complete',
  };
}

function afterWatch(
  state: ReflectorState,
  { failure, resourceVersion, news, lasted }: Extract<ReflectorOutcome, { kind: 'ended' }>,
  now: number,
  random: number,
): ReflectorState {
  const healthy = news || lasted >= VERY_SHORT_WATCH;
  const settled: ReflectorState = {
    ...state,
    versionUnavailable: false,
    badDataAt: failure?.kind === 'bad-data' ? resourceVersion : undefined,
    failure: undefined,
  };
  const watch = (after: number): ReflectorStep => ({ kind: 'watch', resourceVersion, after });
  if (failure?.kind === 'silent' || ((failure === undefined || failure.kind === 'broken') && healthy))
    return { ...settled, step: watch(0) };

  const { backoff, wait } = backOff(state.backoff, failure, now, random);
  const waiting: ReflectorState = { ...settled, backoff };
  if (failure === undefined) return { ...waiting, step: watch(wait), failure: 'the server ends the watch at once, without an event' };
  switch (failure.kind) {
    case 'expired':
      return { ...waiting, step: relist(waiting, resourceVersion, wait) };
    case 'not-found':
      return { ...waiting, step: relist(waiting, resourceVersion, wait), failure: failure.text };
    case 'invalid':
    case 'too-large-version': {
      const unavailable = { ...waiting, versionUnavailable: true, failure: failure.text };
      return { ...unavailable, step: relist(unavailable, resourceVersion, wait) };
    }
    case 'bad-data':
      if (state.badDataAt === resourceVersion)
        return { ...waiting, badDataAt: undefined, step: relist(waiting, resourceVersion, wait), failure: failure.text };
      return { ...waiting, step: watch(wait), failure: failure.text };
    default:
      return { ...waiting, step: watch(wait), failure: failure.text };
  }
}

/** Everything anew: by a stream where the server does that. */
function relist(state: ReflectorState, resourceVersion: string, after: number): ReflectorStep {
  if (state.streams) return { kind: 'stream', resourceVersion: state.versionUnavailable ? '' : resourceVersion, after };
  return { kind: 'list', ...listVersion(state, resourceVersion), after };
}

/**
 * The first list takes whatever the server has at hand (`0`), a later one nothing older than what was known, each from the
 * server's memory and so in one piece; where that is not to be had, it reads the newest state from storage, in pages.
 */
function listVersion(state: ReflectorState, resourceVersion: string): { readonly resourceVersion: string; readonly paged: boolean } {
  if (state.versionUnavailable) return { resourceVersion: '', paged: true };
  return { resourceVersion: resourceVersion === '' ? '0' : resourceVersion, paged: resourceVersion === '' };
}

function isUnavailableVersion({ kind }: ReflectorFailure): boolean {
  return kind === 'expired' || kind === 'too-large-version';
}

function backOff(
  { failures, at }: Backoff,
  failure: ReflectorFailure | undefined,
  now: number,
  random: number,
): { readonly backoff: Backoff; readonly wait: number } {
  const before = now - at > HEALTHY ? 0 : failures;
  const base = Math.min(FIRST_WAIT * 2 ** Math.min(before, 10), LONGEST_WAIT);
  const asked = Math.min(failure?.retryAfter ?? 0, LONGEST_RETRY_AFTER);
  return { backoff: { failures: before + 1, at: now }, wait: Math.max(base * (1 + random), asked) };
}

/** What an error means for a reflector. `subject` is what it could not do: `list pods in namespace shop`. */
export function classifyFailure(error: unknown, subject: string): ReflectorFailure {
  const text = `cannot ${subject}: ${failureText(error)}`;
  if (!(error instanceof ApiError)) {
    const code = error instanceof ConnectionError ? error.code : '';
    const kind = code === SILENT_STREAM ? 'silent' : code === BAD_STREAM_DATA ? 'bad-data' : 'broken';
    return { kind, text, retryAfter: 0 };
  }
  return { kind: kindOf(error), text, retryAfter: (error.retryAfterSeconds ?? 0) * 1000 };
}

function kindOf(error: ApiError): ReflectorFailure['kind'] {
  // Servers before 1.17 only say it in the message.
  if (error.hasCause('ResourceVersionTooLarge') || (error.status === 504 && /too large resource version/i.test(error.message)))
    return 'too-large-version';
  switch (error.status) {
    case 410:
      return 'expired';
    case 429:
      return 'busy';
    case 400:
    case 422:
      return 'invalid';
    case 404:
      return 'not-found';
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 503:
      return 'unavailable';
    default:
      return error.reason === 'Expired' || error.reason === 'Gone' ? 'expired' : 'server-error';
  }
}
