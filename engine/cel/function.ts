import type { CelType } from './types.ts';
import type { CelValue } from './values.ts';

/**
 * One overload of a function: signature, implementation and cost. An implementation is total over its signature's types and
 * throws {@link CelError} with cel-go's text; it is never called with an argument of another type.
 */
export interface Overload {
  /** cel-go's overload id, e.g. `string_char_at_int`. */
  readonly id: string;
  /** True for `target.fn(args)`; then `args[0]` is the receiver. */
  readonly member: boolean;
  readonly args: readonly CelType[];
  readonly result: CelType;
  readonly call: (...args: CelValue[]) => CelValue;
  /**
   * Run-time cost of one call in the Kubernetes cost model, from the arguments and the result. Absent: 1.
   * Kubernetes: staging/src/k8s.io/apiserver/pkg/cel/library/cost.go CallCost; cel-go: interpreter/runtimecost.go.
   */
  readonly cost?: (args: readonly CelValue[], result: CelValue) => number;
  /**
   * The same where the checker left more than one overload possible (an argument is dyn): cel-go then prices the call by the
   * function's name alone. Absent: 1.
   */
  readonly unresolvedCost?: (args: readonly CelValue[], result: CelValue) => number;
  /** Arguments of other types are let through at run time too, and `call` judges them itself. cel-go: decls.DisableTypeGuards. */
  readonly unguarded?: boolean;
  /**
   * Looks at the literal arguments (undefined where an argument is none) when the program is made; a text is an error of the
   * expression, e.g. `error parsing regexp: missing closing ): ` and the pattern.
   */
  readonly checkLiterals?: (args: readonly (CelValue | undefined)[]) => string | undefined;
  /** Static estimate at compile time; see check/cost-estimate.ts. Absent: `{min: 1, max: 1}`, result size unknown. */
  readonly estimate?: CallEstimator;
}

export interface SizeEstimate {
  readonly min: number;
  readonly max: number;
}
export type CostEstimate = SizeEstimate;

/** What the estimator knows of an operand. */
export interface OperandEstimate {
  readonly type: CelType;
  /** Size in characters, bytes, elements or entries; max is Infinity when unbounded. */
  readonly size: SizeEstimate;
  /** Size of one element where the operand is a list and a schema bounds it. */
  readonly elementSize?: SizeEstimate;
  /** The literal value when the operand is a literal. */
  readonly literal?: CelValue;
}

export type CallEstimator = (operands: readonly OperandEstimate[]) => { readonly cost: CostEstimate; readonly resultSize?: SizeEstimate };

export interface FunctionDeclaration {
  readonly name: string;
  readonly overloads: readonly Overload[];
}

/** A named set of functions, types and constants. One library is one file under `libraries/`. */
export interface Library {
  readonly name: string;
  readonly functions: readonly FunctionDeclaration[];
  /** Identifiers the library declares: type names (`kubernetes.Quantity`) and constants. */
  readonly identifiers?: Readonly<Record<string, { readonly type: CelType; readonly value: CelValue }>>;
  /** Macros, by name and argument count; the parser expands them. */
  readonly macros?: readonly MacroDeclaration[];
}

import type { MacroDeclaration } from './parse/macro.ts';

export type { MacroDeclaration };
