import type { ClientRequest, OutgoingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Requester } from '../registry.ts';
import type { ResolveService } from '../service-connection/service-resolver.ts';
import type { ApiService } from './api-service.ts';

/** With which the server shows other servers that it is the one who may speak for users. PEM. */
export interface ProxyCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Headers by which another server learns who asks. Kubernetes: client-go transport/round_trippers.go SetAuthProxyHeaders. */
export function identityHeaders({ username, groups, uid, extra = {} }: Requester): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'x-remote-user': username, 'x-remote-group': [...groups] };
  if (uid !== undefined) headers['x-remote-uid'] = uid;
  for (const [key, values] of Object.entries(extra)) headers[`x-remote-extra-${encodeURIComponent(key).toLowerCase()}`] = [...values];
  return headers;
}

/** Connections to the servers behind APIServices. */
export class ApiServiceConnections {
  readonly #resolve: ResolveService;
  readonly #certificate: ProxyCertificate | undefined;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: 90_000 });

  constructor(resolve: ResolveService, certificate: ProxyCertificate | undefined) {
    this.#resolve = resolve;
    this.#certificate = certificate;
  }

  /** Begins a request; undefined where the service is not to be reached. */
  request(
    { spec }: ApiService,
    options: Pick<RequestOptions, 'method' | 'path'> & { readonly headers: OutgoingHttpHeaders },
  ): ClientRequest | undefined {
    const { service, caBundle, insecureSkipTLSVerify = false } = spec;
    const address = service ? this.#resolve({ namespace: service.namespace, name: service.name, port: service.port ?? 443 }) : undefined;
    if (!service || address === undefined) return undefined;
    const name = `${service.name}.${service.namespace}.svc`;
    return httpsRequest({
      agent: this.#agent,
      host: address.host,
      port: address.port,
      servername: name,
      ...options,
      headers: { ...options.headers, host: name },
      rejectUnauthorized: !insecureSkipTLSVerify,
      ...(caBundle ? { ca: Buffer.from(caBundle, 'base64') } : {}),
      ...(this.#certificate === undefined ? {} : { cert: this.#certificate.cert, key: this.#certificate.key }),
      minVersion: 'TLSv1.2',
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
