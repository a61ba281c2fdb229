import { isJsonObject, type Json, type JsonObject, ownValue } from '../../engine/object/json.ts';
import { formatApiVersion } from '../../engine/object/type-table.ts';
import { ApiError, ConnectionError } from './api-error.ts';
import type {
  ApiRequest,
  ApiResponse,
  DeleteOptions,
  ListOptions,
  ObjectList,
  ObjectName,
  PatchType,
  ResourceClient,
  ResourceType,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts';
import { collectionPath, objectPath, withQuery } from './resource-path.ts';

/** What the verbs are made of. */
export interface Requester {
  request(request: ApiRequest): Promise<ApiResponse>;
  /** Opens a watch at a path. */
  watch(path: string, options: WatchOptions): AsyncIterable<WatchEvent>;
}

const PAGE = 500;
const MOST_OBJECTS = 1_000_000;

const PATCH_TYPES: Readonly<Record<PatchType | 'apply', string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** The verbs of one resource. */
export function createResourceClient(type: ResourceType, requester: Requester): ResourceClient {
  const apiVersion = formatApiVersion(type.group, type.version);

  async function write(method: string, path: string, body: unknown, options: WriteOptions, contentType?: string): Promise<JsonObject> {
    const query = {
      fieldManager: options.fieldManager,
      fieldValidation: options.fieldValidation,
      dryRun: options.dryRun === true ? 'All' : undefined,
      ...('force' in options && options.force === true ? { force: true } : {}),
    };
    const response = await requester.request({
      method,
      path: withQuery(path, query),
      body,
      ...(contentType === undefined ? {} : { contentType }),
      ...signalOf(options),
    });
    return objectOf(response.body);
  }

  async function page(options: ListOptions, resourceVersion: string | undefined, limit: number, token: string) {
    // A continued list keeps the version of its first page.
    const first = token === '';
    const path = withQuery(collectionPath(type, options.namespace), {
      limit: limit > 0 ? limit : undefined,
      labelSelector: options.labelSelector || undefined,
      fieldSelector: options.fieldSelector || undefined,
      continue: first ? undefined : token,
      resourceVersion: first && resourceVersion !== '' ? resourceVersion : undefined,
      resourceVersionMatch: first ? options.resourceVersionMatch : undefined,
    });
    const { body } = await requester.request({
      path,
      ...signalOf(options),
      ...(options.retry === undefined ? {} : { retry: options.retry }),
    });
    const list = objectOf(body);
    const metadata = isJsonObject(list['metadata']) ? list['metadata'] : {};
    // An empty list may come as null.
    const items = Array.isArray(list['items']) ? (list['items'] as readonly Json[]) : [];
    return { items, token: textOf(metadata['continue']), resourceVersion: textOf(metadata['resourceVersion']) };
  }

  async function list(options: ListOptions = {}): Promise<ObjectList> {
    const { limit = PAGE, project, maxObjects = MOST_OBJECTS } = options;
    const read = async (size: number): Promise<ObjectList> => {
      const items: JsonObject[] = [];
      let token = '';
      for (;;) {
        const answer = await page(options, options.resourceVersion, size, token);
        for (const item of answer.items) {
          const object = { apiVersion, kind: type.kind, ...objectOf(item) };
          items.push(project === undefined ? object : project(object));
        }
        if (items.length > maxObjects) throw new Error(`there are more than ${maxObjects} objects of kind ${type.kind}`);
        token = answer.token;
        // The pages of one list share a version, which the last one names too.
        if (token === '') return { items, resourceVersion: answer.resourceVersion };
      }
    };
    try {
      return await read(limit);
    } catch (error) {
      // Between two pages the server forgot the version that the list began at. Asked for all at once it cannot.
      if (limit === 0 || !(error instanceof ApiError) || error.status !== 410) throw error;
      return read(0);
    }
  }

  return {
    type,
    list,
    async get(name, options = {}) {
      try {
        const { body } = await requester.request({ path: objectPath(type, name, options.subresource), ...signalOf(options) });
        return objectOf(body);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    watch: (options = {}) => requester.watch(collectionPath(type, options.namespace), options),
    create(object, options = {}) {
      const { namespace } = nameOf(object);
      if (type.namespaced && !namespace) throw new Error(`a ${type.kind} needs a namespace`);
      if (options.subresource !== undefined) return write('POST', objectPath(type, nameOf(object), options.subresource), object, options);
      return write('POST', collectionPath(type, namespace), object, options);
    },
    update: (object, options = {}) => write('PUT', objectPath(type, nameOf(object), options.subresource), object, options),
    patch: (name, patch, body, options = {}) =>
      write('PATCH', objectPath(type, name, options.subresource), body, options, PATCH_TYPES[patch]),
    apply: (object, options) => write('PATCH', objectPath(type, nameOf(object), options.subresource), object, options, PATCH_TYPES.apply),
    async delete(name, options = {}) {
      try {
        const { body } = await requester.request({
          method: 'DELETE',
          path: objectPath(type, name),
          body: deleteBody(options),
          ...signalOf(options),
        });
        return objectOf(body);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    async deleteCollection(options) {
      const path = withQuery(collectionPath(type, options.namespace), {
        labelSelector: options.labelSelector || undefined,
        fieldSelector: options.fieldSelector || undefined,
      });
      await requester.request({ method: 'DELETE', path, body: deleteBody(options), ...signalOf(options) });
    },
    post: (name, subresource, body, options = {}) => write('POST', objectPath(type, name, subresource), body, options),
  };
}

function deleteBody({ preconditions, propagationPolicy, gracePeriodSeconds, dryRun }: DeleteOptions): JsonObject {
  return {
    apiVersion: 'meta.k8s.io/v1',
    kind: 'DeleteOptions',
    ...(preconditions === undefined ? {} : { preconditions: { ...preconditions } }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(dryRun === true ? { dryRun: ['All'] } : {}),
  };
}

/** Where an object says that it is. Throws where it has no name. */
function nameOf(object: JsonObject): ObjectName {
  const metadata = ownValue(object, 'metadata');
  const { name, namespace } = isJsonObject(metadata) ? metadata : {};
  return { name: textOf(name), namespace: typeof namespace === 'string' ? namespace : undefined };
}

function objectOf(value: unknown): JsonObject {
  if (!isJsonObject(value)) throw new ConnectionError('the API server answered with something that is not an object');
  return value;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function signalOf({ signal }: { readonly signal?: AbortSignal }): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
