import { goQuote } from '../../go-quote.ts';
import { isV4, parseIpAddress } from '../net/ip-address.ts';
import { escapeUrlBytes, escapeUrlPart, unescapeUrlPart, urlText } from './escape.ts';

/** A parsed URL, as far as CEL's accessors and equality look at it. Go: net/url URL. */
export interface ParsedUrl {
  readonly scheme: string;
  /** What follows the scheme where there is no slash: `mailto:joe@example.com`. */
  readonly opaque: string;
  readonly userinfo: string | undefined;
  /** Host and port as written, unescaped. */
  readonly host: string;
  readonly omitHost: boolean;
  readonly escapedPath: string;
  readonly query: string;
  readonly forceQuery: boolean;
  readonly fragment: string;
}

export type UrlParseResult = { readonly ok: true; readonly url: ParsedUrl } | { readonly ok: false; readonly error: string };

class UrlFailure {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

const fail = (message: string): never => {
  throw new UrlFailure(message);
};

/** Whether the text is an absolute URI or an absolute path; the error is Go's text. Go: url.ParseRequestURI. */
export function checkRequestUri(text: string): string | undefined {
  try {
    parseUrl(text, true);
    return undefined;
  } catch (failure) {
    return failureText(text, failure);
  }
}

/** Reads a URL; relative references are accepted. Go: url.Parse. */
export function parseUrlReference(text: string): UrlParseResult {
  const [beforeFragment, fragment] = cut(text, '#');
  let url: ParsedUrl;
  try {
    url = parseUrl(beforeFragment, false);
  } catch (failure) {
    return { ok: false, error: failureText(beforeFragment, failure) };
  }
  const unescaped = unescapeUrlPart(fragment, 'fragment');
  if (!unescaped.ok) return { ok: false, error: `parse ${goQuote(text)}: ${unescaped.error}` };
  const kept = /^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]%/?]*$/.test(fragment);
  return { ok: true, url: { ...url, fragment: kept ? fragment : escapeUrlBytes(unescaped.bytes, 'fragment') } };
}

function failureText(text: string, failure: unknown): string {
  if (failure instanceof UrlFailure) return `parse ${goQuote(text)}: ${failure.message}`;
  throw failure;
}

function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function parseUrl(text: string, viaRequest: boolean): ParsedUrl {
  if (/[\x00-\x1f\x7f]/.test(text)) fail('net/url: invalid control character in URL');
  if (text === '' && viaRequest) fail('empty url');
  const empty = { scheme: '', opaque: '', userinfo: undefined, host: '', omitHost: false, query: '', forceQuery: false, fragment: '' };
  if (text === '*') return { ...empty, escapedPath: '*' };
  const schemed = splitScheme(text);
  const scheme = schemed.scheme.toLowerCase();
  let rest = schemed.rest;
  const forceQuery = rest.endsWith('?') && rest.indexOf('?') === rest.length - 1;
  let query = '';
  if (forceQuery) rest = rest.slice(0, -1);
  else [rest, query] = cut(rest, '?');
  const found = { ...empty, scheme, query, forceQuery };

  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...found, opaque: rest, escapedPath: '' };
    if (viaRequest) fail('invalid URI for request');
    if (cut(rest, '/')[0].includes(':')) fail('first path segment in URL cannot contain colon');
  }
  let userinfo: string | undefined;
  let host = '';
  let omitHost = false;
  if ((scheme !== '' || (!viaRequest && !rest.startsWith('///'))) && rest.startsWith('//')) {
    let authority = rest.slice(2);
    const slash = authority.indexOf('/');
    rest = slash < 0 ? '' : authority.slice(slash);
    if (slash >= 0) authority = authority.slice(0, slash);
    ({ userinfo, host } = parseAuthority(scheme, authority));
  } else if (scheme !== '' && rest.startsWith('/')) omitHost = true;
  return { ...found, userinfo, host, omitHost, escapedPath: escapedPath(rest) };
}

function splitScheme(text: string): { scheme: string; rest: string } {
  if (text.startsWith(':')) fail('missing protocol scheme');
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text);
  return match ? { scheme: match[1] as string, rest: text.slice(match[0].length) } : { scheme: '', rest: text };
}

function unescapeOrFail(text: string, part: Parameters<typeof unescapeUrlPart>[1]): string {
  const unescaped = unescapeUrlPart(text, part);
  return unescaped.ok ? urlText(unescaped.bytes) : fail(unescaped.error);
}

function parseAuthority(scheme: string, authority: string): { userinfo: string | undefined; host: string } {
  const at = authority.lastIndexOf('@');
  const host = parseHost(scheme, authority.slice(at + 1));
  if (at < 0) return { userinfo: undefined, host };
  const userinfo = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userinfo)) fail('net/url: invalid userinfo');
  const [name, password] = cut(userinfo, ':');
  const user = escapeUrlPart(unescapeOrFail(name, 'userinfo'), 'userinfo');
  if (!userinfo.includes(':')) return { userinfo: user, host };
  return { userinfo: `${user}:${escapeUrlPart(unescapeOrFail(password, 'userinfo'), 'userinfo')}`, host };
}

const isOptionalPort = (text: string): boolean => /^(:[0-9]*)?$/.test(text);

function parseHost(scheme: string, host: string): string {
  const open = host.lastIndexOf('[');
  if (open > 0) fail('invalid IP-literal');
  if (open === 0) {
    const close = host.lastIndexOf(']');
    if (close < 0) fail("missing ']' in host");
    const port = host.slice(close + 1);
    if (!isOptionalPort(port)) fail(`invalid port ${goQuote(port)} after host`);
    const literal = host.slice(1, close);
    const zone = literal.indexOf('%25');
    const name =
      zone < 0
        ? unescapeOrFail(literal, 'host')
        : unescapeOrFail(literal.slice(0, zone), 'host') + unescapeOrFail(literal.slice(zone), 'zone');
    const parsed = parseIpAddress(name);
    if (!parsed.ok) return fail(`invalid host: ${parsed.error}`);
    if (isV4(parsed.address)) fail('invalid IP-literal');
    return `[${name}]${port}`;
  }
  const colon = host.indexOf(':');
  if (colon >= 0) {
    // More than one colon is only let through for schemes other than http.
    const strict = scheme === 'http' || scheme === 'https';
    const port = host.slice(strict ? colon : host.lastIndexOf(':'));
    if (!isOptionalPort(port)) fail(`invalid port ${goQuote(port)} after host`);
  }
  return unescapeOrFail(host, 'host');
}

/** The path as written where that is a valid encoding, otherwise encoded afresh. Go: URL.EscapedPath. */
function escapedPath(raw: string): string {
  const unescaped = unescapeUrlPart(raw, 'path');
  if (!unescaped.ok) return fail(unescaped.error);
  if (/^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]%/]*$/.test(raw)) return raw;
  return urlText(unescaped.bytes) === '*' ? '*' : escapeUrlBytes(unescaped.bytes, 'path');
}

/** Host without port and brackets. Go: URL.Hostname. */
export function urlHostname(url: ParsedUrl): string {
  const { host } = url;
  if (host.startsWith('[')) return host.slice(1, host.lastIndexOf(']'));
  const colon = host.lastIndexOf(':');
  return colon >= 0 && isOptionalPort(host.slice(colon)) ? host.slice(0, colon) : host;
}

/** Port without colon, '' when there is none. Go: URL.Port. */
export function urlPort(url: ParsedUrl): string {
  const colon = url.host.lastIndexOf(':');
  return colon >= 0 && isOptionalPort(url.host.slice(colon)) ? url.host.slice(colon + 1) : '';
}

/** Go's bound on the parameters of one query. */
const MAX_PARAMETERS = 10_000;

/** The query's values by key, in the order of the query; parameters that cannot be decoded are left out. Go: URL.Query. */
export function urlQuery(url: ParsedUrl): Map<string, string[]> {
  const values = new Map<string, string[]>();
  const parameters = url.query.split('&');
  if (parameters.length > MAX_PARAMETERS) return values;
  for (const parameter of parameters) {
    if (parameter === '' || parameter.includes(';')) continue;
    const [rawKey, rawValue] = cut(parameter, '=');
    const key = unescapeUrlPart(rawKey, 'query');
    const value = unescapeUrlPart(rawValue, 'query');
    if (!key.ok || !value.ok) continue;
    const name = urlText(key.bytes);
    const known = values.get(name);
    if (known) known.push(urlText(value.bytes));
    else values.set(name, [urlText(value.bytes)]);
  }
  return values;
}

/** The URL put together again; two URLs are equal when these texts are. Go: URL.String. */
export function formatUrl(url: ParsedUrl): string {
  let text = url.scheme === '' ? '' : `${url.scheme}:`;
  if (url.opaque !== '') text += url.opaque;
  else {
    const hasAuthority = url.host !== '' || url.userinfo !== undefined;
    if (hasAuthority || (url.scheme !== '' && !url.omitHost)) {
      if (hasAuthority || url.escapedPath !== '') text += '//';
      if (url.userinfo !== undefined) text += `${url.userinfo}@`;
      text += escapeUrlPart(url.host, 'host');
    }
    if (url.escapedPath !== '' && !url.escapedPath.startsWith('/') && url.host !== '') text += '/';
    if (text === '' && cut(url.escapedPath, '/')[0].includes(':')) text += './';
    text += url.escapedPath;
  }
  if (url.forceQuery || url.query !== '') text += `?${url.query}`;
  return url.fragment === '' ? text : `${text}#${url.fragment}`;
}
