import { goQuote } from '../../cel/go-quote.ts';
import type { Activation, Program } from '../../cel/program.ts';
import { utf8Length } from '../../cel/run/text.ts';
import { type CelError, type CelValue, NONE, some } from '../../cel/values.ts';
import {
  describeFieldErrors,
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidOmitted,
  fieldRequired,
} from '../field-error.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../json.ts';
import { escapePropertyName } from '../property-name.ts';
import { type CompiledRule, compileRules, readRules } from './compile-rules.ts';
import { type Correlation, correlateField, correlateItem, isUnchanged, oldElement } from './correlation.ts';
import { DeclaredStructs, type DeclaredType, declareType } from './declared-type.ts';
import { childPath } from './list-uniqueness.ts';
import { readStructuralSchema, type StructuralSchema, schemaList } from './structural.ts';

/** Cost that one evaluation may have. Kubernetes: apiserver pkg/apis/cel/config.go PerCallLimit. */
const PER_CALL_LIMIT = 1_000_000;
/** Cost that the rules of one object may have together. Kubernetes: RuntimeCELCostBudget. */
const RULES_BUDGET = 10_000_000;
/** Longest message that an expression may give, in bytes. Kubernetes: MaxEvaluatedMessageExpressionSizeBytes. */
const MAX_MESSAGE = 5 * 1024;

export interface RulesOutcome {
  readonly errors: readonly FieldError[];
  /** What would be errors, had the values not been so before. */
  readonly warnings: readonly string[];
}

/** Judges an object by the rules of its schema; `old` where it is updated. */
export type RulesValidator = (object: JsonObject, old: JsonObject | undefined) => RulesOutcome;

/**
 * Compiles the `x-kubernetes-validations` of a schema; undefined where it has none. Without options it is the schema of whole
 * objects, else of values at a path. Kubernetes: apiextensions-apiserver
 * pkg/apiserver/schema/cel/validation.go.
 */
export function compileRulesValidator(
  schema: StructuralSchema,
  options: { readonly isRoot?: boolean; readonly path?: string } = {},
): RulesValidator | undefined {
  if (!schema.holds.rules) return undefined;
  const { isRoot = true, path = '' } = options;
  const structs = new DeclaredStructs();
  const root = compileNode(schema, schema, isRoot, declareType(schema, isRoot, structs), structs);
  if (root === undefined) return undefined;
  return (object, old) => {
    const run: Run = { errors: [], warnings: [], budget: RULES_BUDGET };
    const correlation = old === undefined ? undefined : { value: object, old, schema };
    try {
      judge(root, object, old, path, { correlation, parent: undefined }, run);
    } catch (error) {
      if (error !== OUT_OF_BUDGET) throw error;
    }
    return { errors: run.errors, warnings: run.warnings };
  };
}

interface Node {
  readonly schema: StructuralSchema;
  readonly rules: readonly CompiledRule[];
  readonly type: DeclaredType | undefined;
  readonly allOf: readonly Node[];
  readonly items: Node | undefined;
  readonly properties: ReadonlyMap<string, Node>;
  readonly additional: Node | undefined;
}

/** `rulesOf` is the schema itself or one of its `allOf`, which has rules but no structure of its own. */
function compileNode(
  rulesOf: StructuralSchema,
  schema: StructuralSchema,
  isRoot: boolean,
  type: DeclaredType | undefined,
  structs: DeclaredStructs,
): Node | undefined {
  if (!rulesOf.holds.rules) return undefined;
  const sources = readRules(rulesOf.source);
  const rules = type === undefined || sources.length === 0 ? [] : compileRules(sources, schema, type, structs);
  const below = (from: StructuralSchema | undefined, to: StructuralSchema | undefined, its: DeclaredType | undefined): Node | undefined =>
    from && to && compileNode(from, to, to.isEmbedded, its, structs);
  const properties = new Map<string, Node>();
  for (const [name, property] of rulesOf.properties) {
    const target = schema.properties.get(name);
    if (target === undefined || !property.holds.rules) continue;
    const escaped = escapePropertyName(name);
    // A name that expressions can't say is no field of the type around it, but has rules of its own.
    const its = escaped === undefined ? declareType(target, target.isEmbedded, structs) : type?.fields?.get(escaped);
    const node = its && below(property, target, its);
    if (node !== undefined) properties.set(name, node);
  }
  const values = (each: StructuralSchema): StructuralSchema | undefined => (each.additional === true ? undefined : each.additional);
  const allOf = schemaList(ownValue(rulesOf.source, 'allOf'))
    .map((source) => compileNode(readStructuralSchema(source), schema, isRoot, type, structs))
    .filter((node): node is Node => node !== undefined);
  const items = below(rulesOf.items, schema.items, type?.element);
  const additional = below(values(rulesOf), values(schema), type?.element);
  if (rules.length === 0 && allOf.length === 0 && items === undefined && additional === undefined && properties.size === 0)
    return undefined;
  return { schema, rules, type, allOf, items, properties, additional };
}

interface Run {
  readonly errors: FieldError[];
  readonly warnings: string[];
  budget: number;
}

/** Ends the run: no further rules are judged. */
const OUT_OF_BUDGET = Symbol('out of budget');

/** Where the old value is; where it can't be told, the nearest place above where it can. */
interface Place {
  readonly correlation: Correlation | undefined;
  readonly parent: Correlation | undefined;
}

function isRatcheted({ correlation, parent }: Place): boolean {
  return isUnchanged(correlation ?? parent);
}

function fieldPlace(place: Place, name: string): Place {
  if (place.correlation === undefined) return place;
  // Both versions of an object have the same apiVersion and kind by the time they are compared.
  if (place.parent === undefined && (name === 'apiVersion' || name === 'kind')) return { correlation: undefined, parent: undefined };
  return { correlation: correlateField(place.correlation, name), parent: place.correlation };
}

function itemPlace(place: Place, index: number): Place {
  if (place.correlation === undefined) return place;
  return { correlation: correlateItem(place.correlation, index), parent: place.correlation };
}

function judge(node: Node, value: Json, old: Json | undefined, path: string, place: Place, run: Run): void {
  // Whether something may be null is for the place around it to say.
  if (value === null) return;
  if (node.rules.length > 0) judgeRules(node, value, old ?? undefined, path, place, run);
  for (const part of node.allOf) judge(part, value, old, path, { correlation: undefined, parent: place.parent }, run);
  if (Array.isArray(value)) {
    const { items } = node;
    if (items === undefined) return;
    const oldList = Array.isArray(old) ? (old as readonly Json[]) : [];
    value.forEach((item: Json, i: number) => {
      judge(items, item, oldElement(node.schema, oldList, item), `${path}[${i}]`, itemPlace(place, i), run);
    });
  } else if (isJsonObject(value)) {
    const oldMap = isJsonObject(old) ? old : undefined;
    for (const name of Object.keys(value)) {
      const property = node.properties.get(name);
      const below = property ?? node.additional;
      if (below === undefined) continue;
      const its = property === undefined ? `${path}[${name}]` : childPath(path, name);
      judge(below, value[name] as Json, oldMap && ownValue(oldMap, name), its, fieldPlace(place, name), run);
    }
  }
}

function judgeRules(node: Node, value: Json, old: Json | undefined, path: string, place: Place, run: Run): void {
  const { rules, schema, type } = node;
  const at = path === '' ? '<nil>' : path;
  const fail = (detail: string): void => void run.errors.push(fieldInvalid(at, schema.type, detail));
  if (run.budget <= 0) {
    fail('validation failed due to running out of cost budget, no further validation rules will be run');
    throw OUT_OF_BUDGET;
  }
  const toCel = (json: Json): CelValue => (type?.toCel === undefined ? (json as CelValue) : type.toCel(json));
  const self = toCel(value);
  const oldSelf = rules.some(({ usesOldSelf }) => usesOldSelf) && old !== undefined ? toCel(old) : undefined;
  const plain: Activation = { self, oldSelf };
  const optional: Activation = { self, oldSelf: oldSelf === undefined ? NONE : some(oldSelf) };
  for (const rule of rules) {
    const { source, program } = rule;
    if (rule.error !== undefined) {
      fail(`rule compile error: ${rule.error}`);
      continue;
    }
    if (program === undefined) continue;
    // A rule about a transition has nothing to say where there was nothing before.
    if (rule.usesOldSelf && old === undefined && !source.isOldSelfOptional) continue;
    const activation = source.isOldSelfOptional ? optional : plain;
    if (holds(program, activation, run)) continue;
    const trace = program.trace(activation, { limit: PER_CALL_LIMIT });
    spend(trace.cost, run, fail);
    if (!trace.outcome.ok) {
      explainError(trace.outcome.error, source.message.trim() || source.rule.trim(), fail);
      continue;
    }
    if (trace.outcome.value === true) continue;
    const error = failure(rule, value, path, activation, run, fail, schema);
    if (!rule.usesOldSelf && isRatcheted(place)) run.warnings.push(describeFieldErrors([error]));
    else run.errors.push(error);
  }
}

/** The fast way: true where the rule certainly holds, within its limit and the budget. */
function holds(program: Program, activation: Activation, run: Run): boolean {
  const meter = { remaining: Math.min(PER_CALL_LIMIT, run.budget) };
  const before = meter.remaining;
  try {
    if (program.run(activation, meter) !== true || meter.remaining < 0) return false;
  } catch {
    return false;
  }
  run.budget -= before - meter.remaining;
  return true;
}

function spend(cost: number, run: Run, fail: (detail: string) => void): void {
  if (cost > run.budget) {
    fail('validation failed due to running out of cost budget, no further validation rules will be run');
    throw OUT_OF_BUDGET;
  }
  run.budget -= cost;
}

function explainError(error: CelError, rule: string, fail: (detail: string) => void): void {
  if (error.message.startsWith('no such overload')) {
    fail(`'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${rule}`);
  } else if (error.code === 'budget') {
    fail(`'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${rule}`);
    throw OUT_OF_BUDGET;
  } else fail(`${error.message} evaluating rule: ${rule}`);
}

function failure(
  rule: CompiledRule,
  value: Json,
  path: string,
  activation: Activation,
  run: Run,
  fail: (detail: string) => void,
  schema: StructuralSchema,
): FieldError {
  const { source } = rule;
  const place = rule.fieldPath === '' ? path : rule.fieldPath.startsWith('[') ? path + rule.fieldPath : childPath(path, rule.fieldPath);
  const at = place === '' ? '<nil>' : place;
  const said = rule.messageExpression && messageOf(rule.messageExpression, source.messageExpression, activation, run, fail);
  const detail = said ?? (source.message === '' ? `failed rule: ${source.rule.trim()}` : source.message.trim());
  const isShown = schema.type !== 'object' && schema.type !== 'array';
  switch (source.reason) {
    case 'FieldValueForbidden':
      return fieldForbidden(at, detail);
    case 'FieldValueRequired':
      return fieldRequired(at, detail);
    case 'FieldValueDuplicate':
      return isShown ? fieldDuplicate(at, value) : { type: 'FieldValueDuplicate', field: at, body: 'Duplicate value' };
    default:
      return isShown ? fieldInvalid(at, value, detail) : fieldInvalidOmitted(at, detail);
  }
}

/** What a message expression says; undefined where it says nothing of use, and the fixed message counts. */
function messageOf(program: Program, text: string, activation: Activation, run: Run, fail: (detail: string) => void): string | undefined {
  const trace = program.trace(activation, { limit: PER_CALL_LIMIT });
  if (trace.cost > run.budget) {
    fail('messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run');
    throw OUT_OF_BUDGET;
  }
  run.budget -= trace.cost;
  if (!trace.outcome.ok) {
    if (trace.outcome.error.code !== 'budget') return undefined;
    fail(`no further validation rules will be run due to call cost exceeds limit for messageExpression: ${goQuote(text)}`);
    throw OUT_OF_BUDGET;
  }
  const { value } = trace.outcome;
  const message = typeof value === 'string' ? value.trim() : '';
  return message === '' || message.includes('\n') || utf8Length(message) > MAX_MESSAGE ? undefined : message;
}
