import type { JsonObject } from '../../engine/object/json.ts';

/** Any request, for what the verbs do not cover. */
export interface ApiRequest {
  /** Default: GET. */
  readonly method?: string;
  /** `/api/v1/namespaces/x/pods`, with its query if it has one. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default: `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds; default: the client's. */
  readonly timeout?: number;
  /** Whether to wait and ask again where the server is too busy (429); default: true, except for evictions, where it means something else. */
  readonly retry?: boolean;
}

/** An answer with a 2xx status. */
export interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
  /** Of the body as it came. */
  readonly bytes: number;
  /** Texts of the `Warning` headers. */
  readonly warnings: readonly string[];
}

/** A resource as a server serves it: what URLs and verbs need to know. */
export interface ResourceType {
  /** `` for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural, as in URLs: `deployments`. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** `get`, `list`, `watch`, `patch`, ... */
  readonly verbs: readonly string[];
  /** `status`, `scale`, ... */
  readonly subresources: readonly string[];
  /** `deploy`, ...; absent where the server names none. */
  readonly shortNames?: readonly string[];
}

/** Where one object of a known resource is. */
export interface ObjectName {
  /** Absent for cluster-scoped resources. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

export interface WriteOptions extends RequestOptions {
  readonly fieldManager?: string;
  /** The server checks and answers, and keeps nothing. */
  readonly dryRun?: boolean;
  /** What becomes of unknown and duplicate fields; the server's default is `Warn`. */
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
  /** `status`, `scale`, `binding`, ... */
  readonly subresource?: string;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Takes fields over from other managers instead of answering with a conflict. */
  readonly force?: boolean;
}

export interface DeleteOptions extends RequestOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: boolean;
}

export interface ListOptions extends RequestOptions {
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  /** Objects per page; 0 asks for all at once. Default: 500. */
  readonly limit?: number;
  /** What is kept of each object, applied page by page. Default: all of it. */
  readonly project?: (object: JsonObject) => JsonObject;
  /** More objects than this are refused. Default: 1 000 000. */
  readonly maxObjects?: number;
  /** As {@link ApiRequest.retry}. */
  readonly retry?: boolean;
}

export interface ObjectList {
  /** With `apiVersion` and `kind` set, as a GET would answer them. */
  readonly items: readonly JsonObject[];
  readonly resourceVersion: string;
}

export type PatchType = 'json' | 'merge' | 'strategic';

export interface WatchOptions extends RequestOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'NotOlderThan';
  readonly sendInitialEvents?: boolean;
  readonly allowBookmarks?: boolean;
  readonly timeoutSeconds?: number;
  /** Milliseconds without a byte after which the stream counts as dead. Default: 80 000 with bookmarks, else none but the server's end. */
  readonly idleTimeout?: number;
  /** Makes an event of a line as it came, which must not be kept; throws where it is none. Default: all of it, as JSON. */
  readonly decode?: (line: Buffer) => WatchEvent;
  /** Called once the server has accepted the watch, which may be long before its first event. */
  readonly onOpen?: () => void;
}

/** An event of a watch. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  /** A Status where the type is ERROR. */
  readonly object: JsonObject;
}

/**
 * The verbs of one resource. All of them reject with an `ApiError` where the server says no and with another Error where it is
 * not reached; {@link get} and {@link delete} answer null where there is no such object.
 */
export interface ResourceClient {
  readonly type: ResourceType;
  get(name: ObjectName, options?: RequestOptions & { readonly subresource?: string }): Promise<JsonObject | null>;
  /** Pages through; a token that expires on the way leads to one unpaged list. */
  list(options?: ListOptions): Promise<ObjectList>;
  /** The events in their order. Ends when the server ends the stream; throws when it breaks. Leaving the loop closes it. */
  watch(options?: WatchOptions): AsyncIterable<WatchEvent>;
  create(object: JsonObject, options?: WriteOptions): Promise<JsonObject>;
  /** Replaces; with `metadata.resourceVersion` only that version. */
  update(object: JsonObject, options?: WriteOptions): Promise<JsonObject>;
  patch(name: ObjectName, type: PatchType, body: unknown, options?: WriteOptions): Promise<JsonObject>;
  /** Server-side apply of an object with `apiVersion`, `kind` and `metadata.name`. */
  apply(object: JsonObject, options: ApplyOptions): Promise<JsonObject>;
  /** The object as it was when it was deleted, or as it is while finalizers hold it; or the server's Status. */
  delete(name: ObjectName, options?: DeleteOptions): Promise<JsonObject | null>;
  /** Deletes all objects of a query. */
  deleteCollection(options: DeleteOptions & Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>): Promise<void>;
  /** Posts to a subresource of an object that takes requests: `binding`, `eviction`, `token`. */
  post(name: ObjectName, subresource: string, body: JsonObject, options?: WriteOptions): Promise<JsonObject>;
}

/** What a server serves; asked when first needed and remembered for a while. */
export interface ResourceDiscovery {
  /** The resource whose objects are of a kind; null where the server does not serve it. */
  resourceOf(apiVersion: string, kind: string, options?: RequestOptions): Promise<ResourceType | null>;
  /** What is known without asking; undefined where the server must be asked. */
  known(apiVersion: string, kind: string): ResourceType | null | undefined;
  /** Everything the server serves in preferred versions. */
  all(options?: RequestOptions): Promise<readonly ResourceType[]>;
  /** Forgets what is known, all of it or of one group: after a CustomResourceDefinition has come or gone. */
  invalidate(group?: string): void;
}

/** A connection to one API server. */
export interface KubernetesClient {
  /** `https://host:port`, for messages. */
  readonly server: string;
  readonly discovery: ResourceDiscovery;
  /** Any request; for what the verbs below do not cover. */
  request(request: ApiRequest): Promise<ApiResponse>;
  resource(type: ResourceType): ResourceClient;
  close(): void;
}
