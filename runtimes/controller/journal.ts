import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../../engine/object/json.ts';
import { isExpected } from '../../engine/rules/reconcile/http-calls.ts';
import type { CallRequest, CallResult, HttpRequest, UndoCall } from '../../engine/rules/reconcile/program.ts';
import { parseJsonBody, stringifyJson } from '../host/json-body.ts';
import { resourceVersionOf, ruleLabel } from './ownership.ts';
import type { Writer } from './writer.ts';

/** Names the rule on a journal, which is no object of the rule. */
const JOURNAL_LABEL = 'fairlead.dev/journal';
const JOURNAL_KEY = 'journal';
/** Kubernetes bounds a Secret's data to 1 MiB. */
const LARGEST_JOURNAL = 1000 * 1000;

/** One call and what became of it. */
export interface JournalEntry {
  readonly key: string;
  /** `started`: it may have been made, and the answer is not known. A call that is made anew keeps its former answer meanwhile. */
  readonly state: 'started' | 'done';
  readonly result?: CallResult;
  readonly undo?: HttpRequest;
}

/**
 * The calls of one instance, kept in a Secret: an entry is written before its call is made and after it succeeded, so that whoever
 * comes after a crash repeats a call of unknown outcome under the same `Idempotency-Key`, and never one that succeeded.
 */
export interface Journal {
  readonly entries: ReadonlyMap<string, JournalEntry>;
  /** Writes one entry, or takes it out. Rejects where another process wrote in between: read again. */
  put(id: string, entry: JournalEntry | undefined): Promise<void>;
  /** Deletes the Secret. */
  remove(): Promise<void>;
}

export interface JournalPlace {
  /** Where the controller keeps its state. */
  readonly namespace: string;
  readonly rule: string;
  readonly instanceUid: string;
}

export function journalName({ rule, instanceUid }: JournalPlace): string {
  return `journal-${createHash('sha256').update(rule).digest('hex').slice(0, 8)}-${instanceUid}`;
}

/** Reads the journal of an instance; empty where there is none yet. Rejects when it is not reached or not readable. */
export async function openJournal(writer: Writer, place: JournalPlace): Promise<Journal> {
  const { namespace } = place;
  const name = journalName(place);
  let object = await writer.get('v1', 'Secret', { namespace, name });
  let entries = readEntries(object, `${namespace}/${name}`);

  async function store(next: ReadonlyMap<string, JournalEntry>): Promise<void> {
    const text = stringifyJson(Object.fromEntries(next));
    if (text.length > LARGEST_JOURNAL)
      throw new Error(`the answers of this instance's calls have ${text.length} characters, too many to be kept`);
    const data = { [JOURNAL_KEY]: Buffer.from(text).toString('base64') };
    if (object === null) {
      const labels = { [JOURNAL_LABEL]: ruleLabel(place.rule) };
      object = await writer.create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace, name, labels },
        type: 'fairlead.dev/journal',
        data,
      });
    } else {
      const metadata = { resourceVersion: resourceVersionOf(object) };
      object = await writer.patch('v1', 'Secret', { namespace, name }, 'merge', { metadata, data });
    }
    entries = next;
  }

  return {
    get entries() {
      return entries;
    },
    put(id, entry) {
      const next = new Map(entries);
      if (entry === undefined) next.delete(id);
      else next.set(id, entry);
      return store(next);
    },
    async remove() {
      if (object === null) return;
      await writer.delete('v1', 'Secret', { namespace, name }, {});
      object = null;
      entries = new Map();
    },
  };
}

function readEntries(object: JsonObject | null, name: string): ReadonlyMap<string, JournalEntry> {
  const found = new Map<string, JournalEntry>();
  if (object === null) return found;
  const data = ownValue(object, 'data');
  const encoded = isJsonObject(data) ? ownValue(data, JOURNAL_KEY) : undefined;
  if (typeof encoded !== 'string') return found;
  let parsed: Json;
  try {
    parsed = parseJsonBody(Buffer.from(encoded, 'base64')) as Json;
  } catch {
    throw new Error(`the journal in Secret ${name} is not readable; what its calls made must be undone by hand, then delete it`);
  }
  if (!isJsonObject(parsed)) return found;
  for (const id of Object.keys(parsed)) {
    const entry = parsed[id];
    if (isJsonObject(entry) && typeof entry['key'] === 'string') found.set(id, entry as unknown as JournalEntry);
  }
  return found;
}

/** Whether an undo is done: it succeeded, or there is nothing left to undo. */
export function isUndone(status: number, request: HttpRequest): boolean {
  return isExpected(request, status) || (request.method === 'DELETE' && (status === 404 || status === 410));
}

/** Whether what is kept to undo a call differs from what the plan gives. */
export function undoDiffers(entry: JournalEntry, undo: UndoCall): boolean {
  return entry.undo === undefined || stringifyJson(entry.undo) !== stringifyJson(undo.request);
}

/** The answer that is kept of a call; undefined where none is. */
export function keptAnswer(entries: ReadonlyMap<string, JournalEntry>, request: Pick<CallRequest, 'id' | 'key'>): CallResult | undefined {
  const entry = entries.get(request.id);
  return entry?.key === request.key ? entry.result : undefined;
}
