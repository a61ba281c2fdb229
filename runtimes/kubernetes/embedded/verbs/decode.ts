import { exceedsDepth, isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { formatApiVersion } from '../../../../engine/object/type-table.ts';
import { DEFAULT_LIMITS } from '../../../../engine/text/limits.ts';
import { parseYaml } from '../../../../engine/text/yaml.ts';
import { parseJsonBody } from '../../../host/json-body.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import { badRequest } from '../status-error.ts';

/** Levels of lists and maps in what clients send. */
const MAX_DEPTH = 200;

/** The JSON of a body. Throws a 400 for what is none. */
export function parseBody(body: Buffer): Json {
  let value: Json;
  try {
    value = parseJsonBody(body) as Json;
  } catch {
    throw badRequest('the body of the request is not valid JSON');
  }
  if (exceedsDepth(value, MAX_DEPTH)) throw badRequest(`the body of the request nests deeper than ${MAX_DEPTH} levels`);
  return value;
}

/** The object of a body, of the kind that the resource has; what the body leaves out of `apiVersion` and `kind` is filled in. */
export function decodeObject(
  definition: ResourceDefinition,
  kind: { readonly group: string; readonly version: string; readonly kind: string },
  value: Json | undefined,
): JsonObject {
  if (value === undefined) throw badRequest('the body of the request is empty');
  if (!isJsonObject(value)) throw badRequest('the object provided is unrecognized (must be of type object)');
  const expected = formatApiVersion(kind.group, kind.version);
  const apiVersion = ownValue(value, 'apiVersion') ?? '';
  const ownKind = ownValue(value, 'kind') ?? '';
  if (!definition.builtIn && ownKind === '') throw badRequest("Object 'Kind' is missing in the body");
  if (apiVersion !== '' && apiVersion !== expected) {
    throw badRequest(`the API version in the data (${String(apiVersion)}) does not match the expected API version (${expected})`);
  }
  if (ownKind !== '' && ownKind !== kind.kind) {
    throw badRequest(`${String(ownKind)} in version "${kind.version}" cannot be handled as a ${kind.kind}: the kinds do not match`);
  }
  const metadata = ownValue(value, 'metadata') ?? {};
  if (!isJsonObject(metadata))
    throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: metadata must be an object`);
  return { ...value, apiVersion: expected, kind: kind.kind, metadata };
}

/** The configuration of a server-side apply, in YAML or JSON. */
export function parseApplied(body: Buffer): Json {
  const { documents, diagnostics } = parseYaml(
    { name: '<patch>', text: body.toString('utf8') },
    { ...DEFAULT_LIMITS, maxDepth: MAX_DEPTH },
  );
  const mistake = diagnostics.find(({ severity }) => severity === 'error');
  if (mistake !== undefined || documents.length !== 1) {
    throw badRequest(`error decoding YAML: ${mistake?.message ?? 'exactly one document is expected'}`);
  }
  return documents[0]?.value as Json;
}
