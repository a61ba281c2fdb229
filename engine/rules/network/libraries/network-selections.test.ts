import { describe, expect, test } from 'vitest';
import { parseNetworkSelections } from './network-selections.ts';

const parsed = (text: string) => parseNetworkSelections(text, 'shop');

describe('networks that a pod asks for', () => {
  test.each([
    ['', []],
    ['  ', []],
    ['a', ['shop/a@']],
    ['a,b', ['shop/a@', 'shop/b@']],
    [' a , ops/b ', ['shop/a@', 'ops/b@']],
    ['ops/a@if0', ['ops/a@if0']],
    ['a@if0', ['shop/a@if0']],
    ['a,a', ['shop/a@', 'shop/a@']],
    ['[]', []],
    ['[{"name":"a","example.com/note":"x"}]', ['shop/a@']],
    ['[{"name":"a"}]', ['shop/a@']],
    ['[{"name":"a","namespace":"ops","interface":"if0"},{"name":"b"}]', ['ops/a@if0', 'shop/b@']],
  ])('%j', (text, expected) => {
    const read = parsed(text);
    expect('selections' in read && read.selections.map((each) => `${each.namespace}/${each.name}@${each.interface}`)).toEqual(expected);
  });

  test('with all that JSON may say', () => {
    const entry = {
      name: 'a',
      ips: ['10.1.0.5/24', 'fd00::5', 7],
      mac: '0a:00:00:00:00:01',
      'default-route': ['10.1.0.1'],
      portMappings: [{ hostPort: 80 }, 'x'],
      bandwidth: { ingressRate: 1 },
      'infiniband-guid': 'c2:11:22:33:44:55:66:77',
      'cni-args': { a: 'b' },
      deviceID: '0000:18:02.5',
    };
    expect(parsed(JSON.stringify([entry]))).toEqual({
      selections: [
        {
          namespace: 'shop',
          name: 'a',
          interface: '',
          ips: ['10.1.0.5/24', 'fd00::5'],
          mac: '0a:00:00:00:00:01',
          defaultRoute: ['10.1.0.1'],
          portMappings: [{ hostPort: 80 }],
          bandwidth: { ingressRate: 1 },
          infinibandGUID: 'c2:11:22:33:44:55:66:77',
          cniArgs: { a: 'b' },
          deviceID: '0000:18:02.5',
        },
      ],
    });
  });

  test('a default route by gateways that the network knows itself is not the same as none', () => {
    const routes = (text: string) => {
      const read = parsed(text);
      return 'selections' in read && read.selections.map(({ defaultRoute }) => defaultRoute);
    };
    expect(routes('[{"name":"a","default-route":[]},{"name":"b"},{"name":"c","default-route":null}]')).toEqual([[], undefined, undefined]);
    expect(routes('a')).toEqual([undefined]);
  });

  test.each([
    ['a/b/c', 'the list of networks: "a/b/c" is not of the form namespace/name@interface'],
    ['/a', 'the list of networks: "/a" is not of the form namespace/name@interface'],
    ['a@', 'the list of networks: "a@" is not of the form namespace/name@interface'],
    ['a@b@c', 'the list of networks: "a@b@c" is not of the form namespace/name@interface'],
    ['a,,b', 'the list of networks: "" is not the name of a network'],
    ['Ax', 'the list of networks: "Ax" is not the name of a network'],
    ['__proto__', 'the list of networks: "__proto__" is not the name of a network'],
    ['a_/b', 'the list of networks: "a_" is not a namespace'],
    ['a@an-interface-name', 'the list of networks: "an-interface-name" is not the name of an interface'],
    ['a@x y', 'the list of networks: "x y" is not the name of an interface'],
    ['[', 'the list of networks begins as JSON, and is none'],
    ['{"name":"a"}', 'the list of networks is no list'],
    ['[{}]', 'the list of networks: "" is not the name of a network'],
    ['["a"]', 'the list of networks: expected a map with a name'],
    ['[{"name":"a","ips":"10.1.0.5"}]', 'the list of networks: ips of "a" is no list'],
    ['[{"name":"a","cni-args":["b"]}]', 'the list of networks: cni-args of "a" is no map'],
    ['[{"name":"a","ips":["10.1.0.300"]}]', 'the list of networks: "10.1.0.300" is not an IP address'],
    ['[{"name":"a","ips":["10.1.0.5;K8S_POD_NAME=x"]}]', 'the list of networks: "10.1.0.5;K8S_POD_NAME=x" is not an IP address'],
    ['[{"name":"a","default-route":["10.1.0.1/24"]}]', 'the list of networks: "10.1.0.1/24" is not the IP address of a gateway'],
    ['[{"name":"a","mac":"0a:00:00:00:00"}]', 'the list of networks: "0a:00:00:00:00" is not a MAC address'],
    ['[{"name":"a","infiniband-guid":"c2:11"}]', 'the list of networks: "c2:11" is not an InfiniBand GUID'],
    ['[{"name":"a","ip":["10.1.0.5"]}]', 'the list of networks: ip of "a" is not supported: did you mean ips?'],
    [
      '[{"name":"a","ipam-claim-reference":"vm-a"}]',
      'the list of networks: ipam-claim-reference of "a" is not supported: nothing here keeps addresses for an IPAMClaim; ask for them by ips',
    ],
    ['[{"name":"a","colour":"red"}]', 'the list of networks: colour of "a" is not supported'],
    ['[{"name":"a","deviceID":"../x"}]', 'the list of networks: "../x" is not the id of a device'],
    [
      `[{"name":"a","ips":[${Array.from({ length: 65 }, () => '"10.1.0.5"').join()}]}]`,
      'the list of networks: a asks for more than 64 addresses',
    ],
    [`[{"name":"a","cni-args":{"x":${'['.repeat(100)}${']'.repeat(100)}}}]`, 'the list of networks is nested deeper than 64 levels'],
    [Array.from({ length: 33 }, () => 'a').join(), 'more than 32 networks are asked for'],
    ['a'.repeat(300_000), 'the list of networks has more than 262144 characters'],
  ])('%.40j is refused', (text, message) => {
    expect(parsed(text)).toEqual({ message });
  });
});
