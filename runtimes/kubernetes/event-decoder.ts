import { compileProjection, type FieldDemand, keptByProjection, type Projection } from '../../engine/object/projection.ts';
import { createJsonPruner, type KeptJson } from '../../engine/object/prune-json.ts';
import type { WatchEvent } from './client.ts';
import { decodeWatchEvent } from './watch-event.ts';

/** Makes objects as a store keeps them, of lines of a watch and of whole objects. */
export interface ObjectDecoder {
  /** Throws a `ConnectionError` for a line that is no event. */
  event(line: Buffer): WatchEvent;
  object: Projection;
}

/** How the lines begin whose objects are kept in part. Bookmarks and errors are read as they are. */
const PRUNED = (['ADDED', 'MODIFIED', 'DELETED'] as const).map((type) => Buffer.from(`{"type":"${type}",`));

/**
 * Keeps the demanded fields of objects, and of these what `project` makes of them. Fields that nobody demands are dropped from the
 * line before it is parsed, which is most of the work. Without a demand, `project` gets all there is.
 */
export function createObjectDecoder(fields?: FieldDemand, project?: Projection): ObjectDecoder {
  if (fields === undefined && project !== undefined)
    return { object: project, event: (line) => projectEvent(decodeWatchEvent(line), project) };
  return narrowingDecoder(fields ?? true, project);
}

function projectEvent(event: WatchEvent, project: Projection): WatchEvent {
  const { type, object } = event;
  return type === 'BOOKMARK' || type === 'ERROR' ? event : { type, object: project(object) };
}

function narrowingDecoder(fields: FieldDemand, project: Projection | undefined): ObjectDecoder {
  const narrow = compileProjection(fields);
  const object: Projection = project === undefined ? narrow : (whole) => project(narrow(whole));
  const kept = new Map<string, KeptJson>([
    ['type', 'all'],
    ['object', keptByProjection(fields)],
  ]);
  const prune = createJsonPruner({ fields: kept, others: 'none' });

  /** What matters of a line, for `JSON.parse`. */
  function shorten(line: Buffer): Buffer {
    const short = PRUNED.some((start) => startsWith(line, start)) ? prune(line) : undefined;
    return short === undefined ? line : Buffer.from(short.buffer, short.byteOffset, short.length);
  }

  return {
    object,
    event: (line) => projectEvent(decodeWatchEvent(shorten(line)), object),
  };
}

function startsWith(line: Buffer, start: Buffer): boolean {
  if (line.length < start.length) return false;
  for (let i = start.length - 1; i >= 0; i--) if (line[i] !== start[i]) return false;
  return true;
}
