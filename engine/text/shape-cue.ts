import type { FieldShape, ShapeNode, StringShape } from './shape.ts';

/**
 * CUE definitions of shapes, closed like them, in the subset that CUE 0.4 and all later versions read: `#Name: {...}` for each given shape
 * and for each named one inside. Required fields are regular fields: a document that lacks one is not concrete.
 */
export function toCue(shapes: Readonly<Record<string, ShapeNode>>): string {
  const definitions = new Map<string, string>();
  const names = new Set(Object.keys(shapes));
  const pending: { readonly name: string; readonly shape: ShapeNode }[] = Object.entries(shapes).map(([name, shape]) => ({ name, shape }));
  const printer = new CuePrinter((name, shape) => {
    if (!names.has(name)) {
      names.add(name);
      pending.push({ name, shape });
    }
  });
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const { name, shape } = next;
    const comment = shape.doc === undefined ? '' : `// ${shape.doc}\n`;
    definitions.set(name, `${comment}#${name}: ${printer.print(shape.kind === 'named' ? shape.shape() : shape, '')}\n`);
  }
  return [...definitions.values()].join('\n');
}

class CuePrinter {
  readonly #define: (name: string, shape: ShapeNode) => void;

  constructor(define: (name: string, shape: ShapeNode) => void) {
    this.#define = define;
  }

  print(shape: ShapeNode, indent: string): string {
    switch (shape.kind) {
      case 'any':
        return '_';
      case 'boolean':
        return 'bool';
      case 'string':
        return stringConstraint(shape);
      case 'integer':
      case 'number':
        return [
          shape.kind === 'integer' ? 'int' : 'number',
          ...(shape.minimum === undefined ? [] : [`>=${shape.minimum}`]),
          ...(shape.maximum === undefined ? [] : [`<=${shape.maximum}`]),
        ].join(' & ');
      case 'enum':
        return shape.values.map((value) => JSON.stringify(value)).join(' | ');
      case 'list': {
        const item = this.print(shape.item, indent);
        // `[_, ..._]` has one item at least; upper bounds are left to the check of the evaluated document.
        const least = Array.from({ length: shape.minItems ?? 0 }, () => item);
        return `[${[...least, `...${/ \| /.test(item) ? `(${item})` : item}`].join(', ')}]`;
      }
      case 'map':
        return `{[string]: ${this.print(shape.value, indent)}}`;
      case 'object':
        return this.#fields(shape.fields, shape.open === true, indent);
      case 'choice': {
        const variants = Object.entries(shape.variants).map(([name, variant]) =>
          this.#fields({ [name]: variant, ...shape.shared }, false, indent),
        );
        return variants.join(' | ');
      }
      case 'union':
        return shape.members.map((member) => this.print(member, indent)).join(' | ');
      case 'refined':
        return this.print(shape.shape, indent);
      case 'named':
        this.#define(shape.name, shape);
        return `#${shape.name}`;
    }
  }

  #fields(fields: Readonly<Record<string, FieldShape>>, open: boolean, indent: string): string {
    const inner = `${indent}\t`;
    const lines = Object.entries(fields).map(([name, field]) => {
      const shape = field.kind === 'optional' ? field.shape : field;
      const comment = shape.doc === undefined ? '' : `${inner}// ${shape.doc}\n`;
      const label = /^[A-Za-z][A-Za-z0-9]*$/.test(name) ? name : JSON.stringify(name);
      const isOptional = field.kind === 'optional' || shape.kind === 'any';
      return `${comment}${inner}${label}${isOptional ? '?' : ''}: ${this.print(shape, inner)}\n`;
    });
    return `{\n${lines.join('')}${open ? `${inner}...\n` : ''}${indent}}`;
  }
}

function stringConstraint({ pattern, minLength }: StringShape): string {
  // Length limits would need an import of "strings", which a text put behind another can't have.
  if (pattern !== undefined) return `=~${JSON.stringify(pattern.source)}`;
  return minLength !== undefined && minLength > 0 ? 'string & !=""' : 'string';
}
