import { isJsonObject } from '../../engine/object/json.ts';
import { parseJsonBody } from '../host/json-body.ts';
import { ConnectionError } from './api-error.ts';
import type { WatchEvent } from './client.ts';
import { BAD_STREAM_DATA } from './watch-lines.ts';

const TYPES: ReadonlySet<unknown> = new Set<WatchEvent['type']>(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

/** An event of a line of a watch. Throws a {@link ConnectionError} for a line that is none; it does not quote the line. */
export function decodeWatchEvent(line: Buffer): WatchEvent {
  let event: unknown;
  try {
    event = parseJsonBody(line);
  } catch {
    throw new ConnectionError('the watch sent a line that is not JSON', BAD_STREAM_DATA);
  }
  if (!isWatchEvent(event)) throw new ConnectionError('the watch sent a line that is not an event', BAD_STREAM_DATA);
  return event;
}

export function isWatchEvent(value: unknown): value is WatchEvent {
  return isJsonObject(value) && TYPES.has(value['type']) && isJsonObject(value['object']);
}
