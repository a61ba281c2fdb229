import { type CelValue, Timestamp } from '../../cel/values.ts';
import { isJsonObject, type Json, ownValue } from '../../object/json.ts';
import type { HttpTemplate } from './entry.ts';
import { Unresolved } from './evaluation.ts';
import type { CallResult, HttpRequest } from './program.ts';

/** A request of what its template was rendered to. Throws {@link Unresolved} where it has no URL, or headers that are no text. */
export function httpRequestOf({ content, method, timeout, expect }: HttpTemplate, rendered: Json | undefined): HttpRequest {
  const fields = isJsonObject(rendered) ? rendered : {};
  const url = ownValue(fields, 'url');
  if (typeof url !== 'string' || !/^https?:\/\/./.test(url)) {
    throw new Unresolved('failed', 'the url must begin with http:// or https://', [...content.path, 'url']);
  }
  const given = ownValue(fields, 'headers');
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(isJsonObject(given) ? given : {})) {
    if (typeof value !== 'string' || /[\r\n\0]/.test(value)) {
      throw new Unresolved('failed', `the header ${name} must be text of one line`, [...content.path, 'headers', name]);
    }
    headers.set(name, value);
  }
  const body = ownValue(fields, 'body');
  return {
    method,
    url,
    headers: Object.fromEntries(headers),
    timeout,
    ...(body === undefined ? {} : { body }),
    ...(expect === undefined ? {} : { expect }),
  };
}

/** Whether a status counts as success. */
export function isExpected({ expect }: Pick<HttpRequest, 'expect'>, status: number): boolean {
  return expect === undefined ? status >= 200 && status < 300 : expect.includes(status);
}

/** What expressions see of an answer. */
export function callValue({ status, body, at }: CallResult): CelValue {
  return { status, body: (body ?? null) as CelValue, at: new Timestamp(Math.floor(at / 1000), (at % 1000) * 1_000_000) };
}
