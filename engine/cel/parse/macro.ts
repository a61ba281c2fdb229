import type { Expr } from '../ast.ts';

/** The accumulator variable of the macros; no expression can name it. */
export const ACCUMULATOR = '@result';

/** Names that a macro's iteration variable must not have. cel-go: parser/macro.go AccumulatorName, HiddenAccumulatorName. */
export function isAccumulatorName(name: string): boolean {
  return name === ACCUMULATOR || name === '__result__';
}

/** Makes nodes with fresh ids at the position of the macro call, and reports misuse of the macro. */
export interface MacroContext {
  literal(value: import('../values.ts').CelValue): Expr;
  ident(name: string): Expr;
  call(fn: string, ...args: Expr[]): Expr;
  memberCall(target: Expr, fn: string, ...args: Expr[]): Expr;
  select(operand: Expr, field: string, testOnly?: boolean): Expr;
  list(...elements: Expr[]): Expr;
  map(...entries: [key: Expr, value: Expr][]): Expr;
  comprehension(parts: {
    iterRange: Expr;
    iterVar: string;
    iterVar2?: string;
    /** Default: {@link ACCUMULATOR}. */
    accuVar?: string;
    accuInit: Expr;
    loopCondition: Expr;
    loopStep: Expr;
    result: Expr;
  }): Expr;
  /** A deep copy with fresh ids, for an argument used twice. */
  copy(expr: Expr): Expr;
  /** Records a syntax error at the node; the returned node takes the place of the call. */
  error(at: Expr, message: string): Expr;
}

/** A macro: a call the parser replaces. cel-go: parser/macro.go. */
export interface MacroDeclaration {
  readonly name: string;
  /** True for `target.name(...)`. */
  readonly member: boolean;
  /** Number of arguments without the receiver. */
  readonly argCount: number;
  /** Returns undefined to leave the call as it is. */
  readonly expand: (context: MacroContext, target: Expr | undefined, args: readonly Expr[]) => Expr | undefined;
}
