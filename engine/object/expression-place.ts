import type { CelType } from '../cel/types.ts';
import type { DocumentPath } from '../text/document.ts';
import type { Schema } from './schema.ts';

/*
 * Whether the value of an expression can stand where a template has it, judged by types before there are values.
 */

/** What a place takes, where an expression does not give it. */
export interface TypeProblem {
  /** As in "expected a list". */
  readonly expected: string;
  readonly hint?: string;
}

/** The schema of what is at a path; undefined where nothing is known of it, or it is wrong anyway. */
export function schemaAt(root: Schema, path: DocumentPath): Schema | undefined {
  let schema: Schema | undefined = root;
  for (const segment of path) {
    if (schema === undefined) return undefined;
    if (schema.kind === 'map') schema = schema.fields.get(String(segment))?.schema ?? schema.rest;
    else if (schema.kind === 'list') schema = schema.items;
    else return undefined;
  }
  return schema;
}

/** Why an expression can't be a part of the text at this place: it is no place for text. */
export function textProblem(schema: Schema): TypeProblem | undefined {
  switch (schema.kind) {
    case 'string':
    case 'int-or-string':
    case 'quantity':
    case 'any':
      return undefined;
    default:
      return { expected: describe(schema), hint: 'a string that is one whole ${...} stands for the value itself' };
  }
}

/** Types whose values are written as text. */
const TEXTUAL: ReadonlySet<CelType['kind']> = new Set(['string', 'bytes', 'timestamp', 'duration', 'opaque']);

/** Why a value of this type does not fit; types that say nothing fit anywhere. */
export function typeProblem(type: CelType, schema: Schema): TypeProblem | undefined {
  if (type.kind === 'optional') return typeProblem(type.value, schema);
  if (type.kind === 'dyn' || type.kind === 'error' || type.kind === 'param' || type.kind === 'null' || schema.kind === 'any')
    return undefined;
  const numeric = type.kind === 'int' || type.kind === 'uint';
  const fits = ((): boolean => {
    switch (schema.kind) {
      case 'string':
        return TEXTUAL.has(type.kind);
      case 'integer':
        return numeric;
      case 'number':
        return numeric || type.kind === 'double';
      case 'boolean':
        return type.kind === 'bool';
      case 'int-or-string':
        return numeric || TEXTUAL.has(type.kind);
      case 'quantity':
        return numeric || type.kind === 'double' || TEXTUAL.has(type.kind);
      case 'list':
        return type.kind === 'list';
      case 'map':
        return type.kind === 'map' || type.kind === 'object';
    }
  })();
  if (!fits) return { expected: describe(schema), ...hintFor(type, schema) };
  if (schema.kind === 'list' && type.kind === 'list') return within('a list: in it, ', typeProblem(type.element, schema.items));
  if (schema.kind === 'map' && type.kind === 'map' && schema.rest !== undefined && schema.fields.size === 0)
    return within('a map: in it, ', typeProblem(type.value, schema.rest));
  return undefined;
}

const within = (where: string, problem: TypeProblem | undefined): TypeProblem | undefined =>
  problem && { ...problem, expected: `${where}${problem.expected}` };

function hintFor(type: CelType, schema: Schema): { readonly hint?: string } {
  if (schema.kind === 'string' && type.kind !== 'list' && type.kind !== 'map' && type.kind !== 'object')
    return { hint: 'convert it with string(...)' };
  if (schema.kind === 'integer' && (type.kind === 'string' || type.kind === 'double')) return { hint: 'convert it with int(...)' };
  if (schema.kind === 'boolean' && type.kind === 'string') return { hint: 'convert it with bool(...)' };
  return {};
}

function describe(schema: Schema): string {
  switch (schema.kind) {
    case 'string':
      return 'a string';
    case 'integer':
      return 'an integer';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'int-or-string':
      return 'an integer or a string';
    case 'quantity':
      return 'a quantity';
    case 'list':
      return 'a list';
    case 'map':
      return schema.fields.size > 0 ? 'an object' : 'a map';
    case 'any':
      return 'anything';
  }
}
