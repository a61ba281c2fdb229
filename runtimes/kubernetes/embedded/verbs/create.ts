import { isJsonObject, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { metadataText } from '../../../../engine/object/metadata.ts';
import { formatTime } from '../../../../engine/object/time.ts';
import { fromStored, toStored } from '../kinds/conversion.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import { pathSegmentErrors } from '../kinds/names.ts';
import type { ServerState } from '../server-state.ts';
import { alreadyExists, badRequest, forbidden, generatedNameExists, invalid, notFound, StatusError } from '../status-error.ts';
import { objectKey } from '../storage/object-store.ts';
import { trackManager } from './field-ownership.ts';
import { withField } from './object-fields.ts';
import { isBeingDeleted, standardFinalizerErrors, validateMetadata, withMetadata } from './object-metadata.ts';
import { dedupOwnerReferences } from './owner-references.ts';
import { storedGroup, strategyContext, type WriteContext, writtenKind } from './write-context.ts';

/** Tries of a generated name before giving up. */
const NAME_ATTEMPTS = 8;
const GENERATED_LENGTH = 5;
/** A generated name must fit where a label must. */
const LONGEST_PREFIX = 63 - GENERATED_LENGTH;

/**
 * Creates an object from what a client sent. Kubernetes: apiserver pkg/endpoints/handlers/create.go, pkg/registry/rest/create.go.
 */
export async function createObject(
  state: ServerState,
  definition: ResourceDefinition,
  namespace: string,
  sent: JsonObject,
  context: WriteContext,
  /** The ownership of fields is settled already: server-side apply does it itself. */
  ownsFields = false,
): Promise<JsonObject> {
  const { strategy } = definition;
  let object = withNamespace(definition, namespace, sent);
  object = withMetadata(object, {
    uid: undefined,
    creationTimestamp: undefined,
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
    selfLink: undefined,
  });
  const version = metadataText(object, 'resourceVersion');
  // From Kubernetes' storage, where nobody has given it a reason or a code of its own.
  if (version !== '' && version !== '0')
    throw new StatusError(500, undefined, 'resourceVersion should not be set on objects to be created');
  const generated = metadataText(object, 'name') === '' && metadataText(object, 'generateName') !== '';
  checkNamespaceAccepts(state, definition, namespace, metadataText(object, 'name'));
  object = dedupOwnerReferences(strategy.defaults?.(object) ?? object, context.warn);
  object = withMetadata(object, { uid: state.uuid(), creationTimestamp: formatTime(state.clock.now()) });
  if (!ownsFields) object = trackManager(state, definition, null, object, context);

  for (let attempt = 1; ; attempt++) {
    let named = object;
    if (generated) {
      const prefix = metadataText(object, 'generateName').slice(0, LONGEST_PREFIX);
      named = withMetadata(object, { name: prefix + state.randomText(GENERATED_LENGTH) });
    }
    const created = await createNamed(state, definition, namespace, named, generated, context);
    if (created !== undefined) return created;
    const name = metadataText(named, 'name');
    if (!generated) throw alreadyExistsNow(state, definition, namespace, name);
    if (attempt === NAME_ATTEMPTS) throw generatedNameExists(definition, name);
  }
}

/** Undefined where the name is taken. */
async function createNamed(
  state: ServerState,
  definition: ResourceDefinition,
  namespace: string,
  named: JsonObject,
  generated: boolean,
  context: WriteContext,
): Promise<JsonObject | undefined> {
  const { strategy } = definition;
  const attributes = {
    operation: 'CREATE' as const,
    type: definition,
    subresource: context.subresource,
    kind: writtenKind(definition, context.subresource),
    namespace: definition.resource === 'namespaces' && definition.group === '' ? metadataText(named, 'name') : namespace,
    name: generated ? '' : metadataText(named, 'name'),
    old: null,
    requester: context.requester,
    options: context.options,
    dryRun: context.dryRun,
    warn: context.warn,
  };
  let object = named;
  const mutated = (await state.admission.mutate({ ...attributes, object })) ?? object;
  if (mutated !== object) object = strategy.defaults?.(mutated) ?? mutated;

  const inside = strategyContext(state, namespace, context);
  object = withInitialStatus(definition, object);
  object = strategy.prepareForCreate?.(object, inside) ?? object;
  if (strategy.generation !== undefined && strategy.generation !== 'none') object = withMetadata(object, { generation: 1 });
  const name = metadataText(object, 'name');
  const errors = [...(strategy.validate?.(object, inside) ?? [])];
  if (errors.length === 0) errors.push(...validateMetadata(object, definition.namespaced, strategy.nameErrors ?? pathSegmentErrors));
  errors.push(...standardFinalizerErrors(definition, object));
  if (errors.length > 0) throw invalid(storedGroup(definition), definition.kind, name, errors);
  await state.admission.validate({ ...attributes, name, object });

  const stored = toStored(definition, object);
  const key = objectKey(namespace, name);
  if (context.dryRun) return state.store.get(definition.storedIn, key) === undefined ? object : undefined;
  const written = state.store.put(definition.storedIn, namespace, name, stored, 0);
  return written && fromStored(definition, written.object);
}

/** What happens to an object is for controllers to say, and not for who creates it. */
function withInitialStatus({ subresources, builtIn, strategy }: ResourceDefinition, object: JsonObject): JsonObject {
  if (!subresources.includes('status') || strategy.initialStatus === 'kept') return object;
  return withField(object, 'status', strategy.initialStatus ?? (builtIn ? {} : undefined));
}

function alreadyExistsNow(state: ServerState, definition: ResourceDefinition, namespace: string, name: string): StatusError {
  const error = alreadyExists(definition, name);
  const there = state.store.get(definition.storedIn, objectKey(namespace, name));
  if (there === undefined || !isBeingDeleted(there.object)) return error;
  return new StatusError(error.code, error.reason, `object is being deleted: ${error.message}`, error.details);
}

/** Sets the namespace of the request, which an object may repeat but not contradict. */
export function withNamespace(definition: ResourceDefinition, namespace: string, object: JsonObject): JsonObject {
  const own = metadataText(object, 'namespace');
  if (!definition.namespaced) return own === '' ? object : withMetadata(object, { namespace: undefined });
  if (own === namespace) return object;
  if (own !== '') throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return withMetadata(object, { namespace });
}

/** Nothing new comes into a namespace that is not there or on its way out. Kubernetes: admission plugin NamespaceLifecycle. */
function checkNamespaceAccepts(state: ServerState, definition: ResourceDefinition, namespace: string, name: string): void {
  if (!definition.namespaced) return;
  const stored = state.store.get('/namespaces', namespace);
  if (stored === undefined) throw notFound({ group: '', resource: 'namespaces' }, namespace);
  const status = ownValue(stored.object, 'status');
  const terminating = isBeingDeleted(stored.object) || (isJsonObject(status) && status['phase'] === 'Terminating');
  if (!terminating) return;
  throw forbidden(definition, name, `unable to create new content in namespace ${namespace} because it is being terminated`, [
    { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
  ]);
}
