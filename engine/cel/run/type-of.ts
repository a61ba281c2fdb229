import {
  CelMap,
  type CelValue,
  Double,
  Duration,
  LazyStruct,
  Opaque,
  Optional,
  type PlainObject,
  Struct,
  Timestamp,
  TypeValue,
  Uint,
} from '../values.ts';

/** Integral numbers at or above this magnitude cannot be int64; JSON that has one means a double, as in Kubernetes. */
const INT64_BOUND = 2 ** 63;

/** True for a CEL int, in either of its two forms. */
export function isInt(value: CelValue): value is number | bigint {
  return typeof value === 'number' ? Number.isInteger(value) && value < INT64_BOUND && value >= -INT64_BOUND : typeof value === 'bigint';
}

/** True for a CEL double, in either of its two forms. */
export function isDouble(value: CelValue): value is number | Double {
  return typeof value === 'number' ? !Number.isInteger(value) || value >= INT64_BOUND || value < -INT64_BOUND : value instanceof Double;
}

/** The number inside a CEL double. */
export function doubleValue(value: number | Double): number {
  return typeof value === 'number' ? value : value.value;
}

/** True for a map whose keys are all strings: a JSON object, and nothing else of our value classes. */
export function isPlainObject(value: CelValue): value is PlainObject {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || (!Array.isArray(value) && !isValueClass(value));
}

function isValueClass(value: object): boolean {
  return (
    value instanceof Double ||
    value instanceof Uint ||
    value instanceof Uint8Array ||
    value instanceof CelMap ||
    value instanceof Timestamp ||
    value instanceof Duration ||
    value instanceof TypeValue ||
    value instanceof Optional ||
    value instanceof Struct ||
    value instanceof LazyStruct ||
    value instanceof Opaque
  );
}

/** Name of a value's type, as `type(value)` and cel-go's messages write it. */
export function typeName(value: CelValue): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return isInt(value) ? 'int' : 'double';
  }
  if (value === null) return 'null_type';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Double) return 'double';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof CelMap) return 'map';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof TypeValue) return 'type';
  if (value instanceof Optional) return 'optional_type';
  if (value instanceof Struct || value instanceof LazyStruct || value instanceof Opaque) return value.typeName;
  return 'map';
}

/** Whether `optional.ofNonZeroValue` takes the value for absent. cel-go: common/types, IsZeroValue of each type. */
export function isZeroValue(value: CelValue): boolean {
  if (value === null || value === false || value === '' || value === 0) return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Double) return value.value === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelMap) return value.entries.size === 0;
  if (value instanceof Timestamp) return value.seconds === -62135596800 && value.nanos === 0;
  if (value instanceof Duration) return value.nanos === 0n;
  if (value instanceof Optional) return !value.present;
  if (value instanceof Struct) return Object.keys(value.fields).length === 0;
  if (value instanceof TypeValue || value instanceof LazyStruct || value instanceof Opaque) return false;
  return Object.keys(value).length === 0;
}
