import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../engine/object/json.ts';
import type { StrategyContext } from '../definition.ts';
import { eventStrategy } from './events.ts';
import { leaseStrategy } from './leases.ts';

const HERE = { namespace: 'a' } as StrategyContext;
const TIME = '2030-01-01T00:00:00.000000Z';
const CORE = { apiVersion: 'v1', kind: 'Event', involvedObject: { namespace: 'a' } };
const NEW = {
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  regarding: { namespace: 'a' },
  eventTime: TIME,
  type: 'Normal',
  action: 'Try',
  reason: 'Tried',
  reportingController: 'example.test/me',
  reportingInstance: 'me-1',
};
const texts = (errors: ReturnType<NonNullable<typeof eventStrategy.validate>>): readonly string[] =>
  errors.map(({ field, body }) => `${field}: ${body}`);

describe('an event', () => {
  it.each<readonly [JsonObject, readonly string[]]>([
    [CORE, []],
    [NEW, []],
    [{ ...CORE, involvedObject: {} }, ['involvedObject.namespace: Invalid value: "": does not match event.namespace']],
    [{ ...CORE, involvedObject: { namespace: 'b' } }, ['involvedObject.namespace: Invalid value: "b": does not match event.namespace']],
    [
      { ...CORE, eventTime: TIME },
      ['reportingComponent: Required value', 'reportingInstance: Required value', 'action: Required value', 'reason: Required value'],
    ],
    [{ ...NEW, eventTime: null }, ['eventTime: Required value']],
    [
      { ...NEW, type: 'Odd', deprecatedCount: 2 },
      ['type: Invalid value: "": has invalid value: Odd', 'count: Invalid value: "": needs to be unset'],
    ],
    [
      { ...NEW, series: { count: 1 } },
      ['series.count: Invalid value: "": should be at least 2', 'series.lastObservedTime: Required value'],
    ],
    [{ ...NEW, reason: 'x'.repeat(129) }, ['reason: Invalid value: "": can have at most 128 characters']],
  ])('%j', (event, expected) => expect(texts(eventStrategy.validate!(event, HERE))).toEqual(expected));

  it('of the newer group stays what it is, but for its series', () => {
    const update = (change: JsonObject): readonly string[] => texts(eventStrategy.validateUpdate!({ ...NEW, ...change }, NEW, HERE));
    expect(update({ series: { count: 2, lastObservedTime: TIME } })).toEqual([]);
    expect(update({ reason: 'Other', note: 'x' })).toEqual([
      'reason: Invalid value: "Other": field is immutable',
      'message: Invalid value: "x": field is immutable',
    ]);
    expect(texts(eventStrategy.validateUpdate!({ ...CORE, reason: 'Other' }, CORE, HERE))).toEqual([]);
  });
});

describe('a lease', () => {
  it.each<readonly [JsonObject, readonly string[]]>([
    [{ leaseDurationSeconds: 1, leaseTransitions: 0 }, []],
    [{ leaseDurationSeconds: 0 }, ['spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0']],
    [{ leaseTransitions: -1 }, ['spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0']],
    [{ preferredHolder: 'a' }, ['spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined']],
  ])('%j', (spec, expected) => expect(texts(leaseStrategy.validate!({ spec }, HERE))).toEqual(expected));
});
