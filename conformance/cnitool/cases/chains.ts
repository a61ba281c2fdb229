import { bridgeList, type CniCase, claim, expectEqual, expectState, NETWORK, nodeState } from '../case.ts';

const MAPPING = { hostPort: 9090, containerPort: 8080, protocol: 'tcp' };

/** Ours among official plugins: what one answers is what the next is given. */
export const chainCases: readonly CniCase[] = [
  {
    name: 'chain: our bridge before the official tuning, portmap and bandwidth',
    async play(scene) {
      const options = {
        capabilities: { portMappings: [MAPPING], bandwidth: { ingressRate: 8e6, ingressBurst: 1e6, egressRate: 8e6, egressBurst: 1e6 } },
      };
      const official = [
        { type: 'tuning', sysctl: { 'net.core.somaxconn': '500' }, mtu: 1400 },
        { type: 'portmap', backend: 'nftables', capabilities: { portMappings: true } },
        { type: 'bandwidth', capabilities: { bandwidth: true } },
        { type: 'firewall', backend: 'iptables' },
      ];
      scene.configure(bridgeList(scene, { hairpinMode: true }, ...official));
      await scene.attach(NETWORK, 'first', options);
      await scene.detach(NETWORK, 'first', options);
      const before = await nodeState(scene);
      const result = await scene.attach(NETWORK, 'pod1', options);
      claim(
        result.interfaces?.some(({ name }) => name.startsWith('bwp')) === true,
        `bandwidth has found no interface: ${JSON.stringify(result.interfaces)}`,
      );
      await scene.cnitool.expect({ ...options, verb: 'check', network: NETWORK, pod: 'pod1' });
      await scene.probe.serve(scene.pod('pod1'), 'pod1', [8080]);
      expectEqual('who answers', (await scene.probe.ask({ node: scene.outside }, 'tcp', '192.0.2.1:9090'))?.name, 'pod1');
      expectEqual('somaxconn', (await scene.node.expect('cat', ['/proc/sys/net/core/somaxconn'], { pod: 'pod1' })).trim(), '500');
      await scene.detach(NETWORK, 'pod1', options);
      await expectState('after DEL', before, () => nodeState(scene));
    },
  },
  {
    name: 'chain: our portmap and bandwidth behind the official bridge',
    async play(scene) {
      const options = {
        capabilities: { portMappings: [MAPPING], bandwidth: { ingressRate: 8e6, ingressBurst: 1e6, egressRate: 8e6, egressBurst: 1e6 } },
      };
      const [bridge] = bridgeList(scene, { hairpinMode: true }).plugins;
      const ours = [
        scene.plugin('portmap', { backend: 'nftables', capabilities: { portMappings: true } }),
        scene.plugin('bandwidth', { capabilities: { bandwidth: true } }),
      ];
      scene.configure({ cniVersion: '1.1.0', name: NETWORK, plugins: [{ ...bridge!, type: 'bridge' }, ...ours] });
      await scene.attach(NETWORK, 'first', options);
      await scene.detach(NETWORK, 'first', options);
      const before = await nodeState(scene);
      const result = await scene.attach(NETWORK, 'pod1', options);
      expectEqual(
        'addresses',
        result.ips?.map(({ address, gateway }) => [address, gateway]),
        [['10.1.0.3/24', '10.1.0.1']],
      );
      await scene.cnitool.expect({ ...options, verb: 'check', network: NETWORK, pod: 'pod1' });
      await scene.probe.serve(scene.pod('pod1'), 'pod1', [8080]);
      expectEqual('who answers', (await scene.probe.ask({ node: scene.outside }, 'tcp', '192.0.2.1:9090'))?.name, 'pod1');
      await scene.detach(NETWORK, 'pod1', options);
      await expectState('after DEL', before, () => nodeState(scene));
    },
  },
  {
    name: 'chain: our tuning behind the official bridge',
    async play(scene) {
      const [bridge] = bridgeList(scene).plugins;
      const tuning = scene.plugin('tuning', { sysctl: { 'net.core.somaxconn': '500' }, mtu: 1400, mac: '0a:00:00:00:00:42' });
      scene.configure({ cniVersion: '1.1.0', name: NETWORK, plugins: [{ ...bridge!, type: 'bridge' }, tuning] });
      const result = await scene.attach(NETWORK, 'pod1');
      expectEqual('mac in the result', result.interfaces?.find(({ sandbox }) => sandbox !== undefined)?.mac, '0a:00:00:00:00:42');
      expectEqual('somaxconn', (await scene.node.expect('cat', ['/proc/sys/net/core/somaxconn'], { pod: 'pod1' })).trim(), '500');
      claim(await scene.probe.ping({ node: scene.node }, '10.1.0.2'), 'the pod does not answer a ping');
      await scene.detach(NETWORK, 'pod1');
    },
  },
];
