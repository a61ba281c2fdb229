import { expect, test } from 'vitest';
import { type CelType, DYN, formatType, INT, listOf, mapOf, object, optionalOf, STRING } from '../../cel/types.ts';
import { variableType } from './variable-type.ts';

test.each<[CelType, string]>([
  [INT, 'int'],
  [listOf(STRING), 'list(string)'],
  [mapOf(STRING, listOf(INT)), 'map(string, list(int))'],
  [optionalOf(STRING), 'dyn'],
  [listOf(optionalOf(STRING)), 'list(dyn)'],
  [object('kubernetes.AdmissionRequest'), 'dyn'],
  [DYN, 'dyn'],
])('%j is seen as %s', (type, expected) => {
  expect(formatType(variableType(type))).toBe(expected);
});
