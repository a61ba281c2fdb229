import type { FieldShape, NamedShape, ShapeNode } from '../text/shape.ts';
import { ANY, type FieldSchema, type ListSchema, type MapSchema, type ScalarSchema, type Schema } from './schema.ts';

const scalar = (kind: ScalarSchema['kind']): ScalarSchema => ({ kind, format: undefined });

/** The structure that a shape describes, for the check of types; what only values can show (patterns, ranges) is left out. */
export function schemaOfShape(shape: ShapeNode): Schema {
  return convert(shape, new Map());
}

function convert(shape: ShapeNode, named: Map<NamedShape, Schema>): Schema {
  switch (shape.kind) {
    case 'string':
    case 'enum':
      return scalar('string');
    case 'integer':
    case 'number':
    case 'boolean':
      return scalar(shape.kind);
    case 'any':
      return ANY;
    case 'list':
      return listOf(convert(shape.item, named));
    case 'map':
      return mapOf({}, convert(shape.value, named), named);
    case 'object':
      return mapOf(shape.fields, shape.open === true ? ANY : undefined, named);
    case 'choice': {
      const variants = Object.entries(shape.variants).map(([name, each]): [string, FieldShape] => [
        name,
        { kind: 'optional', shape: each },
      ]);
      return mapOf({ ...shape.shared, ...Object.fromEntries(variants) }, undefined, named);
    }
    case 'refined':
      return convert(shape.shape, named);
    case 'union':
      return unionOf(shape.members.map((member) => convert(member, named)));
    case 'named': {
      const known = named.get(shape);
      if (known !== undefined) return known;
      // A shape inside itself is judged where it is first met.
      named.set(shape, ANY);
      const schema = convert(shape.shape(), named);
      named.set(shape, schema);
      return schema;
    }
  }
}

function listOf(items: Schema): ListSchema {
  return { kind: 'list', items, listType: 'atomic', keys: [], strategicKey: undefined };
}

function mapOf(shapes: Readonly<Record<string, FieldShape>>, rest: Schema | undefined, named: Map<NamedShape, Schema>): MapSchema {
  const fields = new Map<string, FieldSchema>();
  const required: string[] = [];
  for (const [name, field] of Object.entries(shapes)) {
    if (field.kind !== 'optional') required.push(name);
    const schema = convert(field.kind === 'optional' ? field.shape : field, named);
    fields.set(name, { schema, default: undefined, keyDefault: undefined });
  }
  return { kind: 'map', name: undefined, fields, rest, atomic: false, required, embedded: false };
}

/** What fits any of them; that a value is a string or an integer can be said, the rest only of values. */
function unionOf(members: readonly Schema[]): Schema {
  const kinds = new Set(members.map(({ kind }) => kind));
  if (kinds.size === 1 && members[0]!.kind !== 'list' && members[0]!.kind !== 'map') return members[0]!;
  if (kinds.size === 2 && kinds.has('string') && kinds.has('integer')) return scalar('int-or-string');
  return ANY;
}
