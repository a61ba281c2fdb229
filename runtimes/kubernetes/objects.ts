import { type ApiClient, ApiError } from './api-client.ts';
import { type Discovery, groupPath } from './discovery.ts';

type Plain = { readonly [key: string]: unknown };

/** Something read, and how many bytes it took to send. */
export interface Read<T> {
  readonly value: T;
  readonly bytes: number;
}

/** An object by name, or null where there is none or the server does not serve its kind. */
export async function getObject(
  client: ApiClient,
  discovery: Discovery,
  reference: { readonly apiVersion: string; readonly kind: string; readonly namespace?: string; readonly name: string },
  signal?: AbortSignal,
): Promise<Read<Plain | null>> {
  const served = await discovery.find(reference.apiVersion, reference.kind);
  if (served === null || reference.name === '') return { value: null, bytes: 0 };
  const path = `${collectionPath(reference.apiVersion, served.resource, served.namespaced ? reference.namespace : undefined)}/${encodeURIComponent(reference.name)}`;
  try {
    const { body, bytes } = await client.get(path, signal);
    return { value: asObject(body), bytes };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { value: null, bytes: 0 };
    throw error;
  }
}

const PAGE = 500;
const MAX_PAGES = 40;

/** All objects of a query, in the server's order, with `apiVersion` and `kind` set as a GET would. Rejects beyond 20 000. */
export async function listObjects(
  client: ApiClient,
  discovery: Discovery,
  query: { readonly apiVersion: string; readonly kind: string; readonly namespace?: string; readonly labelSelector?: string },
  signal?: AbortSignal,
): Promise<Read<readonly Plain[]>> {
  const served = await discovery.find(query.apiVersion, query.kind);
  if (served === null) return { value: [], bytes: 0 };
  const path = collectionPath(query.apiVersion, served.resource, served.namespaced ? query.namespace : undefined);
  const objects: Plain[] = [];
  let total = 0;
  let token = '';
  for (let page = 0; page < MAX_PAGES; page++) {
    const parameters = new URLSearchParams({ limit: String(PAGE) });
    if (query.labelSelector) parameters.set('labelSelector', query.labelSelector);
    if (token !== '') parameters.set('continue', token);
    const { body, bytes } = await client.get(`${path}?${parameters}`, signal);
    const { items, metadata } = asObject(body) as { readonly items?: unknown; readonly metadata?: { readonly continue?: unknown } };
    // An empty list may come as null.
    if (Array.isArray(items)) for (const item of items) objects.push({ apiVersion: query.apiVersion, kind: query.kind, ...asObject(item) });
    total += bytes;
    token = typeof metadata?.continue === 'string' ? metadata.continue : '';
    if (token === '') return { value: objects, bytes: total };
  }
  throw new Error(`there are more than ${PAGE * MAX_PAGES} objects of kind ${query.kind}`);
}

function collectionPath(apiVersion: string, resource: string, namespace: string | undefined): string {
  const scope = namespace === undefined || namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${groupPath(apiVersion)}${scope}/${encodeURIComponent(resource)}`;
}

function asObject(value: unknown): Plain {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('the API server answered with something that is not an object');
  return value as Plain;
}
