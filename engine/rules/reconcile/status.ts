import type { CelType } from '../../cel/types.ts';
import { schemaAt } from '../../object/expression-place.ts';
import { isJsonObject, type Json, type JsonObject, setOwn } from '../../object/json.ts';
import type { Schema } from '../../object/schema.ts';
import type { Expression, ExpressionCompiler } from '../expressions.ts';
import type { Reporter } from '../reporter.ts';
import type { RuleTemplate } from './entry.ts';
import type { TemplateSource } from './source.ts';
import { compileRuleTemplate } from './template-compiler.ts';

/**
 * The template of `status`, taken apart to its leaves: each is there as soon as what it reads is there, whatever becomes of the
 * others.
 */
export type StatusTemplate =
  | { readonly kind: 'map'; readonly fields: readonly (readonly [name: string, value: StatusTemplate])[] }
  | { readonly kind: 'list'; readonly items: readonly StatusTemplate[] }
  /** `type`: of the value, where an expression yields it as a whole. */
  | { readonly kind: 'leaf'; readonly template: RuleTemplate; readonly type: CelType | undefined }
  | { readonly kind: 'constant'; readonly value: Json };

export interface StatusOptions {
  readonly onExpression: (expression: Expression) => void;
  /** Schema of what the template makes. */
  readonly target?: { readonly schema: Schema; readonly kind: string } | undefined;
}

function targetBelow(target: StatusOptions['target'], segment: string | number): StatusOptions['target'] {
  const schema = target && schemaAt(target.schema, [segment]);
  return schema && { schema, kind: target!.kind };
}

/** Compiles the template of status. What is wrong is reported. */
export function compileStatus(
  report: Reporter,
  compiler: ExpressionCompiler,
  source: TemplateSource,
  options: StatusOptions,
): StatusTemplate {
  const { path, value } = source;
  const below = (segment: string | number, item: Json): StatusTemplate =>
    compileStatus(
      report,
      compiler,
      { path: [...path, segment], value: item },
      { ...options, target: targetBelow(options.target, segment) },
    );
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map((item: Json, index) => below(index, item)) };
  }
  if (isJsonObject(value)) {
    const fields = Object.keys(value).map((name) => [name, below(name, value[name] as Json)] as const);
    return { kind: 'map', fields };
  }
  if (typeof value !== 'string' || !value.includes('$')) return { kind: 'constant', value };
  let type: CelType | undefined;
  const template = compileRuleTemplate(report, compiler, source, {
    onExpression: (expression, use) => {
      if (use === 'value') type = expression.program.ast.resultType;
      options.onExpression(expression);
    },
    ...(options.target === undefined ? {} : { target: { ...options.target, required: false } }),
  });
  if (template === undefined) return { kind: 'constant', value: null };
  return { kind: 'leaf', template, type };
}

/** The value of a status template; undefined where nothing of it is known yet. `render` answers undefined for a leaf that is not. */
export function renderStatus(status: StatusTemplate, render: (leaf: RuleTemplate) => Json | undefined): Json | undefined {
  switch (status.kind) {
    case 'constant':
      return status.value;
    case 'leaf':
      return render(status.template);
    case 'list': {
      const items = status.items.map((item) => renderStatus(item, render));
      // An item in the place of another would be worse than none.
      return items.every((item) => item !== undefined) ? items : undefined;
    }
    case 'map': {
      const fields: { [name: string]: Json } = {};
      for (const [name, field] of status.fields) {
        const value = renderStatus(field, render);
        if (value !== undefined) setOwn(fields, name, value);
      }
      return fields as JsonObject;
    }
  }
}
