import type { Json, JsonObject } from '../../../../engine/object/json.ts';
import type { FieldError } from '../field-error.ts';
import type { PublishedCustomResource } from '../openapi/custom-resource-schemas.ts';
import type { GroupResource, Requester, ServedResource } from '../registry.ts';
import type { ServiceAllocations } from './strategies/service-allocations.ts';

/** A column of a table, as kubectl shows objects. Kubernetes: meta/v1 TableColumnDefinition. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  /** 0 is always shown, others with `-o wide`. */
  readonly priority: number;
}

/** How the objects of a resource become rows. */
export interface TablePrinter {
  readonly columns: readonly TableColumn[];
  /** Name and age only, for want of a printer: then a table without rows has null for them. */
  readonly isGeneric?: boolean;
  /** One cell per column. `now`: milliseconds since the epoch, for ages. */
  cells(object: JsonObject, now: number): readonly Json[];
}

export interface SubresourceDefinition {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** What strategies may know of the server and of the request. */
export interface StrategyContext {
  readonly requester: Requester;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly namespace: string;
  /** Nothing may be reserved outside the object. */
  readonly dryRun: boolean;
  warn(text: string): void;
  /** Objects of built-in resources, for what one kind must know of another. */
  get(resource: GroupResource, namespace: string, name: string): JsonObject | undefined;
  list(resource: GroupResource, namespace: string): Iterable<JsonObject>;
  randomText(length: number): string;
  /** What services hold, of all namespaces. */
  readonly services: ServiceAllocations;
}

/**
 * What makes a kind different from others: its defaults, what it takes over from the old object, what it refuses. Everything is
 * optional; objects are never changed in place. Kubernetes: pkg/registry/<group>/<kind>/strategy.go and pkg/apis/<group>/<version>/defaults.go.
 */
export interface Strategy {
  /** What is wrong with a name; `prefix` when a generated suffix will follow. Default: a DNS subdomain. */
  nameErrors?(name: string, prefix: boolean): readonly string[];
  /** Fills in defaults; runs on everything that clients send. */
  defaults?(object: JsonObject): JsonObject;
  /** What a new object's status is, whatever a client sends; `kept` where clients may send one. Default: `{}`, none for custom resources. */
  readonly initialStatus?: JsonObject | 'kept';
  /** What an object without content already holds: nobody owns that. Default: nothing. */
  readonly emptyObject?: JsonObject;
  prepareForCreate?(object: JsonObject, context: StrategyContext): JsonObject;
  validate?(object: JsonObject, context: StrategyContext): readonly FieldError[];
  prepareForUpdate?(object: JsonObject, old: JsonObject, context: StrategyContext): JsonObject;
  validateUpdate?(object: JsonObject, old: JsonObject, context: StrategyContext): readonly FieldError[];
  prepareForStatusUpdate?(object: JsonObject, old: JsonObject, context: StrategyContext): JsonObject;
  validateStatusUpdate?(object: JsonObject, old: JsonObject, context: StrategyContext): readonly FieldError[];
  /** An update of the status leaves labels, annotations, owners and finalizers as they are; true of all custom resources. Default: false. */
  readonly statusKeepsMetadata?: boolean;
  /** Fields beside the status that an update of the status leaves as they are. Default: the spec. */
  readonly keptByStatus?: readonly (readonly string[])[];
  /** What an update of another subresource takes over from what is sent: `finalize`, `approval`, `ephemeralcontainers`, ... */
  readonly prepareForSubresource?: {
    readonly [subresource: string]: (object: JsonObject, old: JsonObject, context: StrategyContext) => JsonObject;
  };
  /** Whether `metadata.generation` counts changes of the spec. `all`: of everything but metadata and status. Default: `none`. */
  readonly generation?: 'none' | 'spec' | 'all';
  /** A PUT to a name that does not exist creates it. Default: false. */
  readonly createOnUpdate?: boolean;
  /** A PUT without resourceVersion replaces whatever is there. Default: true. */
  readonly unconditionalUpdate?: boolean;
  /** Seconds between the wish to delete and the end, undefined for an immediate end. */
  gracePeriod?(object: JsonObject, requested: number | undefined): number | undefined;
  /** DELETE answers the object instead of a Status. */
  readonly returnsDeleted?: boolean;
  /** What becomes of dependents where a deletion does not say; `Unsupported` where it may not say. Default: `Background`. */
  readonly dependents?: 'Background' | 'Orphan' | 'Unsupported';
  /** Finalizers that the first wish to delete adds. */
  readonly deletionFinalizers?: readonly string[];
  /** Whether something in the object itself keeps it from going, as `spec.finalizers` does with namespaces. */
  holdsDeletion?(object: JsonObject): boolean;
  /** What more changes when an object is marked as being deleted. */
  markDeleted?(object: JsonObject): JsonObject;
  /** Returns what the object holds outside itself (addresses, ports). */
  afterDelete?(object: JsonObject): void;
}

/** How `scale` reads and writes an object. */
export interface ScaleMapping {
  /** JSON paths with dots, as CustomResourceDefinitions have them: `.spec.replicas`. */
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  /** What has no replicas yet has no scale. Default: it has one of 0. */
  readonly needsReplicas?: boolean;
  /** Answers the selector in the form of `kubectl -l`. */
  selector(object: JsonObject): string;
}

/** A resource in one version, and everything the server must know to serve it. */
export interface ResourceDefinition extends ServedResource {
  readonly subresourceDefinitions: readonly SubresourceDefinition[];
  /** Where its objects are stored; versions of one resource share it. */
  readonly storedIn: GroupResource;
  /** Between this version and the stored one; absent where only `apiVersion` differs. */
  readonly conversion?: {
    fromStored(object: JsonObject): JsonObject;
    toStored(object: JsonObject): JsonObject;
  };
  /** `apiVersion` of stored objects. */
  readonly storedApiVersion: string;
  readonly strategy: Strategy;
  readonly printer: TablePrinter;
  /** Fields beyond metadata.name and metadata.namespace that selectors may name, and their values. */
  readonly selectableFields: ReadonlyMap<string, (object: JsonObject) => string>;
  readonly scale?: ScaleMapping;
  /** What OpenAPI publishes of a custom resource. */
  readonly published?: PublishedCustomResource;
  /** Told to every client of this version. */
  readonly deprecationWarning?: string;
  /**
   * What becomes of fields that the schema does not have, told as paths: for built-in kinds they are dropped. Custom resources prune
   * by themselves. Absent: everything is kept.
   */
  prune?(object: JsonObject): { readonly object: JsonObject; readonly unknown: readonly string[] };
}
