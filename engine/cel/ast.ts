import type { CelValue } from './values.ts';

/**
 * The syntax tree of one expression, in the shape of cel-go's: operators are calls with internal names (`_&&_`, `_[_]`,
 * `_?._`, `!_`, `-_`, `_?_:_`, `@in`), macros are expanded to comprehensions. Expanding as cel-go does is what makes the cost
 * of Kubernetes' cost model come out exact; `Comprehension.macro` keeps what the author wrote for the code generator and for
 * explanations.
 */
export interface Ast {
  /** The text as written. Offsets of nodes are UTF-16 offsets into it. */
  readonly text: string;
  readonly root: Expr;
  /** Ids run from 1 to `nodeCount`; tables about nodes are arrays indexed by id. */
  readonly nodeCount: number;
}

interface Node {
  readonly id: number;
  /** UTF-16 offsets of the whole node, half open. */
  readonly start: number;
  readonly end: number;
  /** Where cel-go would report the node (for a call `a.f(b)` the parenthesis, for `a + b` the operator, for `a.b` the dot). */
  readonly at: number;
}

export interface Literal extends Node {
  readonly kind: 'literal';
  readonly value: CelValue;
}

export interface Ident extends Node {
  readonly kind: 'ident';
  /** A leading dot (`.x`, resolve from the root) is kept. */
  readonly name: string;
}

export interface Select extends Node {
  readonly kind: 'select';
  readonly operand: Expr;
  readonly field: string;
  /** True inside `has()`: asks for presence instead of the value. */
  readonly testOnly: boolean;
}

export interface Call extends Node {
  readonly kind: 'call';
  /** Function name, or cel-go's internal operator name. */
  readonly fn: string;
  /** Receiver of `target.fn(args)`. */
  readonly target?: Expr;
  readonly args: readonly Expr[];
  /** The macro this is the expansion of (`optMap` and `optFlatMap` expand to a conditional). */
  readonly macro?: MacroCall;
}

export interface ListExpr extends Node {
  readonly kind: 'list';
  readonly elements: readonly Expr[];
  /** Indices of `?element`s. */
  readonly optionalIndices: readonly number[];
}

export interface MapEntry {
  readonly id: number;
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
  /** Where cel-go would report the entry: the colon. */
  readonly at: number;
}

export interface MapExpr extends Node {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
}

export interface StructField {
  readonly id: number;
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
  readonly start: number;
  /** Where cel-go would report the field: the colon. */
  readonly at: number;
}

export interface StructExpr extends Node {
  readonly kind: 'struct';
  readonly typeName: string;
  readonly fields: readonly StructField[];
}

export interface Comprehension extends Node {
  readonly kind: 'comprehension';
  readonly iterRange: Expr;
  readonly iterVar: string;
  /** Second variable of the two-variable macros (index or key first, value second). */
  readonly iterVar2?: string;
  readonly accuVar: string;
  readonly accuInit: Expr;
  readonly loopCondition: Expr;
  readonly loopStep: Expr;
  readonly result: Expr;
  /** The macro this is the expansion of; a comprehension always comes from one. */
  readonly macro: MacroCall;
}

/** A macro as written: `target.name(args)`. `args` are the parsed, themselves expanded, argument trees. */
export interface MacroCall {
  readonly name: string;
  readonly target?: Expr;
  readonly args: readonly Expr[];
}

export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | StructExpr | Comprehension;
