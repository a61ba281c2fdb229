import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkNode } from './node.ts';

/** A network configuration list, as it lies in `/etc/cni/net.d`. */
export interface Conflist {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly PluginConf[];
  readonly disableCheck?: boolean;
  readonly disableGC?: boolean;
}

export type PluginConf = { readonly type: string; readonly capabilities?: Readonly<Record<string, boolean>> } & Readonly<
  Record<string, unknown>
>;

/** Makes these the only networks of a node; answers the folder, for `NETCONFPATH`. */
export function writeConflists(node: NetworkNode, lists: readonly Conflist[]): string {
  const folder = join(node.folder, 'net.d');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const list of lists) writeFileSync(join(folder, `${list.name}.conflist`), JSON.stringify(list, null, 2));
  return folder;
}

/** What one plugin of a list is given on standard input by a runtime that calls it alone. */
export function requestOf(list: Conflist, plugin: PluginConf, more: Readonly<Record<string, unknown>> = {}): string {
  const { capabilities: _, ...conf } = plugin;
  return JSON.stringify({ ...conf, cniVersion: list.cniVersion, name: list.name, ...more });
}

/** What a runtime puts into the environment of a plugin. */
export function environmentOf(call: {
  readonly command: string;
  readonly containerId: string;
  readonly netns: string;
  readonly ifName?: string;
  readonly args?: string;
  readonly path: readonly string[];
}): string[] {
  return [
    `CNI_COMMAND=${call.command}`,
    `CNI_CONTAINERID=${call.containerId}`,
    `CNI_NETNS=${call.netns}`,
    `CNI_IFNAME=${call.ifName ?? 'eth0'}`,
    `CNI_ARGS=${call.args ?? ''}`,
    `CNI_PATH=${call.path.join(':')}`,
    `PATH=${process.env['PATH'] ?? ''}`,
  ];
}

/** The first of these folders that has the plugin, as a runtime looks for it. */
export function findPlugin(path: readonly string[], type: string): string {
  const found = path.map((folder) => join(folder, type)).find(existsSync);
  if (found === undefined) throw new Error(`no plugin ${type} in ${path.join(':')}`);
  return found;
}
