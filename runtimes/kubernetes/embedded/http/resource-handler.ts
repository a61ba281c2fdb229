import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '../../../../engine/object/json.ts';
import { formatApiVersion, parseApiVersion } from '../../../../engine/object/type-table.ts';
import { stringifyJson } from '../../../host/json-body.ts';
import type { ObjectName } from '../../client.ts';
import { fromStored } from '../kinds/conversion.ts';
import type { ResourceDefinition, ScaleMapping } from '../kinds/definition.ts';
import type { Requester } from '../registry.ts';
import type { ServerState } from '../server-state.ts';
import {
  badRequest,
  conflict,
  methodNotAllowed,
  noSuchPath,
  notFound,
  StatusError,
  tooLarge,
  unsupportedMediaType,
} from '../status-error.ts';
import { objectKey } from '../storage/object-store.ts';
import { scaleOf, withScale } from '../subresources/scale.ts';
import { createObject } from '../verbs/create.ts';
import {
  type DecodeOptions,
  decodeObject,
  decodePatched,
  parseBody,
  parseConfiguration,
  parsePatch,
  type SentValue,
} from '../verbs/decode.ts';
import { deleteObject } from '../verbs/delete.ts';
import { applied } from '../verbs/field-ownership.ts';
import { listObjects } from '../verbs/list.ts';
import { metadataText, withMetadata } from '../verbs/object-metadata.ts';
import { jsonPatched, mergePatched, strategicPatched } from '../verbs/patch.ts';
import { checkVersionOptions, parseResourceVersion } from '../verbs/resource-version.ts';
import { parseSelection } from '../verbs/selection.ts';
import { updateObject } from '../verbs/update.ts';
import { type WriteContext, writtenKind } from '../verbs/write-context.ts';
import { readBody } from './body.ts';
import { JSON_TYPE, negotiate, parseMediaTypes } from './media-type.ts';
import { decodeProtobuf, PROTOBUF_TYPE } from './protobuf.ts';
import { ProtobufError } from './protobuf-reader.ts';
import type { ResourcePath } from './request-path.ts';
import { respondText, type Warnings } from './respond.ts';
import { type IncludeObject, type View, viewList, viewObject } from './transform.ts';
import { streamWatch } from './watch-stream.ts';
import { parseDeleteOptions, parseWriteOptions, type WriteOptions } from './write-options.ts';

/** One authorized request to a resource. */
export interface ResourceRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly definition: ResourceDefinition;
  readonly path: ResourcePath;
  /** `get`, `list`, `watch`, `create`, ... */
  readonly verb: string;
  readonly query: URLSearchParams;
  readonly requester: Requester;
  readonly warnings: Warnings;
}

/** Answers a request to a resource, or throws a `StatusError`. */
export async function handleResource(state: ServerState, call: ResourceRequest): Promise<void> {
  switch (call.verb) {
    case 'get':
      return get(state, call);
    case 'list':
      return list(state, call);
    case 'watch':
      return watch(state, call);
    case 'create':
      return create(state, call);
    case 'update':
      return update(state, call);
    case 'patch':
      return patch(state, call);
    case 'delete':
      return remove(state, call);
    case 'deletecollection':
      return removeCollection(state, call);
    default:
      throw methodNotAllowed();
  }
}

function view(state: ServerState, { request, definition, query }: ResourceRequest): View {
  const representation = negotiate(request.headers.accept, { table: true, partial: true });
  const includeObject = query.get('includeObject') ?? '';
  if (!['', 'None', 'Metadata', 'Object'].includes(includeObject)) {
    throw badRequest(`unrecognized includeObject value: ${JSON.stringify(includeObject)}`);
  }
  return {
    definition,
    representation,
    includeObject: includeObject === '' ? 'Metadata' : (includeObject as IncludeObject),
    now: () => state.clock.now(),
  };
}

function respond(call: ResourceRequest, code: number, text: string): void {
  const { request, response, warnings } = call;
  respondText(request, response, code, text, warnings.texts.length > 0 ? { warning: [...warnings.headers()] } : {});
}

function nameOf({ definition, path }: ResourceRequest): ObjectName {
  return definition.namespaced ? { namespace: path.namespace, name: path.name } : { name: path.name };
}

function get(state: ServerState, call: ResourceRequest): void {
  const { definition, path, query } = call;
  const shown = view(state, call);
  const wanted = parseResourceVersion(query.get('resourceVersion') ?? '');
  if (wanted > state.store.revision) throw tooLarge(wanted, state.store.revision);
  const stored = state.store.get(definition.storedIn, objectKey(nameOf(call).namespace ?? '', path.name));
  if (stored === undefined) throw notFound(definition, path.name);
  const object = fromStored(definition, stored.object);
  const scale = path.subresource === 'scale' ? definition.scale : undefined;
  respond(call, 200, scale === undefined ? viewObject(shown, object) : stringifyJson(scaleOf(scale, object)));
}

/** What a list and a watch are about. A list of one name, as old clients ask for it, is a list by that name. */
function selectionOf({ definition, path, query }: ResourceRequest) {
  const fieldSelector = query.get('fieldSelector') ?? '';
  const byName = path.name === '' ? '' : `metadata.name=${path.name}`;
  return parseSelection(definition, query.get('labelSelector') ?? '', [fieldSelector, byName].filter((text) => text !== '').join(','));
}

function flag(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  return text === null ? undefined : text === '' || text === 'true' || text === '1';
}

function wholeNumber(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  if (text === '') return 0;
  if (!/^-?[0-9]{1,18}$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Math.max(0, Number(text));
}

function list(state: ServerState, call: ResourceRequest): void {
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
    ...(page.continueToken === '' && definition.builtIn ? {} : { continue: page.continueToken }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  respond(call, 200, viewList(shown, metadata, page.items));
}

/** Milliseconds; the server ends every watch some time. Kubernetes: --min-request-timeout, between once and twice of it. */
const LEAST_WATCH = 30 * 60_000;

function watch(state: ServerState, call: ResourceRequest): void {
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

/** The body as JSON; undefined where there is none. */
async function bodyOf({ clock }: ServerState, { request }: ResourceRequest): Promise<SentValue | undefined> {
  const bytes = await readBody(request, clock.after);
  if (bytes.length === 0) return undefined;
  const [media] = parseMediaTypes(request.headers['content-type'] ?? '');
  if (media === undefined || media.type === JSON_TYPE) return parseBody(bytes);
  if (media.type !== PROTOBUF_TYPE) throw unsupportedMediaType([JSON_TYPE, PROTOBUF_TYPE]);
  try {
    return { value: decodeProtobuf(bytes), duplicates: [] };
  } catch (error) {
    if (error instanceof ProtobufError) throw badRequest(error.message);
    throw error;
  }
}

function decodeOptions({ warnings }: ResourceRequest, { fieldValidation }: WriteOptions): DecodeOptions {
  return { validation: fieldValidation, warn: warnings.add };
}

function contextOf({ request, requester, path, warnings }: ResourceRequest, options: WriteOptions): WriteContext {
  return {
    requester,
    fieldManager: options.fieldManager !== '' ? options.fieldManager : managerFromAgent(request.headers['user-agent'] ?? ''),
    dryRun: options.dryRun,
    subresource: path.subresource,
    options: options.object,
    warn: warnings.add,
  };
}

/** A client without a field manager is known by the first part of its user agent. */
function managerFromAgent(agent: string): string {
  return [...(agent.split('/')[0] ?? '').slice(0, 128)].filter((char) => /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)).join('');
}

async function create(state: ServerState, call: ResourceRequest): Promise<void> {
  const { definition, path, query, requester, warnings } = call;
  const options = parseWriteOptions(query, 'CreateOptions');
  const context = contextOf(call, options);
  const shown = view(state, call);
  const body = await bodyOf(state, call);
  const object = decodeObject(definition, writtenKind(definition, path.subresource), body, decodeOptions(call, options));
  const virtual = state.virtual.get(`${definition.group}/${definition.resource}${path.subresource === '' ? '' : `/${path.subresource}`}`);
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

async function update(state: ServerState, call: ResourceRequest): Promise<void> {
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
  respond(call, created ? 201 : 200, viewWritten(call, shown, updated));
}

/** Kubernetes: handlers/rest.go checkName. */
function checkName(object: JsonObject, path: ResourcePath): void {
  const name = metadataText(object, 'name');
  if (name === '') throw badRequest(`the name of the object (${path.name} based on URL) was undeterminable: name must be provided`);
  if (name !== path.name) throw badRequest(nameMismatch(name, path.name));
}

function nameMismatch(name: string, inPath: string): string {
  return `the name of the object (${name}) does not match the name on the URL (${inPath})`;
}

const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
  'application/strategic-merge-patch+json',
];

async function patch(state: ServerState, call: ResourceRequest): Promise<void> {
  const { definition, path, query, request } = call;
  const [media] = parseMediaTypes(request.headers['content-type'] ?? '');
  const type = media?.type ?? '';
  const isApply = type === 'application/apply-patch+yaml';
  if (!PATCH_TYPES.includes(type) || (type === 'application/strategic-merge-patch+json' && !definition.builtIn)) {
    // A type that is one, but not for this kind, is refused by name; all others never get so far.
    if (PATCH_TYPES.includes(type)) throw unsupportedMediaType(PATCH_TYPES.slice(0, 3));
    throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  }
  const options = parseWriteOptions(query, 'PatchOptions', isApply);
  const context = contextOf(call, options);
  const shown = view(state, call);
  const bytes = await readBody(request, state.clock.after);
  const name = nameOf(call);
  const kind = writtenKind(definition, path.subresource);
  const scale = path.subresource === 'scale' ? definition.scale : undefined;
  if (isApply) {
    await apply(state, call, { options, context, shown, scale, configuration: parseConfiguration(bytes) });
    return;
  }
  const body = parsePatch(bytes);
  const { object } = await updateObject(
    state,
    {
      definition,
      name,
      ...scaled(scale),
      change(whole) {
        const old = scale === undefined ? whole : scaleOf(scale, whole);
        const patched =
          type === 'application/json-patch+json'
            ? jsonPatched(old, body.value)
            : type === 'application/merge-patch+json'
              ? mergePatched(old, body.value)
              : strategicPatched(kind.schema, old, body.value);
        const next = decodePatched(definition, kind, { value: patched, duplicates: body.duplicates }, decodeOptions(call, options));
        checkName(next, path);
        return scale === undefined ? next : withScale(scale, whole, next);
      },
    },
    context,
  );
  await state.store.durable();
  respond(call, 200, viewWritten(call, shown, object));
}

interface ApplyCall {
  readonly options: WriteOptions;
  readonly context: WriteContext;
  readonly shown: View;
  readonly scale: ScaleMapping | undefined;
  /** As the client sent it: what is not in it is as telling as what is. */
  readonly configuration: JsonObject;
}

/** Server-side apply, which creates where there is nothing yet. */
async function apply(
  state: ServerState,
  call: ResourceRequest,
  { options, context, shown, scale, configuration }: ApplyCall,
): Promise<void> {
  const { definition, path } = call;
  const name = nameOf(call);
  const force = options.force ?? false;
  const sentName = metadataText(configuration, 'name');
  if (sentName !== '' && sentName !== name.name) throw badRequest(nameMismatch(sentName, name.name));
  const { apiVersion = '', kind = '' } = configuration;
  const written = writtenKind(definition, path.subresource);
  if (apiVersion !== formatApiVersion(written.group, written.version) || kind !== written.kind) {
    const { group, version } = parseApiVersion(String(apiVersion));
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${String(kind)}`);
  }
  const decoded = (object: JsonObject): JsonObject =>
    decodeObject(definition, writtenKind(definition, ''), { value: object, duplicates: [] }, decodeOptions(call, options));
  const created = (): JsonObject => {
    const uid = metadataText(configuration, 'uid');
    if (uid !== '') {
      throw conflict(definition, name.name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
    }
    const named = withMetadata(configuration, { name: name.name, resourceVersion: undefined });
    return decoded(applied(state, definition, null, named, force, context));
  };
  const { object, created: isNew } = await updateObject(
    state,
    {
      definition,
      name,
      ownsFields: true,
      ...scaled(scale),
      change: (old) =>
        decoded(
          applied(state, definition, old, scale === undefined ? configuration : replicasOnly(scale, old, configuration), force, context),
        ),
      ...(path.subresource === '' ? { ifMissing: created } : {}),
    },
    context,
  );
  await state.store.durable();
  respond(call, isNew ? 201 : 200, viewWritten(call, shown, object));
}

/** Admission sees the scale where a scale is written. */
function scaled(scale: ScaleMapping | undefined): { readonly shown?: (object: JsonObject) => JsonObject } {
  return scale === undefined ? {} : { shown: (object) => scaleOf(scale, object) };
}

/** What an applied scale says, as a configuration of the whole object. */
function replicasOnly(scale: ScaleMapping, old: JsonObject, configuration: JsonObject): JsonObject {
  const { apiVersion = '', kind = '' } = old;
  const bare = { apiVersion, kind, metadata: { name: metadataText(old, 'name') } };
  return withScale(scale, bare, configuration);
}

function viewWritten({ definition, path }: ResourceRequest, shown: View, object: JsonObject): string {
  const scale = path.subresource === 'scale' ? definition.scale : undefined;
  return scale === undefined ? viewObject(shown, object) : stringifyJson(scaleOf(scale, object));
}

async function remove(state: ServerState, call: ResourceRequest): Promise<void> {
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

async function removeCollection(state: ServerState, call: ResourceRequest): Promise<void> {
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
  respond(call, 200, viewList(shown, { resourceVersion: String(state.store.revision) }, page.items));
}
