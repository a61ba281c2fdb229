import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GoTool } from './go-tool.ts';
import { requiredVersion } from './kubernetes.ts';

const MODULE = join(dirname(fileURLToPath(import.meta.url)), 'kro');

/** kro's controller. A cold build takes some two minutes on two cores. */
export const kro: GoTool = {
  name: 'kro',
  version: requiredVersion(readFileSync(join(MODULE, 'go.mod'), 'utf8'), 'github.com/kubernetes-sigs/kro'),
  module: MODULE,
  packages: { controller: 'github.com/kubernetes-sigs/kro/cmd/controller' },
};
