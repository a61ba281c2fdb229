import { stringifyJson } from '../../../host/json-body.ts';
import type { ServerState } from '../server-state.ts';
import { noSuchPath } from '../status-error.ts';
import { withScale } from '../subresources/scale.ts';
import { createObject } from '../verbs/create.ts';
import { decodeObject } from '../verbs/decode.ts';
import { updateObject } from '../verbs/update.ts';
import { writtenKind } from '../verbs/write-context.ts';
import { bodyOf, checkName, contextOf, decodeOptions, nameOf, type ResourceRequest, respond, view, viewOf } from './resource-request.ts';
import { scaled } from './scaled-write.ts';
import { viewObject } from './transform.ts';
import { parseWriteOptions } from './write-options.ts';

/** POST. */
export async function create(state: ServerState, call: ResourceRequest): Promise<void> {
  const { definition, path, query, requester, warnings } = call;
  const options = parseWriteOptions(query, 'CreateOptions');
  const context = contextOf(call, options);
  const virtual = state.virtual.get(`${definition.group}/${definition.resource}${path.subresource === '' ? '' : `/${path.subresource}`}`);
  // What is not stored is no row of a table, and has no metadata to speak of.
  const shown = view(state, call, virtual === undefined);
  const body = await bodyOf(state, call);
  const object = decodeObject(definition, writtenKind(definition, path.subresource), body, decodeOptions(call, options));
  if (virtual !== undefined) {
    const answer = await virtual({
      object,
      namespace: path.namespace,
      name: path.name,
      requester,
      dryRun: options.dryRun,
      warn: warnings.add,
    });
    respond(call, 201, stringifyJson(answer));
    return;
  }
  if (path.subresource !== '') throw noSuchPath();
  const created = await createObject(state, definition, definition.namespaced ? path.namespace : '', object, context);
  await state.store.durable();
  respond(call, 201, viewObject(shown, created));
}

/** PUT. */
export async function update(state: ServerState, call: ResourceRequest): Promise<void> {
  const { definition, path, query } = call;
  const options = parseWriteOptions(query, 'UpdateOptions');
  const shown = view(state, call);
  const object = decodeObject(
    definition,
    writtenKind(definition, path.subresource),
    await bodyOf(state, call),
    decodeOptions(call, options),
  );
  checkName(object, path);
  const scale = path.subresource === 'scale' ? definition.scale : undefined;
  const { object: updated, created } = await updateObject(
    state,
    {
      definition,
      name: nameOf(call),
      replaces: true,
      ...scaled(scale),
      change: (old) => (scale === undefined ? object : withScale(scale, old, object)),
      ...(definition.strategy.createOnUpdate === true && path.subresource === '' ? { ifMissing: () => object } : {}),
    },
    contextOf(call, options),
  );
  await state.store.durable();
  respond(call, created ? 201 : 200, viewOf(call, shown, updated));
}
