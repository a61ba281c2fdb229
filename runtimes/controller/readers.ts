import type { JsonObject } from '../../engine/object/json.ts';
import { EVERYTHING, type LabelSelector, parseLabelSelector } from '../../engine/object/label-selector.ts';
import { labelsOf } from '../../engine/object/metadata.ts';
import type { ObjectQuery, ObjectReference } from '../../engine/rules/reconcile/program.ts';
import { kindText, referenceText } from './inventory.ts';
import { namespaceOf } from './ownership.ts';

/** What one look at an instance asked about objects that are not its own. */
export interface ForeignReads {
  readonly objects: ReadonlyMap<string, ObjectReference>;
  readonly queries: ReadonlyMap<string, ObjectQuery>;
}

const NO_READS: ForeignReads = { objects: new Map(), queries: new Map() };

export const queryText = ({ apiVersion, kind, namespace, labelSelector }: ObjectQuery): string =>
  `${apiVersion}/${kind} ${namespace ?? '*'}?${labelSelector}`;

/** A query's selector; one that can't be read selects nothing, as the executor has said so already. */
export function selectorOf({ labelSelector }: ObjectQuery): LabelSelector | undefined {
  if (labelSelector === '') return EVERYTHING;
  const parsed = parseLabelSelector(labelSelector);
  return parsed.ok ? parsed.selector : undefined;
}

interface QueryReaders {
  readonly namespace: string | undefined;
  readonly selector: LabelSelector | undefined;
  readonly readers: Set<string>;
}

/** Who is to be asked again when a foreign object changes: the reverse of what instances read. */
export class Readers {
  readonly #reads = new Map<string, ForeignReads>();
  readonly #byObject = new Map<string, Set<string>>();
  /** By kind, then by query. */
  readonly #byQuery = new Map<string, Map<string, QueryReaders>>();

  /** What `reader` read the last time replaces what it read before. */
  set(reader: string, reads: ForeignReads): void {
    const before = this.#reads.get(reader) ?? NO_READS;
    for (const key of before.objects.keys()) if (!reads.objects.has(key)) this.#dropObject(key, reader);
    for (const [key, query] of before.queries) if (!reads.queries.has(key)) this.#dropQuery(key, query, reader);
    if (reads.objects.size + reads.queries.size === 0) {
      this.#reads.delete(reader);
      return;
    }
    for (const key of reads.objects.keys()) {
      if (before.objects.has(key)) continue;
      const readers = this.#byObject.get(key);
      if (readers === undefined) this.#byObject.set(key, new Set([reader]));
      else readers.add(reader);
    }
    for (const [key, query] of reads.queries) if (!before.queries.has(key)) this.#addQuery(key, query, reader);
    this.#reads.set(reader, reads);
  }

  forget(reader: string): void {
    this.set(reader, NO_READS);
  }

  /** Readers of an object, by name or by a query that it matches, in the state before a change or after it. */
  of(reference: ObjectReference, states: readonly JsonObject[]): ReadonlySet<string> {
    const found = new Set(this.#byObject.get(referenceText(reference)));
    for (const { namespace, selector, readers } of this.#byQuery.get(kindText(reference.apiVersion, reference.kind))?.values() ?? []) {
      const concerns = states.some(
        (object) => (namespace === undefined || namespace === namespaceOf(object)) && selector?.matches(labelsOf(object)) === true,
      );
      if (concerns) for (const reader of readers) found.add(reader);
    }
    return found;
  }

  #addQuery(key: string, query: ObjectQuery, reader: string): void {
    const kind = kindText(query.apiVersion, query.kind);
    let queries = this.#byQuery.get(kind);
    if (queries === undefined) {
      queries = new Map();
      this.#byQuery.set(kind, queries);
    }
    const found = queries.get(key);
    if (found !== undefined) found.readers.add(reader);
    else queries.set(key, { namespace: query.namespace, selector: selectorOf(query), readers: new Set([reader]) });
  }

  #dropObject(key: string, reader: string): void {
    const readers = this.#byObject.get(key);
    readers?.delete(reader);
    if (readers?.size === 0) this.#byObject.delete(key);
  }

  #dropQuery(key: string, query: ObjectQuery, reader: string): void {
    const kind = kindText(query.apiVersion, query.kind);
    const queries = this.#byQuery.get(kind);
    const found = queries?.get(key);
    if (queries === undefined || found === undefined) return;
    found.readers.delete(reader);
    if (found.readers.size === 0) queries.delete(key);
    if (queries.size === 0) this.#byQuery.delete(kind);
  }
}
