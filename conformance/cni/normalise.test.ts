import { describe, expect, it } from 'vitest';
import type { KernelState, RawLink, RawNetwork } from './kernel-state.ts';
import { differentLines, differentStates, normaliseState } from './normalise.ts';

const EMPTY: RawNetwork = {
  links: [],
  addresses: [],
  routes: [],
  rules: [],
  ports: [],
  vlans: [],
  qdiscs: [],
  filters: [],
  nft: [],
  iptables: '',
  sysctls: [],
};

function veth(ifname: string, ifindex: number, peer: number, address: string, more: object = {}): RawLink {
  return { ifname, ifindex, link_index: peer, address, mtu: 1500, linkinfo: { info_kind: 'veth' }, ...more };
}

/** One pod on a bridge, with what is drawn anew on every run as an argument. */
function attached(drawn: { readonly host: string; readonly mac: string; readonly index: number }): KernelState {
  const bridge: RawLink = {
    ifname: 'cni0',
    ifindex: drawn.index - 1,
    address: drawn.mac,
    operstate: 'UP',
    flags: ['UP'],
    linkinfo: { info_kind: 'bridge' },
  };
  return {
    node: {
      ...EMPTY,
      links: [bridge, veth(drawn.host, drawn.index, 2, drawn.mac, { master: 'cni0', ifalias: `tag-${drawn.index}` })],
      routes: [{ dst: 'fe80::/64', dev: drawn.host, metric: 256, flags: [] }],
      filters: [`${drawn.host} ingress: filter parent ffff: u32 index ${drawn.index}`],
      sysctls: [`net/ipv4/conf/${drawn.host}/proxy_arp=0`],
    },
    pods: {
      pod1: {
        ...EMPTY,
        links: [veth('eth0', 2, drawn.index, '0a:00:00:00:00:01')],
        addresses: [{ ifname: 'eth0', addr_info: [{ local: '10.1.0.2', prefixlen: 24, valid_life_time: 4294967295 }] }],
      },
    },
    files: { '/x': 'a' },
  };
}

describe('a normal state', () => {
  it('is the same for two runs that differ in drawn names, hardware addresses and indexes', () => {
    const left = attached({ host: 'veth12ab34cd', mac: 'aa:bb:cc:00:00:01', index: 5 });
    const right = attached({ host: 'vethffff0000', mac: 'aa:bb:cc:00:00:02', index: 9 });
    const options = { effectOnly: true };
    expect(differentStates(normaliseState(left, options), normaliseState(right, options))).toEqual([]);
  });

  it('names a link by its peer', () => {
    const { routes, sysctls } = normaliseState(attached({ host: 'veth12ab34cd', mac: 'aa:bb:cc:00:00:01', index: 5 }));
    expect(routes).toEqual(['node: dev=<peer of pod1/eth0> dst=fe80::/64 metric=256']);
    expect(sysctls).toEqual(['node: net/ipv4/conf/<peer of pod1/eth0>/proxy_arp=0']);
  });

  it('shows hardware addresses that were asked for', () => {
    const state = attached({ host: 'veth1', mac: 'aa:bb:cc:00:00:01', index: 5 });
    expect(normaliseState(state, { macs: ['0a:00:00:00:00:01'] }).links.join('\n')).toContain('address=0a:00:00:00:00:01');
    expect(normaliseState(state).links.join('\n')).not.toContain('0a:00');
  });

  it.each([
    ['a link', { links: [{ ifname: 'left0', linkinfo: { info_kind: 'veth' } }] }],
    ['a route', { routes: [{ dst: '10.9.0.0/16', dev: 'cni0' }] }],
    ['a rule of nft', { nft: [{ rule: { family: 'ip', table: 't', chain: 'c', expr: [] } }] }],
    ['a rule of iptables', { iptables: '*nat\n-A POSTROUTING -j MASQUERADE' }],
    ['a queue', { qdiscs: [{ kind: 'tbf', dev: 'cni0' }] }],
    ['a policy rule', { rules: [{ priority: 100, src: '10.1.0.2', table: '100' }] }],
    ['a sysctl', { sysctls: ['net/ipv4/ip_forward=1'] }],
  ])('differs by %s that was left behind', (_, more) => {
    const before: KernelState = { node: EMPTY, pods: {}, files: {} };
    expect(differentStates(normaliseState(before), normaliseState({ ...before, node: { ...EMPTY, ...more } }))).toHaveLength(1);
  });

  it('differs by a file', () => {
    const state = (text: string): KernelState => ({ node: EMPTY, pods: {}, files: { '/run/x': text } });
    expect(differentStates(normaliseState(state('a')), normaliseState(state('b')))).toEqual(['files - /run/x: "a"', 'files + /run/x: "b"']);
  });
});

it('counts equal lines', () => {
  expect(differentLines(['a', 'a', 'b'], ['a', 'c'])).toEqual(['- a', '- b', '+ c']);
});
