import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '../../../../engine/object/json.ts';
import { metadataText } from '../../../../engine/object/metadata.ts';
import { printYaml } from '../../../../engine/text/print-yaml.ts';
import { parseJsonBody } from '../../../host/json-body.ts';
import type { ObjectName } from '../../client.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { Requester } from '../registry.ts';
import type { ServerState } from '../server-state.ts';
import { badRequest, unsupportedMediaType } from '../status-error.ts';
import { SCALE_PRINTER, shownScale } from '../subresources/scale.ts';
import { type DecodeOptions, parseBody, parseYamlBody, type SentValue } from '../verbs/decode.ts';
import { parseSelection, type Selection } from '../verbs/selection.ts';
import { type WriteContext, writtenKind } from '../verbs/write-context.ts';
import { readBody } from './body.ts';
import { JSON_TYPE, negotiate, parseMediaTypes, prefersYaml, YAML_TYPE } from './media-type.ts';
import { decodeProtobuf, PROTOBUF_TYPE } from './protobuf.ts';
import { ProtobufError } from './protobuf-reader.ts';
import type { ResourcePath } from './request-path.ts';
import { respondText, type Warnings } from './respond.ts';
import { type IncludeObject, type View, viewObject } from './transform.ts';
import type { WriteOptions } from './write-options.ts';

/** One authorized request to a resource. */
export interface ResourceRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly definition: ResourceDefinition;
  readonly path: ResourcePath;
  /** `get`, `list`, `watch`, `create`, ... */
  readonly verb: string;
  readonly query: URLSearchParams;
  readonly requester: Requester;
  readonly warnings: Warnings;
}

/** How the answer is to be written; `isStored` is false of what is only answered, and never a table nor metadata alone. */
export function view(state: ServerState, { request, definition, query }: ResourceRequest, isStored = true): View {
  const representation = negotiate(request.headers.accept, { table: isStored, partial: isStored });
  const includeObject = query.get('includeObject') ?? '';
  if (!['', 'None', 'Metadata', 'Object'].includes(includeObject)) {
    const why = `Invalid value: ${JSON.stringify(includeObject)}: must be 'Metadata', 'Object', 'None', or empty`;
    throw badRequest(`Unable to convert to Table as requested: includeObject: ${why}`);
  }
  return {
    definition,
    representation,
    includeObject: includeObject === '' ? 'Metadata' : (includeObject as IncludeObject),
    now: () => state.clock.now(),
  };
}

/** Answers, with the warnings that were gathered; in YAML where the client would rather have that. */
export function respond(call: ResourceRequest, code: number, text: string): void {
  const { request, response, warnings } = call;
  const headers = warnings.texts.length > 0 ? { warning: [...warnings.headers()] } : {};
  if (prefersYaml(request.headers.accept)) {
    const yaml = printYaml(parseJsonBody(Buffer.from(text)));
    respondText(request, response, code, yaml, { ...headers, 'content-type': YAML_TYPE });
  } else respondText(request, response, code, text, headers);
}

/** The object that the path names. */
export function nameOf({ definition, path }: ResourceRequest): ObjectName {
  return definition.namespaced ? { namespace: path.namespace, name: path.name } : { name: path.name };
}

/** What a write or a read shows: the scale where that is what was asked for. */
export function viewOf({ definition, path }: ResourceRequest, shown: View, object: JsonObject): string {
  const scale = path.subresource === 'scale' ? definition.scale : undefined;
  if (scale === undefined) return viewObject(shown, object);
  return viewObject({ ...shown, definition: { ...definition, printer: SCALE_PRINTER } }, shownScale(scale, object));
}

/** What a list and a watch are about. A list of one name, as old clients ask for it, is a list by that name. */
export function selectionOf({ definition, path, query }: ResourceRequest): Selection {
  const fieldSelector = query.get('fieldSelector') ?? '';
  const byName = path.name === '' ? '' : `metadata.name=${path.name}`;
  return parseSelection(definition, query.get('labelSelector') ?? '', [fieldSelector, byName].filter((text) => text !== '').join(','));
}

/** A boolean option; undefined where it is absent. */
export function flag(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  return text === null ? undefined : text === '' || text === 'true' || text === '1';
}

/** A number option, 0 where it is absent or negative. */
export function wholeNumber(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  if (text === '') return 0;
  if (!/^-?[0-9]{1,18}$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Math.max(0, Number(text));
}

/** The body as JSON; undefined where there is none. */
export async function bodyOf({ clock }: ServerState, { request, definition, path }: ResourceRequest): Promise<SentValue | undefined> {
  const bytes = await readBody(request, clock.after);
  if (bytes.length === 0) return undefined;
  const [media] = parseMediaTypes(request.headers['content-type'] ?? '');
  if (media === undefined || media.type === JSON_TYPE) return parseBody(bytes, writtenKind(definition, path.subresource).kind);
  if (media.type === YAML_TYPE) return parseYamlBody(bytes);
  if (media.type !== PROTOBUF_TYPE) throw unsupportedMediaType([JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE]);
  try {
    return { value: decodeProtobuf(bytes), duplicates: [] };
  } catch (error) {
    if (error instanceof ProtobufError) throw badRequest(error.message);
    throw error;
  }
}

/** What becomes of fields that are none. */
export function decodeOptions({ warnings }: ResourceRequest, { fieldValidation }: WriteOptions): DecodeOptions {
  return { validation: fieldValidation, warn: warnings.add };
}

/** The write that a request is. */
export function contextOf({ request, requester, path, warnings }: ResourceRequest, options: WriteOptions): WriteContext {
  return {
    requester,
    fieldManager: options.fieldManager !== '' ? options.fieldManager : managerFromAgent(request.headers['user-agent'] ?? ''),
    dryRun: options.dryRun,
    subresource: path.subresource,
    options: options.object,
    warn: warnings.add,
  };
}

/** A client without a field manager is known by the first part of its user agent. */
function managerFromAgent(agent: string): string {
  return [...(agent.split('/')[0] ?? '').slice(0, 128)].filter((char) => /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)).join('');
}

/** Throws where an object is not called as its path says. Kubernetes: handlers/rest.go checkName. */
export function checkName(object: JsonObject, path: ResourcePath): void {
  const name = metadataText(object, 'name');
  if (name === '') throw badRequest(`the name of the object (${path.name} based on URL) was undeterminable: name must be provided`);
  if (name !== path.name) throw badRequest(nameMismatch(name, path.name));
}

/** Why that is refused. */
export function nameMismatch(name: string, inPath: string): string {
  return `the name of the object (${name}) does not match the name on the URL (${inPath})`;
}
