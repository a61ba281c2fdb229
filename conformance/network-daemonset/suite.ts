import { join } from 'node:path';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { type NetworkNode, needNamespaces } from '../cni/node.ts';
import { openProbe, type Probe } from '../cni/probe.ts';
import { buildFairlead } from '../cni/program.ts';
import { relayLoopback } from '../cni/relay.ts';
import { startNodeWithOutside, WIRE } from '../cni/topology.ts';
import { startKubelet } from '../node/kubelet.ts';
import { podsOf } from '../node/pods.ts';
import { type CaseResult, type Suite, SuiteUnavailable } from '../suite.ts';
import { cniPlugins } from '../tools/cni.ts';
import { ensureGoTool } from '../tools/go-tool.ts';
import { type Installation, installationCases, stateOf } from './cases.ts';
import { applyManifest, IMAGE, putRules } from './manifest.ts';
import { makeProgramImage } from './program-image.ts';

const NODE = 'node';
/** What the cluster has given to the node; the manifest names another network. */
const POD_CIDR = '10.23.0.0/24';
/** Of the Service `kubernetes`, which nobody translates on this node. */
const API_SERVER = { address: '10.96.0.1', port: 443 };

/** What a user does who follows docs/networks.md in a cluster: its DaemonSet gives a node its network. Cases build on each other. */
export const suite: Suite = {
  name: 'network-daemonset',
  description: 'docs/networks.yaml as it stands, applied to a real cluster: its DaemonSet makes the network of a node',
  async *run(context): AsyncIterable<CaseResult> {
    needNamespaces(['runc', 'conntrack', 'dpkg-query']);
    const options = { log: context.log, signal: context.signal };
    const stops: (() => Promise<void>)[] = [];
    try {
      const cluster = await startCluster({ ...options, controllers: ['*'], scheduler: true, audit: true });
      stops.push(cluster.stop);
      const { node, stop } = await startNodeWithOutside(NODE, options);
      stops.push(stop);
      const probe = await openProbe(options);
      for (const each of await makeMachine(node, cluster, probe, await ensureGoTool(cniPlugins, ['loopback'], options))) stops.push(each);
      const image = makeProgramImage(IMAGE, node.folder, await buildFairlead());
      const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE }, spec: { podCIDR: POD_CIDR, podCIDRs: [POD_CIDR] } };
      await cluster.admin.expect({ method: 'POST', path: '/api/v1/nodes', body: object });
      const before = await stateOf(node);
      const applied = await applyManifest(cluster);
      await putRules(cluster, ['bridge']);
      const kubelet = await startKubelet({
        ...options,
        cluster,
        node,
        probe,
        pluginPath: ['/opt/cni/bin'],
        confFolder: '/etc/cni/net.d',
        images: [image],
        // The manifest is all that gives it a network.
        beforeReady: async () => undefined,
      });
      stops.push(kubelet.stop);
      const installation: Installation = { cluster, node, probe, kubelet, pods: podsOf(cluster), applied, before };
      for (const { name, play } of installationCases) {
        if (context.signal.aborted) return;
        try {
          await play(installation);
          yield { name, outcome: 'passed' };
        } catch (error) {
          if (error instanceof SuiteUnavailable) throw error;
          const left = (await installation.pods.list()).map((pod) => pod.name);
          await installation.pods.delete(left).catch(() => undefined);
          yield { name, outcome: 'failed', reason: error instanceof Error ? error.message : String(error) };
        }
      }
    } finally {
      for (const stop of stops.toReversed()) await stop();
    }
  },
};

/**
 * Makes a node what an ordinary machine is to the manifest: with folders of its own, mounts that are shared, a way to the API server, and
 * the plugin `loopback`, which comes with Kubernetes' packages, and which containerd calls for every pod. It is in the folder `plugins`.
 */
async function makeMachine(node: NetworkNode, cluster: Cluster, probe: Probe, plugins: string): Promise<readonly (() => Promise<void>)[]> {
  const { exitCode, stderr } = await node.run('sh', [
    '-ec',
    `mount --make-rshared /
    mkdir /run/written
    mount -t tmpfs tmpfs /run/written
    for folder in etc opt; do
      mkdir /run/written/$folder /run/written/$folder-work
      mount -t overlay overlay -o lowerdir=/$folder,upperdir=/run/written/$folder,workdir=/run/written/$folder-work /$folder
      # Nothing of this machine's own is removed below.
      mountpoint -q /$folder
    done
    rm -rf /opt/cni /etc/cni
    mkdir -p /opt/cni/bin
    cp ${join(plugins, 'loopback')} /opt/cni/bin
    ip address add ${API_SERVER.address}/32 dev lo
    ip route add default via ${WIRE[4].address(2)}`,
  ]);
  if (exitCode !== 0) throw new SuiteUnavailable(`a node can't have folders of its own here: ${stderr.trim()}`);
  const port = Number(new URL(cluster.url).port);
  const relays = [
    await relayLoopback(node, probe, port),
    await relayLoopback(node, probe, port, `${API_SERVER.address}:${API_SERVER.port}`),
  ];
  return relays.map(({ stop }) => stop);
}
