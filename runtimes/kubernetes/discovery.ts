import type { Clock } from '../host/clock.ts';
import { type TtlCache, ttlCache } from '../host/ttl-cache.ts';
import { type ApiClient, ApiError } from './api-client.ts';

/** How a kind is addressed in URLs. */
export interface ServedResource {
  /** Plural, as in URLs. */
  readonly resource: string;
  readonly namespaced: boolean;
}

/** Which kinds an API server serves, asked group by group and remembered for a while. */
export interface Discovery {
  /** What is known now: `null` where the server does not serve the kind, undefined where it must be asked. */
  known(apiVersion: string, kind: string): ServedResource | null | undefined;
  find(apiVersion: string, kind: string): Promise<ServedResource | null>;
}

/** A kind that appears in the cluster is found this many milliseconds later at most. */
const TTL = 30_000;

export function createDiscovery(client: ApiClient, clock: Clock): Discovery {
  const groups: TtlCache<ReadonlyMap<string, ServedResource>> = ttlCache({ ttl: TTL, maxEntries: 500, maxWeight: 16 * 1024 * 1024, clock });
  return {
    known(apiVersion, kind) {
      const group = groups.get(apiVersion);
      return group === undefined ? undefined : (group.value.get(kind) ?? null);
    },
    async find(apiVersion, kind) {
      const group = await groups.load(apiVersion, async () => {
        try {
          const { body, bytes } = await client.get(groupPath(apiVersion));
          return { value: readResources(body), weight: bytes };
        } catch (error) {
          if (error instanceof ApiError && error.status === 404) return { value: new Map(), weight: 0 };
          throw error;
        }
      });
      return group.get(kind) ?? null;
    },
  };
}

/** `/api/v1`, `/apis/apps/v1`. */
export function groupPath(apiVersion: string): string {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/', 2) : ['', apiVersion];
  return group === '' ? `/api/${encodeURIComponent(version!)}` : `/apis/${encodeURIComponent(group!)}/${encodeURIComponent(version!)}`;
}

function readResources(body: unknown): ReadonlyMap<string, ServedResource> {
  const found = new Map<string, ServedResource>();
  const list = (body as { readonly resources?: unknown } | null)?.resources;
  if (!Array.isArray(list)) throw new Error('the API server answered discovery with something that is not an APIResourceList');
  for (const item of list as readonly { readonly name?: unknown; readonly kind?: unknown; readonly namespaced?: unknown }[]) {
    const { name, kind, namespaced } = item;
    // A subresource such as `pods/status` repeats the kind.
    if (typeof name !== 'string' || typeof kind !== 'string' || name.includes('/') || found.has(kind)) continue;
    found.set(kind, { resource: name, namespaced: namespaced === true });
  }
  return found;
}
