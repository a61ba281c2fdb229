/**
 * How CEL's values look in JavaScript. One representation serves the libraries, the closures and the generated code; the
 * point of it is that JSON as `JSON.parse` returns it is already a CEL value, so a request is never converted.
 *
 * | CEL          | JavaScript                                                                                         |
 * |--------------|----------------------------------------------------------------------------------------------------|
 * | null, bool   | `null`, `boolean`                                                                                  |
 * | int          | an integral `number` within ±(2^53-1), otherwise a `bigint` within int64; never `-0`                 |
 * | double       | a `number` that is not integral (NaN and ±Infinity included), otherwise {@link Double} around it   |
 * | uint         | {@link Uint}                                                                                       |
 * | string       | `string` (well-formed UTF-16; sizes and indices count code points)                                 |
 * | bytes        | `Uint8Array`                                                                                       |
 * | list         | `readonly CelValue[]`                                                                              |
 * | map          | a plain object when every key is a string (own properties only, any prototype), otherwise {@link CelMap} |
 * | timestamp, duration | {@link Timestamp}, {@link Duration}                                                         |
 * | type         | {@link TypeValue}                                                                                  |
 * | optional     | {@link Optional}                                                                                   |
 * | message      | {@link Struct} (`Object{...}`, `JSONPatch{...}`)                                                   |
 * | lazily computed structure | {@link LazyStruct} (`variables`)                                                      |
 * | library types | an {@link Opaque} subclass (quantity, IP, URL, ...)                                               |
 *
 * Every form is canonical: a value's CEL type can be told from the value alone.
 */
export type CelValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CelValue[]
  | Double
  | Uint
  | CelMap
  | Timestamp
  | Duration
  | TypeValue
  | Optional
  | Struct
  | LazyStruct
  | Opaque
  | PlainObject;

/** A map with string keys only. Read with `Object.hasOwn`: keys come from hostile requests. */
export interface PlainObject {
  readonly [key: string]: CelValue;
}

/** A double whose value is integral, so that it can be told from an int. Make one with {@link double}. */
export class Double {
  constructor(readonly value: number) {}
}

/** The canonical form of a double. */
export function double(value: number): number | Double {
  return Number.isInteger(value) ? new Double(value) : value;
}

/** An unsigned 64-bit integer, always boxed: rare in Kubernetes, and so told from int at no cost to int. */
export class Uint {
  constructor(readonly value: bigint) {}
}

/** The canonical form of an int already known to be within int64. */
export function int(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/**
 * Seconds and nanoseconds since 1970-01-01T00:00:00Z; `nanos` is 0..999 999 999 whatever the sign of `seconds`.
 * `offsetMinutes` is the offset from UTC it was written with: `string(timestamp)` prints it again, nothing else looks at it.
 */
export class Timestamp {
  constructor(
    readonly seconds: number,
    readonly nanos: number,
    readonly offsetMinutes = 0,
  ) {}
}

/** A span of time in nanoseconds, within int64. */
export class Duration {
  constructor(readonly nanos: bigint) {}
}

/** A type as a value: what `type(x)` returns and `int` or `string` denote. */
export class TypeValue {
  constructor(readonly name: string) {}
}

/** `optional_type`: present with a value, or {@link NONE}. */
export class Optional {
  constructor(
    readonly present: boolean,
    readonly value: CelValue,
  ) {}
}

export const NONE = new Optional(false, null);
export const some = (value: CelValue): Optional => new Optional(true, value);

/** A map with at least one key that is not a string. Keys are found by CEL equality (1 == 1.0 == 1u). */
export class CelMap {
  /** Keyed by {@link mapKey}; insertion order. */
  readonly entries: ReadonlyMap<string, readonly [key: CelValue, value: CelValue]>;
  constructor(entries: ReadonlyMap<string, readonly [CelValue, CelValue]>) {
    this.entries = entries;
  }
}

/** A constructed message. `fields` holds what was set, with plain (unescaped) names. */
export class Struct {
  constructor(
    readonly typeName: string,
    readonly fields: PlainObject,
  ) {}
}

/** A structure whose fields are computed when first asked for: the `variables` of a policy. */
export abstract class LazyStruct {
  abstract readonly typeName: string;
  /** Throws a {@link CelError} when the field is not declared or its computation failed (memoized too). */
  abstract get(field: string): CelValue;
  abstract has(field: string): boolean;
}

/** A value of a library's own type. */
export abstract class Opaque {
  /** The CEL type name, e.g. `kubernetes.Quantity`. */
  abstract readonly typeName: string;
  /**
   * Undefined where cel-go answers with the error `no such overload`: `a == b` then fails with it and `a != b` is true, while
   * within a list or a map the pair counts as equal (cel-go only looks for an answer of false there).
   */
  abstract equals(other: CelValue): boolean | undefined;
  /** For explanations and messages only. */
  abstract toString(): string;
  /** What the cost model takes for its size (cel-go: traits.Sizer). Default: 1. */
  readonly costSize?: number;
}

/**
 * An evaluation error. Not an `Error`: one is thrown and absorbed for every `a.missing || b`, and taking a stack trace would
 * cost microseconds. The message is cel-go's text, word for word: users see it through the API server.
 */
export class CelError {
  /** Node id where it happened; set by the tracing back end. */
  nodeId: number | undefined;
  constructor(
    readonly message: string,
    readonly code: CelErrorCode = 'evaluation',
  ) {}
  toString(): string {
    return this.message;
  }
}

/** `budget`: the cost limit is reached. `needs-fact`: the answer depends on something the host has to fetch first. */
export type CelErrorCode = 'evaluation' | 'budget' | 'needs-fact' | 'internal';
