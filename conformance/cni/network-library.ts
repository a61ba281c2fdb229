import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { SuiteUnavailable } from '../suite.ts';
import { PLUGIN_KINDS, type PluginKind } from './plugin-set.ts';

/** Folder of the library of network rules: one of a bundle in it for each network. */
export const RULES = resolve(fileURLToPath(new URL('../../rules/network', import.meta.url)));

/** The rule of the library that does what an official plugin does is called after it. */
export function ruleOf(kind: PluginKind): string {
  return `fairlead-${kind}`;
}

/** Bundles of the library with rules that do what official plugins do, and by the name of each of those rules the folder of its bundle. */
export function networkLibrary(): { readonly folders: readonly string[]; readonly rules: ReadonlyMap<string, string> } {
  if (!existsSync(RULES)) throw new SuiteUnavailable('there are no network rules (rules/network)');
  const wanted = new Set(PLUGIN_KINDS.map(ruleOf));
  const folders: string[] = [];
  const rules = new Map<string, string>();
  for (const { name } of readdirSync(RULES, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const folder = join(RULES, name);
    // Others read objects of a cluster, which a node alone has not.
    const known = rulesIn(folder).filter((rule) => wanted.has(rule));
    for (const rule of known) rules.set(rule, folder);
    if (known.length > 0) folders.push(folder);
  }
  return { folders, rules };
}

function rulesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
    .flatMap((document) => {
      const { kind, metadata } = (document.toJS() ?? {}) as { readonly kind?: string; readonly metadata?: { readonly name?: string } };
      return kind === 'NetworkRule' && metadata?.name !== undefined ? [metadata.name] : [];
    });
}
