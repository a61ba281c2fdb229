import type { JsonObject } from '../../../../engine/object/json.ts';
import { fromStored } from '../kinds/conversion.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { ServerState } from '../server-state.ts';
import { badRequest, expired, StatusError, tooLarge } from '../status-error.ts';
import type { StoredObject } from '../storage/event-history.ts';
import type { Collection } from '../storage/object-store.ts';
import { formatContinue, parseContinue } from './continue-token.ts';
import { parseResourceVersion } from './resource-version.ts';
import type { Selection } from './selection.ts';

export interface ListRequest {
  /** `` for all namespaces. */
  readonly namespace: string;
  readonly selection: Selection;
  /** Objects per page; 0 for all. */
  readonly limit: number;
  /** `` for the first page. */
  readonly continueToken: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
}

export interface ListPage {
  readonly items: readonly JsonObject[];
  readonly resourceVersion: string;
  /** `` where this is the last page. */
  readonly continueToken: string;
  /** Unknown where a selector leaves things out. */
  readonly remaining: number | undefined;
}

/** One page of the objects of a resource, all pages as of one moment. Kubernetes: apiserver pkg/storage/etcd3/store.go GetList. */
export function listObjects(state: ServerState, definition: ResourceDefinition, request: ListRequest): ListPage {
  const { selection, namespace } = request;
  const collection = state.store.collection(definition.storedIn);
  const start = readFrom(state, collection, request);
  const prefix = namespace === '' ? '' : `${namespace}/`;
  const limit = request.resourceVersion === '0' ? 0 : request.limit;
  const items: JsonObject[] = [];
  let last = '';
  let more = false;
  let remaining = 0;
  const source = start.isCurrent ? collection.range(prefix, start.after) : rangeAt(collection, prefix, start.after, start.revision);
  for (const stored of source) {
    if (stored.key <= start.after) continue;
    if (limit > 0 && items.length === limit) {
      more = true;
      // What comes later may match or not: nobody has looked at it.
      if (!selection.everything) break;
      remaining++;
      continue;
    }
    const object = fromStored(definition, stored.object);
    if (!selection.matches(object)) continue;
    items.push(object);
    last = stored.key;
  }
  return {
    items,
    resourceVersion: String(start.revision),
    continueToken: more ? formatContinue({ revision: start.revision, after: last }) : '',
    remaining: more && selection.everything ? remaining : undefined,
  };
}

interface Start {
  readonly revision: number;
  readonly after: string;
  /** Nothing has changed since: the store can be read as it is. */
  readonly isCurrent: boolean;
}

function readFrom(state: ServerState, collection: Collection, request: ListRequest): Start {
  const current = state.store.revision;
  if (request.continueToken !== '') {
    if (request.resourceVersion !== '' && request.resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const { revision, after } = parseContinue(request.continueToken);
    if (revision < 0) return { revision: current, after, isCurrent: true };
    if (revision > current) throw tooLarge(revision, current);
    if (!collection.history.reaches(revision)) throw expiredToken(after);
    return { revision, after, isCurrent: collection.history.after(revision).length === 0 };
  }
  const version = parseResourceVersion(request.resourceVersion, true);
  if (version > current) throw tooLarge(version, current);
  // A version with a limit means exactly that version, for the sake of old clients.
  const exact = request.resourceVersionMatch === 'Exact' || (request.resourceVersionMatch === '' && version > 0 && request.limit > 0);
  if (!exact) return { revision: current, after: '', isCurrent: true };
  if (!collection.history.reaches(version)) throw expired('The resourceVersion for the provided list is too old.');
  return { revision: version, after: '', isCurrent: collection.history.after(version).length === 0 };
}

const TOKEN_EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

/** Carries a token that goes on from the same place, with whatever is there now. */
function expiredToken(after: string): StatusError {
  return new StatusError(410, 'Expired', TOKEN_EXPIRED, undefined, { continue: formatContinue({ revision: -1, after }) });
}

/** The objects as they were at a revision that the history reaches: what is there now, with everything since undone. */
function* rangeAt(collection: Collection, prefix: string, after: string, revision: number): IterableIterator<StoredObject> {
  /** By key, the state before the first change since; undefined where there was none. */
  const before = new Map<string, StoredObject | undefined>();
  for (const { current, previous } of collection.history.after(revision)) if (!before.has(current.key)) before.set(current.key, previous);
  const gone = [...before.keys()].filter((key) => !collection.objects.has(key) && key.startsWith(prefix) && key > after).sort();
  let next = 0;
  for (const stored of collection.range(prefix, after)) {
    while (next < gone.length && (gone[next] as string) < stored.key) {
      const old = before.get(gone[next++] as string);
      if (old !== undefined) yield old;
    }
    const then = before.has(stored.key) ? before.get(stored.key) : stored;
    if (then !== undefined) yield then;
  }
  while (next < gone.length) {
    const old = before.get(gone[next++] as string);
    if (old !== undefined) yield old;
  }
}
