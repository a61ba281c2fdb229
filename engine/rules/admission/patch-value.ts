import { formatDuration } from '../../cel/run/duration.ts';
import { formatTimestamp } from '../../cel/run/timestamp.ts';
import { typeName } from '../../cel/run/type-of.ts';
import {
  CelError,
  CelMap,
  type CelValue,
  Double,
  Duration,
  LazyStruct,
  Opaque,
  Optional,
  Struct,
  Timestamp,
  TypeValue,
  Uint,
} from '../../cel/values.ts';
import { celToJson, type JsonRoom, jsonRoom, takeRoom } from '../../object/cel-to-json.ts';
import { type Json, MAX_JSON_DEPTH, setOwn } from '../../object/json.ts';

/** Names that the API server's own types have in the text of a failed conversion. */
const GO_NAMES: Readonly<Record<string, string>> = {
  'kubernetes.Quantity': 'Quantity',
  'kubernetes.Semver': 'Semver',
  'kubernetes.URL': 'URL',
  'net.IP': 'IP',
  'net.CIDR': 'CIDR',
  'kubernetes.NamedFormat': 'Format',
};

/**
 * The `value` of a `JSONPatch` as the JSON the API server makes of it, by way of a protobuf value: integers beyond 2^53 become text,
 * bytes base64, times and durations text; only texts can be keys.
 *
 * Throws a {@link CelError} with the API server's text for what has no such form. Kubernetes:
 * pkg/admission/plugin/policy/mutating/patch/json_patch.go; cel-go: common/types ConvertToNative.
 */
export function patchValue(value: CelValue): Json {
  return convert(value, 0, jsonRoom());
}

function convert(value: CelValue, depth: number, room: JsonRoom): Json {
  takeRoom(room, typeof value === 'string' ? value.length + 2 : 1);
  if (depth > MAX_JSON_DEPTH) throw new CelError(`the value nests deeper than ${MAX_JSON_DEPTH} levels`);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return finite(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly CelValue[]).map((item) => convert(item, depth + 1, room));
  if (value instanceof Double) return finite(value.value);
  if (value instanceof Uint) return value.value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value.value) : String(value.value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Uint8Array) return celToJson(value, room) as Json;
  if (value instanceof Optional) {
    if (value.present) return convert(value.value, depth + 1, room);
    throw new CelError('optional.none() dereference');
  }
  if (value instanceof TypeValue) throw new CelError("type conversion not supported for 'type'");
  if (value instanceof Struct) {
    if (value.typeName === 'JSONPatch') throw new CelError('cannot convert to native type: *structpb.Value');
    return celToJson(value, room) as Json;
  }
  if (value instanceof CelMap) {
    for (const [key] of value.entries.values()) if (typeof key !== 'string') throw new CelError(keyError(key));
    throw new CelError(`a value of type ${typeName(value)} has no JSON form`);
  }
  if (value instanceof Opaque)
    throw new CelError(`type conversion error from '${GO_NAMES[value.typeName] ?? value.typeName}' to '*structpb.Value'`);
  if (value instanceof LazyStruct) throw new CelError(`a value of type ${typeName(value)} has no JSON form`);
  const copy: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(value as { readonly [key: string]: CelValue })) {
    takeRoom(room, key.length);
    setOwn(copy, key, convert(item, depth + 1, room));
  }
  return copy;
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new CelError(`${String(value)} has no JSON form`);
}

/** cel-go words it differently for each type of key. */
function keyError(key: CelValue): string {
  if (typeof key === 'boolean') return "type conversion error from bool to 'string'";
  return `unsupported type conversion from '${typeName(key)}' to string`;
}
