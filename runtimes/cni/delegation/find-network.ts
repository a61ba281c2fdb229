import { readFileSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type Json, type JsonObject, ownText } from '../../../engine/object/json.ts';

const MAX_FILES = 1000;
const MAX_BYTES = 1024 * 1024;

/**
 * The network configuration of this name, of a file in a folder: the first in the order of their names, as libcni looks for it. What can't be
 * read is passed over. Undefined where there is none.
 */
export async function findNetwork(folder: string, name: string): Promise<JsonObject | undefined> {
  const files = await readdir(folder).catch(() => [] as string[]);
  const configurations = files.filter((file) => /\.(conf|conflist|json)$/.test(file)).sort();
  for (const file of configurations.slice(0, MAX_FILES)) {
    const document = read(join(folder, file));
    if (isJsonObject(document) && ownText(document, 'name') === name) return document;
  }
  return undefined;
}

function read(path: string): Json {
  try {
    return statSync(path).size > MAX_BYTES ? null : (JSON.parse(readFileSync(path, 'utf8')) as Json);
  } catch {
    return null;
  }
}
