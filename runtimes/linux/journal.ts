import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../engine/object/json.ts';
import type { OwnerTag } from '../../engine/step/operation.ts';
import type { BoundStep, PerformedStep } from '../../engine/step/plan.ts';
import { holdFolder } from '../host/folder-lock.ts';
import type { PlanRecord } from './performer.ts';
import { RecordLog, RecordLogError } from './record-log.ts';

/** A record with what the performer must know to go on with it. */
export interface JournalRecord extends PlanRecord {
  /** {@link OwnerTag.text} of what it made. */
  readonly tag: string;
}

/** Of a version that this program does not know; a change that older programs can't read raises it. */
const VERSION = 1;
/** Bytes of a log that is never worth to be written anew. */
const SMALL = 4 * 1024 * 1024;
/** A log is written anew when it is as many times as long as what it has to say. */
const GROWTH = 4;

type Entry =
  /** A process began to write, in this boot. */
  | { readonly kind: 'open'; readonly version: number; readonly boot: string }
  | { readonly kind: 'record'; readonly record: JournalRecord }
  /** A step begins, a new one at the end, or it is about to be undone: either way it has no outputs. */
  | { readonly kind: 'step'; readonly id: string; readonly step: BoundStep }
  | { readonly kind: 'memory'; readonly id: string; readonly step: string; readonly value: Json }
  | { readonly kind: 'outputs'; readonly id: string; readonly step: string; readonly value: JsonObject }
  | { readonly kind: 'state'; readonly id: string; readonly state: PlanRecord['state'] }
  /** Steps were undone. */
  | { readonly kind: 'undone'; readonly id: string; readonly steps: readonly string[] }
  | { readonly kind: 'forgotten'; readonly id: string };

interface Kept {
  id: string;
  rule: string;
  tag: string;
  subject: JsonObject;
  netns: string | undefined;
  state: PlanRecord['state'];
  bootId: string;
  since: number;
  /** In the order in which they began; keys are foreign text. */
  steps: Map<string, PerformedStep>;
}

export interface JournalOptions {
  readonly folder: string;
  readonly bootId: string;
  readonly log: (line: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly crashPoint: (name: string) => void;
  /** Bytes of a log that is never worth to be written anew. Default: four mebibytes. */
  readonly small?: number;
}

/**
 * What was begun on this host and not undone. Every change is written before it is answered, and is there again after the death of the
 * process; after a loss of power what was written before {@link sync}.
 *
 * Changes that begin something throw a {@link RecordLogError} when they can't be written, and nothing is changed then. Changes that end
 * something don't: what was undone is undone, whatever the disk says. They are written later then, before anything new is begun.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #release: () => void;
  readonly #log: RecordLog;
  readonly #records: Map<string, Kept>;
  /** Bytes from which on the log is written anew. */
  #limit: number;
  #rewriting: Promise<void> | undefined;
  /** The file lacks something that is known here. */
  #isBehind = false;

  private constructor(options: JournalOptions, release: () => void, log: RecordLog, records: Map<string, Kept>) {
    this.#options = options;
    this.#release = release;
    this.#log = log;
    this.#records = records;
    this.#limit = this.#small;
  }

  /** Takes the folder for this process and reads what is there. Throws `FileError` and {@link RecordLogError}. */
  static async open(options: JournalOptions): Promise<Journal> {
    const release = holdFolder(options.folder);
    let log: RecordLog | undefined;
    try {
      chmodSync(options.folder, 0o700);
      const file = join(options.folder, 'journal');
      const records = new Map<string, Kept>();
      let boot: string | undefined;
      log = RecordLog.open({
        file,
        // Where not even the first line can be read, it was the first start, and the power went.
        rebooted: () => boot !== options.bootId,
        log: options.log,
        crashPoint: options.crashPoint,
        read: (value) => {
          const entry = value as Entry;
          if (entry.kind !== 'open') {
            apply(records, entry);
            return;
          }
          if (entry.version > VERSION) {
            throw new RecordLogError(
              'damaged',
              `${file}: was written by a newer version: start that one, or have it undo everything first`,
            );
          }
          boot = entry.boot;
        },
      });
      const journal = new Journal(options, release, log, records);
      if (boot !== options.bootId) {
        journal.#end({ kind: 'open', version: VERSION, boot: options.bootId });
        // Or the next boot would take what it reads for its own.
        await journal.sync();
      }
      return journal;
    } catch (error) {
      await log?.close();
      release();
      throw error;
    }
  }

  get #small(): number {
    return this.#options.small ?? SMALL;
  }

  get(id: string): JournalRecord | undefined {
    const kept = this.#records.get(id);
    return kept === undefined ? undefined : view(kept);
  }

  has(id: string): boolean {
    return this.#records.has(id);
  }

  *records(): IterableIterator<JournalRecord> {
    for (const kept of this.#records.values()) yield view(kept);
  }

  /** Waits where the file lacks something, or is about to be written anew; to be called before something is begun. Throws {@link RecordLogError}. */
  async ready(): Promise<void> {
    if (this.#isBehind) await this.#rewrite();
  }

  /** Keeps a record, in place of one of the same id. */
  put(record: JournalRecord): void {
    this.#begin({ kind: 'record', record });
    // One that is kept true for a node is put anew whenever something of the cluster changes, and it may be that nothing else happens.
    this.#tidy();
  }

  /** A step begins, or is about to be undone: it has no outputs until {@link endStep}. */
  beginStep(id: string, step: BoundStep): void {
    this.#begin({ kind: 'step', id, step });
  }

  remember(id: string, step: string, value: Json): void {
    this.#begin({ kind: 'memory', id, step, value });
  }

  endStep(id: string, step: string, outputs: JsonObject): void {
    this.#begin({ kind: 'outputs', id, step, value: outputs });
  }

  performed(id: string): void {
    this.#begin({ kind: 'state', id, state: 'performed' });
  }

  undoing(id: string): void {
    this.#end({ kind: 'state', id, state: 'undoing' });
  }

  undone(id: string, steps: readonly string[]): void {
    this.#end({ kind: 'undone', id, steps });
  }

  forget(id: string): void {
    this.#end({ kind: 'forgotten', id });
    this.#tidy();
  }

  /** Waits until all that was kept so far outlives a loss of power. Throws {@link RecordLogError}. */
  async sync(): Promise<void> {
    this.#options.crashPoint('before sync');
    try {
      await this.#log.sync();
    } catch (error) {
      // What the disk has is not known any more.
      this.#isBehind = true;
      throw error;
    }
    this.#options.crashPoint('after sync');
  }

  async close(): Promise<void> {
    await this.#rewriting?.catch(() => undefined);
    await this.#log.close();
    this.#release();
  }

  #begin(entry: Entry): void {
    this.#append(entry, false);
    apply(this.#records, entry);
  }

  #end(entry: Entry): void {
    try {
      this.#append(entry, true);
    } catch (error) {
      if (!(error instanceof RecordLogError)) throw error;
      // Said once, for it may last.
      if (!this.#isBehind) {
        this.#options.log('the journal could not be written; it is written anew before anything is begun', { error: error.message });
      }
      this.#isBehind = true;
    }
    apply(this.#records, entry);
  }

  #append(entry: Entry, essential: boolean): void {
    this.#options.crashPoint(`before append ${entry.kind}`);
    this.#log.append(entry, essential);
    this.#options.crashPoint(`after append ${entry.kind}`);
  }

  #tidy(): void {
    if (this.#rewriting !== undefined || this.#log.size < this.#limit) return;
    this.#rewrite().catch((error: Error) => {
      this.#limit = this.#log.size * 2;
      this.#options.log('the journal could not be written anew, it goes on growing', { error: error.message });
    });
  }

  #rewrite(): Promise<void> {
    this.#rewriting ??= this.#rewriteOnce().finally(() => {
      this.#rewriting = undefined;
    });
    return this.#rewriting;
  }

  async #rewriteOnce(): Promise<void> {
    const entries: Entry[] = [{ kind: 'open', version: VERSION, boot: this.#options.bootId }];
    for (const record of this.records()) entries.push({ kind: 'record', record });
    // What fails to be appended from here on is missing again.
    this.#isBehind = false;
    try {
      await this.#log.rewrite(entries);
      this.#limit = Math.max(this.#small, this.#log.size * GROWTH);
    } catch (error) {
      this.#isBehind = true;
      throw error;
    }
  }
}

/** The owner of what a record made. */
export const ownerOf = (record: JournalRecord): OwnerTag => ({ id: record.id, rule: record.rule, text: record.tag });

function view(kept: Kept): JournalRecord {
  return { ...kept, steps: [...kept.steps.values()] };
}

function apply(records: Map<string, Kept>, entry: Entry): void {
  switch (entry.kind) {
    case 'open':
      return;
    case 'record': {
      const { record } = entry;
      const steps = new Map(record.steps.map((each) => [each.step.key, each]));
      // JSON has no undefined: a record that was read lacks the field.
      records.set(record.id, { ...record, netns: record.netns ?? undefined, steps });
      return;
    }
    case 'forgotten':
      records.delete(entry.id);
      return;
  }
  const kept = records.get(entry.id);
  // A line that was damaged and taken out may have been what began it.
  if (kept === undefined) return;
  switch (entry.kind) {
    case 'step': {
      const known = kept.steps.get(entry.step.key);
      kept.steps.set(entry.step.key, known?.memory === undefined ? { step: entry.step } : { step: entry.step, memory: known.memory });
      return;
    }
    case 'memory':
      change(kept, entry.step, { memory: entry.value });
      return;
    case 'outputs':
      change(kept, entry.step, { outputs: entry.value });
      return;
    case 'state':
      kept.state = entry.state;
      return;
    case 'undone':
      for (const key of entry.steps) kept.steps.delete(key);
  }
}

function change(kept: Kept, key: string, fields: Partial<PerformedStep>): void {
  const known = kept.steps.get(key);
  if (known !== undefined) kept.steps.set(key, { ...known, ...fields });
}
