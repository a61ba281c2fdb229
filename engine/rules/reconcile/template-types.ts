import { type CelType, formatType } from '../../cel/types.ts';
import { isJsonObject, type Json, ownValue } from '../../object/json.ts';
import type { Schema } from '../../object/schema.ts';
import { checkSchema } from '../../object/schema-check.ts';
import type { TemplateExpression } from '../../object/template.ts';
import { splitTemplateText } from '../../object/template-text.ts';
import type { DocumentPath } from '../../text/document.ts';
import { diagnosticAt } from '../../text/shape-check.ts';
import type { Reporter } from '../reporter.ts';
import type { Expression } from './expressions.ts';
import type { TemplateSource } from './source.ts';

/** Whether a string has an expression in it. */
export const hasExpression = (text: string): boolean =>
  text.includes('${') && splitTemplateText(text).pieces.some(({ kind }) => kind === 'expression');

/** Text that was meant to be an expression: `self.spec.replicas`. */
const EXPRESSION = /^(self|variables|params|item)\.[\w.?]{1,100}$/;

/**
 * Checks what a template of an object has written out against the schema of its kind: unknown fields, values of the wrong type, and
 * unless it is a patch, fields that are missing. What stands for an expression is checked by {@link checkExpressionType}.
 */
export function checkTemplateFields(report: Reporter, source: TemplateSource, schema: Schema, kind: string, required: boolean): void {
  const skip = (value: Json) => typeof value === 'string' && hasExpression(value);
  for (const { code, path, part, message, hint } of checkSchema(source.value, schema, { skip, required })) {
    if (path.some((segment) => typeof segment === 'string' && hasExpression(segment))) continue;
    const text = code === 'schema-wrong-type' ? valueAt(source.value, path) : undefined;
    const meant = typeof text === 'string' && EXPRESSION.test(text) ? `an expression stands between \${ and }: "\${${text}}"` : hint;
    report.add(diagnosticAt(report.document, [...source.path, ...path], { code, part, hint: meant, message: `${message} (in ${kind})` }));
  }
}

/** Checks that the value of an expression can stand where the template has it. */
export function checkExpressionType(
  report: Reporter,
  source: TemplateSource,
  place: TemplateExpression,
  expression: Expression,
  schema: Schema,
  kind: string,
): void {
  if (place.part === 'key') return;
  const target = schemaAt(schema, place.path);
  if (target === undefined) return;
  const type = expression.program.ast.resultType;
  const problem = place.use === 'text' ? textProblem(target) : typeProblem(type, target);
  if (problem === undefined) return;
  const found = place.use === 'text' ? 'text' : formatType(type);
  const message = `expected ${problem.expected}, found ${found} (in ${kind})`;
  report.issue(
    [...source.path, ...place.path],
    {
      code: 'template-type',
      severity: 'error',
      message,
      start: 0,
      end: place.text.length,
      at: 0,
      ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    },
    { offset: place.offset },
  );
}

function valueAt(root: Json, path: DocumentPath): Json | undefined {
  let value: Json | undefined = root;
  for (const segment of path) {
    if (Array.isArray(value)) value = value[Number(segment)];
    else if (isJsonObject(value)) value = ownValue(value, String(segment));
    else return undefined;
  }
  return value;
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

interface TypeProblem {
  readonly expected: string;
  readonly hint?: string;
}

function textProblem(schema: Schema): TypeProblem | undefined {
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

function typeProblem(type: CelType, schema: Schema): TypeProblem | undefined {
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
