import {
  compileMetadataProjection,
  compileProjection,
  type FieldDemand,
  keptByProjection,
  type Projection,
} from '../../engine/object/projection.ts';
import { createJsonReader, type KeptJson } from '../../engine/object/prune-json.ts';
import type { WatchEvent } from './client.ts';
import { createSharedJson } from './shared-json.ts';
import { decodeWatchEvent, isWatchEvent } from './watch-event.ts';

/** Makes objects as a store keeps them, of lines of a watch and of whole objects. */
export interface ObjectDecoder {
  /** Throws a `ConnectionError` for a line that is no event. */
  event(line: Buffer): WatchEvent;
  object: Projection;
}

/** How the lines begin whose objects are kept in part. Bookmarks and errors are read as they are. */
const READ_IN_PART = (['ADDED', 'MODIFIED', 'DELETED'] as const).map((type) => Buffer.from(`{"type":"${type}",`));

/** Maps of an event that are made new for each: the event, its object, and the members of that. */
const OWN_MAPS = 3;

/**
 * Keeps the demanded fields of objects, and of these what `project` makes of them. Fields that nobody demands are passed over in the
 * line, which is most of the work; parts that are the same in many objects are shared between them. Without a demand, `project` gets
 * all there is.
 */
export function createObjectDecoder(fields?: FieldDemand, project?: Projection): ObjectDecoder {
  if (fields === undefined && project !== undefined)
    return { object: project, event: (line) => projectEvent(decodeWatchEvent(line), project) };
  return narrowingDecoder(fields ?? true, project);
}

function projectEvent(event: WatchEvent, project: Projection): WatchEvent {
  const { type, object } = event;
  return isChange(event) ? { type, object: project(object) } : event;
}

/** A line that begins as a change may call itself something else further on. */
function isChange({ type }: WatchEvent): boolean {
  return type !== 'BOOKMARK' && type !== 'ERROR';
}

function narrowingDecoder(fields: FieldDemand, project: Projection | undefined): ObjectDecoder {
  const then = (first: Projection): Projection => (project === undefined ? first : (whole) => project(first(whole)));
  const ofWhole = then(compileProjection(fields));
  const ofRead = then(compileMetadataProjection(fields));
  const kept = new Map<string, KeptJson>([
    ['type', 'all'],
    ['object', keptByProjection(fields)],
  ]);
  const read = createJsonReader({ fields: kept, others: 'none' }, createSharedJson(), OWN_MAPS);

  return {
    object: ofWhole,
    event(line) {
      const event = READ_IN_PART.some((start) => startsWith(line, start)) ? read(line) : undefined;
      return isWatchEvent(event) && isChange(event) ? projectEvent(event, ofRead) : projectEvent(decodeWatchEvent(line), ofWhole);
    },
  };
}

function startsWith(line: Buffer, start: Buffer): boolean {
  if (line.length < start.length) return false;
  for (let i = start.length - 1; i >= 0; i--) if (line[i] !== start[i]) return false;
  return true;
}
