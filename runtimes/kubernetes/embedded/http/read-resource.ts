import type { JsonObject } from '../../../../engine/object/json.ts';
import { fromStored } from '../kinds/conversion.ts';
import type { ServerState } from '../server-state.ts';
import { notFound, tooLarge } from '../status-error.ts';
import { objectKey } from '../storage/object-store.ts';
import { listObjects } from '../verbs/list.ts';
import { checkVersionOptions, parseResourceVersion } from '../verbs/resource-version.ts';
import { flag, nameOf, type ResourceRequest, respond, selectionOf, view, viewOf, wholeNumber } from './resource-request.ts';
import { viewList } from './transform.ts';
import { streamWatch } from './watch-stream.ts';

/** GET of one object, or of a subresource of it. */
export function get(state: ServerState, call: ResourceRequest): void {
  const { definition, path, query } = call;
  const shown = view(state, call);
  const wanted = parseResourceVersion(query.get('resourceVersion') ?? '');
  if (wanted > state.store.revision) throw tooLarge(wanted, state.store.revision);
  const stored = state.store.get(definition.storedIn, objectKey(nameOf(call).namespace ?? '', path.name));
  if (stored === undefined) throw notFound(definition, path.name);
  const object = fromStored(definition, stored.object);
  respond(call, 200, viewOf(call, shown, object));
}

/** GET of many. */
export function list(state: ServerState, call: ResourceRequest): void {
  const { definition, path, query } = call;
  const shown = view(state, call);
  const resourceVersion = query.get('resourceVersion') ?? '';
  const resourceVersionMatch = query.get('resourceVersionMatch') ?? '';
  const continueToken = query.get('continue') ?? '';
  checkVersionOptions({ resourceVersion, resourceVersionMatch, sendInitialEvents: flag(query, 'sendInitialEvents') }, false, continueToken);
  const page = listObjects(state, definition, {
    namespace: definition.namespaced ? path.namespace : '',
    selection: selectionOf(call),
    limit: wholeNumber(query, 'limit'),
    continueToken,
    resourceVersion,
    resourceVersionMatch,
  });
  const metadata: JsonObject = {
    resourceVersion: page.resourceVersion,
    // Lists of custom resources have the field even where it says nothing.
    ...(page.continueToken === '' && (definition.builtIn || shown.representation.as !== 'object') ? {} : { continue: page.continueToken }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  respond(call, 200, viewList(shown, metadata, page.items));
}

/** Milliseconds; the server ends every watch some time. Kubernetes: --min-request-timeout, between once and twice of it. */
const LEAST_WATCH = 30 * 60_000;

/** GET of what happens. */
export function watch(state: ServerState, call: ResourceRequest): void {
  const { definition, path, query, response } = call;
  const resourceVersion = query.get('resourceVersion') ?? '';
  const sendInitialEvents = flag(query, 'sendInitialEvents');
  checkVersionOptions({ resourceVersion, resourceVersionMatch: query.get('resourceVersionMatch') ?? '', sendInitialEvents }, true, '');
  const seconds = wholeNumber(query, 'timeoutSeconds');
  streamWatch(state, {
    response,
    view: view(state, call),
    request: {
      namespace: definition.namespaced ? path.namespace : '',
      selection: selectionOf(call),
      resourceVersion,
      sendInitialEvents,
      allowBookmarks: flag(query, 'allowWatchBookmarks') ?? false,
    },
    timeout: seconds > 0 ? seconds * 1000 : LEAST_WATCH * (1 + state.random()),
  });
}
