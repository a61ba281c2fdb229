import { isJsonObject, type Json, type JsonObject, ownValue } from '../json.ts';

/**
 * The schema of a custom resource, read once: what decides on the shape of objects. Value validations stay in {@link source}.
 * Kubernetes: apiextensions-apiserver pkg/apiserver/schema/structural.go.
 */
export interface StructuralSchema {
  /** `object`, `array`, `string`, `integer`, `number`, `boolean`, or `` where there is none. */
  readonly type: string;
  readonly isNullable: boolean;
  readonly default: Json | undefined;
  /** `x-kubernetes-preserve-unknown-fields`. */
  readonly preservesUnknown: boolean;
  /** `x-kubernetes-embedded-resource`. */
  readonly isEmbedded: boolean;
  /** `x-kubernetes-int-or-string`. */
  readonly isIntOrString: boolean;
  /** `x-kubernetes-list-type`. */
  readonly listType: string | undefined;
  /** `x-kubernetes-list-map-keys`. */
  readonly mapKeys: readonly string[];
  readonly items: StructuralSchema | undefined;
  readonly properties: ReadonlyMap<string, StructuralSchema>;
  /** Of fields that are not declared; `true` for any value, undefined where there are none. */
  readonly additional: StructuralSchema | true | undefined;
  /** What the document says. */
  readonly source: JsonObject;
  /** What there is anywhere at this place or below, so that walks can stop early. */
  readonly holds: { readonly defaults: boolean; readonly rules: boolean; readonly listTypes: boolean; readonly embedded: boolean };
}

/** Reads a schema (`openAPIV3Schema`). What is not as it must be is passed over: `checkSchema` says so. */
export function readStructuralSchema(source: JsonObject): StructuralSchema {
  const itemsSource = ownValue(source, 'items');
  const items = isJsonObject(itemsSource) ? readStructuralSchema(itemsSource) : undefined;
  const properties = new Map<string, StructuralSchema>();
  const declared = ownValue(source, 'properties');
  if (isJsonObject(declared)) {
    for (const name of Object.keys(declared)) {
      const property = declared[name] as Json;
      if (isJsonObject(property)) properties.set(name, readStructuralSchema(property));
    }
  }
  const additional = readAdditional(ownValue(source, 'additionalProperties'));
  const listType = text(source, 'x-kubernetes-list-type');
  const isEmbedded = ownValue(source, 'x-kubernetes-embedded-resource') === true;
  const value = ownValue(source, 'default');
  const inner = [
    ...properties.values(),
    ...(items ? [items] : []),
    ...(additional !== undefined && additional !== true ? [additional] : []),
  ];
  return {
    type: text(source, 'type') ?? '',
    isNullable: ownValue(source, 'nullable') === true,
    default: value === null ? undefined : value,
    preservesUnknown: ownValue(source, 'x-kubernetes-preserve-unknown-fields') === true,
    isEmbedded,
    isIntOrString: ownValue(source, 'x-kubernetes-int-or-string') === true,
    listType,
    mapKeys: textList(ownValue(source, 'x-kubernetes-list-map-keys')),
    items,
    properties,
    additional,
    source,
    holds: {
      defaults: (value ?? null) !== null || inner.some(({ holds }) => holds.defaults),
      rules: hasOwnRules(source) || inner.some(({ holds }) => holds.rules),
      listTypes: listType === 'set' || listType === 'map' || inner.some(({ holds }) => holds.listTypes),
      embedded: isEmbedded || inner.some(({ holds }) => holds.embedded),
    },
  };
}

function readAdditional(additional: Json | undefined): StructuralSchema | true | undefined {
  if (isJsonObject(additional)) return readStructuralSchema(additional);
  return additional === true ? true : undefined;
}

function hasOwnRules(source: JsonObject): boolean {
  const rules = ownValue(source, 'x-kubernetes-validations');
  if (Array.isArray(rules) && rules.length > 0) return true;
  const all = ownValue(source, 'allOf');
  return Array.isArray(all) && all.some((each: Json) => isJsonObject(each) && hasNestedRules(each));
}

function hasNestedRules(source: JsonObject): boolean {
  if (hasOwnRules(source)) return true;
  const { properties, items } = source;
  if (isJsonObject(items) && hasNestedRules(items)) return true;
  return isJsonObject(properties) && Object.values(properties).some((each) => isJsonObject(each) && hasNestedRules(each));
}

/** The schema of what lies under a key of a map: a declared field's, else that of the others. */
export function schemaOfField(schema: StructuralSchema, name: string): StructuralSchema | undefined {
  const declared = schema.properties.get(name);
  if (declared !== undefined) return declared;
  return schema.additional === true ? undefined : schema.additional;
}

export function text(source: JsonObject, key: string): string | undefined {
  const value = ownValue(source, key);
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(source: JsonObject, key: string): number | undefined {
  const value = ownValue(source, key);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}

export function textList(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

export function schemaList(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item: Json): item is JsonObject => isJsonObject(item)) : [];
}
