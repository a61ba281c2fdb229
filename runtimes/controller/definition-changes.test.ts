import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { breakingChanges } from './definition-changes.ts';

const definition = (spec: JsonObject, more: JsonObject = {}): JsonObject => ({
  metadata: { name: 'apps.example.com' },
  spec: {
    scope: 'Namespaced',
    names: { kind: 'App', plural: 'apps' },
    versions: [{ name: 'v1', served: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec } } } }],
    ...more,
  },
});
const map = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties, ...more });
const text = { type: 'string' };

describe('harmless changes', () => {
  it.each<[string, JsonObject, JsonObject]>([
    ['none', map({ a: text }), map({ a: text })],
    ['a new field', map({ a: text }), map({ a: text, b: text })],
    ['a description', map({ a: text }), map({ a: { ...text, description: 'x' } })],
    ['a wider range', map({ a: { type: 'integer', minimum: 1, maximum: 3 } }), map({ a: { type: 'integer', minimum: 0 } })],
    ['a further word', map({ a: { ...text, enum: ['x'] } }), map({ a: { ...text, enum: ['y', 'x'] } })],
    ['a field that is required and has a default', map({ a: text }), map({ a: text, b: { ...text, default: 'x' } }, { required: ['b'] })],
    ['a field that is no longer required', map({ a: text }, { required: ['a'] }), map({ a: text })],
    ['an integer that may be a number', map({ a: { type: 'integer' } }), map({ a: { type: 'number' } })],
    ['unknown fields that are kept', map({ a: text }), map({}, { 'x-kubernetes-preserve-unknown-fields': true })],
    ['a rule less', map({}, { 'x-kubernetes-validations': [{ rule: 'true' }] }), map({})],
  ])('%s', (_, before, after) => expect(breakingChanges(definition(before), definition(after))).toEqual([]));
});

describe('changes that break objects', () => {
  it.each<[string, JsonObject, JsonObject, string]>([
    ['a field less', map({ a: text, b: text }), map({ a: text }), '$.spec loses its field b'],
    ['another type', map({ a: text }), map({ a: { type: 'integer' } }), '$.spec.a changes its type from string to integer'],
    ['a field that is required', map({ a: text }), map({ a: text }, { required: ['a'] }), '$.spec requires a now'],
    [
      'a higher minimum',
      map({ a: { type: 'integer', minimum: 1 } }),
      map({ a: { type: 'integer', minimum: 2 } }),
      '$.spec.a has minimum 2 now, was 1',
    ],
    ['a new maximum', map({ a: { type: 'integer' } }), map({ a: { type: 'integer', maximum: 9 } }), '$.spec.a has maximum 9 now'],
    ['a pattern', map({ a: text }), map({ a: { ...text, pattern: '^x' } }), '$.spec.a has another pattern now: "^x"'],
    ['a word less', map({ a: { ...text, enum: ['x', 'y'] } }), map({ a: { ...text, enum: ['x'] } }), '$.spec.a no longer takes "y"'],
    ['words only', map({ a: text }), map({ a: { ...text, enum: ['x'] } }), '$.spec.a takes only ["x"] now'],
    [
      'items',
      map({ a: { type: 'array', items: text } }),
      map({ a: { type: 'array', items: { type: 'integer' } } }),
      '$.spec.a.items changes its type from string to integer',
    ],
    ['values', map({ a: { type: 'object', additionalProperties: text } }), map({ a: map({}) }), '$.spec.a no longer takes any key'],
    ['null', map({ a: { ...text, nullable: true } }), map({ a: text }), '$.spec.a may no longer be null'],
    ['a rule', map({}), map({}, { 'x-kubernetes-validations': [{ rule: 'self.a > 1' }] }), '$.spec is checked by "self.a > 1" now'],
  ])('%s', (_, before, after, expected) => expect(breakingChanges(definition(before), definition(after))).toEqual([expected]));

  it('another scope', () => {
    expect(breakingChanges(definition(map({})), definition(map({}), { scope: 'Cluster' }))).toEqual([
      'scope changes from Namespaced to Cluster',
    ]);
  });

  it.each([
    ['is removed', [], 'version v1 is removed'],
    ['is no longer served', [{ name: 'v1', served: false }], 'version v1 is no longer served'],
  ])('a version that %s', (_, versions, expected) => {
    expect(breakingChanges(definition(map({})), definition(map({}), { versions }))).toEqual([expected]);
  });

  it('are told in a bounded number', () => {
    const fields = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f${i}`, text]));
    expect(breakingChanges(definition(map(fields)), definition(map({})))).toHaveLength(11);
  });
});
