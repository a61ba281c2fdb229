import { isJsonObject, type Json, type JsonObject } from '../../../../engine/object/json.ts';
import { applyPatch, type PatchOperation } from '../../../../engine/object/json-patch.ts';
import { applyMergePatch } from '../../../../engine/object/merge-patch.ts';
import type { MapSchema } from '../../../../engine/object/schema.ts';
import { applyStrategicMergePatch } from '../../../../engine/object/strategic-merge-patch.ts';
import { badRequest, requestTooLarge, StatusError } from '../status-error.ts';

/** Operations of one JSON patch. Kubernetes: endpoints/handlers/patch.go. */
const MAX_OPERATIONS = 10_000;

/** The object after a JSON patch (RFC 6902). Throws as the API server answers. */
export function jsonPatched(old: JsonObject, patch: Json): Json {
  if (!Array.isArray(patch))
    throw badRequest(`error decoding patch: json: cannot unmarshal ${jsonKind(patch)} into Go value of type []handlers.jsonPatchOp`);
  if (patch.length > MAX_OPERATIONS) {
    throw requestTooLarge(`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`);
  }
  const outcome = applyPatch(old, patch as unknown as readonly PatchOperation[], { dialect: 'apiserver' });
  if (!outcome.ok) throw new StatusError(422, 'Invalid', REJECTED, {});
  return outcome.value;
}

const REJECTED = 'the server rejected our request due to an error in our request';

/** The object after a merge patch (RFC 7386). */
export function mergePatched(old: JsonObject, patch: Json): Json {
  if (!isJsonObject(patch)) throw badRequest(`error decoding patch: ${NOT_A_MAP(patch)}`);
  return applyMergePatch(old, patch);
}

/** The object after kubectl's strategic merge patch. */
export function strategicPatched(schema: MapSchema | undefined, old: JsonObject, patch: Json): Json {
  if (!isJsonObject(patch)) throw badRequest(NOT_A_MAP(patch));
  if (schema === undefined) throw badRequest('the kind has no schema to merge by');
  const outcome = applyStrategicMergePatch(old, patch, schema);
  if (outcome.ok) return outcome.object;
  if (outcome.code === 400) throw badRequest(outcome.message);
  throw new StatusError(outcome.code, outcome.code === 422 ? 'Invalid' : undefined, outcome.message);
}

const NOT_A_MAP = (patch: Json): string => `json: cannot unmarshal ${jsonKind(patch)} into Go value of type map[string]interface {}`;

function jsonKind(value: Json): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean'
    ? 'bool'
    : value === null || typeof value === 'object'
      ? 'object'
      : typeof value === 'string'
        ? 'string'
        : 'number';
}
