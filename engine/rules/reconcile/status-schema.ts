import type { CelType } from '../../cel/types.ts';
import { type Json, type JsonObject, setOwn } from '../../object/json.ts';
import type { StatusTemplate } from './status.ts';

/** Any value. */
const ANYTHING: JsonObject = { 'x-kubernetes-preserve-unknown-fields': true };

/** OpenAPI of the status that a template makes; undefined without one. */
export function statusSchemaOf(status: StatusTemplate | undefined): JsonObject | undefined {
  return status === undefined ? { type: 'object' } : schemaOf(status);
}

function schemaOf(status: StatusTemplate): JsonObject {
  switch (status.kind) {
    case 'map': {
      const properties: { [name: string]: Json } = {};
      for (const [name, field] of status.fields) setOwn(properties, name, schemaOf(field));
      return { type: 'object', properties };
    }
    case 'list':
      return { type: 'array', items: ANYTHING };
    case 'leaf':
      return status.type === undefined ? { type: 'string' } : openApiOfType(status.type);
    case 'constant':
      return openApiOfConstant(status.value);
  }
}

function openApiOfConstant(value: Json): JsonObject {
  if (typeof value === 'string') return { type: 'string' };
  if (typeof value === 'boolean') return { type: 'boolean' };
  if (typeof value === 'bigint' || Number.isInteger(value)) return { type: 'integer' };
  return typeof value === 'number' ? { type: 'number' } : ANYTHING;
}

/** OpenAPI of the JSON that values of a type become. */
function openApiOfType(type: CelType): JsonObject {
  switch (type.kind) {
    case 'bool':
      return { type: 'boolean' };
    case 'int':
    case 'uint':
      return { type: 'integer' };
    case 'double':
      return { type: 'number' };
    case 'string':
    case 'bytes':
    case 'duration':
    case 'opaque':
      return { type: 'string' };
    case 'timestamp':
      return { type: 'string', format: 'date-time' };
    case 'optional':
      return openApiOfType(type.value);
    case 'list':
      return { type: 'array', items: openApiOfType(type.element) };
    case 'map':
      return type.value.kind === 'dyn'
        ? { type: 'object', ...ANYTHING }
        : { type: 'object', additionalProperties: openApiOfType(type.value) };
    case 'object':
      return { type: 'object', ...ANYTHING };
    default:
      return ANYTHING;
  }
}
