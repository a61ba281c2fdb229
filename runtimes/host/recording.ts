import { resolve } from 'node:path';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../../engine/object/json.ts';
import type { Diagnostic } from '../../engine/text/diagnostic.ts';
import type { Document, DocumentPath } from '../../engine/text/document.ts';
import { diagnosticAt } from '../../engine/text/shape-check.ts';
import { type ReadBundleOptions, readDocuments } from './bundle-files.ts';
import { decodeText, displayName, FileError, listFiles, readTextFile, statPath } from './text-files.ts';

/** A Kubernetes object somewhere in recorded text. */
export interface RecordedObject {
  readonly object: JsonObject;
  readonly document: Document;
  /** Where the object stands in its document: empty, or an item of a list. */
  readonly path: DocumentPath;
}

/** Facts that were written down: objects as `kubectl get -o yaml` prints them, and AdmissionReviews as the API server sends them. */
export interface Recording {
  readonly objects: readonly RecordedObject[];
  /** AdmissionReviews with a `request`. */
  readonly reviews: readonly RecordedObject[];
  readonly diagnostics: readonly Diagnostic[];
  /** Nothing was written down at all; an empty list is something. */
  readonly isEmpty: boolean;
}

/**
 * Reads recorded facts from files, folders (hidden files left out) and `-`. Lists (`kind: List`, `PodList`) are taken apart. Throws
 * {@link FileError} when a path can't be read; what is wrong with the text is in the diagnostics.
 */
export async function readRecording(paths: readonly string[], options: ReadBundleOptions = {}): Promise<Recording> {
  const { cwd = process.cwd() } = options;
  const objects: RecordedObject[] = [];
  const reviews: RecordedObject[] = [];
  const diagnostics: Diagnostic[] = [];
  let isEmpty = true;
  for (const path of paths) {
    const read = await readDocuments(await sourcesAt(path, cwd, options), options);
    diagnostics.push(...read.diagnostics);
    if (read.documents.length > 0 || read.diagnostics.length > 0) isEmpty = false;
    for (const document of read.documents) collect(document, [], document.value, objects, reviews, diagnostics);
  }
  return { objects, reviews, diagnostics, isEmpty };
}

async function sourcesAt(path: string, cwd: string, options: ReadBundleOptions) {
  if (path === '-') return [decodeText((await options.stdin?.()) ?? Buffer.alloc(0), '<stdin>')];
  const absolute = resolve(cwd, path);
  if (!statPath(absolute, path).isDirectory()) return [readTextFile(absolute, displayName(absolute, cwd))];
  const files = listFiles(absolute);
  if (files.length === 0) throw new FileError(path, 'holds no YAML, JSON or CUE files');
  return files.map((file) => readTextFile(file, displayName(file, cwd)));
}

/** What runtimes read of `/etc/cni/net.d`. */
const isNetworkConfiguration = (value: unknown): boolean =>
  isJsonObject(value) &&
  typeof ownValue(value, 'name') === 'string' &&
  ['type', 'plugins'].some((key) => ownValue(value, key) !== undefined);

function collect(
  document: Document,
  path: DocumentPath,
  value: unknown,
  objects: RecordedObject[],
  reviews: RecordedObject[],
  diagnostics: Diagnostic[],
): void {
  const kind = isJsonObject(value) ? ownValue(value, 'kind') : undefined;
  if (!isJsonObject(value) || typeof kind !== 'string' || kind === '' || typeof ownValue(value, 'apiVersion') !== 'string') {
    diagnostics.push(
      diagnosticAt(document, path, {
        code: 'recording-not-an-object',
        message: 'expected a Kubernetes object, with apiVersion and kind',
        hint: isNetworkConfiguration(value)
          ? 'a network configuration is the `config` of a call: { apiVersion: fairlead.dev/v1alpha1, kind: CNIInvocation, config: { ... } }'
          : 'what `kubectl get -o yaml` prints is what is expected here',
      }),
    );
    return;
  }
  const items = ownValue(value, 'items');
  if (kind.endsWith('List') && Array.isArray(items)) {
    // Items of typed lists come without apiVersion and kind when an API server's answer was stored as it is.
    const itemKind = kind === 'List' ? undefined : kind.slice(0, -'List'.length);
    items.forEach((item: Json, i) => {
      const complete =
        itemKind !== undefined && isJsonObject(item) && ownValue(item, 'kind') === undefined
          ? { apiVersion: ownValue(value, 'apiVersion') as Json, kind: itemKind, ...item }
          : item;
      collect(document, [...path, 'items', i], complete, objects, reviews, diagnostics);
    });
  } else if (kind === 'AdmissionReview') {
    if (isJsonObject(ownValue(value, 'request'))) reviews.push({ object: value, document, path });
    else {
      diagnostics.push(
        diagnosticAt(document, path, { code: 'recording-no-request', message: 'this AdmissionReview has no request', severity: 'warning' }),
      );
    }
  } else objects.push({ object: value, document, path });
}
