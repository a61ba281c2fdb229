/** Types of the checker. Gradual: `dyn` is compatible with everything and moves the check to run time. */
export type CelType =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'list'; readonly element: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | { readonly kind: 'optional'; readonly value: CelType }
  | { readonly kind: 'type'; readonly of?: CelType }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'opaque'; readonly name: string; readonly params: readonly CelType[] }
  | { readonly kind: 'object'; readonly name: string };

type SimpleKind = 'dyn' | 'error' | 'null' | 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'timestamp' | 'duration';
const simple = (kind: SimpleKind): CelType => Object.freeze({ kind });

export const DYN = simple('dyn');
export const ERROR = simple('error');
export const NULL = simple('null');
export const BOOL = simple('bool');
export const INT = simple('int');
export const UINT = simple('uint');
export const DOUBLE = simple('double');
export const STRING = simple('string');
export const BYTES = simple('bytes');
export const TIMESTAMP = simple('timestamp');
export const DURATION = simple('duration');
export const TYPE: CelType = Object.freeze({ kind: 'type' });

export const listOf = (element: CelType): CelType => ({ kind: 'list', element });
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value });
export const optionalOf = (value: CelType): CelType => ({ kind: 'optional', value });
export const typeOf = (of: CelType): CelType => ({ kind: 'type', of });
export const param = (name: string): CelType => ({ kind: 'param', name });
/** A type of a library, by its full name: `kubernetes.Quantity`, `net.IP`. */
export const opaque = (name: string, ...params: CelType[]): CelType => ({ kind: 'opaque', name, params });
/** A structure whose fields a {@link TypeProvider} knows. */
export const object = (name: string): CelType => ({ kind: 'object', name });

/** A structure with declared fields. Names are as CEL sees them (escaped: `__dash__`, `__dot__`, `__in__`). */
export interface StructType {
  readonly name: string;
  /** The type of a field, or undefined when there is none of that name. */
  field(name: string): CelType | undefined;
  /** All field names, for suggestions and completion. */
  fieldNames(): Iterable<string>;
  /** Unknown fields are dyn instead of an error (`x-kubernetes-preserve-unknown-fields`). */
  readonly open?: boolean;
  /** Whether `Name{...}` may construct it. */
  readonly constructible?: boolean;
}

/** Where the checker finds the fields of `object` types. Lookups are by full type name, e.g. `Object.spec.containers`. */
export interface TypeProvider {
  structType(name: string): StructType | undefined;
}

/**
 * How the checker writes a type in its messages: `list(string)`, `map(string, dyn)`, `optional_type(int)`, `timestamp`,
 * `kubernetes.Quantity`. cel-go: checker/format.go FormatCELType.
 */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${formatType(type.element)})`;
    case 'map':
      return `map(${formatType(type.key)}, ${formatType(type.value)})`;
    case 'optional':
      return `optional_type(${formatType(type.value)})`;
    case 'type':
      return type.of ? `type(${formatType(type.of)})` : 'type';
    case 'param':
    case 'object':
      return type.name;
    case 'opaque':
      return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(formatType).join(', ')})`;
    case 'error':
      return '!error!';
    default:
      return type.kind;
  }
}

/**
 * How everything but the checker writes a type, as in `must evaluate to bool but got google.protobuf.Timestamp`.
 * cel-go: common/types/types.go String.
 */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeName(type.element)})`;
    case 'map':
      return `map(${typeName(type.key)}, ${typeName(type.value)})`;
    case 'optional':
      return `optional_type(${typeName(type.value)})`;
    case 'type':
      return type.of ? `type(${typeName(type.of)})` : 'type';
    case 'param':
      return `<${type.name}>`;
    case 'opaque':
      return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(typeName).join(', ')})`;
    case 'timestamp':
      return 'google.protobuf.Timestamp';
    case 'duration':
      return 'google.protobuf.Duration';
    case 'null':
      return 'null_type';
    default:
      return formatType(type);
  }
}
