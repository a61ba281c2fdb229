import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../object/json.ts';
import { networkStatus } from './network-status.ts';

const POD = '/run/netns/a';
const eth0 = { name: 'eth0', mac: '02:00:00:00:00:01', mtu: 1450, sandbox: POD };

describe('the status of attachments', () => {
  test.each<[string, JsonObject, readonly JsonObject[]]>([
    [
      'of the network of the cluster',
      {
        name: 'pods',
        default: true,
        result: {
          interfaces: [{ name: 'cni0' }, { name: 'veth1' }, eth0],
          ips: [
            { address: '10.1.0.2/24', gateway: '10.1.0.1', interface: 2 },
            { address: 'fd00::2/64', interface: 2 },
          ],
          routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: '::/0' }, { dst: '10.0.0.0/8', gw: '10.1.0.9' }],
          dns: { nameservers: ['10.96.0.10'] },
        },
      },
      [
        {
          name: 'pods',
          interface: 'eth0',
          mac: '02:00:00:00:00:01',
          mtu: 1450,
          ips: ['10.1.0.2', 'fd00::2'],
          default: true,
          gateway: ['10.1.0.1'],
          dns: { nameservers: ['10.96.0.10'] },
        },
      ],
    ],
    [
      'of a plugin with one interface, whose addresses say nothing of it',
      { name: 'shop/storage', result: { interfaces: [{ name: 'net1', sandbox: POD }], ips: [{ address: '10.9.0.2/24' }] } },
      [{ name: 'shop/storage', interface: 'net1', ips: ['10.9.0.2'], dns: {} }],
    ],
    [
      'of a plugin that makes no interface, or speaks an old version',
      { name: 'shop/storage', interface: 'net1', result: { interfaces: [{ name: 'veth1' }], ips: [{ address: '10.9.0.2/24' }], dns: {} } },
      [{ name: 'shop/storage', interface: 'net1', ips: ['10.9.0.2'], dns: {} }],
    ],
    ['of a plugin that says nothing', { name: 'shop/storage', result: {} }, [{ name: 'shop/storage', dns: {} }]],
    [
      'of several interfaces: that with a gateway is the default',
      {
        name: 'pods',
        default: true,
        result: {
          interfaces: [{ name: 'veth1' }, { name: 'eth0', sandbox: POD }, { name: 'eth1', sandbox: POD }],
          ips: [
            { address: '10.1.0.2/24', interface: 1 },
            { address: '10.2.0.2/24', gateway: '10.2.0.1', interface: 2 },
            { address: '192.0.2.1/32', interface: 0 },
            { address: '10.3.0.2/24' },
          ],
        },
      },
      [
        { name: 'pods', interface: 'eth0', ips: ['10.1.0.2'], dns: {} },
        { name: 'pods', interface: 'eth1', ips: ['10.2.0.2', '10.3.0.2'], default: true, dns: {} },
      ],
    ],
    [
      'of several interfaces without a gateway: the first is the default',
      { name: 'pods', default: true, result: { interfaces: [eth0, { name: 'eth1', sandbox: POD }] } },
      [
        { name: 'pods', interface: 'eth0', mac: '02:00:00:00:00:01', mtu: 1450, default: true, dns: {} },
        { name: 'pods', interface: 'eth1', dns: {} },
      ],
    ],
    [
      'that has the default route, and a device',
      {
        name: 'shop/storage',
        defaultRoute: ['10.9.0.1'],
        deviceInfo: { type: 'pci', version: '1.1.0' },
        result: { interfaces: [{ name: 'net1', sandbox: POD }], routes: [{ dst: '0.0.0.0/0', gw: '10.9.0.1' }] },
      },
      [
        {
          name: 'shop/storage',
          interface: 'net1',
          gateway: ['10.9.0.1'],
          'default-route': ['10.9.0.1'],
          dns: {},
          'device-info': { type: 'pci', version: '1.1.0' },
        },
      ],
    ],
    [
      'that has the default route of its own plugins',
      {
        name: 'a',
        defaultRoute: [],
        result: { interfaces: [{ name: 'net1', sandbox: POD }], routes: [{ dst: '0.0.0.0/0', gw: '10.9.0.1' }] },
      },
      [{ name: 'a', interface: 'net1', gateway: ['10.9.0.1'], 'default-route': ['10.9.0.1'], dns: {} }],
    ],
  ])('%s', (_what, attachment, expected) => {
    expect(networkStatus([attachment])).toEqual(expected);
  });

  test('in the order of the attachments', () => {
    expect(networkStatus([{ name: 'a' }, { name: 'b' }]).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(networkStatus([])).toEqual([]);
  });
});
