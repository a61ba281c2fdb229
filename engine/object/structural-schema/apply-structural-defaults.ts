import { isJsonObject, type Json, type JsonObject, setOwn } from '../json.ts';
import { mapList } from './prune.ts';
import { type StructuralSchema, schemaOfField } from './structural.ts';

/**
 * The object of a custom resource with the defaults of its schema, after nulls are dropped that may not be and have no
 * default. The object itself where nothing is missing. Kubernetes: apiextensions-apiserver pkg/apiserver/schema/defaulting.
 */
export function applyStructuralDefaults(object: JsonObject, schema: StructuralSchema): JsonObject {
  const withoutNulls = dropNulls(object, schema) as JsonObject;
  return schema.holds.defaults ? (fill(withoutNulls, schema) as JsonObject) : withoutNulls;
}

function dropNulls(value: Json, schema: StructuralSchema | undefined): Json {
  if (Array.isArray(value)) return mapList(value, (item) => dropNulls(item, schema?.items));
  if (!isJsonObject(value)) return value;
  let copy: { [key: string]: Json } | undefined;
  for (const name of Object.keys(value)) {
    const child = value[name] as Json;
    const field = schema && schemaOfField(schema, name);
    if (child === null && field !== undefined && !field.isNullable && field.default === undefined) {
      copy ??= { ...value };
      delete copy[name];
      continue;
    }
    const rest = dropNulls(child, field);
    if (rest === child) continue;
    copy ??= { ...value };
    setOwn(copy, name, rest);
  }
  return copy ?? value;
}

function fill(value: Json, schema: StructuralSchema): Json {
  if (!schema.holds.defaults) return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : mapList(value, (item) => fill(orDefault(item, items), items));
  }
  if (!isJsonObject(value)) return value;
  let copy: { [key: string]: Json } | undefined;
  for (const [name, field] of schema.properties) {
    if (field.default === undefined) continue;
    const child = Object.hasOwn(value, name) ? value[name] : undefined;
    if (child !== undefined && (child !== null || field.isNullable)) continue;
    copy ??= { ...value };
    setOwn(copy, name, field.default);
  }
  for (const name of Object.keys(copy ?? value)) {
    const field = schemaOfField(schema, name);
    if (field === undefined) continue;
    const child = (copy ?? value)[name] as Json;
    const filled = fill(schema.properties.has(name) ? child : orDefault(child, field), field);
    if (filled === child) continue;
    copy ??= { ...value };
    setOwn(copy, name, filled);
  }
  return copy ?? value;
}

function orDefault(value: Json, schema: StructuralSchema): Json {
  return value === null && !schema.isNullable ? (schema.default ?? null) : value;
}
