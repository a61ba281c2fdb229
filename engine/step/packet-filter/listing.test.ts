import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { listedChains, listedElements, listedRules, listedSets } from './listing.ts';

/** As nft 1.0.6 prints it, with `-j -a`. */
const map = (elem: JsonObject['']): readonly JsonObject[] => [
  { table: { family: 'inet', name: 'fairlead', handle: 1 } },
  {
    map: {
      family: 'inet',
      name: 'm',
      table: 'fairlead',
      type: 'ipv4_addr',
      handle: 2,
      map: 'verdict',
      ...(elem === undefined ? {} : { elem }),
    },
  },
];

describe('what nft lists', () => {
  it.each([
    ['an address', [{ elem: { val: '10.1.0.5', comment: 'x' } }, { goto: { target: 'c' } }], { key: '10.1.0.5', comment: 'x' }],
    ['without a comment', ['10.1.0.5', { jump: { target: 'c' } }], { key: '10.1.0.5', comment: undefined }],
    ['a port', [{ concat: ['tcp', 8080] }, { goto: { target: 'c' } }], { key: 'tcp . 8080', comment: undefined }],
    [
      'a port of a protocol by its number',
      [{ elem: { val: { concat: [132, 6] } } }, { goto: { target: 'c' } }],
      { key: 'sctp . 6', comment: undefined },
    ],
    [
      'a port of an address',
      [{ concat: ['192.0.2.7', 17, 53] }, { goto: { target: 'c' } }],
      { key: '192.0.2.7 . udp . 53', comment: undefined },
    ],
    ['a network', [{ prefix: { addr: '10.1.0.0', len: 16 } }, { goto: { target: 'c' } }], { key: '10.1.0.0/16', comment: undefined }],
  ] as const)('has the element: %s', (_, pair, expected) => {
    expect(listedElements(map([pair as unknown as JsonObject['']] as never))).toEqual([{ map: 'm', chain: 'c', ...expected }]);
  });

  it('has no elements where it says nothing of them', () => {
    expect(listedElements(map(undefined as never))).toEqual([]);
    expect(listedElements([])).toEqual([]);
  });

  it('has rules with the chains they lead to, and chains', () => {
    const rows: readonly JsonObject[] = [
      { chain: { family: 'inet', table: 't', name: 'c', handle: 4 } },
      { rule: { family: 'inet', table: 't', chain: 'c', handle: 5, comment: 'x', expr: [{ match: {} }, { jump: { target: 'd' } }] } },
      { rule: { family: 'inet', table: 't', chain: 'c', handle: 6, expr: [{ masquerade: null }] } },
      { rule: { family: 'inet', table: 't', chain: 'c', handle: 7 } },
    ];
    expect(listedChains(rows)).toEqual(['c']);
    expect(listedRules(rows).map(({ handle, target, comment }) => [handle, target, comment])).toEqual([
      [5, 'd', 'x'],
      [6, undefined, undefined],
      [7, undefined, undefined],
    ]);
  });

  it('has sets with their elements', () => {
    const set = (name: string, elem?: readonly (string | JsonObject)[]): JsonObject => ({
      set: { name, ...(elem === undefined ? {} : { elem }) },
    });
    const rows = [
      set('a', ['10.1.0.5', { elem: { val: '10.1.0.6', comment: 'x' } }]),
      set('b'),
      set('c', [{ range: ['10.1.0.5', '10.1.0.9'] }]),
    ];
    expect([...listedSets(rows)]).toEqual([
      ['a', ['10.1.0.5', '10.1.0.6']],
      ['b', []],
      ['c', ['10.1.0.5-10.1.0.9']],
    ]);
  });
});
