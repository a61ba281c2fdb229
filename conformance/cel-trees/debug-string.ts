import type { Expr } from '../../engine/cel/ast.ts';
import { goQuote } from '../../engine/cel/go-quote.ts';
import type { CheckedAst } from '../../engine/cel/program.ts';
import { formatDouble } from '../../engine/cel/run/double-format.ts';
import { formatType } from '../../engine/cel/types.ts';
import { type CelValue, Double, Uint } from '../../engine/cel/values.ts';

/** What is written after each node, and after each entry of a map or message. */
export interface Adornment {
  node(expr: Expr): string;
  entry(kind: 'map' | 'struct'): string;
  /** The node as the checker leaves it: names resolved, targets that were namespaces gone. */
  resolve(expr: Expr): Expr;
}

/** A tree in the notation of cel-go's own tests. cel-go: common/debug/debug.go. */
export function debugString(root: Expr, adornment: Adornment): string {
  let out = '';
  let depth = 0;
  let lineStart = true;
  const write = (text: string): void => {
    if (lineStart && text !== '') {
      lineStart = false;
      out += '  '.repeat(depth);
    }
    out += text;
  };
  const newline = (): void => {
    out += '\n';
    lineStart = true;
  };
  const items = <T>(list: readonly T[], item: (each: T, index: number) => void): void => {
    list.forEach((each, index) => {
      if (index > 0) {
        write(',');
        newline();
      }
      item(each, index);
    });
  };
  const block = <T>(list: readonly T[], item: (each: T, index: number) => void): void => {
    if (list.length === 0) return;
    newline();
    depth++;
    items(list, item);
    depth--;
    newline();
  };

  const visit = (unresolved: Expr): void => {
    const expr = adornment.resolve(unresolved);
    switch (expr.kind) {
      case 'literal':
        write(literalText(expr.value));
        break;
      case 'ident':
        write(expr.name);
        break;
      case 'select':
        visit(expr.operand);
        write(`.${expr.field}${expr.testOnly ? '~test-only~' : ''}`);
        break;
      case 'call':
        if (expr.target) {
          visit(expr.target);
          write('.');
        }
        write(`${expr.fn}(`);
        block(expr.args, visit);
        write(')');
        break;
      case 'list':
        write('[');
        block(expr.elements, visit);
        write(']');
        break;
      case 'map':
        write('{');
        block(expr.entries, (entry) => {
          if (entry.optional) write('?');
          visit(entry.key);
          write(':');
          visit(entry.value);
          write(adornment.entry('map'));
        });
        write('}');
        break;
      case 'struct':
        write(`${expr.typeName}{`);
        block(expr.fields, (field) => {
          write(`${field.optional ? '?' : ''}${field.name}:`);
          visit(field.value);
          write(adornment.entry('struct'));
        });
        write('}');
        break;
      case 'comprehension': {
        write('__comprehension__(');
        depth++;
        newline();
        const part = (title: string, content: () => void, last = false): void => {
          write(`// ${title}`);
          newline();
          content();
          if (last) return;
          write(',');
          newline();
        };
        part('Variable', () => {
          write(expr.iterVar);
          if (expr.iterVar2 === undefined) return;
          write(',');
          newline();
          write(expr.iterVar2);
        });
        part('Target', () => visit(expr.iterRange));
        part('Accumulator', () => write(expr.accuVar));
        part('Init', () => visit(expr.accuInit));
        part('LoopCondition', () => visit(expr.loopCondition));
        part('LoopStep', () => visit(expr.loopStep));
        part('Result', () => visit(expr.result), true);
        write(')');
        depth--;
        break;
      }
    }
    write(adornment.node(unresolved));
  };
  visit(root);
  return out;
}

function literalText(value: CelValue): string {
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Double) return formatDouble(value.value);
  if (value instanceof Uint8Array) return `b${quoteBytes(value)}`;
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number' && !Number.isInteger(value)) return formatDouble(value);
  return String(value);
}

/** Go's `%q` of a string that need not be UTF-8. */
function quoteBytes(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((size) => decode(bytes.subarray(at, at + size)) !== undefined);
    out +=
      length === undefined
        ? `\\x${bytes[at]!.toString(16).padStart(2, '0')}`
        : goQuote(decode(bytes.subarray(at, at + length))!).slice(1, -1);
    at += length ?? 1;
  }
  return `"${out}"`;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const KINDS: Readonly<Record<Exclude<Expr['kind'], 'literal'>, string>> = {
  ident: 'Expr_IdentExpr',
  select: 'Expr_SelectExpr',
  call: 'Expr_CallExpr',
  list: 'Expr_ListExpr',
  map: 'Expr_StructExpr',
  struct: 'Expr_StructExpr',
  comprehension: 'Expr_ComprehensionExpr',
};

function constantKind(value: CelValue): string {
  if (value instanceof Uint) return 'Uint64Value';
  if (value instanceof Double) return 'DoubleValue';
  if (value instanceof Uint8Array) return 'BytesValue';
  if (value === null) return 'NullValue';
  if (typeof value === 'string') return 'StringValue';
  if (typeof value === 'boolean') return 'BoolValue';
  return typeof value === 'number' && !Number.isInteger(value) ? 'DoubleValue' : 'Int64Value';
}

/** Adds the kind of every node, as the trees of parsed expressions have it. */
export const KIND_ADORNMENT: Adornment = {
  node: (expr) => `^#*expr.${expr.kind === 'literal' ? `Constant_${constantKind(expr.value)}` : KINDS[expr.kind]}#`,
  entry: () => '^#*expr.Expr_CreateStruct_Entry#',
  resolve: (expr) => expr,
};

/** Adds types and references, as the trees of checked expressions have them. cel-go: checker/printer.go. */
export function semanticAdornment(ast: CheckedAst): Adornment {
  return {
    node(expr) {
      const type = ast.types[expr.id];
      const reference = ast.references[expr.id];
      let text = type ? `~${formatType(type)}` : '';
      if (reference?.kind === 'function') {
        text += `^${reference.overloads
          .map((overload) => overload.id)
          .sort()
          .join('|')}`;
      } else if (reference) text += `^${reference.name}`;
      return text;
    },
    entry: () => '',
    resolve(expr) {
      const reference = ast.references[expr.id];
      if (!reference) return expr;
      const { id, start, end, at } = expr;
      if (reference.kind !== 'function') {
        if (expr.kind === 'struct') return { ...expr, typeName: reference.name };
        return { kind: 'ident', id, start, end, at, name: reference.name };
      }
      if (expr.kind !== 'call') return expr;
      const { target, ...rest } = expr;
      return reference.overloads[0]!.member && target ? { ...rest, target } : { ...rest, fn: reference.name };
    },
  };
}
