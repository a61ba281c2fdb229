import { builtInTypes } from '../../../../engine/bundle/built-in-types.ts';
import { goQuote } from '../../../../engine/cel/go-quote.ts';
import { decodeLeniently } from '../../../../engine/object/decode.ts';
import { exceedsDepth, isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { metadataText } from '../../../../engine/object/metadata.ts';
import type { MapSchema } from '../../../../engine/object/schema.ts';
import { formatApiVersion, parseApiVersion } from '../../../../engine/object/type-table.ts';
import { DEFAULT_LIMITS } from '../../../../engine/text/limits.ts';
import { lineIndexAt } from '../../../../engine/text/position.ts';
import { parseYaml } from '../../../../engine/text/yaml.ts';
import { parseJsonBody } from '../../../host/json-body.ts';
import { fieldInvalid } from '../field-error.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import { badRequest, invalid, StatusError } from '../status-error.ts';
import { duplicateFields } from './duplicate-fields.ts';
import { inDocumentOrder } from './field-complaints.ts';
import { malformed, noObject, unrecognized } from './unrecognized-body.ts';

/** Levels of lists and maps in what clients send. */
const MAX_DEPTH = 200;
const OPEN_MAP = 0x7b;

/** What becomes of fields that a kind does not have, and of fields that are given twice. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** What a client sent. */
export interface SentValue {
  readonly value: Json;
  /** Paths of fields that were given twice. */
  readonly duplicates: readonly string[];
  /** The same of YAML, in the words of its parser: `line 7: key "a" already set in map`. */
  readonly yamlMistakes?: readonly string[];
  /** The body itself, for messages. Absent where the value was made by a patch or read from another form. */
  readonly body?: Uint8Array;
}

/** The JSON of a body, of which an object of `kind` is expected. Throws a 400 for what is none. */
export function parseBody(body: Buffer, kind: string): SentValue {
  let value: Json;
  try {
    value = parseJsonBody(body) as Json;
  } catch {
    throw malformed(kind, body);
  }
  checkDepth(value);
  return { value, duplicates: duplicateFields(body.toString('utf8')), body };
}

/** A patch in JSON. */
export function parsePatch(body: Buffer): SentValue {
  let value: Json;
  try {
    value = parseJsonBody(body) as Json;
  } catch {
    throw badRequest('invalid JSON patch');
  }
  checkDepth(value);
  return { value, duplicates: duplicateFields(body.toString('utf8')) };
}

/** The document of a body in YAML or JSON. Of a key that is given twice the last counts. */
export function parseYamlBody(body: Buffer): SentValue {
  const plain = plainJson(body);
  if (plain !== undefined) return { value: plain, duplicates: [], yamlMistakes: [] };
  const limits = { ...DEFAULT_LIMITS, maxDepth: MAX_DEPTH };
  const source = { name: '<body>', text: body.toString('utf8') };
  const { documents, diagnostics } = parseYaml(source, limits);
  const doubled: string[] = [];
  for (const { code, severity, message, span } of diagnostics) {
    if (severity !== 'error') continue;
    if (code !== 'yaml-duplicate-key' || span === undefined) throw badRequest(`error decoding YAML: ${message}`);
    const key = source.text.slice(span.start, span.end).replace(/^(["'])(.*)\1$/, '$2');
    doubled.push(`line ${lineIndexAt(source, span.start) + 1}: key ${goQuote(key)} already set in map`);
  }
  if (documents.length !== 1) throw badRequest('error decoding YAML: exactly one document is expected');
  return { value: documents[0]?.value as Json, duplicates: [], yamlMistakes: doubled };
}

/** The same of a body that is a JSON object in which a parser of YAML would find nothing to complain of: many times faster. */
function plainJson(body: Buffer): JsonObject | undefined {
  if (body[0] !== OPEN_MAP) return undefined;
  let value: unknown;
  try {
    value = parseJsonBody(body);
  } catch {
    return undefined;
  }
  const isPlain = isJsonObject(value) && !exceedsDepth(value, MAX_DEPTH) && duplicateFields(body.toString('utf8')).length === 0;
  return isPlain ? (value as JsonObject) : undefined;
}

/** Mistakes of a YAML document as one error. */
export function yamlErrors(mistakes: readonly string[]): string {
  return `yaml: unmarshal errors:${mistakes.map((each) => `\n  ${each}`).join('')}`;
}

/** The configuration of a server-side apply, in YAML or JSON. */
export function parseConfiguration(body: Buffer): {
  readonly configuration: JsonObject;
  readonly yamlMistakes: readonly string[];
} {
  const { value, yamlMistakes = [] } = parseYamlBody(body);
  if (isJsonObject(value)) return { configuration: value, yamlMistakes };
  const found = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value;
  const why = `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`;
  throw badRequest(`error decoding patch: error unmarshaling JSON: while decoding JSON: ${why}`);
}

/**
 * As {@link decodeObject}, for what a patch has made: that it is none of the kind is the patch's fault. `shown`: what the message shows of
 * it.
 */
export function decodePatched(
  definition: ResourceDefinition,
  type: WrittenType,
  patched: SentValue & { readonly shown: string },
  options: DecodeOptions,
): JsonObject {
  try {
    return decodeObject(definition, type, patched, options);
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    throw invalid('', '', '', [fieldInvalid('patch', patched.shown, error.why)]);
  }
}

/** Of an object that does not decode as the kind that it says it is. */
class Undecodable extends StatusError {
  constructor(
    message: string,
    readonly why: string,
  ) {
    super(400, 'BadRequest', message);
  }
}

function checkDepth(value: Json): void {
  if (exceedsDepth(value, MAX_DEPTH)) throw badRequest(`the body of the request nests deeper than ${MAX_DEPTH} levels`);
}

/** The kind that a request carries, which for a subresource is not that of the resource. */
export interface WrittenType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Undefined for kinds that are not decoded here: custom resources, which prune by themselves. */
  readonly schema: MapSchema | undefined;
}

export interface DecodeOptions {
  readonly validation: FieldValidation;
  readonly warn: (text: string) => void;
}

/**
 * The object of a body, of the kind that is expected: without unknown fields, nulls, and what Go leaves out as empty. What the body
 * leaves out of `apiVersion` and `kind` is filled in. Throws a 400 where it is something else.
 * Kubernetes: apiserver pkg/endpoints/handlers/create.go, rest.go transformDecodeError.
 */
export function decodeObject(
  definition: ResourceDefinition,
  type: WrittenType,
  sent: SentValue | undefined,
  options: DecodeOptions,
): JsonObject {
  if (sent === undefined) throw malformed(type.kind, NOTHING);
  const { body } = sent;
  // To Go, null is an object without anything in it.
  const value = sent.value ?? {};
  if (!isJsonObject(value)) {
    throw body === undefined
      ? badRequest('the object provided is unrecognized (must be of type object)')
      : noObject(type.kind, value, body);
  }
  const expected = formatApiVersion(type.group, type.version);
  const apiVersion = ownValue(value, 'apiVersion') ?? '';
  const kind = ownValue(value, 'kind') ?? '';
  if (!definition.builtIn && kind === '') {
    throw body === undefined
      ? badRequest("Object 'Kind' is missing in the object provided")
      : unrecognized(type.kind, `Object 'Kind' is missing in '${Buffer.from(body).toString('utf8', 0, MAX_SHOWN)}'`, body);
  }
  const refusalOf = (why: string): string =>
    `${String(kind || type.kind)} in version "${type.version}" cannot be handled as a ${type.kind}: ${why}`;
  const refuse = (why: string): Error => new Undecodable(refusalOf(why), why);
  const isOther = (apiVersion !== '' && apiVersion !== expected) || (kind !== '' && kind !== type.kind);
  if (isOther) {
    if (!definition.builtIn) throw otherCustomKind(definition, value, expected);
    const other = { apiVersion: String(apiVersion || expected), kind: String(kind || type.kind) };
    const mistake = mistakeIn(value, other);
    if (mistake !== undefined) throw refuse(mistake);
    const why = otherKind(other.apiVersion, other.kind, type);
    throw other.kind === type.kind ? refuse(why) : badRequest(refusalOf(why));
  }
  const unknown: string[] = [];
  let object: JsonObject = { ...value, apiVersion: expected, kind: type.kind };
  if (type.schema === undefined) object = withDecodedMetadata(object, refuse, (path) => unknown.push(path));
  const complaints: string[] = [];
  if (type.schema === undefined) {
    complaints.push(...sent.duplicates.map((path) => `duplicate field ${goQuote(path)}`));
    complaints.push(...unknown.map((path) => `unknown field ${goQuote(path)}`));
  } else {
    const decoded = decodeLeniently(object, type.schema);
    if (!decoded.ok) throw refuse(decoded.message);
    object = decoded.object;
    complaints.push(...inDocumentOrder(value, decoded.unknown, sent.duplicates));
  }
  const metadata = ownValue(object, 'metadata') ?? {};
  if (!isJsonObject(metadata)) throw refuse('metadata must be an object');
  if (definition.prune !== undefined && type.kind === definition.kind) {
    const pruned = definition.prune(object);
    object = pruned.object;
    complaints.push(...pruned.unknown.map((path) => `unknown field ${goQuote(path)}`));
  }
  const { yamlMistakes = [] } = sent;
  if (options.validation === 'Strict' && complaints.length + yamlMistakes.length > 0) {
    const all = yamlMistakes.length === 0 ? complaints : [yamlErrors(yamlMistakes), ...complaints];
    throw refuse(`strict decoding error: ${all.join(', ')}`);
  }
  if (options.validation === 'Warn') for (const complaint of [...yamlMistakes, ...complaints]) options.warn(complaint);
  return object['metadata'] === metadata ? object : { ...object, metadata };
}

/** Why an object is none of the kind that it says it is, which is found before that it is another than expected. */
function mistakeIn(object: JsonObject, { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): string | undefined {
  const { group, version } = parseApiVersion(apiVersion);
  const schema = builtInTypes([]).kind(group, version, kind);
  const decoded = schema === undefined ? undefined : decodeLeniently(object, schema);
  return decoded === undefined || decoded.ok ? undefined : decoded.message;
}

const NOTHING = new Uint8Array(0);
/** Bytes of a body without a kind that the message repeats. */
const MAX_SHOWN = 1024;

/** Why an object of another kind is not taken, as Go's scheme says it. */
function otherKind(apiVersion: string, kind: string, type: WrittenType): string {
  const { group, version } = parseApiVersion(apiVersion);
  const found = builtInTypes([]).kind(group, version, kind)?.name;
  if (found === undefined)
    return `no kind ${goQuote(kind)} is registered for version ${goQuote(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`;
  const room = type.schema?.name?.split('.')[0] ?? '';
  return `converting (${found.split('.').slice(-2).join('.')}) to (${room}.${type.kind}): unknown conversion`;
}

function otherCustomKind(definition: ResourceDefinition, sent: JsonObject, expected: string): Error {
  const apiVersion = String(sent['apiVersion'] ?? '');
  if (apiVersion !== expected) {
    return badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected})`);
  }
  const kind = String(sent['kind']);
  return invalid(definition.group, kind, metadataText(sent, 'name'), [fieldInvalid('kind', kind, `must be ${definition.kind}`)]);
}

/** The metadata of custom resources are those of all objects, whatever their schema says. */
function withDecodedMetadata(object: JsonObject, refuse: (why: string) => Error, unknown: (path: string) => void): JsonObject {
  const metadata = ownValue(object, 'metadata');
  const schema = builtInTypes([]).definition('meta.v1.ObjectMeta');
  if (!isJsonObject(metadata) || schema?.kind !== 'map') return object;
  const decoded = decodeLeniently(metadata, schema);
  if (!decoded.ok) throw refuse(decoded.message);
  for (const path of decoded.unknown) unknown(`metadata.${path}`);
  return decoded.object === metadata ? object : { ...object, metadata: decoded.object };
}
