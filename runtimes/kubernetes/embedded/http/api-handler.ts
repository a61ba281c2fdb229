import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { stringifyJson } from '../../../host/json-body.ts';
import { ANONYMOUS } from '../authentication/authenticators.ts';
import { authorizePath, authorizeResource } from '../authorization/authorize-request.ts';
import { servedGroups } from '../discovery/groups.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { Requester } from '../registry.ts';
import type { ServerState } from '../server-state.ts';
import { internalError, methodNotAllowed, noSuchPath, notFound, StatusError, unauthorized, verbNotSupported } from '../status-error.ts';
import type { PlainPaths } from './plain-paths.ts';
import { answerConnection, isConnection } from './pod-connection.ts';
import { parseResourcePath, type ResourcePath } from './request-path.ts';
import { handleResource } from './resource-handler.ts';
import { respondError, respondText, Warnings } from './respond.ts';

/** Answers one request to a server of another's, as APIServices name them; false where it is not for it. */
export type Proxy = (call: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly requester: Requester;
}) => Promise<boolean>;

export interface ApiHandlerOptions {
  readonly state: ServerState;
  /** Paths that are no resources, asked in this order. */
  readonly plainPaths: readonly PlainPaths[];
  readonly proxy?: Proxy;
}

/** Paths that everybody may ask, who they are or not. */
const OPEN_PATHS = /^\/(?:healthz|livez|readyz)(?:\/|$)/;

/** Answers every request: who, what, whether they may, then how. Never rejects. */
export function createApiHandler(options: ApiHandlerOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { state } = options;
  return async (request, response) => {
    const warnings = new Warnings();
    try {
      await answer(options, request, response, warnings);
    } catch (error) {
      if (error instanceof StatusError) respondError(request, response, error, warnings);
      else {
        // A client that goes away while it is read is no error of ours.
        if (request.destroyed && !request.complete) return;
        const bug = error instanceof Error ? error : new Error(String(error));
        state.log('error', 'a request failed', { method: request.method ?? '', error: bug.name, stack: frames(bug) });
        respondError(request, response, internalError('the server has met a bug of its own'), warnings);
      }
    }
  };
}

function frames(error: Error): string {
  const lines = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return lines
    .slice(0, 6)
    .map((line) => line.trim())
    .join('; ');
}

async function answer(options: ApiHandlerOptions, request: IncomingMessage, response: ServerResponse, warnings: Warnings): Promise<void> {
  const { state } = options;
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const method = request.method ?? 'GET';

  const requester = await state.authenticate(credentialsOf(request));
  if (requester === undefined && !OPEN_PATHS.test(path)) throw unauthorized();
  const who = requester ?? ANONYMOUS;
  const resource = parseResourcePath(path);
  if (resource === undefined) {
    await authorizePath(state, who, path, method);
    if (options.proxy !== undefined && (await options.proxy({ request, response, path, requester: who }))) return;
    await answerPlain(options, request, response, path, query);
    return;
  }
  const verb = verbOf(method, resource, query);
  await authorizeResource(state, who, resource, verb, path);
  if (options.proxy !== undefined && (await options.proxy({ request, response, path, requester: who }))) return;
  const definition = state.catalog.find(resource.group, resource.version, resource.resource);
  if (definition === undefined) return nothingThere(options, request, response, path);
  if (!definition.builtIn && isMisplaced(definition, resource)) {
    notFoundPage(request, response);
    return;
  }
  // No object has such a name, and no route leads to one.
  if (resource.name.includes('/')) throw noSuchPath();
  checkVerb(definition, resource, verb, method);
  if (definition.deprecationWarning !== undefined) warnings.add(definition.deprecationWarning);
  if (isConnection(definition, resource)) {
    answerConnection(state, definition, resource, response);
    return;
  }
  await handleResource(state, { request, response, definition, path: resource, verb, query, requester: who, warnings });
}

function credentialsOf(request: IncomingMessage): {
  readonly headers: IncomingMessage['headers'];
  readonly clientCertificate?: PeerCertificate;
} {
  const socket = request.socket as Partial<TLSSocket>;
  if (socket.authorized !== true || socket.getPeerCertificate === undefined) return { headers: request.headers };
  const certificate = socket.getPeerCertificate();
  return certificate.subject === undefined ? { headers: request.headers } : { headers: request.headers, clientCertificate: certificate };
}

function verbOf(method: string, path: ResourcePath, query: URLSearchParams): string {
  switch (method) {
    case 'GET': {
      const watch = query.get('watch');
      const isWatch = path.watch || (watch !== null && watch !== 'false' && watch !== '0');
      // A watch of one object is a list with a name; the object itself is read.
      if (isWatch && path.subresource === '' && (path.name === '' || path.watch)) return 'watch';
      return path.name === '' ? 'list' : 'get';
    }
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return path.name === '' ? 'deletecollection' : 'delete';
    default:
      throw methodNotAllowed();
  }
}

/** A namespace in the path of a resource that has none, or none in the path to an object that has one. */
function isMisplaced(definition: ResourceDefinition, { namespace, name }: ResourcePath): boolean {
  return definition.namespaced ? namespace === '' && name !== '' : namespace !== '';
}

/**
 * Groups of Kubernetes' own have somebody who says what is not there; for others Kubernetes answers as any web server does, unless
 * their version is served.
 */
function nothingThere({ state }: ApiHandlerOptions, request: IncomingMessage, response: ServerResponse, path: string): void {
  const [, root, group = '', version] = path.split('/');
  const found = root === 'apis' ? servedGroups(state.catalog).find(({ name }) => name === group) : undefined;
  const isOwn = found?.versions.some(({ resources }) => resources.some(({ builtIn }) => builtIn));
  if (root === 'api' || isOwn || found?.versions.some((each) => each.version === version)) throw noSuchPath();
  notFoundPage(request, response);
}

/** What web servers of Go say where there is nothing. */
function notFoundPage(request: IncomingMessage, response: ServerResponse): void {
  respondText(request, response, 404, '404 page not found\n', { 'content-type': 'text/plain; charset=utf-8' });
}

function checkVerb(definition: ResourceDefinition, path: ResourcePath, verb: string, method: string): void {
  if (path.subresource !== '') {
    const sub = definition.subresourceDefinitions.find(({ name }) => name === path.subresource);
    if (sub === undefined) throw definition.builtIn ? noSuchPath() : notFound(definition, path.name);
    if (!sub.verbs.includes(verb)) throw methodNotAllowed();
    return;
  }
  // A namespace in the path of what has none, and the other way round.
  const isNamespace = definition.resource === 'namespaces' && path.name !== '';
  if (!definition.namespaced && path.namespace !== '' && !isNamespace) throw noSuchPath();
  if (definition.namespaced && path.namespace === '' && (path.name !== '' || !definition.verbs.includes('list'))) throw noSuchPath();
  if (definition.namespaced && path.namespace === '' && (path.name !== '' || (method !== 'GET' && method !== 'HEAD')))
    throw methodNotAllowed();
  if ((method === 'PUT' || method === 'PATCH') && path.name === '') throw methodNotAllowed();
  const watchesOne = verb === 'watch' && path.name !== '';
  if (method === 'POST' && path.name !== '') throw methodNotAllowed();
  if (!watchesOne && !definition.verbs.includes(verb)) {
    throw definition.verbs.length === 0
      ? methodNotAllowed()
      : verb === 'deletecollection'
        ? methodNotAllowed()
        : verbNotAllowed(definition, verb);
  }
}

function verbNotAllowed(definition: ResourceDefinition, verb: string): StatusError {
  return ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'].includes(verb)
    ? methodNotAllowed()
    : verbNotSupported(definition, verb);
}

async function answerPlain(
  options: ApiHandlerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
): Promise<void> {
  const accept = request.headers.accept ?? '';
  const reads = request.method === 'GET' || request.method === 'HEAD';
  for (const paths of options.plainPaths) {
    const found = await paths({ path, query, accept, headers: request.headers });
    if (found === undefined) continue;
    if (!reads) throw methodNotAllowed();
    const text = typeof found.body === 'string' ? found.body : stringifyJson(found.body);
    const type = found.contentType === undefined ? {} : { 'content-type': found.contentType };
    respondText(request, response, found.code ?? 200, text, { ...type, ...found.headers });
    return;
  }
  nothingThere(options, request, response, path);
}
