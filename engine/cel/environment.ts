import type { Ast } from './ast.ts';
import type { SizeProvider } from './check/cost-estimate.ts';
import type { CostEstimate, Library } from './function.ts';
import type { CelIssue } from './issue.ts';
import type { Program } from './program.ts';
import type { CelType, TypeProvider } from './types.ts';

export interface EnvironmentOptions {
  /** Variables by (possibly dotted) name. */
  readonly variables?: Readonly<Record<string, CelType>>;
  /** Where `object` types get their fields. */
  readonly types?: TypeProvider;
  /** Libraries beside the standard one. Default: what Kubernetes 1.37 enables. */
  readonly libraries?: readonly Library[];
  /** Namespace for name resolution, e.g. `google.expr`; Kubernetes uses ''. */
  readonly container?: string;
  /** Kubernetes: lists and maps of mixed types are refused (HomogeneousAggregateLiterals). Default: true. */
  readonly homogeneousLiterals?: boolean;
  /** Kubernetes since 1.28: `1 < 1.5` type-checks. Default: true. */
  readonly crossTypeComparisons?: boolean;
  /** Kubernetes since 1.29: literal arguments of `duration`, `timestamp` and `matches` are tried at compile time. Default: true. */
  readonly literalValidators?: boolean;
}

export interface CompileOptions {
  /** Types the result may have; otherwise an issue `must evaluate to bool`. Absent: any. */
  readonly resultTypes?: readonly CelType[];
  /** What is known of the sizes of values, for {@link CompileResult} `estimate`. Absent: nothing. */
  readonly sizes?: SizeProvider;
  /** Variables whose values are parsed JSON; `jsonVariables` of run/create-program.ts. Absent: what an admission request brings. */
  readonly jsonVariables?: ReadonlySet<string>;
}

export type CompileResult =
  | {
      readonly ok: true;
      readonly program: Program;
      readonly resultType: CelType;
      readonly estimate: CostEstimate;
      readonly issues: readonly CelIssue[];
    }
  | { readonly ok: false; readonly issues: readonly CelIssue[] };

export type ParseResult = { readonly ok: true; readonly ast: Ast } | { readonly ok: false; readonly issues: readonly CelIssue[] };

/** Variables, types and functions that expressions are compiled against. Immutable; `extend` makes another. */
export interface Environment {
  parse(text: string): ParseResult;
  /** Parses, checks and prepares an expression. */
  compile(text: string, options?: CompileOptions): CompileResult;
  /** Checks and prepares a tree that was parsed (and possibly rewritten) before. */
  compileAst(ast: Ast, options?: CompileOptions): CompileResult;
  extend(options: EnvironmentOptions): Environment;
}
