import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SuiteUnavailable } from '../suite.ts';
import type { NetworkNode } from './node.ts';
import type { InstalledPlugins, InstallOptions } from './plugin-set.ts';

const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** Installs our executables in a node and starts the daemon behind them. Throws {@link SuiteUnavailable} where it is not built. */
export async function installFairlead(_node: NetworkNode, _options: InstallOptions): Promise<InstalledPlugins> {
  if (!existsSync(join(ROOT, 'rules/network'))) throw new SuiteUnavailable('there are no network rules yet (rules/network)');
  throw new SuiteUnavailable('fairlead cni is not there yet');
}
