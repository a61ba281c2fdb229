import { metadataText } from '../../../../engine/object/metadata.ts';
import { stringifyJson } from '../../../host/json-body.ts';
import type { ServerState } from '../server-state.ts';
import { StatusError } from '../status-error.ts';
import { deleteObject } from '../verbs/delete.ts';
import { listObjects } from '../verbs/list.ts';
import type { WriteContext } from '../verbs/write-context.ts';
import { bodyOf, nameOf, type ResourceRequest, respond, selectionOf, view, wholeNumber } from './resource-request.ts';
import { viewList, viewObject } from './transform.ts';
import { parseDeleteOptions } from './write-options.ts';

/** DELETE of one object. */
export async function remove(state: ServerState, call: ResourceRequest): Promise<void> {
  const { definition } = call;
  const shown = view(state, call);
  const options = await deleteOptionsOf(state, call);
  const { object, deleted } = await deleteObject(state, definition, nameOf(call), options, deleteContext(call, options));
  await state.store.durable();
  if (!deleted || definition.strategy.returnsDeleted === true) {
    respond(call, 200, viewObject(shown, object));
    return;
  }
  const { group, resource } = definition;
  const details = {
    name: call.path.name,
    ...(group === '' ? {} : { group }),
    kind: resource,
    uid: metadataText(object, 'uid'),
  };
  respond(call, 200, stringifyJson({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }));
}

async function deleteOptionsOf(state: ServerState, call: ResourceRequest): Promise<ReturnType<typeof parseDeleteOptions>> {
  return parseDeleteOptions(call.query, (await bodyOf(state, call))?.value);
}

function deleteContext(call: ResourceRequest, options: ReturnType<typeof parseDeleteOptions>): WriteContext {
  const { requester, warnings } = call;
  return { requester, fieldManager: '', dryRun: options.dryRun, subresource: '', options: options.object, warn: warnings.add };
}

/** DELETE of many: those that a list with the same options names. */
export async function removeCollection(state: ServerState, call: ResourceRequest): Promise<void> {
  const { definition, path, query } = call;
  const shown = view(state, call);
  const options = await deleteOptionsOf(state, call);
  const page = listObjects(state, definition, {
    namespace: definition.namespaced ? path.namespace : '',
    selection: selectionOf(call),
    limit: wholeNumber(query, 'limit'),
    continueToken: query.get('continue') ?? '',
    resourceVersion: '',
    resourceVersionMatch: '',
  });
  for (const object of page.items) {
    const namespace = metadataText(object, 'namespace');
    const name = { name: metadataText(object, 'name'), ...(namespace === '' ? {} : { namespace }) };
    try {
      await deleteObject(state, definition, name, options, deleteContext(call, options));
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
    }
  }
  await state.store.durable();
  // As in any list of custom resources.
  const bare = shown.representation.as === 'object' && !definition.builtIn ? { continue: '' } : {};
  respond(call, 200, viewList(shown, { ...bare, resourceVersion: String(state.store.revision) }, page.items));
}
