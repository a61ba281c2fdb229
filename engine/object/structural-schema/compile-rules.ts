import type { SizeProvider } from '../../cel/check/cost-estimate.ts';
import { createEnvironment } from '../../cel/create-environment.ts';
import type { CompileResult, Environment } from '../../cel/environment.ts';
import { formatIssues } from '../../cel/issue.ts';
import type { Program } from '../../cel/program.ts';
import { optionalOf } from '../../cel/types.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../json.ts';
import type { DeclaredStructs, DeclaredType } from './declared-type.ts';
import { fieldPathOf } from './field-path.ts';
import { type StructuralSchema, text } from './structural.ts';

/** One of `x-kubernetes-validations`, as a document has it. */
export interface RuleSource {
  readonly rule: string;
  readonly message: string;
  readonly messageExpression: string;
  readonly reason: string | undefined;
  readonly fieldPath: string;
  readonly isOldSelfOptional: boolean;
}

export interface CompiledRule {
  readonly source: RuleSource;
  /** Undefined for an empty rule and for one that does not compile. */
  readonly program: Program | undefined;
  readonly error: string | undefined;
  readonly usesOldSelf: boolean;
  /** The most that one evaluation may cost; Infinity where nothing bounds it. */
  readonly maxCost: number;
  /** How often a value of this schema may stand in an object whose lists and maps have no bounds. */
  readonly maxCardinality: number;
  readonly messageExpression: Program | undefined;
  readonly messageExpressionError: string | undefined;
  readonly messageExpressionMaxCost: number;
  /** Behind the place of the value, without a dot in front; `` where the place itself is told. */
  readonly fieldPath: string;
}

/** The rules of one place in a schema, without those below. */
export function readRules(source: JsonObject): readonly RuleSource[] {
  const rules = ownValue(source, 'x-kubernetes-validations');
  if (!Array.isArray(rules)) return [];
  return rules
    .filter((rule: Json): rule is JsonObject => isJsonObject(rule))
    .map((rule) => ({
      rule: text(rule, 'rule') ?? '',
      message: text(rule, 'message') ?? '',
      messageExpression: text(rule, 'messageExpression') ?? '',
      reason: text(rule, 'reason'),
      fieldPath: text(rule, 'fieldPath') ?? '',
      isOldSelfOptional: ownValue(rule, 'optionalOldSelf') === true,
    }));
}

let base: Environment | undefined;

/** Variables whose values JSON is read in place: those of types that are JSON already. */
const JSON_SELF: ReadonlySet<string> = new Set(['self', 'oldSelf']);
const NONE: ReadonlySet<string> = new Set();

/**
 * Compiles rules against the type of the values they judge. Kubernetes: apiextensions-apiserver
 * pkg/apiserver/schema/cel/compilation.go.
 */
export function compileRules(
  rules: readonly RuleSource[],
  schema: StructuralSchema,
  type: DeclaredType,
  structs: DeclaredStructs,
): readonly CompiledRule[] {
  base ??= createEnvironment();
  const plain = base.extend({ variables: { self: type.cel, oldSelf: type.cel }, types: structs });
  const optional = base.extend({ variables: { self: type.cel, oldSelf: optionalOf(type.cel) }, types: structs });
  const options = { sizes: sizesOf(type), jsonVariables: type.toCel === undefined ? JSON_SELF : NONE };
  const maxCardinality = Math.floor((3 * 1024 * 1024) / (type.minSize + 1));
  return rules.map((source): CompiledRule => {
    const environment = source.isOldSelfOptional ? optional : plain;
    const nothing = {
      source,
      program: undefined,
      error: undefined,
      usesOldSelf: false,
      maxCost: 0,
      maxCardinality,
      messageExpression: undefined,
      messageExpressionError: undefined,
      messageExpressionMaxCost: 0,
      fieldPath: '',
    };
    if (source.rule.trim() === '') return nothing;
    const compiled = environment.compile(source.rule, options);
    const error = compileError(source.rule, compiled, 'bool', '', 'cel expression must evaluate to a bool');
    if (error !== undefined || !compiled.ok) return { ...nothing, error };
    const usesOldSelf = compiled.program.ast.references.some((reference) => reference?.kind === 'variable' && reference.name === 'oldSelf');
    const path = source.fieldPath === '' ? undefined : fieldPathOf(source.fieldPath, schema);
    const done = {
      ...nothing,
      program: compiled.program,
      usesOldSelf,
      maxCost: compiled.estimate.max,
      fieldPath: path !== undefined && 'path' in path ? path.path : '',
    };
    if (source.messageExpression === '') return done;
    const message = environment.compile(source.messageExpression, options);
    const messageError = compileError(
      source.messageExpression,
      message,
      'string',
      'messageExpression ',
      'messageExpression must evaluate to a string',
    );
    if (messageError !== undefined || !message.ok) return { ...done, messageExpressionError: messageError };
    return { ...done, messageExpression: message.program, messageExpressionMaxCost: message.estimate.max };
  });
}

function compileError(expression: string, result: CompileResult, kind: string, what: string, wrongType: string): string | undefined {
  if (!result.ok) {
    const [first] = result.issues;
    const instantiation = first?.code === 'instantiation';
    const text = instantiation ? first.message : formatIssues(expression, result.issues);
    if (instantiation) return `${what === '' ? 'program ' : what}instantiation failed: ${text}`;
    return `${what}compilation failed: ${text}`;
  }
  if (result.resultType.kind !== kind) return wrongType;
  const { refused } = result.program;
  return refused && `${what === '' ? 'program ' : what}instantiation failed: ${refused.message}`;
}

function sizesOf(root: DeclaredType): SizeProvider {
  return (path) => {
    let type: DeclaredType | undefined = root;
    for (const step of path.slice(1)) {
      if (step === '@items' || step === '@values') type = type?.element;
      else if (step === '@keys') type = type?.key;
      else type = type?.fields?.get(step);
    }
    return type && { min: 0, max: type.maxElements };
  };
}
