import type { NetworkNode, NodeProcess } from './node.ts';

/** Names of the official plugins, for what each of them does. */
export const PLUGIN_KINDS = [
  'bridge',
  'ptp',
  'portmap',
  'bandwidth',
  'firewall',
  'tuning',
  'host-device',
  'macvlan',
  'ipvlan',
  'vlan',
  'tap',
  'dummy',
] as const;
export type PluginKind = (typeof PLUGIN_KINDS)[number];

/** Plugins as they are installed on one node. */
export interface InstalledPlugins {
  /** Folders of executables, for `CNI_PATH`: those under test first, the official ones behind them. */
  readonly path: readonly string[];
  /** `type` of the plugin of this kind, in a conflist. */
  type(kind: PluginKind): string;
  /** Whether there is one of this kind. */
  has(kind: PluginKind): boolean;
  /** The process that does the work, where it is not the executable. */
  readonly daemon?: Daemon;
}

/** A resident process behind executables. */
export interface Daemon {
  readonly process: NodeProcess;
  /** Where it listens to the executables. */
  readonly socketPath: string;
  /** Folder in which it keeps what it must not forget. */
  readonly stateFolder: string;
  stop(): Promise<void>;
  /** Starts it again after {@link stop}, or after it died; `environment` is added to that of the start. */
  start(environment?: Readonly<Record<string, string>>): Promise<void>;
}

export interface PluginSet {
  readonly name: 'official' | 'fairlead';
  install(node: NetworkNode, options: InstallOptions): Promise<InstalledPlugins>;
}

export interface InstallOptions {
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Bundle folders; default: those of the library. Ours only, as all that follows. */
  readonly rules?: readonly string[];
  readonly stateFolder?: string;
  readonly executable?: 'c' | 'perl' | 'node';
  /** Whether the daemon practises before it is used. */
  readonly rehearses?: boolean;
  /** Further options of the daemon: which cluster it is in. */
  readonly serve?: readonly string[];
}
