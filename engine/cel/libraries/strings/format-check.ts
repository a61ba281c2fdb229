import type { Expr } from '../../ast.ts';
import type { CelType } from '../../types.ts';
import { CelError } from '../../values.ts';
import { CLAUSE_ERRORS } from './format.ts';
import { type FormatClause, interpolate } from './interpolate.ts';

/** What is wrong with `'literal'.format([...])`; without `at`, the call as a whole is meant. */
export interface FormatIssue {
  readonly message: string;
  readonly at?: Expr;
}

type Kind = CelType['kind'];
const TAKEN: Readonly<Record<FormatClause['verb'], readonly Kind[]>> = {
  s: ['list', 'map', 'int', 'uint', 'double', 'bool', 'string', 'timestamp', 'bytes', 'duration', 'type', 'null'],
  d: ['int', 'uint'],
  // NaN and the infinities may be given as strings.
  f: ['double', 'string'],
  e: ['double', 'string'],
  b: ['int', 'uint', 'bool'],
  x: ['int', 'uint', 'string', 'bytes'],
  X: ['int', 'uint', 'string', 'bytes'],
  o: ['int', 'uint'],
};

/**
 * Checks a literal format string against the elements of a literal list. cel-go: ext/formatting.go stringFormatValidator.
 * `nameOf` writes the name of a type without its parameters, as in messages.
 */
export function checkFormatCall(
  format: string,
  args: readonly Expr[],
  typeOf: (expr: Expr) => CelType,
  nameOf: (type: CelType) => string,
): FormatIssue | undefined {
  let requested = 0;
  let at: Expr | undefined;
  const refuse = (verb: FormatClause['verb'], expr: Expr): never => {
    at = expr;
    throw new CelError(`error during formatting: ${CLAUSE_ERRORS[verb]}, was given ${nameOf(typeOf(expr))}`);
  };
  const takes = (verb: FormatClause['verb'], expr: Expr): boolean => {
    const { kind } = typeOf(expr);
    return kind === 'dyn' || TAKEN[verb].includes(kind);
  };
  const checkText = (expr: Expr): void => {
    if (!takes('s', expr)) refuse('s', expr);
    if (expr.kind === 'list') for (const element of expr.elements) checkText(element);
    if (expr.kind !== 'map') return;
    for (const entry of expr.entries) {
      checkText(entry.key);
      checkText(entry.value);
    }
  };
  try {
    const checkClause = ({ verb }: FormatClause, index: number): string => {
      requested++;
      const arg = args[index] as Expr;
      if (verb === 's') checkText(arg);
      else if (!takes(verb, arg)) refuse(verb, arg);
      return '';
    };
    interpolate(format, args.length, checkClause, true);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return at === undefined ? { message: error.message } : { message: error.message, at };
  }
  if (args.length <= requested) return undefined;
  return { message: `too many arguments supplied to string.format (expected ${requested}, got ${args.length})` };
}
