import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { isTrue } from '../control-loop/condition.ts';
import { servedKind, typed } from '../control-loop/kind.ts';
import type { Registry, Requester } from '../registry.ts';
import { serviceUnavailable } from '../status-error.ts';
import { API_SERVICES, type ApiService } from './api-service.ts';
import { type ApiServiceConnections, identityHeaders } from './connection.ts';

export interface ProxyCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without the query. */
  readonly path: string;
  readonly requester: Requester;
}

/** Of the connection, of the credentials that this server has looked at, and those that only it may send. */
const DROPPED = /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|authorization|impersonate-.*|x-remote-.*)$/;

/**
 * Answers requests for groups of other servers: false where a request is not for one of them. Throws a `StatusError` where the
 * server behind it is not available. Kubernetes: kube-aggregator pkg/apiserver/handler_proxy.go.
 */
export function apiServiceProxy(registry: Registry, connections: ApiServiceConnections): (call: ProxyCall) => Promise<boolean> {
  return async ({ request, response, path, requester }) => {
    const match = /^\/apis\/([^/]+)\/([^/]+)(?:\/|$)/.exec(path);
    const resource = match === null ? undefined : servedKind(registry, API_SERVICES);
    const found = resource && registry.get(resource, { name: `${match![2]}.${match![1]}` });
    const service = found === undefined ? undefined : typed<ApiService>(found);
    if (!service?.spec.service) return false;
    if (!isTrue(service.status?.conditions, 'Available')) throw serviceUnavailable('service unavailable');
    const headers: OutgoingHttpHeaders = {};
    for (const [name, value] of Object.entries(request.headers)) if (!DROPPED.test(name)) headers[name] = value;
    await forward(service, request, response, { ...headers, ...identityHeaders(requester) }, connections);
    return true;
  };
}

function forward(
  service: ApiService,
  request: IncomingMessage,
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
  connections: ApiServiceConnections,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = connections.request(service, { method: request.method, path: request.url, headers });
    if (outgoing === undefined) return reject(serviceUnavailable('service unavailable'));
    outgoing.on('error', (error) => {
      if (response.headersSent) response.destroy();
      else return reject(serviceUnavailable(`error trying to reach service: ${error.message}`));
      resolve();
    });
    outgoing.on('response', (answer) => {
      const passed = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !DROPPED.test(name)));
      response.writeHead(answer.statusCode ?? 502, passed);
      // Watches flow as they come.
      response.flushHeaders();
      pipeline(answer, response, () => resolve());
    });
    response.on('close', () => outgoing.destroy());
    request.pipe(outgoing);
  });
}
