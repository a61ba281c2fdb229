import type { ServerState } from '../server-state.ts';
import { methodNotAllowed } from '../status-error.ts';
import { remove, removeCollection } from './delete-resource.ts';
import { patch } from './patch-resource.ts';
import { get, list, watch } from './read-resource.ts';
import type { ResourceRequest } from './resource-request.ts';
import { create, update } from './write-resource.ts';

/** Answers a request to a resource, or throws a `StatusError`. */
export async function handleResource(state: ServerState, call: ResourceRequest): Promise<void> {
  switch (call.verb) {
    case 'get':
      return get(state, call);
    case 'list':
      return list(state, call);
    case 'watch':
      return watch(state, call);
    case 'create':
      return create(state, call);
    case 'update':
      return update(state, call);
    case 'patch':
      return patch(state, call);
    case 'delete':
      return remove(state, call);
    case 'deletecollection':
      return removeCollection(state, call);
    default:
      throw methodNotAllowed();
  }
}
