import type { PluginCalled } from '../../cni/probe.ts';
import type { Scene } from '../../cni/scene.ts';
import { bridgeList, type CniCase, claim, errorOf, expectEqual, expectState, NETWORK, nodeState, pluginCall } from '../case.ts';

const MANY = 200;

function names(count: number, prefix = 'many'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

interface Added {
  readonly ips: readonly { readonly address: string }[];
}

/** The bridge and forwarding stay once somebody has used them. */
async function warmUp(scene: Scene): Promise<void> {
  scene.configure(bridgeList(scene, { ipMasq: true }));
  await scene.attach(NETWORK, 'first');
  await scene.detach(NETWORK, 'first');
}

function expectSuccess(what: string, called: readonly PluginCalled[]): void {
  const failed = called.filter(({ exitCode }) => exitCode !== 0).map(({ stdout, stderr }) => stdout + stderr);
  expectEqual(`${what} that failed`, failed.slice(0, 3), []);
}

export const parallelCases: readonly CniCase[] = [
  {
    name: `parallel: ${MANY} ADDs at once, then ${MANY} DELs`,
    alone: true,
    async play(scene) {
      await warmUp(scene);
      const list = bridgeList(scene, { ipMasq: true });
      const before = await nodeState(scene);
      const pods = names(MANY);
      await scene.node.addPods(pods);
      const added = await scene.probe.calls(
        scene.node,
        pods.map((pod) => pluginCall(scene, 'ADD', pod, { list })),
      );
      expectSuccess('ADDs', added);
      const results = added.map(({ stdout }) => JSON.parse(stdout) as Added);
      const addresses = results.map(({ ips }) => ips[0]!.address);
      expectEqual('number of different addresses', new Set(addresses).size, MANY);
      for (const index of [0, 99, 199]) {
        claim(await scene.probe.ping({ node: scene.node }, addresses[index]!.replace(/\/.*/, '')), `${pods[index]} does not answer a ping`);
      }
      const deleted = await scene.probe.calls(
        scene.node,
        pods.map((pod, index) => pluginCall(scene, 'DEL', pod, { list, fields: { prevResult: results[index] } })),
      );
      expectSuccess('DELs', deleted);
      await expectState('after the DELs', before, () => nodeState(scene));
    },
  },
  {
    name: 'parallel: ADDs and DELs of different pods at once',
    alone: true,
    async play(scene) {
      await warmUp(scene);
      const list = bridgeList(scene, { ipMasq: true });
      const before = await nodeState(scene);
      const [left, right] = [names(40, 'left'), names(40, 'right')];
      await scene.node.addPods([...left, ...right]);
      const add = (pods: readonly string[], wave: number) => pods.map((pod) => pluginCall(scene, 'ADD', pod, { list, wave }));
      const del = (pods: readonly string[], wave: number) => pods.map((pod) => pluginCall(scene, 'DEL', pod, { list, wave }));
      const calls = [...add(left, 0), ...del(left, 1), ...add(right, 1), ...del(right, 2), ...add(left, 2), ...del(left, 3)];
      const called = await scene.probe.calls(scene.node, calls);
      expectSuccess('calls', called);
      await expectState('after it', before, () => nodeState(scene));
    },
  },
  {
    name: 'parallel: the same attachment is added by one of ten',
    async play(scene) {
      await warmUp(scene);
      await scene.node.addPod('pod1');
      const called = await scene.probe.calls(
        scene.node,
        Array.from({ length: 10 }, () => pluginCall(scene, 'ADD', 'pod1')),
      );
      expectEqual('number of those that succeeded', called.filter(({ exitCode }) => exitCode === 0).length, 1);
      const result = JSON.parse(called.find(({ exitCode }) => exitCode === 0)!.stdout) as Added;
      claim(await scene.probe.ping({ node: scene.node }, result.ips[0]!.address.replace(/\/.*/, '')), 'the pod does not answer a ping');
      for (const each of called.filter(({ exitCode }) => exitCode !== 0)) claim(errorOf(each) !== undefined, `no error: ${each.stdout}`);
    },
  },
];

/** Attachments that a runtime still knows, in both spellings of their key. */
const VALID = ['cni.dev/valid-attachments', 'cni.dev/attachments'];

export const collectionCases: readonly CniCase[] = [
  ...VALID.map(
    (key): CniCase => ({
      name: `gc: what is not among ${key} goes, the rest stays`,
      notOfficial: 'no official plugin collects garbage',
      async play(scene) {
        await warmUp(scene);
        const list = bridgeList(scene, { ipMasq: true });
        const pods = ['stays', 'lost1', 'lost2'];
        await scene.node.addPods(pods);
        const added = await scene.probe.calls(scene.node, [pluginCall(scene, 'ADD', 'stays', { list })]);
        const { ips } = JSON.parse(added[0]!.stdout) as Added;
        const before = await nodeState(scene, ['stays']);
        await scene.probe.calls(
          scene.node,
          ['lost1', 'lost2'].map((pod, wave) => pluginCall(scene, 'ADD', pod, { list, wave })),
        );
        await scene.node.removePod('lost1');
        const [collected] = await scene.probe.calls(scene.node, [
          pluginCall(scene, 'GC', 'stays', { list, fields: { [key]: [{ containerID: 'stays', ifname: 'eth0' }] } }),
        ]);
        expectEqual('answer to GC', [collected?.exitCode, collected?.stdout], [0, '']);
        await expectState('after GC', before, () => nodeState(scene, ['stays']));
        claim(
          await scene.probe.ping({ node: scene.node }, ips[0]!.address.replace(/\/.*/, '')),
          'the pod that stays does not answer a ping',
        );
      },
    }),
  ),
  {
    name: 'gc: of a network leaves other networks alone',
    notOfficial: 'no official plugin collects garbage',
    async play(scene) {
      const other = {
        ...bridgeList(scene, { bridge: 'cni1', ipam: { type: 'host-local', ranges: [[{ subnet: '10.2.0.0/24' }]] } }),
        name: 'other',
      };
      await scene.node.addPods(['pod1', 'pod2']);
      await scene.probe.calls(scene.node, [pluginCall(scene, 'ADD', 'pod1', { list: other })]);
      await scene.probe.calls(scene.node, [pluginCall(scene, 'ADD', 'pod2')]);
      await scene.probe.calls(scene.node, [pluginCall(scene, 'GC', 'pod2', { fields: { 'cni.dev/valid-attachments': [] } })]);
      claim(await scene.probe.ping({ node: scene.node }, '10.2.0.2'), 'the pod of the other network does not answer a ping');
      claim(!(await scene.probe.ping({ node: scene.node }, '10.1.0.2')), 'the pod that is not valid still answers');
    },
  },
  {
    name: 'gc: finds what belongs to a journal that was lost',
    notOfficial: 'it is about the daemon',
    async play(scene) {
      const list = bridgeList(scene, { ipMasq: true });
      await scene.node.addPods(['pod1', 'pod2']);
      const before = await nodeState(scene);
      await scene.probe.calls(scene.node, [
        pluginCall(scene, 'ADD', 'pod1', { list }),
        pluginCall(scene, 'ADD', 'pod2', { list, wave: 1 }),
      ]);
      const daemon = scene.plugins.daemon!;
      await daemon.stop();
      await scene.node.expect('rm', ['-rf', `${daemon.stateFolder}/journal`]);
      await daemon.start();
      const [collected] = await scene.probe.calls(scene.node, [
        pluginCall(scene, 'GC', 'pod1', { list, fields: { 'cni.dev/valid-attachments': [] } }),
      ]);
      expectEqual('answer to GC', [collected?.exitCode, collected?.stdout], [0, '']);
      const after = await nodeState(scene);
      expectEqual(
        'links that are left',
        after.links.filter((line) => !before.links.includes(line)),
        [],
      );
      expectEqual(
        'rules that are left',
        after.firewall.filter((line) => line.includes('10.1.0.')),
        [],
      );
      expectEqual(
        'addresses that are left',
        after.files.filter((line) => line.includes('/10.1.0.')),
        [],
      );
    },
  },
];
