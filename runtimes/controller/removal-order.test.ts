import { expect, it } from 'vitest';
import { nextToDelete } from './removal-order.ts';

const at = (level: number, deleting = false) => ({ level, deleting });

it.each([
  ['nothing', [], []],
  ['the highest level', [at(0), at(2), at(2), at(1)], [at(2), at(2)]],
  ['what is left of a level', [at(0), at(1, true), at(1)], [at(1)]],
  ['nothing while a level is going', [at(0), at(1, true)], []],
  ['generated Secrets last', [at(-1), at(0)], [at(0)]],
])('deletes %s', (_, leaving, expected) => expect(nextToDelete(leaving)).toEqual(expected));
