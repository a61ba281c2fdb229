import { goQuote } from '../../../../engine/cel/go-quote.ts';
import { type JsonObject, jsonEqual, ownValue } from '../../../../engine/object/json.ts';
import { metadataOf, metadataText } from '../../../../engine/object/metadata.ts';
import { unlessOnlyTimes } from '../../../../engine/object/server-side-apply.ts';
import type { ObjectName } from '../../client.ts';
import { authorizeResource } from '../authorization/authorize-request.ts';
import type { FieldError } from '../field-error.ts';
import { fromStored, toStored } from '../kinds/conversion.ts';
import type { ResourceDefinition, StrategyContext } from '../kinds/definition.ts';
import { pathSegmentErrors } from '../kinds/names.ts';
import type { ServerState } from '../server-state.ts';
import { conflict, invalid, notFound, outdated, StatusError } from '../status-error.ts';
import { objectKey } from '../storage/object-store.ts';
import { createObject, withNamespace } from './create.ts';
import { trackManager } from './field-ownership.ts';
import { withField } from './object-fields.ts';
import {
  finalizersOf,
  isBeingDeleted,
  standardFinalizerErrors,
  validateMetadata,
  validateMetadataUpdate,
  withMetadata,
} from './object-metadata.ts';
import { dedupOwnerReferences } from './owner-references.ts';
import { storedGroup, strategyContext, type WriteContext, writtenKind } from './write-context.ts';

/** Times that a write without a version is tried again on what another write left. */
const ATTEMPTS = 10;

export interface UpdateResult {
  readonly object: JsonObject;
  readonly created: boolean;
}

export interface UpdateRequest {
  readonly definition: ResourceDefinition;
  readonly name: ObjectName;
  /** The new object from the present one, in the version of the request. May run several times. */
  readonly change: (old: JsonObject) => JsonObject | Promise<JsonObject>;
  /** The ownership of fields is settled already: server-side apply does it itself. */
  readonly ownsFields?: boolean;
  /** The whole object comes from a client, and its UID says which object is meant. */
  readonly replaces?: boolean;
  /** The object to create where there is none, for kinds that allow it and for apply. */
  readonly ifMissing?: () => JsonObject;
  /** Reports a subresource's own object to admission instead of the whole: `scale`. */
  readonly shown?: (object: JsonObject) => JsonObject;
}

/** Whoever may change what is there may not make it thereby. Kubernetes: apiserver pkg/endpoints/handlers/create.go withAuthorization. */
function mayCreate(state: ServerState, type: ResourceDefinition, { namespace, name }: ObjectName, context: WriteContext): Promise<void> {
  return authorizeResource(state, context.requester, { ...type, subresource: '', namespace: namespace ?? '', name }, 'create', '');
}

/**
 * Changes an object in one compare-and-swap, again where another write came between and the request names no version.
 * Kubernetes: apiserver pkg/registry/generic/registry/store.go Update, pkg/registry/rest/update.go.
 */
export async function updateObject(state: ServerState, request: UpdateRequest, context: WriteContext): Promise<UpdateResult> {
  const { definition, name } = request;
  const namespace = name.namespace ?? '';
  const key = objectKey(namespace, name.name);
  for (let attempt = 1; ; attempt++) {
    const stored = state.store.get(definition.storedIn, key);
    if (stored === undefined) {
      if (request.ifMissing === undefined) throw notFound(definition, name.name);
      const object = request.ifMissing();
      await mayCreate(state, definition, name, context);
      const created = await createObject(state, definition, namespace, object, context, request.ownsFields);
      return { object: created, created: true };
    }
    const old = fromStored(definition, stored.object);
    const next = await nextObject(state, request, old, context);
    if (next === undefined) return { object: old, created: false };
    if (context.dryRun) return { object: next, created: false };
    const ends = finalizersOf(next).length === 0 && isBeingDeleted(old) && !metadataOf(old)['deletionGracePeriodSeconds'];
    const held = ends && definition.strategy.holdsDeletion?.(next) === true;
    if (ends && !held) {
      const removed = state.store.remove(definition.storedIn, key, stored.object, stored.revision);
      if (removed !== undefined) {
        definition.strategy.afterDelete?.(removed.object);
        return { object: next, created: false };
      }
    } else {
      const written = state.store.put(definition.storedIn, namespace, name.name, toStored(definition, next), stored.revision);
      if (written !== undefined) return { object: fromStored(definition, written.object), created: false };
    }
    if (attempt === ATTEMPTS) throw outdated(definition, name.name);
  }
}

/** The object to store, undefined where nothing changes. */
async function nextObject(
  state: ServerState,
  request: UpdateRequest,
  old: JsonObject,
  context: WriteContext,
): Promise<JsonObject | undefined> {
  const { definition, name, shown = (object: JsonObject) => object } = request;
  const { strategy } = definition;
  const namespace = name.namespace ?? '';
  const oldMetadata = metadataOf(old);
  let object = withNamespace(definition, namespace, await request.change(old));
  object = checkIdentity(request, object, old);
  object = dedupOwnerReferences(strategy.defaults?.(object) ?? object, context.warn);
  if (request.ownsFields !== true) object = trackManager(state, definition, old, object, context);

  const attributes = {
    operation: 'UPDATE' as const,
    type: definition,
    subresource: context.subresource,
    kind: writtenKind(definition, context.subresource),
    namespace: definition.resource === 'namespaces' && definition.group === '' ? name.name : namespace,
    name: name.name,
    old: shown(old),
    requester: context.requester,
    options: context.options,
    dryRun: context.dryRun,
    warn: context.warn,
  };
  const offered = shown(object);
  const mutated = await state.admission.mutate({ ...attributes, object: offered });
  // What a mutation does to a scale is not written back into the whole object.
  if (mutated !== null && mutated !== offered && request.shown === undefined) object = strategy.defaults?.(mutated) ?? mutated;

  object = withMetadata(object, {
    generation: oldMetadata['generation'],
    uid: metadataOf(object)['uid'] ?? oldMetadata['uid'],
    creationTimestamp: oldMetadata['creationTimestamp'] ?? metadataOf(object)['creationTimestamp'],
    selfLink: undefined,
    deletionTimestamp: oldMetadata['deletionTimestamp'] ?? metadataOf(object)['deletionTimestamp'],
    deletionGracePeriodSeconds: metadataOf(object)['deletionGracePeriodSeconds'] ?? oldMetadata['deletionGracePeriodSeconds'],
  });
  const inside = strategyContext(state, namespace, context);
  object = takeOver(definition, context.subresource, object, old, inside);
  const errors = validateUpdate(definition, object, old, inside, context.subresource);
  if (errors.length > 0) throw invalid(storedGroup(definition), definition.kind, name.name, errors);
  await state.admission.validate({ ...attributes, object: shown(object) });
  const changed = unlessOnlyTimes(old, object);
  return changed === old ? undefined : changed;
}

/** Which object is meant, and in which version. */
function checkIdentity(
  { definition, name: { namespace = '', name }, replaces }: UpdateRequest,
  object: JsonObject,
  old: JsonObject,
): JsonObject {
  const uid = metadataText(object, 'uid');
  const oldUid = metadataText(old, 'uid');
  if (replaces === true && uid !== '' && uid !== oldUid) {
    const key = `/registry/${definition.storedIn.replace(/^\//, '')}/${objectKey(namespace, name)}`;
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${oldUid}`;
    throw conflict(definition, name, `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`);
  }
  const version = metadataText(object, 'resourceVersion');
  const oldVersion = metadataText(old, 'resourceVersion');
  if (version === '' || version === '0') {
    if (definition.strategy.unconditionalUpdate === false) {
      const error: FieldError = {
        type: 'FieldValueInvalid',
        field: 'metadata.resourceVersion',
        body: 'Invalid value: 0: must be specified for an update',
      };
      throw invalid(definition.group, definition.resource, name, [error]);
    }
    return withMetadata(object, { resourceVersion: oldVersion });
  }
  if (!/^[0-9]{1,19}$/.test(version))
    throw new StatusError(500, undefined, `strconv.ParseUint: parsing ${goQuote(version)}: invalid syntax`);
  if (version !== oldVersion) throw outdated(definition, name);
  return object;
}

/** What of a sent object may change the old one, which depends on the subresource that it was sent to. */
function takeOver(
  definition: ResourceDefinition,
  subresource: string,
  sent: JsonObject,
  old: JsonObject,
  context: StrategyContext,
): JsonObject {
  if (subresource === 'status') return statusUpdate(definition, sent, old, context);
  const own = definition.strategy.prepareForSubresource;
  const prepare = own !== undefined && Object.hasOwn(own, subresource) ? own[subresource] : undefined;
  return prepare === undefined ? mainUpdate(definition, sent, old, context) : prepare(sent, old, context);
}

function mainUpdate(definition: ResourceDefinition, sent: JsonObject, old: JsonObject, context: StrategyContext): JsonObject {
  const { strategy } = definition;
  let object = sent;
  if (definition.subresources.includes('status')) object = withField(object, 'status', old['status']);
  object = strategy.prepareForUpdate?.(object, old, context) ?? object;
  const { generation = 'none' } = strategy;
  const changed =
    generation === 'spec' ? !jsonEqual(object['spec'], old['spec']) : generation === 'all' && !equalContent(definition, object, old);
  const before = ownValue(metadataOf(old), 'generation');
  if (changed) object = withMetadata(object, { generation: (typeof before === 'number' ? before : 0) + 1 });
  return object;
}

/** Equality of everything that counts for the generation of a custom resource. */
function equalContent(definition: ResourceDefinition, a: JsonObject, b: JsonObject): boolean {
  const ignored = { metadata: null, ...(definition.subresources.includes('status') ? { status: null } : {}) };
  return jsonEqual({ ...a, ...ignored }, { ...b, ...ignored });
}

/** Everything but the status, and what of the metadata may come with it, stays as it was. */
function statusUpdate(definition: ResourceDefinition, sent: JsonObject, old: JsonObject, context: StrategyContext): JsonObject {
  const { strategy } = definition;
  if (strategy.prepareForStatusUpdate !== undefined) return strategy.prepareForStatusUpdate(sent, old, context);
  const takesMetadata = definition.builtIn && strategy.statusKeepsMetadata !== true;
  const metadata = takesMetadata ? metadataOf(sent) : { ...metadataOf(old), managedFields: metadataOf(sent)['managedFields'] };
  return withField(withMetadata(old, metadata), 'status', sent['status']);
}

function validateUpdate(
  definition: ResourceDefinition,
  object: JsonObject,
  old: JsonObject,
  context: StrategyContext,
  subresource: string,
): readonly FieldError[] {
  const { strategy } = definition;
  const isWhole = subresource === '' || subresource === 'scale';
  const validation = subresource === 'status' ? strategy.validateStatusUpdate : isWhole ? strategy.validateUpdate : undefined;
  const errors = [
    ...validateMetadata(object, definition.namespaced, pathSegmentErrors),
    ...validateMetadataUpdate(object, old),
    ...standardFinalizerErrors(definition, object),
    ...(validation?.call(strategy, object, old, context) ?? []),
  ];
  // Labels and owners are looked at by the generic and by the kind's own validation alike.
  const seen = new Set<string>();
  return errors.filter(({ field, body }) => !seen.has(`${field}: ${body}`) && seen.add(`${field}: ${body}`));
}
