import type { JsonObject } from '../../../engine/object/json.ts';
import type { MapSchema } from '../../../engine/object/schema.ts';
import type { ObjectName, ResourceType } from '../client.ts';

/** A resource as the embedded server serves it. */
export interface ServedResource extends ResourceType {
  readonly singular: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Undefined where the kind has no schema. */
  readonly schema: MapSchema | undefined;
  /** One of Kubernetes' own kinds, and not a custom resource. */
  readonly builtIn: boolean;
}

/** `apps/deployments`, `/pods`: a resource in all its versions. One object is stored once, whatever versions it is served in. */
export type GroupResource = string;

/** A change in the order in which the server made it. */
export interface ObjectEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: GroupResource;
  readonly object: JsonObject;
  /** Before the change; absent for ADDED. */
  readonly previous?: JsonObject;
  /** Of the change. Counts up over all resources, as etcd's revision does. */
  readonly resourceVersion: string;
}

/** Who writes. */
export interface Requester {
  readonly username: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Options of the verbs that write, as queries have them. */
export interface RegistryWrite {
  /** Default: the server itself, which may do everything. */
  readonly requester?: Requester;
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  /** `status`, `scale`, `finalize`, ... */
  readonly subresource?: string;
}

/**
 * The objects of the embedded server, from inside the process: what an HTTP request does after routing and authorization, with
 * the same defaulting, validation, admission, ownership of fields, and events. The simulation, the garbage collector and
 * admission work by it. Verbs throw a `StatusError` where HTTP would answer with that Status. Objects are never changed in place.
 */
export interface Registry {
  /** Everything that is served now, custom resources included. */
  resources(): Iterable<ServedResource>;
  find(group: string, version: string, resource: string): ServedResource | undefined;
  /** The resource of a kind, for references such as ownerReferences. */
  ofKind(apiVersion: string, kind: string): ServedResource | undefined;

  get(type: ResourceType, name: ObjectName): JsonObject | undefined;
  /** In the order of names. */
  list(type: ResourceType, namespace?: string): readonly JsonObject[];
  /** Calls back on every change from now on, in order and synchronously after it is stored; never throw from it, and write only later. */
  subscribe(listener: (event: ObjectEvent) => void): () => void;

  create(type: ResourceType, object: JsonObject, options?: RegistryWrite): Promise<JsonObject>;
  update(type: ResourceType, object: JsonObject, options?: RegistryWrite): Promise<JsonObject>;
  /** Reads, changes and updates, again when another write came between. `change` answers undefined to leave the object alone. */
  modify(
    type: ResourceType,
    name: ObjectName,
    change: (object: JsonObject) => JsonObject | undefined,
    options?: RegistryWrite,
  ): Promise<JsonObject | undefined>;
  /** Undefined where there is none. An object with finalizers is marked and stays. */
  delete(
    type: ResourceType,
    name: ObjectName,
    options?: RegistryWrite & {
      readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
      readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
      readonly gracePeriodSeconds?: number;
    },
  ): Promise<JsonObject | undefined>;
}
