import type { CniResultJson } from '../../cni/cnitool.ts';
import { bridgeList, type CniCase, claim, expectEqual, expectState, NETWORK, nodeState } from '../case.ts';

/** A runtime sends DEL after an ADD that failed; ours leaves nothing to delete. */
const LEAVES_PAIR = 'after an ADD that failed the official bridge leaves its pair of interfaces until DEL';

const MAC = '0a:00:00:00:00:42';

function addressesOf(result: CniResultJson): readonly string[] {
  return (result.ips ?? []).map(({ address }) => address);
}

/** What a runtime asks for with an attachment, by capabilities and by CNI_ARGS. */
export const requestCases: readonly CniCase[] = [
  {
    name: 'request: a mac by its capability',
    async play(scene) {
      scene.configure(bridgeList(scene, { capabilities: { mac: true } }));
      const result = await scene.attach(NETWORK, 'pod1', { capabilities: { mac: MAC } });
      expectEqual('mac in the result', result.interfaces?.find(({ sandbox }) => sandbox !== undefined)?.mac, MAC);
      const [link] = JSON.parse(await scene.node.expect('ip', ['-json', 'link', 'show', 'eth0'], { pod: 'pod1' })) as {
        readonly address: string;
      }[];
      expectEqual('mac of the link', link?.address, MAC);
    },
  },
  {
    name: 'request: a mac by CNI_ARGS',
    async play(scene) {
      scene.configure(bridgeList(scene));
      const result = await scene.attach(NETWORK, 'pod1', { args: `IgnoreUnknown=1;MAC=${MAC}` });
      expectEqual('mac in the result', result.interfaces?.find(({ sandbox }) => sandbox !== undefined)?.mac, MAC);
    },
  },
  {
    name: 'request: an address by its capability',
    async play(scene) {
      scene.configure(bridgeList(scene, { capabilities: { ips: true } }));
      expectEqual('addresses', addressesOf(await scene.attach(NETWORK, 'pod1', { capabilities: { ips: ['10.1.0.77/24'] } })), [
        '10.1.0.77/24',
      ]);
      claim(await scene.probe.ping({ node: scene.node }, '10.1.0.77'), 'the pod does not answer a ping');
    },
  },
  {
    name: 'request: an address by CNI_ARGS',
    async play(scene) {
      scene.configure(bridgeList(scene));
      expectEqual('addresses', addressesOf(await scene.attach(NETWORK, 'pod1', { args: 'IgnoreUnknown=1;IP=10.1.0.78' })), [
        '10.1.0.78/24',
      ]);
    },
  },
  {
    name: 'request: an address that somebody has is refused',
    notOfficial: LEAVES_PAIR,
    async play(scene) {
      scene.configure(bridgeList(scene, { capabilities: { ips: true } }));
      await scene.attach(NETWORK, 'pod1', { capabilities: { ips: ['10.1.0.77/24'] } });
      const before = await nodeState(scene);
      await scene.node.addPod('pod2');
      const { exitCode } = await scene.cnitool.call({
        verb: 'add',
        network: NETWORK,
        pod: 'pod2',
        capabilities: { ips: ['10.1.0.77/24'] },
      });
      claim(exitCode !== 0, 'the same address was given twice');
      await expectState('after the refusal', before, () => nodeState(scene));
    },
  },
  {
    name: 'request: an address outside of the ranges is refused',
    async play(scene) {
      scene.configure(bridgeList(scene, { capabilities: { ips: true } }));
      await scene.node.addPod('pod1');
      const { exitCode } = await scene.cnitool.call({ verb: 'add', network: NETWORK, pod: 'pod1', capabilities: { ips: ['10.9.0.1/24'] } });
      claim(exitCode !== 0, 'an address of another network was given');
    },
  },
  {
    name: 'request: ranges by their capability',
    async play(scene) {
      scene.configure(bridgeList(scene, { ipam: { type: 'host-local' }, capabilities: { ipRanges: true } }));
      const ipRanges = [[{ subnet: '10.6.0.0/24', rangeStart: '10.6.0.10', rangeEnd: '10.6.0.20' }]];
      expectEqual('addresses', addressesOf(await scene.attach(NETWORK, 'pod1', { capabilities: { ipRanges } })), ['10.6.0.10/24']);
    },
  },
  {
    name: 'request: another name for the interface',
    async play(scene) {
      scene.configure(bridgeList(scene));
      const result = await scene.attach(NETWORK, 'pod1', { ifName: 'net1' });
      expectEqual('name in the result', result.interfaces?.find(({ sandbox }) => sandbox !== undefined)?.name, 'net1');
      await scene.node.expect('ip', ['link', 'show', 'net1'], { pod: 'pod1' });
    },
  },
  {
    name: 'request: two interfaces of one pod',
    async play(scene) {
      const second = {
        ...bridgeList(scene, { bridge: 'cni1', ipam: { type: 'host-local', ranges: [[{ subnet: '10.2.0.0/24' }]] } }),
        name: 'second',
      };
      scene.configure(bridgeList(scene), second);
      const before = await nodeState(scene);
      await scene.attach(NETWORK, 'pod1');
      const result = await scene.cnitool.add({ network: 'second', pod: 'pod1', ifName: 'net1' });
      expectEqual('addresses', addressesOf(result), ['10.2.0.2/24']);
      claim(await scene.probe.ping({ node: scene.node }, '10.2.0.2'), 'the second interface does not answer a ping');
      await scene.cnitool.expect({ verb: 'del', network: 'second', pod: 'pod1', ifName: 'net1' });
      claim(await scene.probe.ping({ node: scene.node }, '10.1.0.2'), 'the first interface does not answer after the second was deleted');
      await scene.detach(NETWORK, 'pod1');
      const after = await nodeState(scene);
      expectEqual(
        'addresses that are still reserved',
        after.files.filter((line) => !before.files.includes(line)),
        [],
      );
    },
  },
  {
    name: 'request: an interface that is there already is refused, and left alone',
    async play(scene) {
      scene.configure(bridgeList(scene));
      await scene.attach(NETWORK, 'pod1');
      const before = await nodeState(scene, ['pod1']);
      const { exitCode } = await scene.cnitool.call({ verb: 'add', network: NETWORK, pod: 'pod1' });
      claim(exitCode !== 0, 'the same interface was added twice');
      await expectState('after the refusal', before, () => nodeState(scene, ['pod1']));
    },
  },
];

/** DEL, however little is left to delete. */
export const deletionCases: readonly CniCase[] = [
  {
    name: 'del: leaves nothing of host ports, masquerading and limits',
    async play(scene) {
      const options = { capabilities: { portMappings: [{ hostPort: 9090, containerPort: 80, protocol: 'tcp' }] } };
      const chained = [
        scene.plugin('portmap', { backend: 'nftables', capabilities: { portMappings: true } }),
        scene.plugin('bandwidth', { ingressRate: 8e6, ingressBurst: 1e6, egressRate: 8e6, egressBurst: 1e6 }),
      ];
      scene.configure(bridgeList(scene, { ipMasq: true }, ...chained));
      await scene.attach(NETWORK, 'first', options);
      await scene.detach(NETWORK, 'first', options);
      const before = await nodeState(scene);
      await scene.attach(NETWORK, 'pod1', options);
      await scene.detach(NETWORK, 'pod1', options);
      await expectState('after DEL', before, () => nodeState(scene));
    },
  },
  {
    name: 'del: twice',
    async play(scene) {
      scene.configure(bridgeList(scene));
      await scene.attach(NETWORK, 'pod1');
      for (let times = 0; times < 2; times++) await scene.cnitool.expect({ verb: 'del', network: NETWORK, pod: 'pod1' });
    },
  },
  {
    name: 'del: of what was never added',
    async play(scene) {
      scene.configure(bridgeList(scene));
      await scene.node.addPod('pod1');
      expectEqual('output', await scene.cnitool.expect({ verb: 'del', network: NETWORK, pod: 'pod1' }), '');
    },
  },
  {
    name: 'del: the namespace is gone',
    notOfficial: 'the official bridge leaves the rule that masqueraded',
    async play(scene) {
      scene.configure(bridgeList(scene, { ipMasq: true }));
      await scene.attach(NETWORK, 'first');
      await scene.detach(NETWORK, 'first');
      const before = await nodeState(scene);
      await scene.attach(NETWORK, 'pod1');
      await scene.node.removePod('pod1');
      await scene.cnitool.expect({ verb: 'del', network: NETWORK, pod: 'pod1' });
      await expectState('after DEL', before, () => nodeState(scene));
    },
  },
  {
    name: 'del: the interface is gone',
    async play(scene) {
      scene.configure(bridgeList(scene));
      await scene.attach(NETWORK, 'first');
      await scene.detach(NETWORK, 'first');
      const before = await nodeState(scene);
      await scene.attach(NETWORK, 'pod1');
      await scene.node.expect('ip', ['link', 'del', 'eth0'], { pod: 'pod1' });
      await scene.detach(NETWORK, 'pod1');
      await expectState('after DEL', before, () => nodeState(scene));
    },
  },
  {
    name: 'del: the bridge is gone',
    async play(scene) {
      scene.configure(bridgeList(scene));
      await scene.attach(NETWORK, 'pod1');
      await scene.node.expect('ip', ['link', 'del', 'cni0']);
      await scene.detach(NETWORK, 'pod1');
      await scene.attach(NETWORK, 'pod2');
      claim(await scene.probe.ping({ node: scene.node }, '10.1.0.3'), 'the next pod does not answer a ping');
    },
  },
];

/** CHECK finds what is not as ADD left it. `unseen`: the official plugin does not look there. */
const FAULTS: readonly { readonly name: string; readonly command: readonly string[]; readonly pod?: string; readonly unseen?: string }[] = [
  { name: 'the address is gone', command: ['ip', 'address', 'flush', 'dev', 'eth0'], pod: 'pod1' },
  { name: 'the interface is gone', command: ['ip', 'link', 'del', 'eth0'], pod: 'pod1' },
  { name: 'the default route is gone', command: ['ip', 'route', 'del', 'default'], pod: 'pod1' },
  { name: 'the interface has another name', command: ['sh', '-c', 'ip link set eth0 down; ip link set eth0 name eth9'], pod: 'pod1' },
  { name: 'the bridge is gone', command: ['ip', 'link', 'del', 'cni0'] },
  {
    name: 'the interface is on no bridge',
    command: ['sh', '-c', 'for port in /sys/class/net/cni0/brif/*; do ip link set "${port##*/}" nomaster; done'],
    unseen: 'the official bridge does not look at the port',
  },
  { name: 'masquerading is gone', command: ['nft', 'flush', 'ruleset'], unseen: 'the official bridge does not look at masquerading' },
];

export const checkCases: readonly CniCase[] = FAULTS.map(({ name, command, pod, unseen }) => ({
  name: `check: ${name}`,
  ...(unseen === undefined ? {} : { notOfficial: unseen }),
  async play(scene) {
    scene.configure(bridgeList(scene, { ipMasq: true }));
    await scene.attach(NETWORK, 'pod1');
    await scene.cnitool.expect({ verb: 'check', network: NETWORK, pod: 'pod1' });
    const [program, ...args] = command;
    await scene.node.expect(program!, args, pod === undefined ? {} : { pod });
    const { exitCode } = await scene.cnitool.call({ verb: 'check', network: NETWORK, pod: 'pod1' });
    claim(exitCode !== 0, 'CHECK finds nothing wrong');
  },
}));

/** The last address, and who gets it next. */
export const addressCases: readonly CniCase[] = [
  {
    name: 'addresses: an exhausted range is refused, and an address that comes back is given again',
    notOfficial: LEAVES_PAIR,
    async play(scene) {
      const ipam = { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24', rangeStart: '10.1.0.10', rangeEnd: '10.1.0.11' }]] };
      scene.configure(bridgeList(scene, { ipam }));
      await scene.attach(NETWORK, 'pod1');
      await scene.attach(NETWORK, 'pod2');
      const before = await nodeState(scene);
      await scene.node.addPod('pod3');
      const { exitCode } = await scene.cnitool.call({ verb: 'add', network: NETWORK, pod: 'pod3' });
      claim(exitCode !== 0, 'a third address was given of two');
      await expectState('after the refusal', before, () => nodeState(scene));
      await scene.detach(NETWORK, 'pod1');
      expectEqual('addresses', addressesOf(await scene.cnitool.add({ network: NETWORK, pod: 'pod3' })), ['10.1.0.10/24']);
    },
  },
  {
    name: 'addresses: host-local goes on with what ours reserved, and ours with what host-local reserved',
    notOfficial: 'it is about ours',
    async play(scene) {
      const theirs = { ...bridgeList(scene), plugins: bridgeList(scene).plugins.map((plugin) => ({ ...plugin, type: 'bridge' })) };
      scene.configure(bridgeList(scene));
      expectEqual('of ours', addressesOf(await scene.attach(NETWORK, 'pod1')), ['10.1.0.2/24']);
      scene.configure(theirs);
      expectEqual('of host-local', addressesOf(await scene.attach(NETWORK, 'pod2')), ['10.1.0.3/24']);
      scene.configure(bridgeList(scene));
      expectEqual('of ours', addressesOf(await scene.attach(NETWORK, 'pod3')), ['10.1.0.4/24']);
      await scene.detach(NETWORK, 'pod3');
      scene.configure(theirs);
      await scene.detach(NETWORK, 'pod2');
      const { files } = await nodeState(scene);
      expectEqual('addresses that are reserved', files.filter((line) => /\/10\.1\.0\./.test(line)).length, 1);
    },
  },
];
