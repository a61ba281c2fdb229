import { describe, expect, it } from 'vitest';
import { ApiError, ConnectionError } from './api-error.ts';
import {
  afterStep,
  classifyFailure,
  initialState,
  type ReflectorFailure,
  type ReflectorOutcome,
  type ReflectorState,
  type ReflectorStep,
} from './reflector-state.ts';
import { BAD_STREAM_DATA, SILENT_STREAM } from './watch-lines.ts';

const failure = (kind: ReflectorFailure['kind'], retryAfter = 0): ReflectorFailure => ({ kind, retryAfter, text: `it is ${kind}` });
const ended = (
  why: ReflectorFailure['kind'] | undefined,
  more: Partial<Extract<ReflectorOutcome, { kind: 'ended' }>> = {},
): ReflectorOutcome => ({
  kind: 'ended',
  failure: why === undefined ? undefined : failure(why),
  complete: true,
  resourceVersion: '70',
  news: true,
  lasted: 5000,
  ...more,
});
const failed = (kind: ReflectorFailure['kind'], retryAfter = 0): ReflectorOutcome => ({
  kind: 'failed',
  failure: failure(kind, retryAfter),
});
const incomplete = { complete: false, resourceVersion: '', news: false };
const short = { news: false, lasted: 200 };

/** After these outcomes, the last at time 0, without randomness. */
function following(streams: boolean, ...outcomes: readonly ReflectorOutcome[]): ReflectorState {
  return outcomes.reduce((state, outcome) => afterStep(state, outcome, 0, 0), initialState({ streams }));
}

const stream = (resourceVersion: string, wait: number): ReflectorStep => ({ kind: 'stream', resourceVersion, after: wait });
const list = (resourceVersion: string, paged: boolean, wait: number): ReflectorStep => ({
  kind: 'list',
  resourceVersion,
  paged,
  after: wait,
});
const watch = (resourceVersion: string, wait: number): ReflectorStep => ({ kind: 'watch', resourceVersion, after: wait });
const listed: ReflectorOutcome = { kind: 'listed', resourceVersion: '50' };

describe('what a reflector does next', () => {
  it.each<readonly [string, boolean, readonly ReflectorOutcome[], ReflectorStep]>([
    ['begins with a stream', true, [], stream('', 0)],
    ['begins with a list where streams are not wanted', false, [], list('0', true, 0)],

    ['streams again when a stream was cut', true, [ended('broken', incomplete)], stream('', 800)],
    ['streams again when a stream ended too early', true, [ended(undefined, incomplete)], stream('', 800)],
    ['streams again when a stream was silent', true, [ended('silent', incomplete)], stream('', 800)],
    ['streams again when the server is busy', true, [ended('busy', incomplete)], stream('', 800)],
    ['streams without version when it expired', true, [ended('expired', incomplete)], stream('', 0)],
    ['waits when even that has expired', true, [ended('expired', incomplete), ended('expired', incomplete)], stream('', 800)],
    ['lists where streams are not known', true, [ended('invalid', incomplete)], list('0', true, 0)],
    ['lists where a stream fails otherwise', true, [ended('server-error', incomplete)], list('0', true, 0)],
    ['lists where only that is allowed', true, [ended('forbidden', incomplete)], list('0', true, 0)],

    ['watches after a list', false, [listed], watch('50', 0)],
    ['lists the newest where the version is not to be had', false, [failed('expired')], list('', true, 0)],
    ['lists the newest where the version is too new', false, [failed('too-large-version')], list('', true, 0)],
    ['waits when that is not to be had either', false, [failed('expired'), failed('expired')], list('', true, 800)],
    ['lists again after a failure', false, [failed('server-error'), failed('broken')], list('0', true, 1600)],

    ['goes on where a watch ended', false, [listed, ended(undefined)], watch('70', 0)],
    ['goes on where a quiet watch ended', false, [listed, ended(undefined, { news: false, lasted: 1000 })], watch('70', 0)],
    ['waits where a watch ended at once', false, [listed, ended(undefined, short)], watch('70', 800)],
    ['goes on where a watch was silent', false, [listed, ended('silent', { news: false, lasted: 80_000 })], watch('70', 0)],
    ['goes on where a good watch broke', false, [listed, ended('broken')], watch('70', 0)],
    ['waits where a watch is not to be had', false, [listed, ended('broken', { news: false, lasted: 0 })], watch('70', 800)],
    ['watches again when the server is busy', false, [listed, ended('busy')], watch('70', 800)],
    ['watches again after an internal error', false, [listed, ended('server-error')], watch('70', 800)],
    ['lists from the last version when the watch expired', false, [listed, ended('expired')], list('70', false, 800)],
    ['streams from the last version when the watch expired', true, [ended('expired')], stream('70', 800)],
    ['lists again when the kind is gone', false, [listed, ended('not-found')], list('70', false, 800)],
    ['lists the newest when the version is too new', false, [listed, ended('too-large-version')], list('', true, 800)],
    ['watches again after unreadable data', false, [listed, ended('bad-data')], watch('70', 800)],
    [
      'lists after unreadable data at the same place',
      false,
      [listed, ended('bad-data'), ended('bad-data', short)],
      list('70', false, 1600),
    ],
    [
      'does not count unreadable data at another place',
      false,
      [listed, ended('bad-data'), ended('bad-data', { resourceVersion: '71' })],
      watch('71', 1600),
    ],
    ['remembers that there are no streams', true, [ended('invalid', incomplete), listed, ended('expired')], list('70', false, 800)],
    ['tries streams again after a passing failure', true, [ended('server-error', incomplete), listed, ended('expired')], stream('70', 800)],
    ['asks for versions again after a list', false, [failed('expired'), listed, ended('expired')], list('70', false, 800)],
  ])('%s', (_, streams, outcomes, step) => expect(following(streams, ...outcomes).step).toEqual(step));

  it('waits longer and longer, and starts anew after two good minutes', () => {
    let state = initialState({ streams: false });
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      state = afterStep(state, failed('broken'), now, 0);
      now += state.step.after;
      waits.push(state.step.after);
    }
    expect(waits).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    expect(afterStep(state, failed('broken'), now + 89_999, 0).step.after).toBe(30_000);
    expect(afterStep(state, failed('broken'), now + 120_001, 0).step.after).toBe(800);
  });

  it('spreads waits, and waits as long as the server asks for', () => {
    expect(afterStep(initialState({ streams: false }), failed('broken'), 0, 0.5).step.after).toBe(1200);
    expect(afterStep(initialState({ streams: false }), failed('busy', 7000), 0, 0.5).step.after).toBe(7000);
    expect(afterStep(initialState({ streams: false }), failed('busy', 1e9), 0, 0.5).step.after).toBe(300_000);
  });

  it.each<readonly [string, readonly ReflectorOutcome[], string | undefined]>([
    ['nothing at the start', [], undefined],
    ['why a list fails', [failed('forbidden')], 'it is forbidden'],
    ['nothing after a list', [failed('forbidden'), listed], undefined],
    ['nothing when a watch ends', [listed, ended(undefined)], undefined],
    ['nothing when a version expires', [listed, ended('expired')], undefined],
    ['nothing when a connection is half open', [listed, ended('silent')], undefined],
    ['why a watch fails', [listed, ended('unauthorized')], 'it is unauthorized'],
    ['that a watch ends at once', [listed, ended(undefined, short)], 'the server ends the watch at once, without an event'],
  ])('says %s', (_, outcomes, text) => expect(following(false, ...outcomes).failure).toBe(text));
});

describe('what an error means', () => {
  const api = (status: number, reason = '', more = {}) => new ApiError(status, 'because', { reason, ...more });
  const cause = { details: { name: '', group: '', kind: '', causes: [{ reason: 'ResourceVersionTooLarge', message: '', field: '' }] } };
  it.each<readonly [unknown, ReflectorFailure['kind']]>([
    [api(410, 'Expired'), 'expired'],
    [api(500, 'Expired'), 'expired'],
    [api(504, 'Timeout', cause), 'too-large-version'],
    [new ApiError(504, 'Too large resource version: 9, current: 1'), 'too-large-version'],
    [api(504, 'Timeout'), 'server-error'],
    [api(429), 'busy'],
    [api(422, 'Invalid'), 'invalid'],
    [api(400, 'BadRequest'), 'invalid'],
    [api(404, 'NotFound'), 'not-found'],
    [api(403, 'Forbidden'), 'forbidden'],
    [api(401, 'Unauthorized'), 'unauthorized'],
    [api(503), 'unavailable'],
    [api(500), 'server-error'],
    [new ConnectionError('x', SILENT_STREAM), 'silent'],
    [new ConnectionError('x', BAD_STREAM_DATA), 'bad-data'],
    [new ConnectionError('x', 'ECONNRESET'), 'broken'],
    [new Error('x'), 'broken'],
  ])('%s', (error, kind) => expect(classifyFailure(error, 'watch pods').kind).toBe(kind));

  it('says what could not be done, why, and what to do', () => {
    const error = new ApiError(403, 'pods is forbidden', { advice: 'verb list is missing', retryAfterSeconds: 3 });
    expect(classifyFailure(error, 'list pods')).toEqual({
      kind: 'forbidden',
      text: 'cannot list pods: pods is forbidden (verb list is missing)',
      retryAfter: 3000,
    });
  });
});
