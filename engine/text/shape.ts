/**
 * Describes what a document may look like, once: for checking it, for the TypeScript type of what was checked ({@link Infer}), and for
 * the JSON Schema and CUE definitions that editors use.
 *
 *     const binding = object({
 *       policyName: string({ doc: 'The policy this binding puts to work.' }),
 *       validationActions: list(oneOf('Deny', 'Warn', 'Audit')),
 *       matchResources: optional(matchResources),
 *     });
 *     type Binding = Infer<typeof binding>;
 */
export type Shape<T = unknown> = ShapeNode & { readonly [TYPE]?: T };

/** The type of a document that has a shape. */
export type Infer<S> = S extends { readonly [TYPE]?: infer T } ? Exclude<T, undefined> : never;

declare const TYPE: unique symbol;

interface Described {
  /** What the field is for: shown by editors and in `fairlead explain`. */
  readonly doc?: string;
}

export interface StringShape extends Described {
  readonly kind: 'string';
  readonly pattern?: RegExp;
  /** What the pattern stands for, as in "a DNS label". */
  readonly patternName?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

export interface NumberShape extends Described {
  readonly kind: 'integer' | 'number';
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface BooleanShape extends Described {
  readonly kind: 'boolean';
}

/** Any JSON value, not looked into. */
export interface AnyShape extends Described {
  readonly kind: 'any';
}

export interface EnumShape extends Described {
  readonly kind: 'enum';
  readonly values: readonly string[];
}

export interface ListShape extends Described {
  readonly kind: 'list';
  readonly item: ShapeNode;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** An object with any keys. */
export interface MapShape extends Described {
  readonly kind: 'map';
  readonly value: ShapeNode;
  readonly key?: StringShape;
}

export interface ObjectShape extends Described {
  readonly kind: 'object';
  readonly fields: Readonly<Record<string, FieldShape>>;
  /** Fields that are not listed are allowed and not looked into. */
  readonly open?: boolean;
  /** What a field that is not listed is called here, by the name that other tools have for it. */
  readonly elsewhere?: Readonly<Record<string, string>>;
}

/** An object that has exactly one of several fields, beside fields that all of them share. */
export interface ChoiceShape extends Described {
  readonly kind: 'choice';
  readonly variants: Readonly<Record<string, ShapeNode>>;
  readonly shared: Readonly<Record<string, FieldShape>>;
  /** As of {@link ObjectShape}. */
  readonly elsewhere?: Readonly<Record<string, string>>;
}

export interface UnionShape extends Described {
  readonly kind: 'union';
  readonly members: readonly ShapeNode[];
}

/** A shape with a name: for recursion, and a definition of its own in the schemas made from it. */
export interface NamedShape extends Described {
  readonly kind: 'named';
  readonly name: string;
  readonly shape: () => ShapeNode;
}

/** A shape and a check beyond it. */
export interface RefinedShape extends Described {
  readonly kind: 'refined';
  readonly shape: ShapeNode;
  readonly check: (value: never) => readonly Finding[];
}

export type ShapeNode =
  | StringShape
  | NumberShape
  | BooleanShape
  | AnyShape
  | EnumShape
  | ListShape
  | MapShape
  | ObjectShape
  | ChoiceShape
  | UnionShape
  | NamedShape
  | RefinedShape;

/** A field that may be absent (or null, which means the same to Kubernetes). */
export interface OptionalField<T = unknown> {
  readonly kind: 'optional';
  readonly shape: ShapeNode;
  readonly default?: unknown;
  readonly [TYPE]?: T;
}
export type FieldShape = ShapeNode | OptionalField;

interface DefaultedField<T> extends OptionalField<T> {
  readonly default: T;
}

/** What a {@link refine} check found wrong, at a path below the value. */
export interface Finding {
  readonly path?: readonly (string | number)[];
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export type Fields = Readonly<Record<string, FieldShape & { readonly [TYPE]?: unknown }>>;
type OptionalKeys<F> = {
  [K in keyof F]: F[K] extends DefaultedField<unknown> ? never : F[K] extends { kind: 'optional' } ? K : never;
}[keyof F];
type Simplify<T> = { [K in keyof T]: T[K] } & {};
type ObjectOf<F> = Simplify<
  { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]> } & { readonly [K in OptionalKeys<F>]?: Infer<F[K]> }
>;
type ChoiceOf<V, S> = {
  [K in keyof V]: Simplify<{ readonly [P in K]: Infer<V[K]> } & { readonly [P in Exclude<keyof V, K>]?: never } & ObjectOf<S>>;
}[keyof V];

export const string = (options: Omit<StringShape, 'kind'> = {}): Shape<string> => ({ kind: 'string', ...options });
/** May be a bigint beyond 2^53. */
export const integer = (options: Omit<NumberShape, 'kind'> = {}): Shape<number> => ({ kind: 'integer', ...options });
export const number = (options: Omit<NumberShape, 'kind'> = {}): Shape<number> => ({ kind: 'number', ...options });
export const boolean = (options: Described = {}): Shape<boolean> => ({ kind: 'boolean', ...options });
export const any = (options: Described = {}): Shape<unknown> => ({ kind: 'any', ...options });

/** One of a few words. */
export const oneOf = <const V extends readonly string[]>(...values: V): Shape<V[number]> => ({ kind: 'enum', values });

export const list = <S extends ShapeNode>(item: S, options: Omit<ListShape, 'kind' | 'item'> = {}): Shape<readonly Infer<S>[]> => ({
  kind: 'list',
  item,
  ...options,
});

export const map = <S extends ShapeNode>(
  value: S,
  options: Omit<MapShape, 'kind' | 'value'> = {},
): Shape<{ readonly [key: string]: Infer<S> }> => ({ kind: 'map', value, ...options });

export const object = <const F extends Fields>(fields: F, options: Omit<ObjectShape, 'kind' | 'fields'> = {}): Shape<ObjectOf<F>> => ({
  kind: 'object',
  fields,
  ...options,
});

/** An object with exactly one of the `variants`, and any of the `shared` fields. */
export const choice = <const V extends Readonly<Record<string, ShapeNode>>, const S extends Fields>(
  variants: V,
  shared: S,
  options: Omit<ChoiceShape, 'kind' | 'variants' | 'shared'> = {},
): Shape<ChoiceOf<V, S>> => ({ kind: 'choice', variants, shared, ...options });

/** Any of several shapes. Best told apart by their JSON type; otherwise the one that fits best reports. */
export const union = <const M extends readonly ShapeNode[]>(...members: M): Shape<Infer<M[number]>> => ({ kind: 'union', members });

/** Gives a shape a name in schemas and messages; with a function, a shape may contain itself. */
export const named = <T>(name: string, shape: Shape<T> | (() => Shape<T>), options: Described = {}): Shape<T> => ({
  kind: 'named',
  name,
  shape: typeof shape === 'function' ? shape : () => shape,
  ...options,
});

export const optional = <S extends ShapeNode>(shape: S): OptionalField<Infer<S>> => ({ kind: 'optional', shape });

/** A field that is filled in when absent. */
export const defaulted = <S extends ShapeNode>(shape: S, value: Infer<S>): DefaultedField<Infer<S>> => ({
  kind: 'optional',
  shape,
  default: value,
});

/** Adds a check that needs the whole value, made only when its shape is right. */
export const refine = <S extends ShapeNode>(shape: S, check: (value: Infer<S>) => readonly Finding[]): Shape<Infer<S>> => ({
  kind: 'refined',
  shape,
  check: check as (value: never) => readonly Finding[],
});

/** The same shape with another description: for a shape used in several fields. */
export const doc = <S extends ShapeNode>(text: string, shape: S): S => ({ ...shape, doc: text });
