import { CelMap, type CelValue, Double, Duration, Opaque, Optional, Timestamp, TypeValue, Uint } from '../../values.ts';
import { formatDouble } from '../double-format.ts';
import { isInt } from '../type-of.ts';

/**
 * A value so that its type can be told, in JSON: null, bool, string and list as they are, `{int: text}` and so on for the rest.
 * It is the form in which `conformance/tools/cel` writes cel-go's answers.
 */
export function tagged(value: CelValue): unknown {
  if (value === null) return { null: '' };
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (isInt(value)) return { int: String(value) };
  if (typeof value === 'number') return { double: formatDouble(value) };
  if (value instanceof Double) return { double: formatDouble(value.value) };
  if (value instanceof Uint) return { uint: String(value.value) };
  if (Array.isArray(value)) return value.map(tagged);
  if (value instanceof Uint8Array) return { bytes: btoa(String.fromCharCode(...value)) };
  if (value instanceof Timestamp) return { timestamp: `${value.seconds}.${String(value.nanos).padStart(9, '0')}` };
  if (value instanceof Duration) return { duration: String(value.nanos) };
  if (value instanceof TypeValue) return { type: value.name };
  if (value instanceof Optional) return { optional: value.present ? [tagged(value.value)] : [] };
  if (value instanceof CelMap) return { map: [...value.entries.values()].map(([key, item]) => [tagged(key), tagged(item)]) };
  if (value instanceof Opaque) return { opaque: value.typeName };
  return { map: Object.entries(value).map(([key, item]) => [key, tagged(item as CelValue)]) };
}

/** The same with map entries in one order, and library types by name only. */
export function ordered(form: unknown): unknown {
  if (Array.isArray(form)) return form.map(ordered);
  if (typeof form !== 'object' || form === null) return form;
  const [[kind, content] = ['', undefined]] = Object.entries(form);
  if (/^(kubernetes|net)\./.test(kind)) return { opaque: kind };
  if (kind !== 'map') return Array.isArray(content) ? { [kind]: ordered(content) } : form;
  return { map: (content as unknown[]).map(ordered).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}
