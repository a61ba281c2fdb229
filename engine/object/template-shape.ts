import { type FieldShape, named, type ShapeNode, string, union } from '../text/shape.ts';

const expression = named(
  'Expression',
  string({ pattern: /\$\{/, patternName: 'an expression', doc: 'CEL between ${ and }: the value that it has.' }),
);

/**
 * The shape of a template whose values have a shape: any value may be an expression instead. For editors; what an expression gives is
 * checked by types and when it is there.
 */
export function templateShape(shape: ShapeNode): ShapeNode {
  return convert(shape, new Map());
}

function convert(shape: ShapeNode, named: Map<ShapeNode, ShapeNode>): ShapeNode {
  switch (shape.kind) {
    case 'any':
      return shape;
    case 'string':
      return isFree(shape) ? shape : orExpression(shape);
    case 'integer':
    case 'number':
    case 'boolean':
    case 'enum':
      return orExpression(shape);
    case 'list':
      return orExpression({ ...shape, item: convert(shape.item, named) });
    case 'map':
      return orExpression({ kind: 'map', value: convert(shape.value, named), ...described(shape) });
    case 'object':
      return orExpression({ ...shape, fields: convertFields(shape.fields, named) });
    case 'choice': {
      const variants = Object.entries(shape.variants).map(([name, each]) => [name, convert(each, named)] as const);
      return orExpression({ ...shape, variants: Object.fromEntries(variants), shared: convertFields(shape.shared, named) });
    }
    case 'union':
      return orExpression({ ...shape, members: shape.members.map((member) => convert(member, named)) });
    case 'refined':
      return convert(shape.shape, named);
    case 'named': {
      let found = named.get(shape);
      if (found === undefined) {
        const made: ShapeNode = { ...shape, name: `${shape.name}Template`, shape: () => convert(shape.shape(), named) };
        named.set(shape, made);
        found = made;
      }
      return found;
    }
  }
}

const isFree = (shape: ShapeNode & { readonly kind: 'string' }): boolean =>
  shape.pattern === undefined && shape.minLength === undefined && shape.maxLength === undefined;

const described = ({ doc }: { readonly doc?: string }) => (doc === undefined ? {} : { doc });

function orExpression(shape: ShapeNode): ShapeNode {
  const { doc, ...rest } = shape;
  return { ...union(rest as ShapeNode, expression as ShapeNode), ...described(doc === undefined ? {} : { doc }) } as ShapeNode;
}

function convertFields(
  fields: Readonly<Record<string, FieldShape>>,
  named: Map<ShapeNode, ShapeNode>,
): Readonly<Record<string, FieldShape>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      field.kind === 'optional' ? ({ kind: 'optional', shape: convert(field.shape, named) } as const) : convert(field, named),
    ]),
  );
}
