import type { RequestAttributes } from '../hooks.ts';
import type { Requester } from '../registry.ts';
import type { ServerState } from '../server-state.ts';
import { forbidden, StatusError } from '../status-error.ts';

/** Refuses, as Kubernetes does, what the requester may not do with a resource. `path`: of the request, without its query. */
export async function authorizeResource(
  state: Pick<ServerState, 'authorize'>,
  requester: Requester,
  resource: NonNullable<RequestAttributes['resource']>,
  verb: string,
  path: string,
): Promise<void> {
  const { group, version, resource: plural, subresource, namespace, name } = resource;
  const asked = { group, version, resource: plural, subresource, namespace, name };
  const decision = await state.authorize({ requester, verb, path, resource: asked });
  if (decision.allowed) return;
  const what = subresource === '' ? plural : `${plural}/${subresource}`;
  const where = namespace === '' ? ' at the cluster scope' : ` in the namespace "${namespace}"`;
  const why = decision.reason === '' ? '' : `: ${decision.reason}`;
  throw forbidden(
    { group, resource: plural },
    name,
    `User "${requester.username}" cannot ${verb} resource "${what}" in API group "${group}"${where}${why}`,
  );
}

/** Refuses a path that is no resource. `method`: of HTTP. */
export async function authorizePath(
  state: Pick<ServerState, 'authorize'>,
  requester: Requester,
  path: string,
  method: string,
): Promise<void> {
  const decision = await state.authorize({ requester, verb: method.toLowerCase(), path });
  if (decision.allowed) return;
  const why = decision.reason === '' ? '' : `: ${decision.reason}`;
  const message = `forbidden: User "${requester.username}" cannot ${method.toLowerCase()} path "${path}"${why}`;
  throw new StatusError(403, 'Forbidden', message, {});
}
