import { join } from 'node:path';
import { RULES } from '../../cni/network-library.ts';
import { WIRE } from '../../cni/topology.ts';
import { type CniCase, expectEqual, expectState, NETWORK, nodeState } from '../case.ts';

const BUNDLE = join(RULES, 'pod-network');

const REQUEST = {
  capabilities: {
    portMappings: [{ hostPort: 9090, containerPort: 8080, protocol: 'tcp' }],
    bandwidth: { ingressRate: 8e6, ingressBurst: 1e6, egressRate: 8e6, egressBurst: 1e6 },
  },
};

/** One plugin in the place of a chain of three. */
export const podNetworkCases: readonly CniCase[] = [
  {
    name: 'pod-network: one plugin gives a pod its addresses, its way out, its ports of the node and its limits',
    notOfficial: 'there is no official plugin that does it all',
    rules: [BUNDLE],
    async play(scene) {
      const capabilities = { portMappings: true, bandwidth: true };
      const plugin = { type: 'fairlead-pod-network', subnets: ['10.1.0.0/24'], backend: 'nftables', capabilities };
      scene.configure({ cniVersion: '1.1.0', name: NETWORK, plugins: [plugin] });
      await scene.attach(NETWORK, 'first', REQUEST);
      await scene.detach(NETWORK, 'first', REQUEST);
      const before = await nodeState(scene);

      const { ips, routes } = await scene.attach(NETWORK, 'pod1', REQUEST);
      expectEqual('addresses', ips, [{ address: '10.1.0.3/24', gateway: '10.1.0.1', interface: 2 }]);
      expectEqual('routes', routes, [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }]);
      await scene.cnitool.expect({ ...REQUEST, verb: 'check', network: NETWORK, pod: 'pod1' });
      const pod = scene.pod('pod1');
      const [node, outside] = [{ node: scene.node }, { node: scene.outside }];
      await scene.probe.serve(pod, 'pod1', [8080]);
      await scene.probe.serve(outside, 'outside', [8081]);
      const nodeAddress = WIRE[4].address(1);
      for (const [where, place, target] of [
        ['from outside', outside, `${nodeAddress}:9090`],
        ['from the node', node, '127.0.0.1:9090'],
        ['from the pod itself', pod, `${nodeAddress}:9090`],
      ] as const)
        expectEqual(`who answers ${where}`, (await scene.probe.ask(place, 'tcp', target))?.name, 'pod1');
      const seen = (await scene.probe.ask(pod, 'tcp', `${WIRE[4].address(2)}:8081`))?.from.replace(/:\d+$/, '');
      expectEqual('whom the world outside sees', seen, nodeAddress);
      const limits = (await scene.node.expect('tc', ['qdisc', 'show'])).match(/qdisc tbf .* rate 8Mbit/g);
      expectEqual('limits', limits?.length, 2);

      await scene.detach(NETWORK, 'pod1', REQUEST);
      await expectState('after DEL', before, () => nodeState(scene));
    },
  },
];
