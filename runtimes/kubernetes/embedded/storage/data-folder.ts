import { closeSync, fdatasync, fsyncSync, ftruncateSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../../../engine/object/json.ts';
import type { GroupResource } from '../registry.ts';
import type { StoredObject, StoreEvent } from './event-history.ts';
import { type Journal, objectKey } from './object-store.ts';
import { type ChangeRecord, decodeRecords, encodeRecord } from './record.ts';

/**
 * `durable`: a write is answered after the disk has it, so that it survives the machine. `process`: after the kernel has it, so that
 * it survives the end of this process.
 */
export type Durability = 'durable' | 'process';

export interface DataFolderOptions {
  readonly folder: string;
  /** Default: `durable`. */
  readonly durability?: Durability;
  /** Bytes of the log after which a new snapshot is written. Default: 64 MiB. */
  readonly snapshotAfter?: number;
}

/** What was kept. */
export interface Kept {
  readonly revision: number;
  readonly objects: Iterable<readonly [GroupResource, StoredObject]>;
}

/** What a store is made of, and where it goes on. */
export interface DataFolder {
  readonly initial: Kept;
  readonly journal: Journal;
}

/*
 * The folder holds `snapshot-N` and `log-N`: the snapshot is the state before the log begins, and N counts up. A new pair is begun by
 * writing the snapshot under another name, syncing it, opening the empty log, and renaming: whoever reads takes the newest snapshot that
 * is whole, and all logs from its number on. Everything older may be deleted at any time.
 */
const SNAPSHOT = /^snapshot-(\d{1,15})$/;
const LOG = /^log-(\d{1,15})$/;

/** Opens a folder and reads what is in it; makes it where there is none. A record that a crash has torn is cut off. */
export async function openDataFolder(options: DataFolderOptions): Promise<DataFolder> {
  const { folder, durability = 'durable', snapshotAfter = 64 * 1024 * 1024 } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { generation, records, logLength } = await readFolder(folder);
  const objects = new Map<string, readonly [GroupResource, StoredObject]>();
  let revision = 1;
  for (const record of records) revision = apply(objects, record, revision);
  const journal = new FileJournal({ folder, generation, logLength, durability, snapshotAfter, objects, revision });
  return { initial: { revision, objects: [...objects.values()] }, journal };
}

type Objects = Map<string, readonly [GroupResource, StoredObject]>;

function apply(objects: Objects, record: ChangeRecord, revision: number): number {
  const { resource, namespace, name, object } = record;
  const key = objectKey(namespace, name);
  const id = `${resource} ${key}`;
  if (object === null) objects.delete(id);
  else {
    const own = Number((object['metadata'] as JsonObject | undefined)?.['resourceVersion'] ?? record.revision);
    objects.set(id, [resource, { key, namespace, name, object, revision: own }]);
  }
  return Math.max(revision, record.revision);
}

interface FolderContent {
  readonly generation: number;
  readonly records: readonly ChangeRecord[];
  /** Of the newest log, up to its last whole record. */
  readonly logLength: number;
}

async function readFolder(folder: string): Promise<FolderContent> {
  const names = await readdir(folder);
  const numbers = (pattern: RegExp): number[] =>
    names
      .flatMap((name) => pattern.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  const base = numbers(SNAPSHOT).at(-1) ?? 0;
  const records: ChangeRecord[] = [];
  if (base > 0) {
    const bytes = await readFile(join(folder, `snapshot-${base}`));
    const decoded = decodeRecords(bytes);
    // It was whole before it had its name: this is no crash but a disk that lies.
    if (decoded.length !== bytes.length)
      throw new Error(`${join(folder, `snapshot-${base}`)} is damaged: delete it to go on without what it holds`);
    records.push(...decoded.records);
  }
  let generation = base;
  let logLength = 0;
  for (const number of numbers(LOG).filter((each) => each >= base)) {
    const decoded = decodeRecords(await readFile(join(folder, `log-${number}`)));
    for (const record of decoded.records) records.push(record);
    generation = number;
    logLength = decoded.length;
  }
  return { generation, records, logLength };
}

interface FileJournalOptions {
  readonly folder: string;
  readonly generation: number;
  readonly logLength: number;
  readonly durability: Durability;
  readonly snapshotAfter: number;
  readonly objects: Objects;
  readonly revision: number;
}

class FileJournal implements Journal {
  readonly #options: FileJournalOptions;
  /** What a snapshot would hold. */
  readonly #objects: Objects;
  #revision: number;
  #generation: number;
  #log: number;
  #length: number;
  #unsynced = false;
  #syncing: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(options: FileJournalOptions) {
    this.#options = options;
    this.#objects = options.objects;
    this.#revision = options.revision;
    this.#generation = options.generation;
    this.#log = openSync(this.#logPath(), 'a+', 0o600);
    ftruncateSync(this.#log, options.logLength);
    this.#length = options.logLength;
  }

  append(event: StoreEvent): void {
    if (this.#failure !== undefined) throw this.#failure;
    const { resource, revision, current, type } = event;
    const { namespace, name } = current;
    const record: ChangeRecord = { revision, resource, namespace, name, object: type === 'DELETED' ? null : current.object };
    const bytes = encodeRecord(record);
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#log, bytes, written);
    } catch (error) {
      // Half a record must not stay in front of the next one.
      ftruncateSync(this.#log, this.#length);
      throw error;
    }
    this.#length += bytes.length;
    this.#unsynced = true;
    this.#revision = apply(this.#objects, record, this.#revision);
    if (this.#length >= this.#options.snapshotAfter) this.#snapshot();
  }

  durable(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#options.durability === 'process' || !this.#unsynced) return this.#syncing ?? DONE;
    // Whoever comes while a sync runs waits for the next one, which they all share.
    const previous = this.#syncing ?? DONE;
    const mine = previous.then(() => this.#sync());
    this.#syncing = mine;
    return mine;
  }

  async close(): Promise<void> {
    await this.#syncing?.catch(() => {});
    fsyncSync(this.#log);
    closeSync(this.#log);
  }

  #sync(): Promise<void> {
    if (!this.#unsynced) return DONE;
    this.#unsynced = false;
    return new Promise((resolve, reject) => {
      fdatasync(this.#log, (error) => {
        if (error === null) resolve();
        else {
          // What the disk has is not known any more, so nothing can be promised.
          this.#failure = error;
          reject(error);
        }
      });
    });
  }

  /** Begins a new log with everything that is there in a snapshot. */
  #snapshot(): void {
    const { folder } = this.#options;
    const next = this.#generation + 1;
    const temporary = join(folder, `new-snapshot-${next}`);
    const file = openSync(temporary, 'w', 0o600);
    // An empty record of the revision, for the deletions that nothing else tells of.
    writeAll(file, encodeRecord({ revision: this.#revision, resource: '', namespace: '', name: '', object: null }));
    for (const [resource, { namespace, name, object, revision }] of this.#objects.values()) {
      writeAll(file, encodeRecord({ revision, resource, namespace, name, object }));
    }
    fsyncSync(file);
    closeSync(file);
    const old = this.#log;
    this.#generation = next;
    this.#log = openSync(this.#logPath(), 'a+', 0o600);
    ftruncateSync(this.#log, 0);
    this.#length = 0;
    renameSync(temporary, join(folder, `snapshot-${next}`));
    const directory = openSync(folder, 'r');
    fsyncSync(directory);
    closeSync(directory);
    // The snapshot holds what the old log holds, and a sync that runs on it may end first.
    this.#unsynced = false;
    void (this.#syncing ?? DONE).finally(() => closeSync(old));
    for (const name of readdirSync(folder)) {
      const number = (SNAPSHOT.exec(name) ?? LOG.exec(name))?.[1];
      if (number !== undefined && Number(number) < next) rmSync(join(folder, name), { force: true });
    }
  }

  #logPath(): string {
    return join(this.#options.folder, `log-${this.#generation}`);
  }
}

const DONE = Promise.resolve();

function writeAll(file: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}
