import { readFileSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type Json, type JsonObject, ownText } from '../../../engine/object/json.ts';

const MAX_FILES = 1000;
const MAX_BYTES = 1024 * 1024;

/**
 * The network configuration of this name, of a file in a folder: the first in the order of their names, as libcni looks for it. An absolute path
 * in place of the name is that of a file, or of a folder whose first network is meant. What can't be read is passed over. Undefined where there
 * is none.
 */
export async function findNetwork(folder: string, name: string): Promise<JsonObject | undefined> {
  if (!name.startsWith('/')) return first(folder, (network) => ownText(network, 'name') === name);
  return networkIn(name) ?? (await first(name, (network) => ownText(network, 'name') !== ''));
}

async function first(folder: string, isMeant: (network: JsonObject) => boolean): Promise<JsonObject | undefined> {
  const files = await readdir(folder).catch(() => [] as string[]);
  const configurations = files.filter((file) => /\.(conf|conflist|json)$/.test(file)).sort();
  for (const file of configurations.slice(0, MAX_FILES)) {
    const network = networkIn(join(folder, file));
    if (network !== undefined && isMeant(network)) return network;
  }
  return undefined;
}

function networkIn(path: string): JsonObject | undefined {
  try {
    const stats = statSync(path);
    if (!stats.isFile() || stats.size > MAX_BYTES) return undefined;
    const document = JSON.parse(readFileSync(path, 'utf8')) as Json;
    return isJsonObject(document) ? document : undefined;
  } catch {
    return undefined;
  }
}
