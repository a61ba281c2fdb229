import type { CniResultJson } from '../cni/cnitool.ts';
import type { Conflist, PluginConf } from '../cni/conflist.ts';
import type { PluginKind } from '../cni/plugin-set.ts';
import type { Scene } from '../cni/scene.ts';

/** The same network, made by the official plugins on one node and by ours on another. */
export interface DifferentialCase {
  readonly name: string;
  /** The plugin that is compared. */
  readonly kind: PluginKind;
  /** The network's list, of the plugin that is compared and of official ones around it. */
  list(compared: (conf: Readonly<Record<string, unknown>>) => PluginConf): Conflist;
  /** Containers' namespaces, in the order in which they are attached and in the reverse of which they are detached. */
  readonly pods?: readonly string[];
  readonly capabilities?: Readonly<Record<string, unknown>>;
  readonly args?: string;
  /** Hardware addresses that the case asks for. */
  readonly macs?: readonly string[];
  /** Before anything is attached: a device, another bridge. */
  prepare?(scene: Scene): Promise<void>;
  /** What is asked of the network while the pods are attached. The answers are compared, one line each. */
  ask?(scene: Scene): Promise<readonly string[]>;
  /** Why it can't be compared on this machine; asked on the official node. */
  unavailable?(scene: Scene): Promise<string | undefined>;
}

/** A result without what is drawn: hardware addresses that nobody asked for, and names of links on the node. */
export function normaliseResult(result: CniResultJson, macs: readonly string[]): unknown {
  return {
    ...result,
    ...(result.interfaces === undefined
      ? {}
      : {
          interfaces: result.interfaces.map((each) => ({
            ...each,
            ...(/^(?:veth|bwp)[0-9a-f]{6,}$/.test(each.name) ? { name: `<${each.name.startsWith('bwp') ? 'ifb' : 'veth'}>` } : {}),
            ...(each.mac === undefined || macs.includes(each.mac.toLowerCase()) ? {} : { mac: '<mac>' }),
          })),
        }),
  };
}

/** A {@link DifferentialCase.unavailable} that tries to make a link: `ip link add probe0 <words>`. */
export function canMakeLink(what: string, ...words: readonly string[]): (scene: Scene) => Promise<string | undefined> {
  return async ({ node }) => {
    const { exitCode, stderr } = await node.run('ip', ['link', 'add', 'probe0', ...words]);
    if (exitCode !== 0) return `the kernel has no ${what}: ${stderr.trim()}`;
    await node.expect('ip', ['link', 'del', 'probe0']);
    return undefined;
  };
}
