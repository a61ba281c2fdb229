import type { FieldShape, NumberShape, ShapeNode, StringShape } from './shape.ts';

/** JSON Schema, draft-07: what the YAML plug-ins of editors understand. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The JSON Schema of a shape, for editors: what it refuses, the shape refuses, too; checks beyond the shape are not in it. */
export function toJsonSchema(shape: ShapeNode, head: { readonly id: string; readonly title: string }): JsonSchema {
  const definitions: Record<string, JsonSchema> = {};
  const body = schemaOf(shape, definitions);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: head.id,
    title: head.title,
    ...body,
    ...(Object.keys(definitions).length === 0 ? {} : { definitions }),
  };
}

function schemaOf(shape: ShapeNode, definitions: Record<string, JsonSchema>): JsonSchema {
  const described = shape.doc === undefined ? {} : { description: shape.doc };
  switch (shape.kind) {
    case 'any':
      return described;
    case 'boolean':
      return { type: 'boolean', ...described };
    case 'string':
      return { ...stringSchema(shape), ...described };
    case 'integer':
    case 'number':
      return { ...numberSchema(shape), ...described };
    case 'enum':
      return { type: 'string', enum: shape.values, ...described };
    case 'list':
      return {
        type: 'array',
        items: schemaOf(shape.item, definitions),
        ...(shape.minItems === undefined ? {} : { minItems: shape.minItems }),
        ...(shape.maxItems === undefined ? {} : { maxItems: shape.maxItems }),
        ...described,
      };
    case 'map':
      return {
        type: 'object',
        additionalProperties: schemaOf(shape.value, definitions),
        ...(shape.key === undefined ? {} : { propertyNames: stringSchema(shape.key) }),
        ...described,
      };
    case 'object':
      return { ...objectSchema(shape.fields, shape.open === true, definitions), ...described };
    case 'choice': {
      const names = Object.keys(shape.variants);
      const variants = Object.fromEntries(
        names.map((name): [string, FieldShape] => [name, { kind: 'optional', shape: shape.variants[name] as ShapeNode }]),
      );
      return {
        ...objectSchema({ ...variants, ...shape.shared }, false, definitions),
        // A field that is null is not there.
        oneOf: names.map((name) => ({ required: [name], properties: { [name]: { not: { type: 'null' } } } })),
        ...described,
      };
    }
    case 'union':
      return { anyOf: shape.members.map((member) => schemaOf(member, definitions)), ...described };
    case 'refined':
      return { ...schemaOf(shape.shape, definitions), ...described };
    case 'named': {
      if (!Object.hasOwn(definitions, shape.name)) {
        // The name is taken before the body is made, which may lead back to it.
        definitions[shape.name] = {};
        definitions[shape.name] = schemaOf(shape.shape(), definitions);
      }
      const reference = { $ref: `#/definitions/${shape.name}` };
      // Draft-07 ignores everything beside a reference.
      return shape.doc === undefined ? reference : { allOf: [reference], ...described };
    }
  }
}

function stringSchema({ pattern, minLength, maxLength }: StringShape): JsonSchema {
  return {
    type: 'string',
    ...(pattern === undefined ? {} : { pattern: pattern.source }),
    ...(minLength === undefined ? {} : { minLength }),
    ...(maxLength === undefined ? {} : { maxLength }),
  };
}

function numberSchema({ kind, minimum, maximum }: NumberShape): JsonSchema {
  return { type: kind, ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
}

function objectSchema(fields: Readonly<Record<string, FieldShape>>, open: boolean, definitions: Record<string, JsonSchema>): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const [name, field] of Object.entries(fields)) {
    if (field.kind === 'optional') {
      const schema = orNull(schemaOf(field.shape, definitions));
      properties[name] = field.default === undefined ? schema : { ...schema, default: field.default };
    } else {
      properties[name] = schemaOf(field, definitions);
      if (field.kind !== 'any') required.push(name);
    }
  }
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }), ...(open ? {} : { additionalProperties: false }) };
}

/** An optional field may also be null, which means absent. */
function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: values, description, ...rest } = schema;
  if (Object.keys(schema).length === 0 || (type === undefined && Object.keys(rest).length === 0)) return schema;
  if (typeof type === 'string') {
    return {
      type: [type, 'null'],
      ...(values === undefined ? {} : { enum: [...(values as readonly string[]), null] }),
      ...rest,
      ...(description === undefined ? {} : { description }),
    };
  }
  const { anyOf, ...others } = rest as { anyOf?: readonly JsonSchema[] };
  if (anyOf !== undefined) return { anyOf: [...anyOf, { type: 'null' }], ...others, ...(description === undefined ? {} : { description }) };
  return { anyOf: [rest, { type: 'null' }], ...(description === undefined ? {} : { description }) };
}
