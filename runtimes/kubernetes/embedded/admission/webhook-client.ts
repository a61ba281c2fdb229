import { type Agent, request as httpsRequest } from 'node:https';
import type { Clock } from '../../../host/clock.ts';
import { readAnswer } from '../../../host/http-answer.ts';
import { parseJsonBody, stringifyJson } from '../../../host/json-body.ts';
import type { ResolveService } from '../service-connection/service-resolver.ts';

/** How a webhook is reached. Kubernetes: staging/src/k8s.io/api/admissionregistration/v1/types.go WebhookClientConfig. */
export interface WebhookClientConfig {
  readonly url?: string;
  readonly service?: { readonly namespace: string; readonly name: string; readonly path?: string; readonly port?: number };
  /** PEM in base64. */
  readonly caBundle?: string;
}

export interface WebhookCall {
  readonly client: WebhookClientConfig;
  readonly body: unknown;
  readonly timeoutSeconds: number;
  readonly resolve: ResolveService;
  readonly clock: Clock;
  /** Keeps connections between calls. */
  readonly agent: Agent;
}

/** Room for the patch of a large object, in base64. */
const MAX_ANSWER = 16 * 1024 * 1024;

interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Name that the certificate must have, and that the request is for. */
  readonly name: string;
  /** For messages. */
  readonly url: string;
}

/** Throws an Error that says what is wrong. */
function targetOf({ url, service }: WebhookClientConfig, resolve: ResolveService): Target {
  if (service !== undefined) {
    const { namespace, name, path = '/', port = 443 } = service;
    const address = resolve({ namespace, name, port });
    const host = `${name}.${namespace}.svc`;
    const shown = `https://${host}:${port}${path}`;
    if (address === undefined) throw new Error(`Post ${JSON.stringify(shown)}: service ${JSON.stringify(name)} is not to be reached`);
    return { ...address, path, name: host, url: shown };
  }
  const parsed = URL.canParse(url ?? '') ? new URL(url!) : undefined;
  if (parsed?.protocol !== 'https:') throw new Error(`${JSON.stringify(url ?? '')} is no https URL`);
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(parsed.port || 443), path: parsed.pathname + parsed.search, name: host, url: parsed.href };
}

/** Posts a review and answers the body. Rejects with an Error that says why there is none. */
export function callWebhook({ client, body, timeoutSeconds, resolve, clock, agent }: WebhookCall): Promise<unknown> {
  return new Promise((done, fail) => {
    const target = targetOf(client, resolve);
    const payload = Buffer.from(stringifyJson(body));
    const separator = target.path.includes('?') ? '&' : '?';
    const refuse = (why: string): void => {
      timer.cancel();
      request.destroy();
      fail(new Error(`Post ${JSON.stringify(`${target.url}${separator}timeout=${timeoutSeconds}s`)}: ${why}`));
    };
    const isAddress = /^[\d.]+$|:/.test(target.name);
    const request = httpsRequest({
      agent,
      host: target.host,
      port: target.port,
      method: 'POST',
      path: `${target.path}${separator}timeout=${timeoutSeconds}s`,
      ...(isAddress ? {} : { servername: target.name }),
      ...(client.caBundle ? { ca: Buffer.from(client.caBundle, 'base64') } : {}),
      minVersion: 'TLSv1.2',
      headers: {
        host: client.service === undefined && target.port !== 443 ? `${target.name}:${target.port}` : target.name,
        accept: 'application/json',
        'content-type': 'application/json',
        'content-length': payload.length,
        'user-agent': 'fairlead-embedded-apiserver',
      },
    });
    const timer = clock.after(timeoutSeconds * 1000, () => refuse('context deadline exceeded'));
    request.on('error', (error) => refuse(connectionError(error)));
    request.on('response', (response) => {
      const read = (content: Buffer) => {
        timer.cancel();
        const status = response.statusCode ?? 0;
        if (status < 200 || status > 299)
          return fail(new Error(`an error on the server (${status}) has prevented the request from succeeding`));
        try {
          done(parseJsonBody(content));
        } catch (error) {
          fail(error);
        }
      };
      readAnswer(response, MAX_ANSWER).then(read, (error: Error) => refuse(error.message));
    });
    request.end(payload);
  });
}

/** What goes wrong most often, as Go says it: people look for these words. */
const GO_WORDS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connect: connection refused'],
  ['EHOSTUNREACH', 'connect: no route to host'],
  ['ENETUNREACH', 'connect: network is unreachable'],
]);

function connectionError(error: NodeJS.ErrnoException & { readonly address?: string; readonly port?: number }): string {
  const words = GO_WORDS.get(error.code ?? '');
  if (words === undefined || error.address === undefined) return error.message;
  const host = error.address.includes(':') ? `[${error.address}]` : error.address;
  return `dial tcp ${host}:${error.port}: ${words}`;
}
