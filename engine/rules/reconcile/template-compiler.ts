import type { CelType } from '../../cel/types.ts';
import type { Schema } from '../../object/schema.ts';
import { compileTemplate, reportTemplateIssues, type TemplateExpression } from '../../object/template.ts';
import type { Expression, ExpressionCompiler } from '../expressions.ts';
import type { Reporter } from '../reporter.ts';
import type { RuleTemplate } from './entry.ts';
import type { TemplateSource } from './source.ts';
import { checkExpressionType, checkTemplateFields } from './template-types.ts';

export interface TemplateOptions {
  readonly locals?: Readonly<Record<string, CelType>> | undefined;
  /** What the template makes; without it nothing is checked. */
  readonly target?: { readonly schema: Schema; readonly kind: string; readonly required: boolean } | undefined;
  /** Told of each expression, and whether its value takes the place of the string or is put into text. */
  readonly onExpression?: (expression: Expression, use: TemplateExpression['use']) => void;
}

/** Compiles a template of a rule, and checks it against the schema of what it makes. Reports what is wrong. */
export function compileRuleTemplate(
  report: Reporter,
  compiler: ExpressionCompiler,
  source: TemplateSource,
  options: TemplateOptions = {},
): RuleTemplate | undefined {
  const { target } = options;
  const compiled = compileTemplate(source.value, (place) => {
    const at = { path: [...source.path, ...place.path], text: place.text, offset: place.offset };
    const expression = compiler.compile(at, options.locals);
    if (expression === undefined) return undefined;
    options.onExpression?.(expression, place.use);
    if (target !== undefined) checkExpressionType(report, source, place, expression, target.schema, target.kind);
    return expression;
  });
  reportTemplateIssues(report, source.path, compiled.issues);
  if (target !== undefined) checkTemplateFields(report, source, target.schema, target.kind, target.required);
  return compiled.template && { path: source.path, template: compiled.template };
}
