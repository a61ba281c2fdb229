import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../object/json.ts';
import { CNI_VERSIONS, type CniResult, type CniVersion } from './result.ts';
import { convertResult, printDocument, readResult } from './result-versions.ts';

/** The example that the tests of the official library use, in the words of 1.1.0. */
const FULL: CniResult = {
  interfaces: [
    { name: 'eth0', mac: '00:11:22:33:44:55', mtu: 1500, sandbox: '/proc/3553/ns/net', socketPath: '/s', pciID: '8086:9a01' },
    { name: 'veth0' },
  ],
  ips: [
    { address: '1.2.3.30/24', gateway: '1.2.3.1', interface: 0 },
    { address: 'abcd:1234:ffff::cdde/64', gateway: 'abcd:1234:ffff::1', interface: 0 },
    { address: '9.9.9.9/32' },
  ],
  routes: [
    { dst: '15.5.6.0/24', gw: '15.5.6.8', mtu: 1400, advmss: 1360, priority: 7, table: 0, scope: 253 },
    { dst: '1111:dddd::/80', gw: '1111:dddd::aaaa' },
  ],
  dns: { nameservers: ['1.2.3.4', '1::cafe'], domain: 'acompany.com', search: ['somedomain.com'], options: ['foo', 'bar'] },
};

const TEXT_100 = `{
    "cniVersion": "1.1.0",
    "dns": {
        "domain": "acompany.com",
        "nameservers": [
            "1.2.3.4",
            "1::cafe"
        ],
        "options": [
            "foo",
            "bar"
        ],
        "search": [
            "somedomain.com"
        ]
    },
    "interfaces": [
        {
            "mac": "00:11:22:33:44:55",
            "mtu": 1500,
            "name": "eth0",
            "pciID": "8086:9a01",
            "sandbox": "/proc/3553/ns/net",
            "socketPath": "/s"
        },
        {
            "name": "veth0"
        }
    ],
    "ips": [
        {
            "address": "1.2.3.30/24",
            "gateway": "1.2.3.1",
            "interface": 0
        },
        {
            "address": "abcd:1234:ffff::cdde/64",
            "gateway": "abcd:1234:ffff::1",
            "interface": 0
        },
        {
            "address": "9.9.9.9/32"
        }
    ],
    "routes": [
        {
            "advmss": 1360,
            "dst": "15.5.6.0/24",
            "gw": "15.5.6.8",
            "mtu": 1400,
            "priority": 7,
            "scope": 253,
            "table": 0
        },
        {
            "dst": "1111:dddd::/80",
            "gw": "1111:dddd::aaaa"
        }
    ]
}`;

const TEXT_040 = `{
    "cniVersion": "0.4.0",
    "interfaces": [
        {
            "name": "eth0",
            "mac": "00:11:22:33:44:55",
            "sandbox": "/proc/3553/ns/net"
        },
        {
            "name": "veth0"
        }
    ],
    "ips": [
        {
            "version": "4",
            "interface": 0,
            "address": "1.2.3.30/24",
            "gateway": "1.2.3.1"
        },
        {
            "version": "6",
            "interface": 0,
            "address": "abcd:1234:ffff::cdde/64",
            "gateway": "abcd:1234:ffff::1"
        },
        {
            "version": "4",
            "address": "9.9.9.9/32"
        }
    ],
    "routes": [
        {
            "dst": "15.5.6.0/24",
            "gw": "15.5.6.8",
            "mtu": 1400,
            "advmss": 1360,
            "priority": 7,
            "table": 0,
            "scope": 253
        },
        {
            "dst": "1111:dddd::/80",
            "gw": "1111:dddd::aaaa"
        }
    ],
    "dns": {
        "nameservers": [
            "1.2.3.4",
            "1::cafe"
        ],
        "domain": "acompany.com",
        "search": [
            "somedomain.com"
        ],
        "options": [
            "foo",
            "bar"
        ]
    }
}`;

const TEXT_020 = `{
    "cniVersion": "0.2.0",
    "ip4": {
        "ip": "1.2.3.30/24",
        "gateway": "1.2.3.1",
        "routes": [
            {
                "dst": "15.5.6.0/24",
                "gw": "15.5.6.8"
            }
        ]
    },
    "ip6": {
        "ip": "abcd:1234:ffff::cdde/64",
        "gateway": "abcd:1234:ffff::1",
        "routes": [
            {
                "dst": "1111:dddd::/80",
                "gw": "1111:dddd::aaaa"
            }
        ]
    },
    "dns": {
        "nameservers": [
            "1.2.3.4",
            "1::cafe"
        ],
        "domain": "acompany.com",
        "search": [
            "somedomain.com"
        ],
        "options": [
            "foo",
            "bar"
        ]
    }
}`;

function print(result: CniResult, version: CniVersion): string {
  const printed = convertResult(result, version);
  return printed.ok ? printDocument(printed.document) : printed.message;
}

function read(value: Json, version: string): CniResult | string {
  const answer = readResult(value, version);
  return answer.ok ? answer.result : answer.message;
}

describe('printing', () => {
  it.each<[CniVersion, string]>([
    ['0.1.0', TEXT_020.replace('0.2.0', '0.1.0')],
    ['0.2.0', TEXT_020],
    ['0.3.0', TEXT_040.replace('0.4.0', '0.3.0')],
    ['0.3.1', TEXT_040.replace('0.4.0', '0.3.1')],
    ['0.4.0', TEXT_040],
    ['1.0.0', TEXT_100.replace('1.1.0', '1.0.0')],
    ['1.1.0', TEXT_100],
  ])('%s is what the official plugins print, to the letter', (version, text) => {
    expect(print(FULL, version)).toBe(text);
  });

  const EMPTY: CniResult = { interfaces: [], ips: [], routes: [], dns: {} };
  it.each<[CniVersion, string]>([
    ['0.1.0', 'cannot convert: no valid IP addresses'],
    ['0.2.0', 'cannot convert: no valid IP addresses'],
    ['0.3.0', '{\n    "cniVersion": "0.3.0",\n    "dns": {}\n}'],
    ['0.4.0', '{\n    "cniVersion": "0.4.0",\n    "dns": {}\n}'],
    ['1.0.0', '{\n    "cniVersion": "1.0.0"\n}'],
    ['1.1.0', '{\n    "cniVersion": "1.1.0"\n}'],
  ])('nothing at all, in %s', (version, text) => {
    expect(print(EMPTY, version)).toBe(text);
  });

  it('leaves out routes of a family that has no address, before 0.3.0', () => {
    const result = { ...EMPTY, ips: [{ address: '10.0.0.2/24' }], routes: [{ dst: '::/0' }, { dst: '0.0.0.0/0' }] };
    const printed = convertResult(result, '0.2.0');
    expect(printed.ok && printed.document).toEqual({
      cniVersion: '0.2.0',
      ip4: { ip: '10.0.0.2/24', routes: [{ dst: '0.0.0.0/0' }] },
      dns: {},
    });
  });
});

const MANY: Json = Object.assign(Array(4097).fill({}), { toJSON: () => '4097 elements' });
const LONG = 'x'.repeat(4097);

describe('reading', () => {
  it.each<[CniVersion, string]>([
    ['1.1.0', TEXT_100],
    ['1.0.0', TEXT_100],
  ])('%s', (version, text) => {
    expect(read(JSON.parse(text), version)).toEqual(FULL);
  });

  it('0.4.0, which has no mtu, socketPath and pciID', () => {
    const interfaces = FULL.interfaces.map(({ mtu, socketPath, pciID, ...rest }) => rest);
    expect(read(JSON.parse(TEXT_040), '0.3.1')).toEqual({ ...FULL, interfaces });
  });

  it('0.2.0, which has one address of a family and no interfaces', () => {
    expect(read(JSON.parse(TEXT_020), '0.1.0')).toEqual({
      interfaces: [],
      ips: [
        { address: '1.2.3.30/24', gateway: '1.2.3.1' },
        { address: 'abcd:1234:ffff::cdde/64', gateway: 'abcd:1234:ffff::1' },
      ],
      routes: [
        { dst: '15.5.6.0/24', gw: '15.5.6.8' },
        { dst: '1111:dddd::/80', gw: '1111:dddd::aaaa' },
      ],
      dns: FULL.dns,
    });
  });

  it('takes addresses in any form, and gives them in one', () => {
    expect(read({ ips: [{ address: 'ABCD:0::1/64', gateway: '' }] }, '1.0.0')).toMatchObject({ ips: [{ address: 'abcd::1/64' }] });
  });

  it.each<[string, Json, string]>([
    ['1.1.0', [], 'the result is array, expected an object'],
    ['1.1.0', null, 'the result is null, expected an object'],
    ['1.1.0', { cniVersion: '0.4.0' }, 'result type supports [1.0.0 1.1.0] but unmarshalled CNIVersion is "0.4.0"'],
    ['1.1.0', { cniVersion: 1 }, 'cniVersion is 1, expected text'],
    ['0.4.0', { cniVersion: '' }, 'result type supports [0.3.0 0.3.1 0.4.0] but unmarshalled CNIVersion is ""'],
    ['3.0.0', {}, 'unsupported CNI result version "3.0.0"'],
    ['1.1.0', { interfaces: {} }, 'interfaces is object, expected a list'],
    ['1.1.0', { interfaces: [null] }, 'interfaces[0] is null, expected an object'],
    ['1.1.0', { interfaces: [{ name: 7 }] }, 'interfaces[0].name is 7, expected text'],
    ['1.1.0', { interfaces: [{ name: 'a', mtu: 1.5 }] }, 'interfaces[0].mtu is 1.5, expected an integer'],
    [
      '1.1.0',
      { ips: [{ address: '10.0.0.1' }] },
      'ips[0].address is "10.0.0.1", expected an address with the length of its prefix, as 10.1.0.5/16',
    ],
    ['1.1.0', { ips: [{}] }, 'ips[0].address is "", expected an address with the length of its prefix, as 10.1.0.5/16'],
    ['1.1.0', { ips: [{ address: '10.0.0.1/8', gateway: 'x' }] }, 'ips[0].gateway is "x", expected an IP address'],
    ['1.1.0', { ips: [{ address: '10.0.0.1/8', interface: '0' }] }, 'ips[0].interface is "0", expected an integer'],
    [
      '1.1.0',
      { routes: [{ dst: 'default' }] },
      'routes[0].dst is "default", expected an address with the length of its prefix, as 10.1.0.5/16',
    ],
    ['1.1.0', { dns: [] }, 'dns is array, expected an object'],
    ['1.1.0', { dns: { search: 'a' } }, 'dns.search is "a", expected a list of texts'],
    ['1.1.0', { dns: { search: [1] } }, 'dns.search[0] is 1, expected text'],
    ['1.1.0', { ips: MANY }, 'ips has more than 4096 elements'],
    ['1.1.0', { interfaces: [{ name: LONG }] }, 'interfaces[0].name has more than 4096 characters'],
    ['0.2.0', { ip4: 'x' }, 'ip4 is "x", expected an object'],
    ['0.2.0', { ip4: { ip: 'x' } }, 'ip4.ip is "x", expected an address with the length of its prefix, as 10.1.0.5/16'],
  ])('refuses, in %s, %j', (version, value, message) => {
    expect(read(value, version)).toBe(message);
  });
});

describe('laws', () => {
  const v4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map(([a, b, c]) => `10.${a}.${b}.${c}`);
  const v6 = fc.nat(0xfffe).map((n) => `fd00::${(n + 1).toString(16)}`);
  const gateway = fc.option(fc.constant('x'), { nil: undefined });
  const ip = fc.tuple(fc.oneof(v4, v6), gateway).map(([address, has]) => ({
    address: address.includes(':') ? `${address}/64` : `${address}/16`,
    ...(has === undefined ? {} : { gateway: address }),
  }));
  const route = fc.oneof(v4, v6).map((dst) => ({ dst: dst.includes(':') ? `${dst}/128` : `${dst}/32` }));
  const result = fc.record({
    interfaces: fc.array(fc.record({ name: fc.stringMatching(/^[a-z]{1,15}$/) }), { maxLength: 3 }),
    ips: fc.array(ip, { maxLength: 4 }),
    routes: fc.array(route, { maxLength: 3 }),
    dns: fc.constantFrom({}, { domain: 'a.b' }),
  });

  it('what is printed in the newest two groups is read as it was', () => {
    fc.assert(
      fc.property(result, fc.constantFrom<CniVersion>('0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'), (value, version) => {
        const printed = convertResult(value, version);
        expect(printed.ok && read(printed.document, version)).toEqual(value);
      }),
    );
  });

  it('what went down to any version and came up again goes down to the same text', () => {
    fc.assert(
      fc.property(result, fc.constantFrom(...CNI_VERSIONS), (value, version) => {
        const printed = convertResult(value, version);
        if (!printed.ok) return;
        const again = read(printed.document, version);
        if (typeof again === 'string') throw new Error(again);
        expect(print(again, version)).toBe(printDocument(printed.document));
      }),
    );
  });
});
