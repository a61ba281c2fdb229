import type { ResourceCatalog } from '../catalog.ts';
import { parseMediaTypes } from '../http/media-type.ts';
import type { PlainAnswer, PlainPaths } from '../http/plain-paths.ts';
import { notAcceptable } from '../status-error.ts';
import { type OpenApiDocument, OpenApiDocuments } from './documents.ts';

const JSON_TYPES = ['application/json', 'application/com.github.proto-openapi.spec.v3@v1.0+json'];

/**
 * `/openapi/v3`, `/openapi/v3/apis/apps/v1` and `/openapi/v2`, in JSON. Clients that insist on protobuf get a 406, and go without.
 */
export function openApiPaths(catalog: ResourceCatalog): PlainPaths {
  const documents = new OpenApiDocuments(catalog);
  return ({ path, query, accept, headers }) => {
    if (!path.startsWith('/openapi/')) return undefined;
    const known = headers['if-none-match'];
    if (path === '/openapi/v2') {
      requireJson(accept);
      return answer(documents.v2(), known);
    }
    // Kubernetes writes the index without saying what it is.
    if (path === '/openapi/v3' || path === '/openapi/v3/') {
      return { contentType: 'text/plain; charset=utf-8', headers: { vary: 'Accept' }, body: documents.index().text };
    }
    if (!path.startsWith('/openapi/v3/')) return undefined;
    requireJson(accept);
    const document = documents.groupVersion(path.slice('/openapi/v3/'.length));
    if (document === undefined) return { code: 404, body: '' };
    const hash = query.get('hash');
    if (hash === null || hash === document.hash) return answer(document, known, hash !== null);
    return { code: 301, headers: { location: `${path}?hash=${document.hash}` }, body: '' };
  };
}

function requireJson(accept: string): void {
  const types = parseMediaTypes(accept);
  if (types.length > 0 && !types.some(({ type }) => type === '*/*' || type === 'application/*' || JSON_TYPES.includes(type))) {
    throw notAcceptable(JSON_TYPES);
  }
}

/** The address of a document with its hash never shows another one. */
function answer({ text, hash }: OpenApiDocument, known: string | string[] | undefined, isFixed = false): PlainAnswer {
  const headers = {
    etag: `"${hash}"`,
    vary: 'Accept',
    ...(isFixed ? { 'cache-control': 'public, immutable', expires: 'Sat, 01 Jan 2050 00:00:00 GMT' } : {}),
  };
  if (String(known ?? '').includes(hash)) return { code: 304, headers, body: '' };
  return { headers, body: text };
}
