import type { JsonObject } from '../../engine/object/json.ts';
import { metadataOf } from '../../engine/object/metadata.ts';
import { ApiError } from '../kubernetes/api-error.ts';
import type {
  ApplyOptions,
  DeleteOptions,
  KubernetesClient,
  ObjectName,
  PatchType,
  ResourceClient,
  WriteOptions,
} from '../kubernetes/client.ts';

export type WriteVerb = 'create' | 'apply' | 'patch' | 'delete';

/** A kind that the server does not serve, for now. */
export class UnknownKind extends Error {
  override readonly name = 'UnknownKind';
  readonly apiVersion: string;
  readonly kind: string;
  constructor(apiVersion: string, kind: string) {
    super(`the server does not know ${kind} in ${apiVersion}; install its CustomResourceDefinition, the controller goes on by itself then`);
    this.apiVersion = apiVersion;
    this.kind = kind;
  }
}

/** Thrown instead of a write that must not happen: another controller leads, or this one stops. */
export class WritingStopped extends Error {
  override readonly name = 'WritingStopped';
}

/**
 * All effects on the cluster, by kind instead of by resource. What is written goes through here and nowhere else: here it is counted,
 * and here it ends when another controller leads.
 */
export interface Writer {
  /** Null where there is no such object. */
  get(apiVersion: string, kind: string, name: ObjectName): Promise<JsonObject | null>;
  create(object: JsonObject, options?: WriteOptions): Promise<JsonObject>;
  apply(object: JsonObject, options: ApplyOptions): Promise<JsonObject>;
  patch(apiVersion: string, kind: string, name: ObjectName, type: PatchType, body: unknown, options?: WriteOptions): Promise<JsonObject>;
  /** Null where there was nothing to delete. */
  delete(apiVersion: string, kind: string, name: ObjectName, options: DeleteOptions): Promise<JsonObject | null>;
}

export interface WriterOptions {
  readonly client: KubernetesClient;
  /** Why nothing may be written at present; undefined while it may. */
  readonly stopped: () => string | undefined;
  /** `error`: why it failed. */
  readonly onWrite?: (verb: WriteVerb, outcome: 'ok' | 'error', error?: unknown) => void;
}

export function createWriter({ client, stopped, onWrite }: WriterOptions): Writer {
  async function resource(apiVersion: string, kind: string): Promise<ResourceClient> {
    const type = client.discovery.known(apiVersion, kind) ?? (await client.discovery.resourceOf(apiVersion, kind));
    if (type === null) throw new UnknownKind(apiVersion, kind);
    return client.resource(type);
  }

  async function write<T>(
    verb: WriteVerb,
    apiVersion: string,
    kind: string,
    options: { readonly dryRun?: boolean } | undefined,
    perform: (resource: ResourceClient) => Promise<T>,
  ): Promise<T> {
    const target = await resource(apiVersion, kind);
    const why = options?.dryRun === true ? undefined : stopped();
    if (why !== undefined) throw new WritingStopped(why);
    try {
      const result = await perform(target);
      onWrite?.(verb, 'ok');
      return result;
    } catch (error) {
      onWrite?.(verb, 'error', error);
      throw error;
    }
  }

  return {
    get: async (apiVersion, kind, name) => (await resource(apiVersion, kind)).get(name),
    create: (object, options) => {
      const { apiVersion, kind } = typeOf(object);
      return write('create', apiVersion, kind, options, (target) => target.create(object, options));
    },
    apply: (object, options) => {
      const { apiVersion, kind } = typeOf(object);
      return write('apply', apiVersion, kind, options, (target) => target.apply(object, options));
    },
    patch: (apiVersion, kind, name, type, body, options) =>
      write('patch', apiVersion, kind, options, (target) => target.patch(name, type, body, options)),
    delete: (apiVersion, kind, name, options) => write('delete', apiVersion, kind, options, (target) => target.delete(name, options)),
  };
}

export function typeOf(object: JsonObject): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: String(object['apiVersion'] ?? ''), kind: String(object['kind'] ?? '') };
}

/** Where an object is. */
export function placeOf(object: JsonObject): ObjectName {
  const metadata = metadataOf(object);
  const name = String(metadata['name'] ?? '');
  return typeof metadata['namespace'] === 'string' ? { namespace: metadata['namespace'], name } : { name };
}

export const isGone = (error: unknown): boolean => error instanceof ApiError && error.status === 404;
/**
 * Another version or another object of the name is there: what was read is not what is. An apply with the uid of an object that was
 * made anew is refused as one that would change the uid.
 */
export const isPreconditionFailure = (error: unknown): boolean => {
  if (!(error instanceof ApiError)) return false;
  if (error.status === 422) return error.details.causes.some(({ field }) => field === 'metadata.uid');
  return error.status === 409 && !error.hasCause('FieldManagerConflict');
};
