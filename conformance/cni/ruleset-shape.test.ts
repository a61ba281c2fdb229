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
