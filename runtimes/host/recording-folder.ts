import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { compareText } from '../../engine/cel/run/text.ts';
import { exceedsDepth, isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';
import { parseApiVersion } from '../../engine/object/type-table.ts';
import { printYaml } from '../../engine/text/print-yaml.ts';
import { FileError, readTextFile } from './text-files.ts';

/** Where a recording keeps what is not objects: hidden, so that whoever reads the folder reads objects only. */
const CLUSTER = '.cluster';
const HEAD = 'recording.json';

/** What a recording says of the cluster it was made of, and of itself. */
export interface RecordedClusterInfo {
  /** `v1.37.2`. */
  readonly kubernetes: string;
  /** ISO 8601. */
  readonly recordedAt: string;
  /** Whether values of Secrets were replaced. */
  readonly secretsMasked: boolean;
}

/** What is written into a recording. */
export interface RecordingContent {
  readonly info: RecordedClusterInfo;
  readonly objects: readonly JsonObject[];
  /** The resources that were served. */
  readonly discovery: unknown;
  /** OpenAPI v3 documents by group version: `apps/v1`. */
  readonly openApi: ReadonlyMap<string, unknown>;
}

/**
 * Writes a recording: a file of objects per namespace and kind, in an order that does not depend on the cluster's answers, and what
 * the cluster serves. A folder that holds anything else is left alone: {@link FileError}. A former recording is replaced.
 */
export function writeRecording(folder: string, name: string, content: RecordingContent): readonly string[] {
  prepareFolder(folder, name);
  const written: string[] = [];
  const [fileMode, folderMode] = content.info.secretsMasked ? [0o644, 0o755] : [0o600, 0o700];
  const makeFolder = (path: string) => mkdirSync(join(folder, path), { recursive: true, mode: folderMode });
  // A mode is only for files that are new, and nobody may open them in between.
  const write = (path: string, text: string): void => writeFileSync(join(folder, path), text, { mode: fileMode, flag: 'wx' });
  for (const [path, objects] of filesOf(content.objects)) {
    makeFolder(path.slice(0, path.indexOf('/')));
    write(path, objects.map(printYaml).join('---\n'));
    written.push(path);
  }
  makeFolder(join(CLUSTER, 'openapi'));
  write(join(CLUSTER, 'discovery.json'), `${JSON.stringify(content.discovery, undefined, 2)}\n`);
  for (const [groupVersion, document] of content.openApi) {
    write(join(CLUSTER, 'openapi', `${fileName(groupVersion.replace('/', '.'))}.json`), JSON.stringify(document));
  }
  write(join(CLUSTER, HEAD), `${JSON.stringify({ ...content.info, files: written }, undefined, 2)}\n`);
  return written;
}

/** What a folder says of the cluster it was recorded from; undefined where it is none that {@link writeRecording} made. Throws {@link FileError}. */
export function readRecordingInfo(folder: string): RecordedClusterInfo | undefined {
  return readHead(folder) as unknown as RecordedClusterInfo | undefined;
}

function readHead(folder: string): JsonObject | undefined {
  const path = join(folder, CLUSTER, HEAD);
  const head = existsSync(path) ? readJsonFile(path) : undefined;
  return isJsonObject(head) ? head : undefined;
}

function readJsonFile(path: string): Json {
  const { text } = readTextFile(path, path);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    throw new FileError(path, 'is not JSON');
  }
  if (exceedsDepth(value)) throw new FileError(path, 'nests too deeply');
  return value;
}

/** The resources that were served when a recording was made; none where it does not say. Throws {@link FileError}. */
export function readRecordedDiscovery(folder: string): readonly unknown[] {
  const path = join(folder, CLUSTER, 'discovery.json');
  const served = existsSync(path) ? readJsonFile(path) : undefined;
  return Array.isArray(served) ? served : [];
}

/** OpenAPI v3 documents of a recording; none where it has none. Throws {@link FileError}. */
export function readRecordedOpenApi(folder: string): readonly unknown[] {
  const openApi = join(folder, CLUSTER, 'openapi');
  if (!existsSync(openApi)) return [];
  return readdirSync(openApi)
    .sort()
    .map((file) => readJsonFile(join(openApi, file)));
}

/** Makes the folder, or empties it where a recording is in it and nothing else: what somebody put beside it is not ours to delete. */
function prepareFolder(folder: string, name: string): void {
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true });
    return;
  }
  const entries = readdirSync(folder);
  if (entries.length === 0) return;
  const head = readHead(folder);
  if (head === undefined) throw new FileError(name, 'holds something that is not a recording: choose another folder, or empty this one');
  const files = new Set(Array.isArray(head['files']) ? head['files'] : []);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/');
    if (entry.isDirectory() || files.has(path) || path.startsWith(`${CLUSTER}/`)) continue;
    throw new FileError(name, `holds ${path}, which is not of the recording in it: choose another folder, or move it elsewhere`);
  }
  for (const entry of entries) rmSync(join(folder, entry), { recursive: true });
}

/** Objects by the file they belong in: `shop/deployments.yaml` by namespace, `_cluster/` for what has none. */
function filesOf(objects: readonly JsonObject[]): ReadonlyMap<string, readonly JsonObject[]> {
  const files = new Map<string, { readonly name: string; readonly object: JsonObject }[]>();
  for (const object of objects) {
    const { apiVersion, kind } = object as { readonly apiVersion: string; readonly kind: string };
    const { namespace, name } = object['metadata'] as { readonly namespace?: string; readonly name: string };
    const { group } = parseApiVersion(apiVersion);
    // `cluster` is a name that a namespace may have; `_` is in none.
    const path = `${namespace === undefined ? '_cluster' : fileName(namespace)}/${fileName(`${kind.toLowerCase()}${group === '' ? '' : `.${group}`}`)}.yaml`;
    const list = files.get(path) ?? [];
    list.push({ name, object });
    files.set(path, list);
  }
  return new Map(
    [...files]
      .sort(([a], [b]) => compareText(a, b))
      .map(([path, list]) => [path, list.sort((a, b) => compareText(a.name, b.name)).map(({ object }) => object)]),
  );
}

/** Names come from a server: they must not lead anywhere else. */
function fileName(text: string): string {
  const safe = text.replaceAll(/[^A-Za-z0-9._-]/g, '_');
  return safe.startsWith('.') ? `_${safe.slice(1)}` : safe;
}
