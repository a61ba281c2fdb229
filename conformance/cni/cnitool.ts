import { join } from 'node:path';
import { cnitool } from '../tools/cni.ts';
import { ensureGoTool } from '../tools/go-tool.ts';
import type { Finished } from './command.ts';
import { type NetworkNode, podPath } from './node.ts';

export type CnitoolVerb = 'add' | 'check' | 'del' | 'gc' | 'status';

/** A call of cnitool, which calls the plugins of a list as a container runtime does. */
export interface CnitoolCall {
  readonly verb: CnitoolVerb;
  readonly network: string;
  /** The pod is its namespace's name; for `gc` and `status` any. */
  readonly pod: string;
  /** Default `eth0`. */
  readonly ifName?: string;
  /** `CAP_ARGS`: values for the capabilities that plugins have declared. */
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** `CNI_ARGS`: `A=1;B=2`. */
  readonly args?: string;
}

export interface Cnitool {
  call(call: CnitoolCall): Promise<Finished>;
  /** Throws where it does not succeed; answers what was printed. */
  expect(call: CnitoolCall): Promise<string>;
  /** As {@link expect} with `add`; the result, parsed. */
  add(call: Omit<CnitoolCall, 'verb'>): Promise<CniResultJson>;
}

/** A result in any version's form, as it was printed. */
export interface CniResultJson {
  readonly cniVersion: string;
  readonly interfaces?: readonly { readonly name: string; readonly mac?: string; readonly mtu?: number; readonly sandbox?: string }[];
  readonly ips?: readonly { readonly address: string; readonly gateway?: string; readonly interface?: number; readonly version?: string }[];
  readonly routes?: readonly { readonly dst: string; readonly gw?: string }[];
  readonly dns?: Readonly<Record<string, unknown>>;
  readonly ip4?: { readonly ip: string };
  readonly ip6?: { readonly ip: string };
}

/** `pluginPath`: folders of the plugins (`CNI_PATH`); `confFolder`: of the lists. Both are asked anew at each call. */
export async function openCnitool(
  node: NetworkNode,
  settings: () => { readonly pluginPath: readonly string[]; readonly confFolder: string },
  options: { readonly log: (line: string) => void; readonly signal?: AbortSignal },
): Promise<Cnitool> {
  const executable = join(await ensureGoTool(cnitool, ['cnitool'], options), 'cnitool');
  const call: Cnitool['call'] = ({ verb, network, pod, ifName, capabilities, args }) => {
    const { pluginPath, confFolder } = settings();
    const environment: Record<string, string> = {
      PATH: process.env['PATH'] ?? '',
      CNI_PATH: pluginPath.join(':'),
      NETCONFPATH: confFolder,
    };
    if (ifName !== undefined) environment['CNI_IFNAME'] = ifName;
    if (capabilities !== undefined) environment['CAP_ARGS'] = JSON.stringify(capabilities);
    if (args !== undefined) environment['CNI_ARGS'] = args;
    return node.run(executable, [verb, network, podPath(pod)], { environment, deadlineMs: 60_000 });
  };
  const expect: Cnitool['expect'] = async (each) => {
    const { exitCode, stdout, stderr } = await call(each);
    // The first line says it; how to call cnitool follows.
    const said = (stderr.trim().split('\n')[0] ?? '') + stdout.trim();
    if (exitCode !== 0) throw new Error(`cnitool ${each.verb} ${each.network} ${each.pod} ended with ${exitCode}: ${said}`);
    return stdout;
  };
  return { call, expect, add: async (each) => JSON.parse(await expect({ ...each, verb: 'add' })) as CniResultJson };
}
