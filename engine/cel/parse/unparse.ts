import type { Ast, Call, Expr, ListExpr, MacroCall } from '../ast.ts';
import { goQuote } from '../go-quote.ts';
import { formatDouble } from '../run/double-format.ts';
import type { CelValue } from '../values.ts';
import { Double, Uint } from '../values.ts';

const BINARY: ReadonlyMap<string, { readonly text: string; readonly precedence: number }> = new Map(
  Object.entries({
    '_||_': { text: '||', precedence: 1 },
    '_&&_': { text: '&&', precedence: 2 },
    '_==_': { text: '==', precedence: 3 },
    '_!=_': { text: '!=', precedence: 3 },
    '_<_': { text: '<', precedence: 3 },
    '_<=_': { text: '<=', precedence: 3 },
    '_>_': { text: '>', precedence: 3 },
    '_>=_': { text: '>=', precedence: 3 },
    '@in': { text: 'in', precedence: 3 },
    '_+_': { text: '+', precedence: 4 },
    '_-_': { text: '-', precedence: 4 },
    '_*_': { text: '*', precedence: 5 },
    '_/_': { text: '/', precedence: 5 },
    '_%_': { text: '%', precedence: 5 },
  }),
);
const CONDITIONAL = 0;
const UNARY = 6;
const MEMBER = 7;

/**
 * The text of a tree, macros as they were written: `parse(unparse(tree))` gives the same tree, other than positions. Spaces and
 * quotes are cel-go's (parser/unparser.go); parentheses stand only where the tree needs them, and lines are not wrapped.
 */
export function unparse(tree: Ast | Expr): string {
  return text('root' in tree ? tree.root : tree);
}

/** How tightly the outermost operator of a node's text binds. */
function precedence(expr: Expr): number {
  if (expr.kind !== 'call' || expr.macro || expr.target) return MEMBER;
  if (expr.fn === '_?_:_') return CONDITIONAL;
  if (expr.fn === '!_' || expr.fn === '-_') return UNARY;
  return BINARY.get(expr.fn)?.precedence ?? MEMBER;
}

/** The text, in parentheses when it binds less tightly than asked. */
function within(expr: Expr, minimum: number): string {
  return precedence(expr) < minimum ? `(${text(expr)})` : text(expr);
}

function text(expr: Expr): string {
  switch (expr.kind) {
    case 'literal':
      return literalText(expr.value);
    case 'ident':
      return expr.name;
    case 'select': {
      const selected = `${within(expr.operand, MEMBER)}.${fieldText(expr.field)}`;
      return expr.testOnly ? `has(${selected})` : selected;
    }
    case 'call':
      return expr.macro ? macroText(expr.macro) : callText(expr);
    case 'list':
      return `[${listText(expr)}]`;
    case 'map':
      return `{${expr.entries.map(({ key, value, optional }) => `${optional ? '?' : ''}${text(key)}: ${text(value)}`).join(', ')}}`;
    case 'struct':
      return `${expr.typeName}{${expr.fields.map((field) => `${field.optional ? '?' : ''}${fieldText(field.name)}: ${text(field.value)}`).join(', ')}}`;
    case 'comprehension':
      return macroText(expr.macro);
  }
}

function listText({ elements, optionalIndices }: ListExpr): string {
  let optionals = 0;
  const texts = elements.map((element, index) => {
    if (optionalIndices[optionals] !== index) return text(element);
    optionals++;
    return `?${text(element)}`;
  });
  return texts.join(', ');
}

function macroText({ name, target, args }: MacroCall): string {
  return `${target ? `${within(target, MEMBER)}.` : ''}${name}(${args.map(text).join(', ')})`;
}

function callText(expr: Call): string {
  const { fn, target, args } = expr;
  if (target) return `${within(target, MEMBER)}.${fn}(${args.map(text).join(', ')})`;
  const [first, second, third] = args;
  if (first && second && third && fn === '_?_:_') {
    return `${within(first, CONDITIONAL + 1)} ? ${within(second, CONDITIONAL + 1)} : ${text(third)}`;
  }
  if (first && (fn === '!_' || fn === '-_')) return unaryText(fn === '!_' ? '!' : '-', first);
  if (first && second) {
    if (fn === '_[_]') return `${within(first, MEMBER)}[${text(second)}]`;
    if (fn === '_[?_]') return `${within(first, MEMBER)}[?${text(second)}]`;
    if (fn === '_?._' && second.kind === 'literal') return `${within(first, MEMBER)}.?${fieldText(String(second.value))}`;
    const operator = BINARY.get(fn);
    if (operator) return binaryText(expr, first, second, operator);
  }
  return `${fn}(${args.map(text).join(', ')})`;
}

/** A sign in front of another sign, or of a number, would be read as one with it. */
function unaryText(sign: string, operand: Expr): string {
  const inner = within(operand, MEMBER);
  return /^[0-9.-]/.test(inner) ? `${sign}(${inner})` : sign + inner;
}

function binaryText(expr: Call, left: Expr, right: Expr, operator: { readonly text: string; readonly precedence: number }): string {
  if (expr.fn === '_&&_' || expr.fn === '_||_') {
    const terms = balancedTerms(expr);
    if (terms) return terms.map((term) => within(term, operator.precedence + 1)).join(` ${operator.text} `);
    return `${within(left, operator.precedence + 1)} ${operator.text} ${within(right, operator.precedence + 1)}`;
  }
  return `${within(left, operator.precedence)} ${operator.text} ${within(right, operator.precedence + 1)}`;
}

/** The terms of a chain of `&&` or `||` when the tree is the one that the parser makes of the chain; undefined when it is not. */
function balancedTerms(expr: Call): readonly Expr[] | undefined {
  const terms: Expr[] = [];
  const collect = (node: Expr): void => {
    if (!isLogic(node, expr.fn)) terms.push(node);
    else for (const arg of node.args) collect(arg);
  };
  collect(expr);
  const isBalanced = (node: Expr, low: number, high: number): boolean => {
    if (low === high) return node === terms[low];
    if (!isLogic(node, expr.fn)) return false;
    // As in the parser: `high - low` operators, of which the middle one is on top.
    const middle = low + ((high - low) >> 1);
    return isBalanced(node.args[0]!, low, middle) && isBalanced(node.args[1]!, middle + 1, high);
  };
  return isBalanced(expr, 0, terms.length - 1) ? terms : undefined;
}

function isLogic(expr: Expr, fn: string): expr is Call {
  return expr.kind === 'call' && expr.fn === fn && expr.args.length === 2 && !expr.target;
}

const PLAIN_FIELD = /^[A-Za-z_][A-Za-z0-9_]*$/;
const KEYWORDS: ReadonlySet<string> = new Set(['in', 'true', 'false', 'null']);

function fieldText(name: string): string {
  return PLAIN_FIELD.test(name) && !KEYWORDS.has(name) ? name : `\`${name}\``;
}

function literalText(value: CelValue): string {
  switch (typeof value) {
    case 'string':
      return goQuote(value);
    case 'number':
      if (Number.isInteger(value)) return String(value);
      return doubleText(value);
    case 'bigint':
    case 'boolean':
      return String(value);
  }
  if (value === null) return 'null';
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Double) return doubleText(value.value);
  if (value instanceof Uint8Array) return `b"${Array.from(value, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}"`;
  throw new TypeError('not the value of a literal');
}

function doubleText(value: number): string {
  const shortest = formatDouble(value);
  return /[.e]/.test(shortest) ? shortest : `${shortest}.0`;
}
