import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GoTool } from './go-tool.ts';
import { requiredVersion } from './kubernetes.ts';

const MODULE = join(dirname(fileURLToPath(import.meta.url)), 'cni');
const goMod = readFileSync(join(MODULE, 'go.mod'), 'utf8');

/** cnitool, which calls plugins as a container runtime does. */
export const cnitool: GoTool = {
  name: 'cnitool',
  version: requiredVersion(goMod, 'github.com/containernetworking/cni'),
  module: MODULE,
  packages: { cnitool: 'github.com/containernetworking/cni/cnitool' },
};

const PLUGINS: Readonly<Record<string, readonly string[]>> = {
  ipam: ['dhcp', 'host-local', 'static'],
  main: ['bridge', 'dummy', 'host-device', 'ipvlan', 'loopback', 'macvlan', 'ptp', 'tap', 'vlan'],
  meta: ['bandwidth', 'firewall', 'portmap', 'sbr', 'tuning', 'vrf'],
};

/** The official CNI plugins. */
export const cniPlugins: GoTool = {
  name: 'cni-plugins',
  version: requiredVersion(goMod, 'github.com/containernetworking/plugins'),
  module: MODULE,
  packages: Object.fromEntries(
    Object.entries(PLUGINS).flatMap(([group, names]) =>
      names.map((name) => [name, `github.com/containernetworking/plugins/plugins/${group}/${name}`]),
    ),
  ),
};
