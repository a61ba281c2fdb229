import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  object,
  STRING,
  type StructType,
  TIMESTAMP,
  type TypeProvider,
} from '../cel/types.ts';
import { escapePropertyName } from './property-name.ts';
import type { MapSchema, ScalarSchema, Schema } from './schema.ts';

/**
 * `values`: types of the JSON that expressions meet at run time: a timestamp is a string, what may be a number or a string is
 * dyn, undeclared shapes are dyn. Fields have their own names.
 *
 * `apiserver`: types as the API server's check of a policy sees the same schema, where dates are timestamps and bytes bytes,
 * field names are escaped, and what has no type of its own (quantities, free-form JSON) is not there at all. Good for the same
 * warnings, not for the truth. Kubernetes: staging/src/k8s.io/apiserver/pkg/cel/common/schemas.go SchemaDeclType.
 */
export type SchemaView = 'values' | 'apiserver';

/** Turns schemas into types of the CEL checker, and knows the fields of the types it has given out. */
export interface SchemaTypes extends TypeProvider {
  /** The type of values of a schema; undefined where the view does not show them. */
  typeOf(schema: Schema): CelType | undefined;
}

export interface SchemaTypeOptions {
  /** With `values`: timestamps are dyn, so that they may be compared with null. */
  readonly dynTimestamps?: boolean;
}

export function createSchemaTypes(view: SchemaView, options: SchemaTypeOptions = {}): SchemaTypes {
  const structs = new Map<string, StructType>();
  const names = new Map<MapSchema, string>();
  /** `within`: the structures that the place is inside of. */
  const typeOf = (schema: Schema, place: string, within: readonly MapSchema[]): CelType | undefined => {
    switch (schema.kind) {
      case 'list': {
        const items = typeOf(schema.items, `${place}.items`, within);
        return items && listOf(items);
      }
      case 'map':
        return typeOfMap(schema, place, within);
      case 'any':
        return view === 'values' ? DYN : schema.atomic ? emptyStruct(place) : undefined;
      default:
        if (view === 'apiserver') return scalarOfApiServer(schema);
        return options.dynTimestamps === true && schema.format === 'date-time' ? DYN : scalarValue(schema);
    }
  };

  const typeOfMap = (schema: MapSchema, place: string, within: readonly MapSchema[]): CelType | undefined => {
    // The API server's check does not go round in circles: a type inside itself has no fields.
    if (view === 'apiserver' && within.includes(schema)) return emptyStruct(place);
    if (schema.fields.size === 0 && schema.rest !== undefined) {
      if (view === 'apiserver' && schema.rest.kind === 'any') return emptyStruct(place);
      const value = typeOf(schema.rest, `${place}.values`, within);
      return value && mapOf(STRING, value);
    }
    let name = names.get(schema);
    if (name === undefined) {
      name = unused(schema.name ?? place);
      names.set(schema, name);
      structs.set(name, structOf(schema, name, within));
    }
    return object(name);
  };

  /** Two schemas may stand at places of one name, when several roots have none. */
  const unused = (wanted: string): string => {
    let name = wanted;
    for (let n = 2; structs.has(name); n++) name = `${wanted}#${n}`;
    return name;
  };

  const emptyStruct = (place: string): CelType => {
    const name = `${place}{}`;
    structs.set(name, { name, field: () => undefined, fieldNames: () => [] });
    return object(name);
  };

  const structOf = (schema: MapSchema, name: string, within: readonly MapSchema[]): StructType => {
    let types: Map<string, CelType> | undefined;
    // Fields are typed when one is asked for: a Pod's type leads to hundreds of others.
    const fields = (): Map<string, CelType> => {
      if (types === undefined) {
        types = new Map();
        for (const [key, field] of schema.fields) {
          const type = typeOf(field.schema, `${name}.${key}`, [...within, schema]);
          const shown = view === 'values' ? key : escapePropertyName(key);
          if (type !== undefined && shown !== undefined) types.set(shown, type);
        }
      }
      return types;
    };
    return {
      name,
      // The API server's check finds a field by a reserved word (`namespace`) under its escaped name, too.
      field: (field) => fields().get(field) ?? (view === 'apiserver' ? fields().get(`__${field}__`) : undefined),
      fieldNames: () => fields().keys(),
      ...(schema.rest !== undefined && view === 'values' ? { open: true } : {}),
    };
  };

  return {
    typeOf: (schema) => typeOf(schema, 'object', []),
    structType: (name) => structs.get(name),
  };
}

function scalarValue(schema: ScalarSchema): CelType {
  switch (schema.kind) {
    case 'string':
      return STRING;
    case 'integer':
      return INT;
    case 'boolean':
      return BOOL;
    // JSON does not tell 1.0 from 1, and so a number may turn up as an int.
    case 'number':
    case 'int-or-string':
    case 'quantity':
      return DYN;
  }
}

function scalarOfApiServer(schema: ScalarSchema): CelType | undefined {
  switch (schema.kind) {
    case 'string':
      if (schema.format === 'byte') return BYTES;
      if (schema.format === 'duration') return DURATION;
      return schema.format === 'date' || schema.format === 'date-time' ? TIMESTAMP : STRING;
    case 'integer':
      return INT;
    case 'boolean':
      return BOOL;
    case 'number':
      return DOUBLE;
    case 'int-or-string':
      return DYN;
    case 'quantity':
      return undefined;
  }
}
