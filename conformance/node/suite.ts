import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { findPlugin } from '../cni/conflist.ts';
import { needNamespaces } from '../cni/node.ts';
import { pluginsUnderTest } from '../cni/plugin-set.ts';
import { openScene } from '../cni/scene.ts';
import { WIRE } from '../cni/topology.ts';
import { type CaseResult, type Suite, SuiteUnavailable } from '../suite.ts';
import { recordCalls } from './call-record.ts';
import { type LiveNode, liveCases, warmUp } from './cases.ts';
import { type KubeletNode, startKubelet } from './kubelet.ts';
import { podsOf } from './pods.ts';

/** A real node of a real cluster: kubelet and containerd make pods, and our plugins their network. */
export const suite: Suite = {
  name: 'node',
  description: 'pods of a real cluster, made by kubelet and containerd, whose network is made by network rules',
  async *run(context): AsyncIterable<CaseResult> {
    needNamespaces(['runc']);
    const plugins = pluginsUnderTest();
    const options = { log: context.log, signal: context.signal };
    const scene = await openScene('node', plugins, options);
    let cluster: Cluster | undefined;
    let kubelet: KubeletNode | undefined;
    try {
      cluster = await startCluster({ ...options, controllers: ['*'], scheduler: true });
      await scene.node.expect('ip', ['route', 'add', 'default', 'via', WIRE[4].address(2)]);
      const bridge = scene.plugin('bridge', {
        bridge: 'cni0',
        isGateway: true,
        ipMasq: true,
        ipMasqBackend: 'nftables',
        hairpinMode: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: '10.22.0.0/16' }]], routes: [{ dst: '0.0.0.0/0' }] },
      });
      const portMap = {
        type: scene.plugins.has('portmap') ? scene.plugins.type('portmap') : 'portmap',
        capabilities: { portMappings: true },
        backend: 'nftables',
      };
      scene.configure({ cniVersion: '1.1.0', name: 'pods', plugins: [bridge, portMap] });
      const calls = recordCalls(scene.node.folder, [bridge.type], (type) => findPlugin(scene.plugins.path, type));
      kubelet = await startKubelet({
        ...options,
        cluster,
        node: scene.node,
        probe: scene.probe,
        pluginPath: [calls.folder, ...scene.plugins.path],
        confFolder: scene.confFolder,
      });
      const live: LiveNode = { scene, calls, kubelet, pods: podsOf(cluster) };
      await warmUp(live);
      for (const { name, daemon, play } of liveCases) {
        if (context.signal.aborted) return;
        if (!context.wanted(name)) continue;
        if (daemon && scene.plugins.daemon === undefined) {
          yield { name, outcome: 'skipped', reason: 'these plugins have no daemon' };
          continue;
        }
        try {
          await play(live);
          yield { name, outcome: 'passed' };
        } catch (error) {
          if (error instanceof SuiteUnavailable) throw error;
          yield { name, outcome: 'failed', reason: error instanceof Error ? error.message : String(error) };
          await live.pods.delete((await live.pods.list()).map((pod) => pod.name)).catch(() => undefined);
        }
      }
    } finally {
      await kubelet?.stop();
      await cluster?.stop();
      await scene.stop();
    }
  },
};
