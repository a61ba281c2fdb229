import type { JsonObject } from '../../../../engine/object/json.ts';
import { metadataText } from '../../../../engine/object/metadata.ts';
import { formatApiVersion } from '../../../../engine/object/type-table.ts';
import type { ObjectName, ResourceType } from '../../client.ts';
import { fromStored } from '../kinds/conversion.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { ObjectEvent, Registry, RegistryWrite, ServedResource } from '../registry.ts';
import { SERVER_REQUESTER, type ServerState } from '../server-state.ts';
import { noSuchPath, StatusError } from '../status-error.ts';
import { objectKey } from '../storage/object-store.ts';
import { createObject } from './create.ts';
import { deleteObject } from './delete.ts';
import { updateObject } from './update.ts';
import type { WriteContext } from './write-context.ts';

/** The objects of one server from inside the process. */
export class ObjectRegistry implements Registry {
  readonly #state: ServerState;

  constructor(state: ServerState) {
    this.#state = state;
  }

  resources(): Iterable<ServedResource> {
    return this.#state.catalog.all();
  }

  find(group: string, version: string, resource: string): ServedResource | undefined {
    return this.#state.catalog.find(group, version, resource);
  }

  ofKind(apiVersion: string, kind: string): ServedResource | undefined {
    return this.#state.catalog.ofKind(apiVersion, kind);
  }

  get(type: ResourceType, { namespace = '', name }: ObjectName): JsonObject | undefined {
    const definition = this.#definition(type);
    const stored = this.#state.store.get(definition.storedIn, objectKey(definition.namespaced ? namespace : '', name));
    return stored && fromStored(definition, stored.object);
  }

  list(type: ResourceType, namespace?: string): readonly JsonObject[] {
    const definition = this.#definition(type);
    const prefix = namespace === undefined || namespace === '' || !definition.namespaced ? '' : `${namespace}/`;
    const objects: JsonObject[] = [];
    for (const { object } of this.#state.store.collection(definition.storedIn).range(prefix)) objects.push(fromStored(definition, object));
    return objects;
  }

  subscribe(listener: (event: ObjectEvent) => void): () => void {
    const { store, log } = this.#state;
    return store.subscribe(({ type, resource, current, previous, revision }) => {
      const event: ObjectEvent = {
        type,
        resource,
        object: current.object,
        resourceVersion: String(revision),
        ...(previous === undefined ? {} : { previous: previous.object }),
      };
      try {
        listener(event);
      } catch (error) {
        // What is stored is stored: whoever wrote it is not to blame.
        log('error', 'a listener failed', { resource, error: error instanceof Error ? error.name : typeof error });
      }
    });
  }

  create(type: ResourceType, object: JsonObject, options: RegistryWrite = {}): Promise<JsonObject> {
    const definition = this.#definition(type);
    return createObject(
      this.#state,
      definition,
      metadataText(object, 'namespace'),
      typed(definition, object),
      contextOf('CreateOptions', options),
    );
  }

  async update(type: ResourceType, object: JsonObject, options: RegistryWrite = {}): Promise<JsonObject> {
    const definition = this.#definition(type);
    const name = { namespace: metadataText(object, 'namespace'), name: metadataText(object, 'name') };
    const change = (): JsonObject => typed(definition, object);
    return (await updateObject(this.#state, { definition, name, change }, contextOf('UpdateOptions', options))).object;
  }

  async modify(
    type: ResourceType,
    name: ObjectName,
    change: (object: JsonObject) => JsonObject | undefined,
    options: RegistryWrite = {},
  ): Promise<JsonObject | undefined> {
    const definition = this.#definition(type);
    for (let attempt = 1; ; attempt++) {
      const old = this.get(type, name);
      if (old === undefined) return undefined;
      const next = change(old);
      if (next === undefined || next === old) return old;
      try {
        return (await updateObject(this.#state, { definition, name, change: () => next }, contextOf('UpdateOptions', options))).object;
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        if (error.code === 404) return undefined;
        if (error.reason !== 'Conflict' || attempt === MODIFY_ATTEMPTS) throw error;
      }
    }
  }

  async delete(type: ResourceType, name: ObjectName, options: Parameters<Registry['delete']>[2] = {}): Promise<JsonObject | undefined> {
    const { preconditions, propagationPolicy, gracePeriodSeconds } = options;
    const wish = {
      ...(preconditions === undefined ? {} : { preconditions }),
      ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    };
    try {
      return (await deleteObject(this.#state, this.#definition(type), name, wish, contextOf('DeleteOptions', options, wish))).object;
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return undefined;
      throw error;
    }
  }

  #definition({ group, version, resource }: ResourceType): ResourceDefinition {
    const definition = this.#state.catalog.find(group, version, resource);
    if (definition === undefined) throw noSuchPath();
    return definition;
  }
}

const MODIFY_ATTEMPTS = 20;

function typed({ group, version, kind }: ResourceDefinition, object: JsonObject): JsonObject {
  return { ...object, apiVersion: formatApiVersion(group, version), kind };
}

function contextOf(kind: string, options: RegistryWrite, more: JsonObject = {}): WriteContext {
  const { requester = SERVER_REQUESTER, dryRun = false, subresource = '', fieldManager = 'fairlead' } = options;
  return {
    requester,
    dryRun,
    subresource,
    fieldManager,
    options: { ...more, kind, apiVersion: 'meta.k8s.io/v1', ...(dryRun ? { dryRun: ['All'] } : {}) },
    warn: () => {},
  };
}
