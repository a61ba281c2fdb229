import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Conflist, PluginConf } from '../cni/conflist.ts';
import type { Scene } from '../cni/scene.ts';
import type { CallRecord } from './call-record.ts';

/** A way to make the network of a node's pods. */
export interface PodNetwork {
  /** Begins the names of its cases. */
  readonly name: string;
  /** `type` of its first plugin. */
  readonly type: string;
  readonly list: Conflist;
}

/** Network that the cluster has given to the node, for its pods. */
export const POD_CIDR = '10.22.0.0/24';

/** A plugin for each thing, as the official ones are chained. */
export function chainedNetwork(scene: Scene): PodNetwork {
  const bridge = scene.plugin('bridge', {
    bridge: 'chain0',
    isGateway: true,
    ipMasq: true,
    ipMasqBackend: 'nftables',
    hairpinMode: true,
    ipam: { type: 'host-local', ranges: [[{ subnet: '10.21.0.0/16' }]], routes: [{ dst: '0.0.0.0/0' }] },
  });
  const portMap = scene.plugin('portmap', { backend: 'nftables', capabilities: { portMappings: true } });
  const bandwidth = scene.plugin('bandwidth', { capabilities: { bandwidth: true } });
  return networkOf('chain', [bridge, portMap, bandwidth]);
}

/** The rule for all of it, which takes the node's network from the cluster. */
export function wholeNetwork(): PodNetwork {
  return networkOf('pod-network', [{ type: 'fairlead-pod-network', capabilities: { portMappings: true, bandwidth: true } }]);
}

function networkOf(name: string, plugins: readonly [PluginConf, ...PluginConf[]]): PodNetwork {
  return { name, type: plugins[0].type, list: { cniVersion: '1.1.0', name, plugins } };
}

const DEADLINE_MS = 60_000;

/** Makes it the network of pods that are made from now on: waits until the runtime has asked it for its status. */
export async function useNetwork({ type, list }: PodNetwork, confFolder: string, calls: CallRecord): Promise<void> {
  const temporary = join(confFolder, '.new');
  writeFileSync(temporary, JSON.stringify(list, null, 2));
  // The runtime watches the folder, and must not see half of a file.
  renameSync(temporary, join(confFolder, 'pods.conflist'));
  const deadline = Date.now() + DEADLINE_MS;
  while (!calls.verbs(type).includes('STATUS')) {
    if (Date.now() > deadline) throw new Error(`the runtime has not asked ${type} for its status`);
    await delay(200);
  }
}
