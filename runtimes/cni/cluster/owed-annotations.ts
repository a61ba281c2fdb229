import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type Json, ownText, ownValue } from '../../../engine/object/json.ts';
import { errorMessage } from '../../host/error-message.ts';
import type { LineLog } from '../../host/log.ts';
import type { PodIdentity } from './pod-annotator.ts';

/** What a pod is still to be annotated with. */
export interface OwedAnnotations {
  /** Id of the attachment that it is for. */
  readonly attachment: string;
  readonly pod: PodIdentity;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Annotations that could not be written yet, over restarts of the daemon. */
export interface AnnotationDebts {
  keep(owed: OwedAnnotations): void;
  drop(attachment: string): void;
  all(): readonly OwedAnnotations[];
}

/** Where nothing is kept. */
export const NO_DEBTS: AnnotationDebts = { keep() {}, drop() {}, all: () => [] };

/** Ids of attachments are names of files. */
const ID = /^[0-9a-f]{16}$/;

/**
 * Keeps one file for each attachment in a folder. What can't be written is logged: the annotation is lost then if the daemon ends before it was
 * written to the cluster, and nothing else is.
 */
export function openAnnotationDebts({ folder, log }: { readonly folder: string; readonly log: LineLog }): AnnotationDebts {
  const kept = new Map(readAll(folder).map((owed) => [owed.attachment, owed]));
  return {
    keep(owed) {
      if (!ID.test(owed.attachment)) return;
      kept.set(owed.attachment, owed);
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const path = join(folder, owed.attachment);
        writeFileSync(`${path}.new`, JSON.stringify({ pod: owed.pod, annotations: owed.annotations }), { mode: 0o600 });
        renameSync(`${path}.new`, path);
      } catch (error) {
        log('it is not kept which annotations a pod is owed', { pod: owed.pod.name, error: errorMessage(error) });
      }
    },
    drop(attachment) {
      if (!kept.delete(attachment)) return;
      try {
        rmSync(join(folder, attachment), { force: true });
      } catch (error) {
        log('annotations that a pod was owed can not be forgotten', { error: errorMessage(error) });
      }
    },
    all: () => [...kept.values()],
  };
}

function readAll(folder: string): readonly OwedAnnotations[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.filter((name) => ID.test(name)).flatMap((attachment) => readOne(folder, attachment) ?? []);
}

/** Undefined for what is half written, or somebody else's. */
function readOne(folder: string, attachment: string): OwedAnnotations | undefined {
  try {
    const document = JSON.parse(readFileSync(join(folder, attachment), 'utf8')) as Json;
    const pod = isJsonObject(document) ? ownValue(document, 'pod') : undefined;
    const annotations = isJsonObject(document) ? ownValue(document, 'annotations') : undefined;
    if (ownText(pod, 'name') === '' || !isJsonObject(annotations)) return undefined;
    const texts = Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    const identity = { namespace: ownText(pod, 'namespace'), name: ownText(pod, 'name'), uid: ownText(pod, 'uid') };
    return { attachment, pod: identity, annotations: Object.fromEntries(texts) };
  } catch {
    return undefined;
  }
}
