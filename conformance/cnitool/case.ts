import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Conflist, environmentOf, findPlugin, type PluginConf, requestOf } from '../cni/conflist.ts';
import { type NetworkNode, podPath } from '../cni/node.ts';
import { differentStates, type NormalState } from '../cni/normalise.ts';
import type { PluginCall } from '../cni/probe.ts';
import type { Scene } from '../cni/scene.ts';

/** Something that is done with plugins on a node of its own, and what must come of it. */
export interface CniCase {
  readonly name: string;
  /** Why it can't hold for the official plugins, which stand in our place while cases are tried. */
  readonly notOfficial?: string;
  /** Bundle folders of the rules that it needs. Default: the library's, as far as they do what official plugins do. */
  readonly rules?: readonly string[];
  /** On the node, before the plugins are installed. */
  prepare?(node: NetworkNode): Promise<void>;
  /** Measures, and so must not run beside others. */
  readonly alone?: boolean;
  /** Throws with what is wrong, in words. */
  play(scene: Scene): Promise<void>;
}

/** Throws when a claim does not hold. */
export function claim(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

export function expectEqual(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  throw new Error(`${what}\nexpected: ${JSON.stringify(expected)}\nfound:    ${JSON.stringify(found)}`);
}

/** The kernel takes down namespaces and their links in the background, one after the other: those of all that runs on the machine. */
const SETTLE_MS = 20_000;

/**
 * Throws with the lines in which the state differs from what was expected, once it has had some time: a removed link is gone from the
 * kernel's lists only a moment after the command has returned.
 */
export async function expectState(what: string, expected: NormalState, read: () => Promise<NormalState>): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const differences = differentStates(expected, await read());
    if (differences.length === 0) return;
    if (Date.now() > deadline) throw new Error(`${what}: not as before\n${differences.slice(0, 40).join('\n')}`);
    await delay(100);
  }
}

export const NETWORK = 'testnet';

/** A network of a bridge and addresses of it, in the newest version; more plugins may follow. */
export function bridgeList(scene: Scene, conf: Readonly<Record<string, unknown>> = {}, ...chained: readonly PluginConf[]): Conflist {
  const { capabilities, ...rest } = conf;
  return {
    cniVersion: '1.1.0',
    name: NETWORK,
    plugins: [
      scene.plugin('bridge', {
        bridge: 'cni0',
        isGateway: true,
        ipMasqBackend: 'nftables',
        ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] },
        ...rest,
        ...(capabilities === undefined ? {} : { capabilities: capabilities as Record<string, boolean> }),
      }),
      ...chained,
    ],
  };
}

/** What is on the node, without which address was given last: that is remembered. */
export async function nodeState(scene: Scene, pods: readonly string[] = []): Promise<NormalState> {
  const state = await scene.state(pods);
  return { ...state, files: state.files.filter((line) => !line.includes('/last_reserved_ip.')) };
}

/** A call of the plugin under test alone, as a runtime calls it, with this network's first plugin. */
export function pluginCall(
  scene: Scene,
  command: 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS' | 'VERSION',
  pod: string,
  more: {
    readonly wave?: number;
    readonly killAfter?: number;
    readonly fields?: Readonly<Record<string, unknown>>;
    readonly list?: Conflist;
  } = {},
): PluginCall {
  const { list = bridgeList(scene), wave = 0, killAfter, fields } = more;
  const [plugin] = list.plugins as [PluginConf];
  return {
    path: findPlugin(scene.plugins.path, plugin.type),
    env: environmentOf({ command, containerId: pod, netns: podPath(pod), path: scene.plugins.path }),
    stdin: requestOf(list, plugin, fields),
    wave,
    ...(killAfter === undefined ? {} : { killAfter }),
  };
}

/** Code and message of an error, as a plugin printed it; undefined for anything else. */
export function errorOf({ stdout }: { readonly stdout: string }): { readonly code: number; readonly msg: string } | undefined {
  try {
    const { code, msg } = JSON.parse(stdout) as { readonly code?: number; readonly msg?: string };
    return code === undefined ? undefined : { code, msg: msg ?? '' };
  } catch {
    return undefined;
  }
}
