import { setTimeout as delay } from 'node:timers/promises';
import { type CniResultJson, type Cnitool, openCnitool } from './cnitool.ts';
import { type Conflist, type PluginConf, writeConflists } from './conflist.ts';
import { answeredAttachments, journalRecords } from './journal-records.ts';
import { readKernelState } from './kernel-state.ts';
import type { NetworkNode } from './node.ts';
import { type NormaliseOptions, type NormalState, normaliseState } from './normalise.ts';
import type { InstalledPlugins, PluginKind, PluginSet } from './plugin-set.ts';
import { openProbe, type Place, type Probe } from './probe.ts';
import { startNodeWithOutside } from './topology.ts';

/** A node with plugins, a world outside, and what is needed to use them: where a case plays. Each case has its own. */
export interface Scene {
  readonly node: NetworkNode;
  /** Another machine on the same wire, which knows no way to pods. */
  readonly outside: NetworkNode;
  readonly plugins: InstalledPlugins;
  readonly cnitool: Cnitool;
  readonly probe: Probe;
  readonly log: (line: string) => void;
  /** Configuration of a plugin under test. Throws {@link RuleMissing} where there is none of this kind. */
  plugin(kind: PluginKind, conf: Readonly<Record<string, unknown>>): PluginConf;
  /** Makes these the networks of the node, for calls that name them. */
  configure(...lists: readonly Conflist[]): void;
  /** Where they are written; there from the first {@link configure} on. */
  readonly confFolder: string;
  /** Makes a pod, lets cnitool add it to the network, and answers the result. */
  attach(network: string, pod: string, options?: AttachOptions): Promise<CniResultJson>;
  /** Lets cnitool take a pod from the network, and removes it. */
  detach(network: string, pod: string, options?: AttachOptions): Promise<void>;
  pod(name: string): Place;
  /** What plugins may change: the node's network and these pods', and files. */
  state(pods: readonly string[], options?: NormaliseOptions): Promise<NormalState>;
  stop(): Promise<void>;
}

/** A case needs a rule that the library has not: it is skipped with this line. */
export class RuleMissing extends Error {
  override readonly name = 'RuleMissing';
}

export interface AttachOptions {
  readonly ifName?: string;
  readonly capabilities?: Readonly<Record<string, unknown>>;
  readonly args?: string;
}

export interface SceneOptions {
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
  /** As {@link InstallOptions.rules}. */
  readonly rules?: readonly string[];
  /** As {@link InstallOptions.rehearses}. */
  readonly rehearses?: boolean;
  /** On the node, before the plugins are installed. */
  readonly prepare?: (node: NetworkNode) => Promise<void>;
}

/** Where plugins and the daemon leave files; the runtime's own cache is not among them. */
const STATE_FOLDERS = ['/var/lib/cni/networks', '/run/cni', '/var/lib/fairlead', '/run/fairlead'];
/** Of the daemon's journal the records that are left, of the allocator's files all but locks; logs and sockets are no state. */
function meaningOfFile(path: string, text: string): string | undefined {
  if (path.endsWith('/journal')) return journalRecords(text).join('\n') || undefined;
  if (path.endsWith('/cni/answered')) return answeredAttachments(text).join('\n') || undefined;
  return path.endsWith('lock') ? undefined : text;
}

const SETTLE_DEADLINE_MS = 5000;

export async function openScene(name: string, plugins: PluginSet, options: SceneOptions): Promise<Scene> {
  const { node, outside, stop } = await startNodeWithOutside(name, options);
  try {
    await options.prepare?.(node);
    const installed = await plugins.install(node, options);
    const probe = await openProbe(options);
    let confFolder = '';
    const cnitool = await openCnitool(node, () => ({ pluginPath: installed.path, confFolder }), options);
    return {
      node,
      outside,
      plugins: installed,
      cnitool,
      probe,
      log: options.log,
      plugin(kind, conf) {
        if (!installed.has(kind)) throw new RuleMissing(`the library has no rule ${installed.type(kind)}`);
        return { ...conf, type: installed.type(kind) };
      },
      configure(...lists) {
        confFolder = writeConflists(node, lists);
      },
      get confFolder() {
        return confFolder;
      },
      async attach(network, pod, attachment = {}) {
        await node.addPod(pod);
        const result = await cnitool.add({ ...attachment, network, pod });
        // The gateway's IPv6 address answers only once it is known to be nobody else's; a pod's has to answer at once.
        await settle(node, []);
        return result;
      },
      async detach(network, pod, attachment = {}) {
        await cnitool.expect({ ...attachment, verb: 'del', network, pod });
        await node.removePod(pod);
      },
      pod: (pod) => ({ node, pod }),
      async state(pods, normalising) {
        await settle(node, pods);
        return normaliseState(await readKernelState(node, { pods, folders: STATE_FOLDERS }), { file: meaningOfFile, ...normalising });
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until no address is being probed for duplicates any more, in the node and in these pods. */
async function settle(node: NetworkNode, pods: readonly string[]): Promise<void> {
  const deadline = Date.now() + SETTLE_DEADLINE_MS;
  for (const pod of [undefined, ...pods]) {
    const place = pod === undefined ? {} : { pod };
    while (Date.now() < deadline) {
      const tentative = JSON.parse((await node.expect('ip', ['-json', '-6', 'address', 'show', 'tentative'], place)) || '[]') as {
        readonly addr_info?: readonly unknown[];
      }[];
      if (tentative.every((link) => (link.addr_info ?? []).length === 0)) break;
      await delay(50);
    }
  }
}
