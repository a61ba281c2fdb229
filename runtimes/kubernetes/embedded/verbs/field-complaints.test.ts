import { expect, it } from 'vitest';
import { inDocumentOrder } from './field-complaints.ts';

const value = { spec: { odd: 1, replicas: 3, list: [{}, { a: 1, odd: 2 }] }, last: 1 };

it.each([
  { unknown: ['spec.odd'], duplicates: ['spec.replicas'], expected: ['unknown field "spec.odd"', 'duplicate field "spec.replicas"'] },
  { unknown: ['last'], duplicates: ['spec.replicas'], expected: ['duplicate field "spec.replicas"', 'unknown field "last"'] },
  {
    unknown: ['spec.list[1].odd'],
    duplicates: ['spec.list[1].a'],
    expected: ['duplicate field "spec.list[1].a"', 'unknown field "spec.list[1].odd"'],
  },
  { unknown: ['last', 'spec.odd'], duplicates: [], expected: ['unknown field "last"', 'unknown field "spec.odd"'] },
  { unknown: [], duplicates: ['last'], expected: ['duplicate field "last"'] },
])('complains of $unknown and $duplicates where they stand', ({ unknown, duplicates, expected }) => {
  expect(inDocumentOrder(value, unknown, duplicates)).toEqual(expected);
});
