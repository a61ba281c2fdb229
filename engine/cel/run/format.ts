import { CelMap, type CelValue, Double, Duration, LazyStruct, Opaque, Optional, Struct, Timestamp, TypeValue, Uint } from '../values.ts';
import { formatDouble } from './double-format.ts';
import { formatDuration } from './duration.ts';
import { formatTimestamp } from './timestamp.ts';
import { isInt, typeName } from './type-of.ts';

/** A value as cel-go's messages print it (Go's `%v`): strings bare, lists and maps in brackets. */
export function formatForMessage(value: CelValue): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return isInt(value) ? String(value) : formatDouble(value);
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map(formatForMessage).join(', ')}]`;
  if (value instanceof Double) return formatDouble(value.value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return `[${Array.from(value).join(' ')}]`;
  if (value instanceof CelMap) {
    return `{${[...value.entries.values()].map(([key, item]) => `${formatForMessage(key)}: ${formatForMessage(item)}`).join(', ')}}`;
  }
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof Optional) return value.present ? `optional(${formatForMessage(value.value)})` : 'optional.none()';
  if (value instanceof Opaque) return value.toString();
  if (value instanceof Struct || value instanceof LazyStruct) return typeName(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${key}: ${formatForMessage(item)}`)
    .join(', ')}}`;
}
