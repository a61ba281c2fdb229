import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import type { Effect } from '../../step/effect.ts';
import { ADDRESSES } from './addresses.ts';
import { readResolvConf } from './resolv-conf.ts';

describe('a resolv.conf', () => {
  test.each<[string, string, JsonObject]>([
    ['of nothing', '', {}],
    [
      'of everything',
      'nameserver 10.0.0.10\nnameserver\tfd00::10\nsearch a.example b.example\noptions ndots:5 timeout:1\ndomain example\n',
      {
        nameservers: ['10.0.0.10', 'fd00::10'],
        domain: 'example',
        search: ['a.example', 'b.example'],
        options: ['ndots:5', 'timeout:1'],
      },
    ],
    ['with comments', '# nameserver 1.1.1.1\n;nameserver 1.1.1.1\n  nameserver 10.0.0.10  \r\n', { nameservers: ['10.0.0.10'] }],
    ['with lines that say nothing', 'nameserver\nsortlist 10.0.0.0\nsearch   \n\n', {}],
    ['that says things twice', 'domain a\ndomain b\nsearch a\nsearch b\n', { domain: 'b', search: ['a', 'b'] }],
  ])('%s', (_what, text, dns) => expect(readResolvConf(text)).toEqual(dns));
});

describe('the step that gives addresses', () => {
  const args = {
    network: 'n',
    containerId: 'c',
    ifName: 'eth0',
    ranges: [[{ subnet: '10.1.0.0/24' }]],
    requested: [],
    routes: [],
    dns: {},
  };

  /** Performs the step on a host with this file, and none else. */
  function given(path: string, text: string): unknown {
    const steps = ADDRESSES.ensure({ ...args, resolvConf: path } as never, {} as never);
    const answer = (effect: Effect): unknown =>
      effect.kind === 'read-file' ? (effect.path === '/run/resolv.conf' ? text : undefined) : { ips: [{ address: '10.1.0.2/24' }] };
    let next = steps.next();
    while (!next.done) next = steps.next(answer(next.value));
    return next.value;
  }

  it('knows the resolver from a file of the host', () => {
    expect(given('/run/resolv.conf', 'nameserver 10.0.0.10')).toMatchObject({
      addresses: ['10.1.0.2/24'],
      dns: { nameservers: ['10.0.0.10'] },
    });
  });

  it('fails without the file', () => {
    expect(() => given('/run/other.conf', '')).toThrow('there is no file /run/other.conf');
  });
});
