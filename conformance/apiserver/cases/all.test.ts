import { expect, test } from 'vitest';
import { namespaceOf } from '../namespace.ts';
import { allCases } from './all.ts';

test('each case has a name and a namespace of its own', () => {
  const namespaces = allCases.map(({ name }) => namespaceOf(name));
  expect(new Set(namespaces).size).toBe(allCases.length);
});

test('each case compares something', () => {
  const idle = allCases.filter(({ steps }) => steps.every((step) => step.compare === 'nothing'));
  expect(idle.map(({ name }) => name)).toEqual([]);
});
