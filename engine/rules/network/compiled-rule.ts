import type { Environment } from '../../cel/environment.ts';
import type { CelType, TypeProvider } from '../../cel/types.ts';
import type { JsonObject } from '../../object/json.ts';
import type { Template } from '../../object/template.ts';
import type { TypeTable } from '../../object/type-table.ts';
import type { CompiledStep } from '../../step/compile.ts';
import type { Requirement } from '../../step/requirement.ts';
import type { OperationTable } from '../../step/step-source.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Expression, Variable } from '../expressions.ts';
import type { ClusterObject } from './cluster-objects.ts';
import type { ConfigSchema } from './config.ts';

/** What compiling a rule may use; the same for all rules of a bundle. */
export interface NetworkContext {
  readonly environment: Environment;
  readonly operations: OperationTable;
  /** Types of the kinds of the cluster. */
  readonly types?: TypeTable | undefined;
  /** The parameters of the bundle: their value, and the type that expressions see. */
  readonly params?: { readonly value: JsonObject; readonly type: CelType; readonly types: TypeProvider } | undefined;
}

/** A template, and where it stands. */
export interface RuleTemplate {
  readonly path: DocumentPath;
  readonly template: Template<Expression>;
}

/** Something that must hold, and what is said when it does not. */
export interface Condition {
  readonly expression: Expression;
  readonly message: string;
  readonly messageExpression: Expression | undefined;
  readonly code: number;
}

/** `ipam` of a rule. */
export interface AddressSource {
  readonly path: DocumentPath;
  readonly line: number | undefined;
  readonly when: Expression | undefined;
  /** Of its fields but `when`. */
  readonly template: Template<Expression>;
  /** Whether the rule says itself which addresses are asked for. */
  readonly saysRequested: boolean;
  /** Whether the configuration may say where addresses come from, and so that there are none. */
  readonly saysConfiguration: boolean;
}

/** Steps of a rule for an attachment, or for the node. */
export interface StepList {
  readonly steps: readonly CompiledStep<Expression>[];
  /** Ids of the objects that must be looked up before. */
  readonly objects: ReadonlySet<string>;
  /** What the host must have, as far as it does not depend on what expressions give. */
  readonly requirements: readonly Requirement[];
}

/** A rule ready for the executor. */
export interface CompiledRule {
  readonly name: string;
  readonly revision: string;
  readonly config: ConfigSchema;
  readonly params: JsonObject;
  readonly capabilities: readonly string[];
  readonly variables: ReadonlyMap<string, Variable>;
  readonly objects: readonly ClusterObject[];
  readonly validations: readonly Condition[];
  readonly addresses: AddressSource | undefined;
  readonly attach: StepList;
  readonly node: StepList | undefined;
  readonly status: { readonly conditions: readonly Condition[]; readonly objects: ReadonlySet<string> };
  readonly result: RuleTemplate | undefined;
  readonly podAnnotations: RuleTemplate | undefined;
  readonly operations: OperationTable;
  /** `line 12` of a place, or its path where lines are not known. */
  readonly describePlace: (path: DocumentPath) => string;
}
