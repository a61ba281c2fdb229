import { crc32 } from 'node:zlib';
import type { JsonObject } from '../../../../engine/object/json.ts';
import { parseJsonBody, stringifyJson } from '../../../host/json-body.ts';
import type { GroupResource } from '../registry.ts';

/** A change as it is written down. A deletion has no object. */
export interface ChangeRecord {
  readonly revision: number;
  readonly resource: GroupResource;
  readonly namespace: string;
  readonly name: string;
  readonly object: JsonObject | null;
}

/** Length and checksum, four bytes each, before the JSON of a record. */
const HEAD = 8;
/** An object and what stands around it. */
const MAX_RECORD = 8 * 1024 * 1024;

/** One record: length, checksum of the JSON, JSON. */
export function encodeRecord(record: ChangeRecord): Buffer {
  const { revision, resource, namespace, name, object } = record;
  const body = Buffer.from(stringifyJson([revision, resource, namespace, name, object]), 'utf8');
  const bytes = Buffer.allocUnsafe(HEAD + body.length);
  bytes.writeUInt32LE(body.length, 0);
  bytes.writeUInt32LE(crc32(body), 4);
  body.copy(bytes, HEAD);
  return bytes;
}

export interface DecodedRecords {
  readonly records: readonly ChangeRecord[];
  /** Bytes up to the end of the last whole record: what follows was torn off by a crash. */
  readonly length: number;
}

/** Reads records until the bytes end or one is not whole. */
export function decodeRecords(bytes: Buffer): DecodedRecords {
  const records: ChangeRecord[] = [];
  let at = 0;
  while (at + HEAD <= bytes.length) {
    const size = bytes.readUInt32LE(at);
    const end = at + HEAD + size;
    if (size > MAX_RECORD || end > bytes.length) break;
    const body = bytes.subarray(at + HEAD, end);
    if (crc32(body) !== bytes.readUInt32LE(at + 4)) break;
    const [revision, resource, namespace, name, object] = parseJsonBody(body) as [number, string, string, string, JsonObject | null];
    records.push({ revision, resource, namespace, name, object });
    at = end;
  }
  return { records, length: at };
}
