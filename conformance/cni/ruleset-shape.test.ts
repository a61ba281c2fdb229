import { describe, expect, it } from 'vitest';
import { rulesetShape } from './ruleset-shape.ts';

const chain = (name: string, more: object = {}) => ({ chain: { family: 'inet', table: 't', name, ...more } });
const rule = (name: string, ...expr: object[]) => ({ rule: { family: 'inet', table: 't', chain: name, handle: 7, comment: 'x', expr } });
const base = { type: 'nat', hook: 'postrouting', prio: 100, policy: 'accept' };

describe('the shape of a ruleset', () => {
  it('follows jumps, and leaves out names, comments, handles and counters', () => {
    const rows = [
      chain('post', base),
      chain('mine'),
      rule('post', { match: { left: 'a' } }, { counter: { packets: 3 } }, { jump: { target: 'mine' } }),
      rule('mine', { match: { left: 'b' } }, { masquerade: null }),
    ];
    expect(rulesetShape(rows)).toEqual([
      'inet nat/postrouting/100 accept: {"match":{"left":"a"}} {"match":{"left":"b"}} {"masquerade":null}',
    ]);
  });

  it('shows a set by what is in it', () => {
    const set = { set: { family: 'inet', table: 't', name: 's', elem: ['10.1.0.2'] } };
    const rows = [chain('post', base), set, rule('post', { match: { right: '@s' } }, { drop: null })];
    expect(rulesetShape(rows)).toEqual(['inet nat/postrouting/100 accept: {"match":{"right":["10.1.0.2"]}} {"drop":null}']);
  });

  it('shows a map of verdicts as one rule for each of its elements, part by part of its keys', () => {
    const key = { concat: [{ meta: { key: 'l4proto' } }, { payload: { protocol: 'th', field: 'dport' } }] };
    const map = {
      map: {
        family: 'inet',
        table: 't',
        name: 'm',
        elem: [[{ elem: { val: { concat: ['tcp', 80] }, comment: 'x' } }, { goto: { target: 'a' } }]],
      },
    };
    const rows = [
      chain('post', base),
      chain('a'),
      map,
      rule('post', { match: { right: 1 } }, { vmap: { key, data: '@m' } }),
      rule('a', { drop: null }),
    ];
    expect(rulesetShape(rows)).toEqual([
      'inet nat/postrouting/100 accept: {"match":{"right":1}} {"match":{"op":"==","left":{"meta":{"key":"l4proto"}},"right":"tcp"}} {"match":{"op":"==","left":{"payload":{"protocol":"th","field":"dport"}},"right":80}} {"drop":null}',
    ]);
    const empty = { map: { family: 'inet', table: 't', name: 'm' } };
    expect(rulesetShape([chain('post', base), empty, rule('post', { vmap: { key, data: '@m' } })])).toEqual([]);
  });

  it('shows what some packets return before as what the others meet', () => {
    const net = { op: '==', left: 'daddr', right: 'net' };
    const rows = [
      chain('post', base),
      chain('a'),
      rule('post', { match: { op: '==', left: 'saddr', right: 'pod' } }, { goto: { target: 'a' } }),
      rule('a', { match: net }, { return: null }),
      rule('a', { masquerade: null }),
    ];
    const asOne = [
      chain('post', base),
      rule('post', { match: { op: '==', left: 'saddr', right: 'pod' } }, { match: { ...net, op: '!=' } }, { masquerade: null }),
    ];
    expect(rulesetShape(rows)).toEqual(rulesetShape(asOne));
  });

  it('does not show chains that nothing leads to, and ends in a circle', () => {
    const rows = [
      chain('post', base),
      chain('a'),
      rule('post', { jump: { target: 'a' } }),
      rule('a', { jump: { target: 'a' } }),
      chain('b'),
      rule('b', { drop: null }),
    ];
    expect(rulesetShape(rows)).toEqual([]);
  });
});
