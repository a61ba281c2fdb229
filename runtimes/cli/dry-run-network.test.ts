import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandRunner, folderOf } from './run.fixture.ts';

const RULE = `apiVersion: fairlead.dev/v1alpha1
kind: NetworkRule
metadata: { name: my-cni }
spec:
  config: { bridge: "string | default=cni0", subnet: "string | required", mtu: integer }
  ipam: { ranges: [{ subnet: "\${config.subnet}" }] }
  steps:
    - bridge: { name: "\${config.bridge}", addresses: "\${ipam.gatewayAddresses}" }
    - veth:
        host: { master: "\${config.bridge}" }
        container: { name: "\${request.ifName}", addresses: "\${ipam.addresses}", routes: [{ to: default, via: "\${ipam.gateway}" }] }
    - masquerade: { from: "\${ipam.addresses}", except: ["\${config.subnet}"] }
`;

let folder: string;
const run = commandRunner(() => folder);
beforeAll(() => {
  folder = folderOf(FILES);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const call = (command: string, config = '', env = '') => `apiVersion: fairlead.dev/v1alpha1
kind: CNIInvocation
env:
  CNI_COMMAND: ${command}
  CNI_CONTAINERID: pod1
  CNI_NETNS: /run/netns/pod1
  CNI_IFNAME: eth0
  CNI_PATH: /opt/cni/bin${env}
config:
  cniVersion: 1.1.0
  name: pods
  type: my-cni
  subnet: 10.1.0.0/16
${config.replace(/^(?=.)/gm, '  ')}
`;

const FILES = {
  'rule.yaml': RULE,
  'add.yaml': call('ADD'),
  'del.yaml': call('DEL'),
  'gc.yaml': call('GC'),
  'raw.json': '{ "cniVersion": "1.0.0", "name": "pods", "type": "my-cni" }',
  'status.yaml': call('STATUS'),
  'wrong.yaml': call('ADD', 'mtu: big'),
  'nobody.yaml': call('ADD').replace('type: my-cni', 'type: other'),
  'bad-name.yaml': call('ADD').replace('CNI_IFNAME: eth0', 'CNI_IFNAME: a/b'),
  'no-config.yaml': 'apiVersion: fairlead.dev/v1alpha1\nkind: CNIInvocation\nenv: {}\n',
};

test('prints the plan of a recorded ADD, with what each step would change, and the result', async () => {
  const { code, out } = await run(`dry-run -r rule.yaml add.yaml`);
  await expect(out).toMatchFileSnapshot('testdata/dry-run-network.txt');
  expect(code).toBe(0);
});

test('prints of a DEL what it undoes, in reverse', async () => {
  const { code, out } = await run(`dry-run -r rule.yaml del.yaml`);
  expect(code).toBe(0);
  expect(out.match(/^ {4}\S+/gm)?.map((key) => key.trim())).toEqual(['masquerade-1', 'veth-1', 'bridge-1', 'ipam']);
  expect(out).toContain('bridge-1 bridge cni0, up, with 10.1.0.1/16, which stays for others until garbage is collected');
});

test('says of a GC that it depends on what a daemon has', async () => {
  const { code, out } = await run(`dry-run -r rule.yaml gc.yaml`);
  expect(code).toBe(0);
  expect(out).toMatch(/^GC pods \(.*\n {2}undoes what belongs to no attachment that is valid; only a daemon knows what there is\n/);
});

test('says of a network configuration how it becomes a call', async () => {
  expect((await run(`dry-run -r rule.yaml raw.json`)).err).toContain('a network configuration is the `config` of a call');
});

test('says whether the network is ready', async () => {
  expect((await run(`dry-run -r rule.yaml status.yaml`)).out).toContain('STATUS pods');
});

test.each([
  ['wrong.yaml', 'error 7 invalid network configuration: mtu: expected an integer, found "big"'],
  ['nobody.yaml', 'error 106 no rule is called other; rules: my-cni'],
  ['bad-name.yaml', 'error 4 interface name contains / or : or whitespace characters'],
])('an error of the plugin is one of the command: %s', async (file, message) => {
  const { code, out } = await run(`dry-run -r rule.yaml ${file}`);
  expect(out).toContain(message);
  expect(code).toBe(1);
});

test('a call that is none is told where it stands', async () => {
  const { code, err } = await run(`dry-run -r rule.yaml no-config.yaml`);
  expect(err).toContain('missing field config');
  expect(code).toBe(1);
});

test('machines get the same', async () => {
  const { out } = await run(`dry-run -r rule.yaml -o json add.yaml`);
  const { invocations } = JSON.parse(out) as { readonly invocations: readonly { readonly steps: readonly object[] }[] };
  expect(invocations).toMatchObject([
    {
      rule: 'my-cni',
      command: 'ADD',
      steps: [
        { key: 'ipam' },
        { key: 'bridge-1', operation: 'bridge', changes: expect.arrayContaining(['ip link set dev cni0 up']) },
        { key: 'veth-1' },
        { key: 'masquerade-1' },
      ],
      result: { cniVersion: '1.1.0', ips: [{ address: '10.1.0.2/16', gateway: '10.1.0.1', interface: 2 }] },
    },
  ]);
});

test('objects that no rule is about are a mistake', async () => {
  const { code, err } = await run('dry-run -r rule.yaml rule.yaml');
  expect(err).toContain('none of the objects is one that the rules are about: CNIInvocation (fairlead.dev/v1alpha1)');
  expect(code).toBe(2);
});

test('an explanation shows what expressions gave each step', async () => {
  const { code, out } = await run('explain -r rule.yaml add.yaml');
  expect(code).toBe(0);
  expect(out).toContain('required     subnet');
  expect(out).toContain('capabilities ipRanges, ips');
  expect(out).toMatch(/bridge-1 .*\n {4}arguments\n {6}name: cni0\n/);
  expect(out).toMatch(/outputs\n {6}addresses:\n {6}- 10.1.0.2\/16\n/);
});

test('network rules are not served by this command', async () => {
  const { code, err } = await run('serve rule.yaml --log off');
  expect(err).toContain('there are only network rules: they are served on each node');
  expect(code).toBe(2);
});
