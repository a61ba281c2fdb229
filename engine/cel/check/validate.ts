import type { Call, Expr, ListExpr, MapExpr } from '../ast.ts';
import type { Overload } from '../function.ts';
import type { CelIssue } from '../issue.ts';
import { checkFormatCall } from '../libraries/strings/format-check.ts';
import type { CheckedAst } from '../program.ts';
import { accepts } from '../run/dispatch.ts';
import { compileRe2 } from '../run/re2.ts';
import { typeName as typeNameOf } from '../run/type-of.ts';
import type { CelType } from '../types.ts';
import { DYN, formatType, typeName } from '../types.ts';
import { CelError, type CelValue } from '../values.ts';
import { isExactType } from './type-relations.ts';
import { children } from './walk.ts';

export interface ValidateOptions {
  /** Lists and maps of mixed types are refused. */
  readonly homogeneousLiterals: boolean;
  /** Literal arguments of `duration`, `timestamp` and `matches` are tried. */
  readonly literalValidators: boolean;
}

/**
 * What is wrong with a tree although its types agree: literals that can't be converted, patterns that don't compile, lists of
 * mixed types, format strings that don't fit their arguments. cel-go: cel/validator.go, ext/formatting.go.
 */
export function validate(ast: CheckedAst, options: ValidateOptions): readonly CelIssue[] {
  const issues: CelIssue[] = [];
  const report = (code: string, { start, end, at }: Expr, message: string, hint?: string): void => {
    issues.push({ code, severity: 'error', message, start, end, at, ...(hint === undefined ? {} : { hint }) });
  };
  const typeOf = (expr: Expr): CelType => ast.types[expr.id] ?? DYN;

  function visit(expr: Expr, inFormat: boolean): void {
    const exempt = inFormat || (expr.kind === 'call' && expr.fn === 'format');
    for (const child of children(expr)) visit(child, exempt);
    if (expr.kind === 'call') {
      if (options.literalValidators) validateLiteral(expr);
      if (expr.fn === 'format') validateFormat(expr);
    } else if (options.homogeneousLiterals && !inFormat) {
      if (expr.kind === 'list') validateList(expr);
      else if (expr.kind === 'map') validateMap(expr);
    }
  }

  function validateLiteral(expr: Call): void {
    const argument = expr.args[0];
    if (argument?.kind !== 'literal') return;
    const attempt = attempts[expr.fn];
    const failure = attempt && failureOf(() => attempt(ast, expr, argument.value));
    if (failure !== undefined) report('invalid-literal', argument, `invalid ${expr.fn} argument`, hints[expr.fn] ?? failure);
  }

  function validateFormat(expr: Call): void {
    const [list] = expr.args;
    const { target } = expr;
    const reference = ast.references[expr.id];
    if (target?.kind !== 'literal' || typeof target.value !== 'string' || list?.kind !== 'list' || expr.args.length !== 1) return;
    if (reference?.kind !== 'function' || !reference.overloads.some((overload) => overload.id === 'string_format')) return;
    const issue = checkFormatCall(target.value, list.elements, typeOf, (type) => typeName(type).replace(/\(.*$/, ''));
    if (issue) report('format', issue.at ?? expr, issue.message);
  }

  function mismatch(expr: Expr, expected: CelType, found: CelType): void {
    const hint = 'lists and maps hold one type; wrap elements in dyn(...) to mix types';
    report('mixed-literal', expr, `expected type '${formatType(expected)}' but found '${formatType(found)}'`, hint);
  }

  function validateList(expr: ListExpr): void {
    let expected: CelType | undefined;
    let optionals = 0;
    for (const [index, element] of expr.elements.entries()) {
      const isOptional = expr.optionalIndices[optionals] === index;
      if (isOptional) optionals++;
      const type = isOptional ? unwrap(typeOf(element)) : typeOf(element);
      expected ??= type;
      if (isExactType(expected, type)) continue;
      mismatch(element, expected, type);
      return;
    }
  }

  function validateMap(expr: MapExpr): void {
    let keyType: CelType | undefined;
    let valueType: CelType | undefined;
    for (const { key, value, optional } of expr.entries) {
      const type = optional ? unwrap(typeOf(value)) : typeOf(value);
      keyType ??= typeOf(key);
      valueType ??= type;
      if (!isExactType(keyType, typeOf(key))) mismatch(key, keyType, typeOf(key));
      if (!isExactType(valueType, type)) mismatch(value, valueType, type);
    }
  }

  visit(ast.root, false);
  return issues;
}

function unwrap(type: CelType): CelType {
  return type.kind === 'optional' ? type.value : type;
}

/** What is done with the literal first argument of a function to see whether it is valid; throws a CelError when it is not. */
const attempts: { readonly [fn: string]: ((ast: CheckedAst, expr: Call, value: CelValue) => void) | undefined } = {
  __proto__: null as never,
  duration: convert,
  timestamp: convert,
  matches(_ast, _expr, value) {
    if (typeof value === 'string') compileRe2(value);
  },
};

const hints: { readonly [fn: string]: string | undefined } = {
  __proto__: null as never,
  duration: 'a duration is a sequence of numbers with units (h, m, s, ms, us, ns), like "1h30m" or "1.5s"',
  timestamp: 'a timestamp is written as RFC 3339 has it, like "2006-01-02T15:04:05Z"',
};

function convert(ast: CheckedAst, expr: Call, value: CelValue): void {
  const reference = ast.references[expr.id];
  if (reference?.kind === 'function' && expr.target === undefined) reference.overloads[0]?.call(value);
}

function failureOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof CelError) return error.message;
    throw error;
  }
}

/** cel-go converts literals when it makes the program. Source: interpreter/decorators.go decOptimize. */
const CONVERSIONS: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'duration',
  'dyn',
  'int',
  'string',
  'timestamp',
  'type',
  'uint',
]);

/** Values of what is known before the program runs, by node: literals, lists of such, and conversions of such. */
type Constants = Map<number, CelValue>;

/** Converts a constant and keeps the result, or answers why it can't be converted. */
function convertConstant(expr: Call, name: string, overloads: readonly Overload[], constants: Constants): string | undefined {
  const [operand] = expr.args;
  const value = operand === undefined || expr.args.length !== 1 || expr.target !== undefined ? undefined : constants.get(operand.id);
  if (value === undefined || !CONVERSIONS.has(name)) return undefined;
  const overload = overloads.find(({ args }) => args.length === 1 && accepts(args[0]!, value));
  if (overload === undefined) return `no such overload: ${name}(${typeNameOf(value)})`;
  return failureOf(() => constants.set(expr.id, overload.call(value)));
}

function keepConstant(expr: Expr, constants: Constants): void {
  if (expr.kind === 'literal') constants.set(expr.id, expr.value);
  if (expr.kind !== 'list' || expr.optionalIndices.length > 0) return;
  const elements = expr.elements.map((element) => constants.get(element.id));
  if (!elements.includes(undefined)) constants.set(expr.id, elements as CelValue[]);
}

/**
 * What the libraries say of literal arguments when the program is made, e.g. a pattern that does not compile. The API server
 * reports it as `program instantiation failed: ` and the text.
 */
export function instantiationIssues(ast: CheckedAst, convertLiterals: boolean): readonly CelIssue[] {
  const issues: CelIssue[] = [];
  const constants: Constants = new Map();
  const visit = (expr: Expr): void => {
    for (const child of children(expr)) visit(child);
    keepConstant(expr, constants);
    if (expr.kind !== 'call') return;
    const reference = ast.references[expr.id];
    if (reference?.kind !== 'function') return;
    const { name, overloads } = reference;
    const overload = overloads[0]!;
    const operands = overload.member && expr.target ? [expr.target, ...expr.args] : expr.args;
    const literals = operands.map((operand) => (operand.kind === 'literal' ? operand.value : undefined));
    const message =
      (overloads.length === 1 ? overload.checkLiterals?.(literals) : undefined) ??
      (convertLiterals ? convertConstant(expr, name, overloads, constants) : undefined);
    if (message !== undefined) {
      const { start, end, at } = expr;
      issues.push({ code: 'instantiation', severity: 'error', message, start, end, at });
    }
  };
  visit(ast.root);
  return issues;
}
