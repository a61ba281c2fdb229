import type { Library } from '../function.ts';
import { BOOL, listOf, mapOf, opaque, STRING } from '../types.ts';
import { CelError, type CelValue, Opaque, type PlainObject } from '../values.ts';
import { pricedByTraversal, traversalEstimate, UNIT_PRICE } from './call-cost.ts';
import { declare, globalOverload, memberOverload } from './declare.ts';
import { checkRequestUri, formatUrl, type ParsedUrl, parseUrlReference, urlHostname, urlPort, urlQuery } from './url/url.ts';

/** `kubernetes.URL`. */
export class UrlValue extends Opaque {
  readonly typeName = 'kubernetes.URL';
  readonly url: ParsedUrl;
  constructor(url: ParsedUrl) {
    super();
    this.url = url;
  }

  equals(other: CelValue): boolean | undefined {
    return other instanceof UrlValue ? formatUrl(this.url) === formatUrl(other.url) : undefined;
  }

  toString(): string {
    return formatUrl(this.url);
  }
}

const URL_TYPE = opaque('kubernetes.URL');

function fromString(text: string): UrlValue {
  // The request form of the parser is the stricter one, but takes a fragment for a part of the path.
  const refused = checkRequestUri(text);
  if (refused !== undefined) throw new CelError(`URL parse error during conversion from string: ${refused}`);
  const parsed = parseUrlReference(text);
  if (!parsed.ok) throw new CelError(`URL parse error during conversion from string: ${parsed.error}`);
  return new UrlValue(parsed.url);
}

function query(value: UrlValue): PlainObject {
  const result: Record<string, CelValue> = Object.create(null);
  for (const [key, values] of urlQuery(value.url)) result[key] = values;
  return result;
}

const accessor = (name: string, id: string, read: (value: UrlValue) => string) =>
  declare(name, memberOverload(id, [URL_TYPE], STRING, read, UNIT_PRICE));

/** URLs. Kubernetes: pkg/cel/library/urls.go. */
export const URL_LIBRARY: Library = {
  name: 'kubernetes.urls',
  functions: [
    declare('url', globalOverload('string_to_url', [STRING], URL_TYPE, fromString, pricedByTraversal(1, traversalEstimate(1, true)))),
    declare(
      'isURL',
      globalOverload('is_url_string', [STRING], BOOL, (text: string) => checkRequestUri(text) === undefined),
    ),
    accessor('getScheme', 'url_get_scheme', (value) => value.url.scheme),
    accessor('getHost', 'url_get_host', (value) => value.url.host),
    accessor('getHostname', 'url_get_hostname', (value) => urlHostname(value.url)),
    accessor('getPort', 'url_get_port', (value) => urlPort(value.url)),
    accessor('getEscapedPath', 'url_get_escaped_path', (value) => value.url.escapedPath),
    declare('getQuery', memberOverload('url_get_query', [URL_TYPE], mapOf(STRING, listOf(STRING)), query, UNIT_PRICE)),
  ],
};
