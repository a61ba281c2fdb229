import { notAcceptable } from '../status-error.ts';

/** How an answer is to be written. */
export type Representation =
  | { readonly as: 'object' }
  | { readonly as: 'table'; readonly version: 'v1' | 'v1beta1' }
  /** `list`: said of lists, and of nothing else. */
  | { readonly as: 'partial'; readonly list: boolean };

export interface MediaType {
  /** `application/json`, in lower case. */
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The media types of an `Accept` or `Content-Type` header, best first; at most 32 are looked at. */
export function parseMediaTypes(header: string): readonly MediaType[] {
  const found: { readonly media: MediaType; readonly quality: number }[] = [];
  for (const part of header.split(',', 32)) {
    const [type = '', ...rest] = part.split(';');
    const parameters = new Map<string, string>();
    for (const parameter of rest) {
      const equals = parameter.indexOf('=');
      if (equals > 0) parameters.set(parameter.slice(0, equals).trim().toLowerCase(), parameter.slice(equals + 1).trim());
    }
    if (type.trim() === '') continue;
    const quality = Number(parameters.get('q') ?? 1);
    found.push({ media: { type: type.trim().toLowerCase(), parameters }, quality: Number.isNaN(quality) ? 0 : quality });
  }
  return found
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ media }) => media);
}

export const JSON_TYPE = 'application/json';
/** For bodies of requests; answers are in JSON. */
export const YAML_TYPE = 'application/yaml';

/** Whether a media type can be answered with JSON. Protobuf and CBOR are not spoken here. */
function isJson({ type }: MediaType): boolean {
  return type === JSON_TYPE || type === '*/*' || type === 'application/*';
}

/** Whether a client would rather have YAML than JSON. */
export function prefersYaml(accept: string | undefined): boolean {
  return parseMediaTypes(accept ?? '').find((media) => isJson(media) || media.type === YAML_TYPE)?.type === YAML_TYPE;
}

/**
 * Chooses the representation for an `Accept` header: the first that can be had. Throws a 406 where there is none, as for clients
 * that take nothing but protobuf.
 */
export function negotiate(accept: string | undefined, allowed: { readonly table: boolean; readonly partial: boolean }): Representation {
  const wanted = parseMediaTypes(accept ?? '');
  if (wanted.length === 0) return { as: 'object' };
  for (const media of wanted) {
    if (!isJson(media) && media.type !== YAML_TYPE) continue;
    const as = media.parameters.get('as');
    if (as === undefined) return { as: 'object' };
    const version = media.parameters.get('v');
    if (media.parameters.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue;
    if (as === 'Table' && allowed.table) return { as: 'table', version };
    if ((as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') && allowed.partial)
      return { as: 'partial', list: as === 'PartialObjectMetadataList' };
  }
  throw notAcceptable([JSON_TYPE, YAML_TYPE]);
}
