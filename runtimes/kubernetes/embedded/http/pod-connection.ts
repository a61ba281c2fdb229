import type { ServerResponse } from 'node:http';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { ServerState } from '../server-state.ts';
import { notFound, StatusError } from '../status-error.ts';
import { objectKey } from '../storage/object-store.ts';
import { fieldOf } from '../verbs/object-fields.ts';
import type { ResourcePath } from './request-path.ts';

/** Subresources that lead to a node. */
const CONNECTIONS: ReadonlySet<string> = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

/** Whether a path leads to a container, a service or a node, where nothing runs. */
export function isConnection({ builtIn }: ResourceDefinition, { subresource }: ResourcePath): boolean {
  return builtIn && CONNECTIONS.has(subresource);
}

/** Says that nothing is there: a pod that has no node has an empty log, as everywhere; of others it would not be true. */
export function answerConnection(
  { store }: ServerState,
  definition: ResourceDefinition,
  { namespace, name, subresource }: ResourcePath,
  response: ServerResponse,
): void {
  const stored = store.get(definition.storedIn, objectKey(definition.namespaced ? namespace : '', name));
  if (stored === undefined) throw notFound(definition, name);
  if (subresource === 'log' && (fieldOf(stored.object, 'spec', 'nodeName') ?? '') === '') {
    response.writeHead(204, { 'cache-control': 'no-cache, private' });
    response.end();
    return;
  }
  throw new StatusError(501, undefined, `no containers run here: there is nothing behind ${definition.resource}/${subresource}`);
}
