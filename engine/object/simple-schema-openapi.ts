import { type Json, type JsonObject, setOwn } from './json.ts';
import type { SimpleSchema } from './simple-schema.ts';
import type { SchemaRules } from './simple-schema-rules.ts';

/**
 * A schema in short form as a structural OpenAPI v3 schema, as a CustomResourceDefinition has it. A structure that is absent gets the
 * defaults of its fields, unless one of them is required.
 */
export function openApiOf(schema: SimpleSchema): JsonObject {
  const { rules } = schema;
  return { ...described(rules), ...shapeOf(schema), ...constraintsOf(schema), ...defaultOf(schema) };
}

function described({ title, description }: SchemaRules): JsonObject {
  return { ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) };
}

function shapeOf(schema: SimpleSchema): JsonObject {
  switch (schema.kind) {
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return { type: schema.kind };
    case 'int-or-string':
    case 'quantity':
      return { 'x-kubernetes-int-or-string': true };
    case 'any':
      return { 'x-kubernetes-preserve-unknown-fields': true };
    case 'openapi':
      return schema.schema;
    case 'list':
      return { type: 'array', items: openApiOf(schema.item), ...listType(schema.item, schema.rules) };
    case 'map':
      return schema.value.kind === 'any'
        ? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
        : { type: 'object', additionalProperties: openApiOf(schema.value) };
    case 'object': {
      const properties: { [name: string]: Json } = {};
      for (const [name, field] of schema.fields) setOwn(properties, name, openApiOf(field));
      const required = [...schema.fields].filter(([, field]) => isRequired(field)).map(([name]) => name);
      return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) };
    }
  }
}

/** What has a default is never missing. */
const isRequired = ({ rules }: SimpleSchema): boolean => rules.required === true && rules.default === undefined;

function listType(item: SimpleSchema, { listMapKey, uniqueItems }: SchemaRules): JsonObject {
  if (listMapKey !== undefined) return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': listMapKey };
  // `uniqueItems` itself is not allowed in a structural schema.
  return uniqueItems === true && isScalar(item) ? { 'x-kubernetes-list-type': 'set' } : {};
}

const isScalar = ({ kind }: SimpleSchema): boolean => kind === 'string' || kind === 'integer' || kind === 'number' || kind === 'boolean';

const COPIED = ['minimum', 'maximum', 'enum', 'pattern', 'minLength', 'maxLength', 'minItems', 'maxItems', 'format', 'nullable'] as const;

function constraintsOf(schema: SimpleSchema): JsonObject {
  const { rules } = schema;
  const constraints: { [name: string]: Json } = {};
  for (const name of COPIED) if (rules[name] !== undefined) constraints[name] = rules[name];
  if (rules.minProperties !== undefined) constraints['minProperties'] = rules.minProperties;
  if (rules.maxProperties !== undefined) constraints['maxProperties'] = rules.maxProperties;
  const validations: JsonObject[] = [];
  if (rules.immutable) validations.push({ rule: 'self == oldSelf', message: 'field is immutable' });
  if (rules.validation !== undefined) validations.push({ rule: rules.validation });
  if (rules.uniqueItems === true && schema.kind === 'list' && !isScalar(schema.item)) {
    validations.push({ rule: 'self.all(item, self.exists_one(other, other == item))', message: 'every item may be there once' });
  }
  if (validations.length > 0) constraints['x-kubernetes-validations'] = validations;
  return constraints;
}

function defaultOf(schema: SimpleSchema): JsonObject {
  if (schema.rules.default !== undefined) return { default: schema.rules.default };
  return schema.kind === 'object' && !schema.rules.required && hasDefaults(schema) && !requiresAnything(schema) ? { default: {} } : {};
}

/** Whether an empty value would get anything by default. */
function hasDefaults(schema: SimpleSchema): boolean {
  if (schema.rules.default !== undefined) return true;
  return schema.kind === 'object' && !requiresAnything(schema) && [...schema.fields.values()].some(hasDefaults);
}

function requiresAnything(schema: SimpleSchema): boolean {
  return schema.kind === 'object' && [...schema.fields.values()].some(isRequired);
}
