import type { Environment } from '../../cel/environment.ts';
import type { CelType, TypeProvider } from '../../cel/types.ts';
import type { JsonObject } from '../../object/json.ts';
import type { TypeTable } from '../../object/type-table.ts';
import type { Expression, Variable } from '../expressions.ts';
import type { Entry, RuleTemplate } from './entry.ts';
import type { RuleSource } from './source.ts';
import type { StatusTemplate } from './status.ts';

/** What compiling a rule may use; the same for all rules of a bundle. */
export interface ReconcileContext {
  /** Kubernetes' language with our own libraries, without variables. */
  readonly environment: Environment;
  /** Types of the kinds there are, those that rules of the bundle make included. */
  readonly types?: TypeTable | undefined;
  /** The parameters of the bundle: their value, and the type that expressions see. */
  readonly params?: { readonly value: JsonObject; readonly type: CelType; readonly types: TypeProvider } | undefined;
}

export interface CompiledCondition {
  readonly type: string;
  readonly expression: Expression;
  readonly reason: RuleTemplate | undefined;
  readonly message: RuleTemplate | undefined;
}

/** An expression, and what it belongs to. */
export interface RuleExpression {
  /** Undefined for those of the rule itself. */
  readonly entry: string | undefined;
  readonly expression: Expression;
  /** Name that stands for the one object in it, in expressions of readiness. */
  readonly local?: string;
}

/** A rule ready for the executor. */
export interface CompiledRule {
  readonly source: RuleSource;
  readonly params: JsonObject;
  readonly variables: ReadonlyMap<string, Variable>;
  /** Each after those it refers to. */
  readonly entries: readonly Entry[];
  readonly status: StatusTemplate | undefined;
  readonly conditions: readonly CompiledCondition[];
  readonly requeueAfter: RuleTemplate | undefined;
  /** Every expression of the rule. */
  readonly expressions: readonly RuleExpression[];
}
