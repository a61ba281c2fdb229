import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GoTool } from './go-tool.ts';
import { requiredVersion } from './kubernetes.ts';

const MODULE = join(dirname(fileURLToPath(import.meta.url)), 'containerd');

/** The container runtime, without snapshotters that need C libraries. Runs containers by `runc`, which the system brings. */
export const containerd: GoTool = {
  name: 'containerd',
  version: requiredVersion(readFileSync(join(MODULE, 'go.mod'), 'utf8'), 'github.com/containerd/containerd/v2'),
  module: MODULE,
  packages: Object.fromEntries(
    ['containerd', 'containerd-shim-runc-v2', 'ctr'].map((name) => [name, `github.com/containerd/containerd/v2/cmd/${name}`]),
  ),
  tags: ['no_btrfs', 'no_zfs', 'no_devmapper'],
};
