import { join } from 'node:path';
import { ensureGoTool } from '../tools/go-tool.ts';
import { netprobe } from '../tools/netprobe.ts';
import type { NetworkNode, NodeProcess } from './node.ts';

/** Where one stands: the node's own network or one of its pods. */
export interface Place {
  readonly node: NetworkNode;
  readonly pod?: string;
}

/** Whom a question reached, and how. Addresses with their port. */
export interface Reached {
  readonly name: string;
  /** The address that was reached: with UDP without that of the machine, as `[::]:80`. */
  readonly at: string;
  /** The address that the question seemed to come from. */
  readonly from: string;
}

export interface Transfer {
  readonly bytes: number;
  /** From the first byte that arrived to the last. */
  readonly seconds: number;
}

/** One execution of a plugin, as a container runtime executes it. */
export interface PluginCall {
  readonly path: string;
  /** The whole environment: `CNI_COMMAND=ADD`. */
  readonly env: readonly string[];
  readonly stdin: string;
  /** Calls of one wave run at the same time, waves one after the other. */
  readonly wave: number;
  /** Nanoseconds after which it is killed. */
  readonly killAfter?: number;
}

export interface PluginCalled {
  /** Nanoseconds after the first call. */
  readonly began: number;
  /** From before the process was started until it had ended. */
  readonly nanoseconds: number;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Real connections between places. */
export interface Probe {
  /** Of the executable. */
  readonly path: string;
  /** Answers on these ports, TCP and UDP, under this name. */
  serve(place: Place, name: string, ports: readonly number[]): Promise<NodeProcess>;
  /** Asks who is there; undefined where nobody answers within the deadline (default 2 s). */
  ask(place: Place, protocol: 'tcp' | 'udp', target: string, options?: { readonly deadlineMs?: number }): Promise<Reached | undefined>;
  /** Sends bytes to a server, or fetches them from it. */
  transfer(place: Place, direction: 'upload' | 'download', target: string, bytes: number): Promise<Transfer>;
  /** Executes plugins on a node, in the order of their waves. */
  calls(node: NetworkNode, calls: readonly PluginCall[]): Promise<readonly PluginCalled[]>;
  /** Pings once; false where no answer comes within a second. */
  ping(place: Place, address: string): Promise<boolean>;
}

/** Only what is never answered takes so long, and a machine that is busy may need any time. */
const ANSWER_DEADLINE_MS = 20_000;

export async function openProbe(options: { readonly log: (line: string) => void; readonly signal?: AbortSignal }): Promise<Probe> {
  const path = join(await ensureGoTool(netprobe, ['netprobe'], options), 'netprobe');
  const inPod = ({ pod }: Place): { readonly pod?: string } => (pod === undefined ? {} : { pod });
  return {
    path,
    serve: (place, name, ports) =>
      place.node.start(`serve-${name}`, path, ['serve', '-name', name, ...ports.map(String)], { ...inPod(place), readyText: 'ready' }),
    async ask(place, protocol, target, { deadlineMs = ANSWER_DEADLINE_MS } = {}) {
      const args = ['ask', protocol, target, '-timeout', `${deadlineMs}ms`];
      const { exitCode, stdout } = await place.node.run(path, args, inPod(place));
      return exitCode === 0 ? (JSON.parse(stdout) as Reached) : undefined;
    },
    async transfer(place, direction, target, bytes) {
      return JSON.parse(
        await place.node.expect(path, [direction, target, String(bytes)], { ...inPod(place), deadlineMs: 90_000 }),
      ) as Transfer;
    },
    async calls(node, calls) {
      return JSON.parse(await node.expect(path, ['calls'], { stdin: JSON.stringify(calls), deadlineMs: 180_000 })) as PluginCalled[];
    },
    async ping(place, address) {
      const { exitCode } = await place.node.run(path, ['ping', address], inPod(place));
      return exitCode === 0;
    },
  };
}
