import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markedBlocks } from '../../docs/marked-blocks.ts';
import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import { compileBundle } from '../../engine/bundle/compile.ts';
import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import { combineBundles } from '../../runtimes/cli/combine-bundles.ts';
import { findBundles, readBundle } from '../../runtimes/host/bundle-files.ts';
import { type BundleSource, fixedBundle } from '../../runtimes/host/bundle-watch.ts';
import { placeOf } from './person.ts';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const LIBRARY = 'rules/reconcile';

/** A bundle of the library, and the objects that its page tries it with. */
export interface LibraryBundle {
  readonly name: string;
  readonly compiled: CompiledBundle;
  /** Instances and what they need, each once. */
  readonly objects: readonly JsonObject[];
}

export async function libraryBundles(): Promise<readonly LibraryBundle[]> {
  const bundles: LibraryBundle[] = [];
  for (const path of findBundles(LIBRARY, ROOT)) {
    const { name, documents, diagnostics } = await readBundle(path, { cwd: ROOT });
    const page = readFileSync(join(ROOT, path, 'README.md'), 'utf8');
    const objects = new Map<string, JsonObject>();
    for (const { mark, text } of markedBlocks(page)) {
      if (mark !== 'instance') continue;
      for (const { value } of parseYaml({ name: 'README.md', text }).documents) {
        const object = value as JsonObject;
        objects.set(JSON.stringify(placeOf(object)), object);
      }
    }
    bundles.push({
      name: path.slice(LIBRARY.length + 1),
      compiled: compileBundle(documents, { name, diagnostics }),
      objects: [...objects.values()],
    });
  }
  return bundles;
}

/** All of them at once, as `fairlead serve` with a folder of bundles. */
export const served = (bundles: readonly LibraryBundle[]): BundleSource =>
  fixedBundle(combineBundles(bundles.map(({ compiled }) => compiled)));

/** The same objects with another store of secrets: nothing outside of this machine is called. */
export function withStore(object: JsonObject, url: string): JsonObject {
  const replace = (value: Json): Json => {
    if (typeof value === 'string') return value.replace('https://secrets.example.com', url);
    if (Array.isArray(value)) return value.map(replace);
    return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replace(each)])) : value;
  };
  return replace(object) as JsonObject;
}
