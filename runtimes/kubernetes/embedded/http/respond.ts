import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzip } from 'node:zlib';
import { stringifyJson } from '../../../host/json-body.ts';
import type { StatusError } from '../status-error.ts';

/** Answers at least this long are zipped where the client takes it. Kubernetes: responsewriters/writers.go. */
const GZIP_FROM = 128 * 1024;
/** Texts of warnings that one answer may carry, in characters. */
const WARNINGS_LIMIT = 4 * 1024;

/** Gathers warnings for the answer of one request: each once, and not more than headers bear. */
export class Warnings {
  readonly texts: string[] = [];
  #length = 0;

  readonly add = (text: string): void => {
    if (this.texts.includes(text) || this.#length + text.length > WARNINGS_LIMIT) return;
    this.#length += text.length;
    this.texts.push(text);
  };

  /** Values of `Warning` headers. RFC 7234 5.5. */
  headers(): readonly string[] {
    return this.texts.map((text) => {
      const plain = Buffer.from(text.replace(/[\u0000-\u001f\u007f]/g, ' '), 'utf8').toString('latin1');
      return `299 - "${plain.replace(/["\\]/g, '\\$&')}"`;
    });
  }
}

/** Writes a JSON answer. */
export function respondText(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  text: string,
  headers: Record<string, string | string[]> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const all: Record<string, string | string[] | number> = {
    'content-type': 'application/json',
    'cache-control': 'no-cache, private',
    ...headers,
  };
  const accepts = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const body = Buffer.from(text, 'utf8');
  if (!accepts || body.length < GZIP_FROM) {
    response.writeHead(code, { ...all, 'content-length': body.length });
    response.end(request.method === 'HEAD' ? undefined : body);
    return;
  }
  gzip(body, { level: 1 }, (error, zipped) => {
    if (response.destroyed) return;
    if (error !== null) {
      response.writeHead(code, { ...all, 'content-length': body.length });
      response.end(body);
      return;
    }
    response.writeHead(code, { ...all, 'content-encoding': 'gzip', vary: 'Accept-Encoding', 'content-length': zipped.length });
    response.end(zipped);
  });
}

/** Answers with the Status of an error. */
export function respondError(request: IncomingMessage, response: ServerResponse, error: StatusError, warnings: Warnings): void {
  const headers: Record<string, string | string[]> = {};
  const retry = error.details?.retryAfterSeconds;
  if (retry !== undefined && (error.code === 429 || error.code >= 500)) headers['retry-after'] = String(retry);
  if (error.code === 401) headers['www-authenticate'] = 'Bearer realm="kubernetes-master"';
  if (warnings.texts.length > 0) headers['warning'] = [...warnings.headers()];
  // What is left of a body that nobody wants must not be read as the next request.
  if (!request.complete) headers['connection'] = 'close';
  respondText(request, response, error.code, stringifyJson(error.toStatus()), headers);
}
