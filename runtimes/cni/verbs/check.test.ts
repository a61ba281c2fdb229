import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../engine/object/json.ts';
import { faultOf, SILENT, setUp } from '../plugin.fixture.ts';

describe('CHECK', () => {
  const prevResult = {
    cniVersion: '1.1.0',
    interfaces: [
      { name: 'veth', mac: 'aa:bb:cc:dd:ee:01' },
      { name: 'other' },
      { name: 'eth0', sandbox: '/ns/1', mac: 'AA:bb:cc:dd:ee:02' },
    ],
    ips: [
      { address: '10.1.0.2/29', interface: 2 },
      { address: 'fd00::2/64', interface: 2 },
      { address: '9.9.9.9/32', interface: 1 },
    ],
    routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: 'fd01::/64', gw: 'fd00::1' }, { dst: '10.9.0.1/32' }],
  };
  const KERNEL: Readonly<Record<string, readonly JsonObject[]>> = {
    'address show': [
      {
        ifname: 'eth0',
        address: 'aa:bb:cc:dd:ee:02',
        addr_info: [
          { local: '10.1.0.2', prefixlen: 29 },
          { local: 'fd00::2', prefixlen: 64 },
        ],
      },
    ],
    'address show dev veth': [{ ifname: 'veth', address: 'aa:bb:cc:dd:ee:01' }],
    'route show table all root 0.0.0.0/0': [{ dst: 'default', gateway: '10.1.0.1', table: '100' }, { dst: '10.9.0.1' }],
    'route show table all root ::/0': [{ dst: 'fd01::/64', nexthops: [{ gateway: 'fd00::9' }, { gateway: 'fd00::1' }] }],
  };

  it('finds all as it was', async () => {
    const { invoke, shown } = setUp();
    await invoke({ command: 'ADD' });
    shown.rows = KERNEL;
    expect(await invoke({ command: 'CHECK', config: { prevResult } })).toEqual(SILENT);
  });

  const without = (key: string): Readonly<Record<string, readonly JsonObject[]>> => ({ ...KERNEL, [key]: [] });
  it.each([
    ['address show', 'interface eth0 is gone'],
    ['address show dev veth', 'interface veth is gone'],
    ['route show table all root 0.0.0.0/0', 'the route to 0.0.0.0/0 by 10.1.0.1 is gone (the route to 10.9.0.1/32 is gone)'],
    ['route show table all root ::/0', 'the route to fd01::/64 by fd00::1 is gone'],
  ])('without what %s showed', async (key, message) => {
    const { invoke, shown } = setUp();
    await invoke({ command: 'ADD' });
    shown.rows = without(key);
    expect(faultOf(await invoke({ command: 'CHECK', config: { prevResult } }))).toBe(`104: ${message}`);
  });

  it('sees another MAC address, and an address that is gone', async () => {
    const { invoke, shown } = setUp();
    await invoke({ command: 'ADD' });
    shown.rows = {
      ...KERNEL,
      'address show': [{ ifname: 'eth0', address: '02:00:00:00:00:01', addr_info: [{ local: 'fd00::2', prefixlen: 64 }] }],
    };
    expect(faultOf(await invoke({ command: 'CHECK', config: { prevResult } }))).toBe(
      '104: interface eth0 has the MAC address 02:00:00:00:00:01, not AA:bb:cc:dd:ee:02 (interface eth0 has not the address 10.1.0.2/29)',
    );
  });

  it('leaves a bridge the MAC address that it takes from its ports', async () => {
    const { invoke, shown } = setUp();
    await invoke({ command: 'ADD' });
    const link = { ifname: 'veth', address: '02:00:00:00:00:01' };
    shown.rows = { ...KERNEL, 'address show dev veth': [{ ...link, linkinfo: { info_kind: 'bridge' } }] };
    expect(await invoke({ command: 'CHECK', config: { prevResult } })).toEqual(SILENT);
    shown.rows = { ...KERNEL, 'address show dev veth': [{ ...link, linkinfo: { info_kind: 'veth' } }] };
    expect(faultOf(await invoke({ command: 'CHECK', config: { prevResult } }))).toMatch(/^104: interface veth has the MAC address/);
  });

  it('tells what steps say, before anything else', async () => {
    const { invoke, performer } = setUp();
    await invoke({ command: 'ADD' });
    const { step } = [...performer.kept.values()][0]!.steps[1]!;
    performer.problems = [{ step, message: 'the bridge is down' }];
    expect(faultOf(await invoke({ command: 'CHECK', config: { prevResult } }))).toBe('104: step bridge: the bridge is down');
  });

  it('needs a record, and a result', async () => {
    const { invoke } = setUp();
    expect(faultOf(await invoke({ command: 'CHECK', config: { prevResult } }))).toBe(
      '104: there is no record of interface eth0 of container c1 in network net',
    );
    await invoke({ command: 'ADD' });
    expect(faultOf(await invoke({ command: 'CHECK' }))).toBe('7: Required prevResult missing');
  });
});
