import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../object/json.ts';
import { goField, goFields } from './go-field.ts';

describe('fields as Go finds them', () => {
  it.each<[string, JsonObject, string, unknown]>([
    ['by name', { mtu: 1 }, 'mtu', 1],
    ['in any case', { HostPort: 1 }, 'hostPort', 1],
    ['the last of several', { mtu: 1, MTU: 2 }, 'mtu', 2],
    ['the last of several, whichever is as declared', { MTU: 2, mtu: 1 }, 'mtu', 1],
    ['null as good as nothing', { mtu: null }, 'mtu', undefined],
    ['null after a value changes nothing', { mtu: 1, MTU: null }, 'mtu', 1],
    ['nothing inherited', {}, 'toString', undefined],
    ['not what folds to another length', { İ: 1 }, 'i̇', undefined],
  ])('%s', (_, document, name, expected) => {
    expect(goField(document, name)).toBe(expected);
    expect(goFields(document, ['other', name]).get(name)).toBe(expected);
  });

  it('are found for names that differ in case only', () => {
    expect([...goFields({ a: 1 }, ['a', 'A'])]).toEqual([
      ['a', 1],
      ['A', 1],
    ]);
  });
});
