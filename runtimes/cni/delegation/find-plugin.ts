import { statSync } from 'node:fs';
import { join } from 'node:path';

export type FoundPlugin = { readonly ok: true; readonly path: string } | { readonly ok: false; readonly message: string };

/** The first regular file of this name in the folders, in their order. CNI: pkg/invoke/find.go, FindInPath. */
export function findPlugin(type: string, folders: readonly string[], isFile: (path: string) => boolean = isRegularFile): FoundPlugin {
  if (type === '') return { ok: false, message: 'no plugin name provided' };
  // Neither a path nor something that becomes one.
  if (/[/\0]/.test(type) || type === '.' || type === '..') return { ok: false, message: `invalid plugin name: ${type}` };
  if (folders.length === 0) return { ok: false, message: 'no paths provided' };
  const path = folders.map((folder) => join(folder, type)).find(isFile);
  return path === undefined
    ? { ok: false, message: `failed to find plugin ${JSON.stringify(type)} in path [${folders.join(' ')}]` }
    : { ok: true, path };
}

function isRegularFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    return false;
  }
}
