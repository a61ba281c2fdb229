import type { Expr } from '../../engine/cel/ast.ts';
import { formatForMessage } from '../../engine/cel/run/format.ts';
import {
  CelError,
  CelMap,
  type CelValue,
  Double,
  LazyStruct,
  Opaque,
  Optional,
  Struct,
  Timestamp,
  TypeValue,
  Uint,
} from '../../engine/cel/values.ts';
import { visible } from '../../engine/text/display-width.ts';
import type { Paint } from './context.ts';
import type { Evaluated } from './expression-log.ts';

/** One part of an expression with the value it had. */
export interface ExplainedPart {
  readonly text: string;
  /** CEL-like text; undefined for a part that was not evaluated. */
  readonly value?: string;
  readonly error?: string;
  /** Times it was evaluated, where a loop did it more than once; the value is the last one. */
  readonly count: number;
  readonly parts: readonly ExplainedPart[];
}

const MAX_VALUE = 100;
const MAX_TEXT = 100;

/** The tree of an expression with values: what is plain from the text (literals, the steps of a field path) is left out. */
export function explainExpression({ program, trace }: Evaluated): ExplainedPart {
  const { ast } = program;
  const explain = (expr: Expr): ExplainedPart => {
    const found = trace.values?.get(expr.id);
    const text = ast.text.slice(expr.start, expr.end).replace(/\s+/g, ' ').trim();
    return {
      text: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 3)}...` : text,
      ...(found?.error !== undefined
        ? { error: found.error.message }
        : found?.value !== undefined
          ? { value: formatValue(found.value) }
          : {}),
      count: found?.count ?? 0,
      parts: partsOf(expr).filter(isTelling).map(explain),
    };
  };
  const root = explain(ast.root);
  const { outcome } = trace;
  return {
    ...root,
    ...(outcome.ok ? { value: formatValue(outcome.value) } : { error: outcome.error.message }),
    count: Math.max(root.count, 1),
  };
}

/** Parts as the author sees them: of a macro its receiver and its arguments, of a field path what it starts from. */
function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
    case 'ident':
      return [];
    case 'select': {
      let operand: Expr = expr.operand;
      while (operand.kind === 'select') operand = operand.operand;
      return operand.kind === 'ident' ? [] : [operand];
    }
    case 'call':
      return [...(expr.target === undefined ? [] : [expr.target]), ...expr.args];
    case 'list':
      return expr.elements;
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case 'struct':
      return expr.fields.map(({ value }) => value);
    case 'comprehension': {
      const { target, args } = expr.macro;
      return [...(target === undefined ? [] : [target]), ...args];
    }
  }
}

/** Literals, and lists and maps of nothing else, say what they are; loop variables are seen where they are used. */
function isTelling(expr: Expr): boolean {
  if (expr.kind === 'literal' || expr.kind === 'ident') return false;
  return (expr.kind !== 'list' && expr.kind !== 'map') || partsOf(expr).some((part) => part.kind === 'ident' || isTelling(part));
}

/** A value in CEL's notation, cut where it gets long. */
function formatValue(value: CelValue): string {
  const text = write(value, 4);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE - 3)}...` : text;
}

function write(value: CelValue, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return formatForMessage(value);
  if (value instanceof CelError) return `error: ${value}`;
  if (Array.isArray(value))
    return depth === 0 && value.length > 0
      ? `[${value.length} items]`
      : `[${value.map((item: CelValue) => write(item, depth - 1)).join(', ')}]`;
  if (value instanceof Optional) return value.present ? `optional.of(${write(value.value, depth)})` : 'optional.none()';
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Double || value instanceof Uint8Array) return formatForMessage(value);
  if (value instanceof Timestamp) return `timestamp("${formatForMessage(value)}")`;
  if (value instanceof TypeValue || value instanceof Opaque || value instanceof LazyStruct) return formatForMessage(value);
  if (value instanceof CelMap)
    return `{${[...value.entries.values()].map(([key, item]) => `${write(key, depth - 1)}: ${write(item, depth - 1)}`).join(', ')}}`;
  if (value instanceof Struct) return `${value.typeName}${write(value.fields, depth)}`;
  const entries = Object.entries(value as { readonly [key: string]: CelValue });
  if (depth === 0 && entries.length > 0) return `{${entries.length} fields}`;
  return `{${entries.map(([key, item]) => `${/^\w+$/.test(key) ? key : JSON.stringify(key)}: ${write(item, depth - 1)}`).join(', ')}}`;
}

/** The tree as lines with branches, its root first. */
export function renderExplanation(part: ExplainedPart, color: Paint): string[] {
  const lines: string[] = [];
  const walk = (node: ExplainedPart, head: string, tail: string): void => {
    lines.push(`${color('faint', head)}${visible(node.text)}${result(node, color)}`);
    node.parts.forEach((child, i) => {
      const isLast = i === node.parts.length - 1;
      walk(child, `${tail}${isLast ? '└─ ' : '├─ '}`, `${tail}${isLast ? '   ' : '│  '}`);
    });
  };
  walk(part, '', '');
  return lines;
}

function result({ value, error, count }: ExplainedPart, color: Paint): string {
  const times = count > 1 ? color('faint', ` (last of ${count})`) : '';
  if (error !== undefined) return `${color('faint', ' = ')}${color('red', `error: ${visible(error)}`)}${times}`;
  if (value === undefined) return color('faint', ' (not evaluated)');
  const shown = value === 'true' ? color('green', value) : value === 'false' ? color('red', value) : color('cyan', visible(value));
  return `${color('faint', ' = ')}${shown}${times}`;
}
