import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../engine/object/json.ts';
import { printYaml } from '../../engine/text/print-yaml.ts';
import { FileError } from './text-files.ts';

/** Where a recording keeps what is not objects: hidden, so that whoever reads the folder reads objects only. */
const CLUSTER = '.cluster';
const HEAD = 'recording.json';

/** What a recording says of the cluster it was made of. */
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
 * the cluster serves. A folder that holds something else is left alone: {@link FileError}. A former recording is replaced.
 */
export function writeRecording(folder: string, name: string, content: RecordingContent): readonly string[] {
  prepareFolder(folder, name);
  const written: string[] = [];
  const mode = content.info.secretsMasked ? 0o644 : 0o600;
  const write = (path: string, text: string): void => {
    writeFileSync(join(folder, path), text, { mode });
    chmodSync(join(folder, path), mode);
  };
  for (const [path, objects] of filesOf(content.objects)) {
    mkdirSync(join(folder, path.slice(0, path.indexOf('/'))), { recursive: true });
    write(path, objects.map(printYaml).join('---\n'));
    written.push(path);
  }
  mkdirSync(join(folder, CLUSTER, 'openapi'), { recursive: true });
  write(join(CLUSTER, 'discovery.json'), `${JSON.stringify(content.discovery, undefined, 2)}\n`);
  for (const [groupVersion, document] of content.openApi) {
    write(join(CLUSTER, 'openapi', `${fileName(groupVersion.replace('/', '.'))}.json`), JSON.stringify(document));
  }
  write(join(CLUSTER, HEAD), `${JSON.stringify(content.info, undefined, 2)}\n`);
  return written;
}

/** What a folder says of the cluster it was recorded from; undefined where it is no folder that {@link writeRecording} made. */
export function readRecordingInfo(folder: string): RecordedClusterInfo | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, CLUSTER, HEAD), 'utf8')) as RecordedClusterInfo;
  } catch {
    return undefined;
  }
}

/** The resources that were served when a recording was made; none where it does not say. */
export function readRecordedDiscovery(folder: string): readonly unknown[] {
  try {
    const served: unknown = JSON.parse(readFileSync(join(folder, CLUSTER, 'discovery.json'), 'utf8'));
    return Array.isArray(served) ? served : [];
  } catch {
    return [];
  }
}

/** OpenAPI v3 documents of a recording; none where it has none. */
export function readRecordedOpenApi(folder: string): readonly unknown[] {
  const openApi = join(folder, CLUSTER, 'openapi');
  if (!existsSync(openApi)) return [];
  return readdirSync(openApi)
    .sort()
    .map((file) => JSON.parse(readFileSync(join(openApi, file), 'utf8')) as unknown);
}

/** Makes the folder, or empties it where a recording is in it and nothing else. */
function prepareFolder(folder: string, name: string): void {
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true });
    return;
  }
  const entries = readdirSync(folder);
  if (entries.length === 0) return;
  if (!existsSync(join(folder, CLUSTER, HEAD))) {
    throw new FileError(name, 'holds something that is not a recording: choose another folder, or empty this one');
  }
  for (const entry of entries) rmSync(join(folder, entry), { recursive: true });
}

/** Objects by the file they belong in: `shop/deployments.yaml` by namespace, `_cluster/` for what has none. */
function filesOf(objects: readonly JsonObject[]): ReadonlyMap<string, readonly JsonObject[]> {
  const files = new Map<string, { readonly name: string; readonly object: JsonObject }[]>();
  for (const object of objects) {
    const { apiVersion, kind } = object as { readonly apiVersion: string; readonly kind: string };
    const { namespace, name } = object['metadata'] as { readonly namespace?: string; readonly name: string };
    const group = apiVersion.includes('/') ? `.${apiVersion.slice(0, apiVersion.indexOf('/'))}` : '';
    // `cluster` is a name that a namespace may have; `_` is in none.
    const path = `${namespace === undefined ? '_cluster' : fileName(namespace)}/${fileName(`${kind.toLowerCase()}${group}`)}.yaml`;
    const list = files.get(path) ?? [];
    list.push({ name, object });
    files.set(path, list);
  }
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return new Map(
    [...files]
      .sort(([a], [b]) => compare(a, b))
      .map(([path, list]) => [path, list.sort((a, b) => compare(a.name, b.name)).map(({ object }) => object)]),
  );
}

/** Names come from a server: they must not lead anywhere else. */
function fileName(text: string): string {
  const safe = text.replaceAll(/[^A-Za-z0-9._-]/g, '_');
  return safe.startsWith('.') ? `_${safe.slice(1)}` : safe;
}
