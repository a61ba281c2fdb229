import { formatType } from '../../cel/types.ts';
import { schemaAt, textProblem, typeProblem } from '../../object/expression-place.ts';
import { type Json, valueAt } from '../../object/json.ts';
import type { Schema } from '../../object/schema.ts';
import { checkSchema } from '../../object/schema-check.ts';
import type { TemplateExpression } from '../../object/template.ts';
import { hasExpression } from '../../object/template-text.ts';
import { diagnosticAt } from '../../text/shape-check.ts';
import type { Expression } from '../expressions.ts';
import type { Reporter } from '../reporter.ts';
import type { TemplateSource } from './source.ts';

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
