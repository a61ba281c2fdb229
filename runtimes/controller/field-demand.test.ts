import { describe, expect, it } from 'vitest';
import type { FieldDemand } from '../../engine/rules/reconcile/program.ts';
import { coversDemand } from './field-demand.ts';

describe('what covers what', () => {
  it.each<[string, FieldDemand, FieldDemand, boolean]>([
    ['all', true, { spec: true }, true],
    ['a part does not cover all', { spec: true }, true, false],
    ['a field and what is below', { spec: true }, { spec: { replicas: true } }, true],
    ['another field', { spec: true }, { status: true }, false],
    ['every element', { items: { '*': true } }, { items: { a: true } }, true],
    ['one element for every', { items: { a: true } }, { items: { '*': true } }, false],
    ['nothing', {}, {}, true],
  ])('%s', (_, kept, wanted, covers) => expect(coversDemand(kept, wanted)).toBe(covers));
});
