import { cniPlugins } from '../tools/cni.ts';
import { ensureGoTool } from '../tools/go-tool.ts';
import type { PluginSet } from './plugin-set.ts';

/** The official plugins: what ours are held against, and what cases are held against while they are written. */
export const official: PluginSet = {
  name: 'official',
  async install(_node, options) {
    const folder = await ensureGoTool(cniPlugins, Object.keys(cniPlugins.packages), options);
    return { path: [folder], type: (kind) => kind, has: () => true };
  },
};
