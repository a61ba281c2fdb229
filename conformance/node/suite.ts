import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { findPlugin, writeConflists } from '../cni/conflist.ts';
import { networkLibrary, RULES } from '../cni/network-library.ts';
import { needNamespaces } from '../cni/node.ts';
import type { PluginSet } from '../cni/plugin-set.ts';
import { pluginsUnderTest } from '../cni/plugins-under-test.ts';
import { openProbe } from '../cni/probe.ts';
import { relayLoopback } from '../cni/relay.ts';
import { openScene, type Scene } from '../cni/scene.ts';
import { WIRE } from '../cni/topology.ts';
import { type CaseResult, type Suite, type SuiteContext, SuiteUnavailable } from '../suite.ts';
import { recordCalls } from './call-record.ts';
import { type LiveCase, type LiveNode, liveCases, warmUp } from './cases.ts';
import { startKubelet } from './kubelet.ts';
import { chainedNetwork, POD_CIDR, type PodNetwork, useNetwork, wholeNetwork } from './networks.ts';
import { podsOf } from './pods.ts';

const NODE = 'node';

/** A real node of a real cluster: kubelet and containerd make pods, and our plugins their network. */
export const suite: Suite = {
  name: 'node',
  description: 'pods of a real cluster, made by kubelet and containerd, whose network is made by network rules',
  async *run(context): AsyncIterable<CaseResult> {
    needNamespaces(['runc', 'conntrack']);
    const plugins = pluginsUnderTest();
    const options = { log: context.log, signal: context.signal };
    const stops: (() => Promise<void>)[] = [];
    try {
      const cluster = await startCluster({ ...options, controllers: ['*'], scheduler: true });
      stops.push(cluster.stop);
      const scene = await openNodeOf(cluster, plugins, options, stops);
      stops.push(scene.stop);
      // With its network, which nobody gives to nodes of a cluster like this.
      const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE }, spec: { podCIDR: POD_CIDR, podCIDRs: [POD_CIDR] } };
      await cluster.admin.expect({ method: 'POST', path: '/api/v1/nodes', body: node });
      const networks = [chainedNetwork(scene), ...(plugins.name === 'official' ? [] : [wholeNetwork()])];
      const types = networks.map(({ type }) => type);
      const calls = recordCalls(scene.node.folder, types, (type) => findPlugin(scene.plugins.path, type));
      const confFolder = writeConflists(scene.node, []);
      const kubelet = await startKubelet({
        ...options,
        cluster,
        node: scene.node,
        probe: scene.probe,
        pluginPath: [calls.folder, ...scene.plugins.path],
        confFolder,
        beforeReady: () => useNetwork(networks[0]!, confFolder, calls),
      });
      stops.push(kubelet.stop);
      for (const network of networks) {
        const wanted = liveCases.filter(({ name }) => context.wanted(nameIn(network, name)));
        if (wanted.length === 0) continue;
        await useNetwork(network, confFolder, calls);
        const live: LiveNode = { scene, calls: () => calls.verbs(network.type), kubelet, pods: podsOf(cluster) };
        await warmUp(live);
        for (const each of wanted) {
          if (context.signal.aborted) return;
          yield await playCase(live, each, nameIn(network, each.name));
        }
      }
    } finally {
      for (const stop of stops.toReversed()) await stop();
    }
  },
};

const nameIn = (network: PodNetwork, name: string): string => `${network.name}: ${name}`;

/** A node on which the daemon knows the cluster; `stops`: what ends with it. */
async function openNodeOf(
  cluster: Cluster,
  plugins: PluginSet,
  options: Pick<SuiteContext, 'log' | 'signal'>,
  stops: (() => Promise<void>)[],
): Promise<Scene> {
  const probe = await openProbe(options);
  const rules = [...networkLibrary().folders, `${RULES}/pod-network`];
  const serve = ['--kubeconfig', cluster.kubeconfig, '--node-name', NODE];
  return openScene(
    NODE,
    { ...plugins, install: (node, installing) => plugins.install(node, { ...installing, rules, serve }) },
    {
      ...options,
      async prepare(node) {
        await node.expect('ip', ['route', 'add', 'default', 'via', WIRE[4].address(2)]);
        stops.push((await relayLoopback(node, probe, Number(new URL(cluster.url).port))).stop);
      },
    },
  );
}

async function playCase(live: LiveNode, { daemon, play }: LiveCase, name: string): Promise<CaseResult> {
  if (daemon && live.scene.plugins.daemon === undefined) return { name, outcome: 'skipped', reason: 'these plugins have no daemon' };
  try {
    await play(live);
    return { name, outcome: 'passed' };
  } catch (error) {
    if (error instanceof SuiteUnavailable) throw error;
    await live.pods.delete((await live.pods.list()).map((pod) => pod.name)).catch(() => undefined);
    return { name, outcome: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}
