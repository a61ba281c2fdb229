import type { Ast } from './ast.ts';
import type { CelType } from './types.ts';
import type { CelError, CelValue } from './values.ts';

/** Variable values by name (null prototype or own properties). A name that is absent errs when it is read. */
export type Activation = { readonly [name: string]: CelValue | undefined };

/** Cost units left. The fast back end takes off an upper bound of the true cost, the exact one the true cost. */
export interface Meter {
  remaining: number;
}

/** A tree the checker has accepted. */
export interface CheckedAst extends Ast {
  /** Type of each node, by id. */
  readonly types: readonly (CelType | undefined)[];
  /** What an identifier, select or call resolved to, by id. */
  readonly references: readonly (Reference | undefined)[];
  readonly resultType: CelType;
}

export type Reference =
  /** A variable (a qualified name may swallow a select chain: `a.b.c` as one variable). */
  | { readonly kind: 'variable'; readonly name: string }
  /** An identifier with a value known at compile time. */
  | { readonly kind: 'constant'; readonly name: string; readonly value: CelValue }
  /** The overloads that are possible; exactly one when the argument types are known. */
  | { readonly kind: 'function'; readonly name: string; readonly overloads: readonly import('./function.ts').Overload[] };

/**
 * An expression ready to run, by two back ends with one meaning.
 *
 * `run` is the fast one (generated JavaScript, or closures where code generation is not allowed). It answers or throws a
 * {@link CelError}, and its cost is an upper bound: on any error, or when the meter falls below 0, ask `trace`, which is the
 * only source of messages, positions and exact cost.
 */
export interface Program {
  readonly ast: CheckedAst;
  readonly run: (activation: Activation, meter: Meter) => CelValue;
  /** Evaluates with closures: exact cost, error with node, and the value of every node when `record` is set. Never throws. */
  readonly trace: (activation: Activation, options?: TraceOptions) => Trace;
  /**
   * An error that is certain before the program runs, and for which the API server refuses the expression: `int('x')`, a
   * malformed pattern. Its text there: `program instantiation failed: ` and the message.
   */
  readonly refused?: CelError;
}

export interface TraceOptions {
  /** Cost units this evaluation may use. Default: 1 000 000 (Kubernetes' PerCallLimit). */
  readonly limit?: number;
  /** Keep the values of sub-expressions (last value wins inside loops; `iterations` counts them). */
  readonly record?: boolean;
}

export interface Trace {
  readonly outcome: { readonly ok: true; readonly value: CelValue } | { readonly ok: false; readonly error: CelError };
  /** Exact Kubernetes run-time cost up to the end or the error. */
  readonly cost: number;
  /** By node id, when recorded. */
  readonly values?: ReadonlyMap<number, { readonly value?: CelValue; readonly error?: CelError; readonly count: number }>;
}
