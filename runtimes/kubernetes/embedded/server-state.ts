import type { Clock } from '../../host/clock.ts';
import type { Log } from '../../host/log.ts';
import type { ResourceCatalog } from './catalog.ts';
import type { Admission, Authenticate, Authorize, VirtualCreate, VirtualPath } from './hooks.ts';
import type { ServiceAllocations } from './kinds/strategies/service-allocations.ts';
import type { Requester } from './registry.ts';
import type { ObjectStore } from './storage/object-store.ts';

/** What the parts of one server share. */
export interface ServerState {
  readonly store: ObjectStore;
  /** What services hold. */
  readonly services: ServiceAllocations;
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly log: Log;
  /** A new UUID. */
  readonly uuid: () => string;
  /** Random characters of those that generated names are made of. */
  readonly randomText: (length: number) => string;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Creates that store nothing, by path. */
  readonly virtual: Map<VirtualPath, VirtualCreate>;
  /** Set while the server is put together, and not afterwards. */
  admission: Admission;
  authenticate: Authenticate;
  authorize: Authorize;
}

/** The server itself, which may do everything. */
export const SERVER_REQUESTER: Requester = { username: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };
