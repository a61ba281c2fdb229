import { fairleadPlugins } from './fairlead.ts';
import { official } from './official-plugins.ts';
import type { PluginSet } from './plugin-set.ts';

/** `CNI_UNDER_TEST=official` puts the official plugins in our place, to try the cases themselves. */
export function pluginsUnderTest(environment: Readonly<Record<string, string | undefined>> = process.env): PluginSet {
  return environment['CNI_UNDER_TEST'] === 'official' ? official : fairleadPlugins();
}
