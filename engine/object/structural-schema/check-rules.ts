import { type FieldError, fieldForbidden, fieldInvalid } from '../field-error.ts';
import { type JsonObject, ownValue } from '../json.ts';
import { escapePropertyName } from '../property-name.ts';
import { compileRules, readRules } from './compile-rules.ts';
import { DeclaredStructs, type DeclaredType, declareType } from './declared-type.ts';
import { numberOf, readStructuralSchema, type StructuralSchema, text } from './structural.ts';

/** Largest estimate of one rule, for all places where it is judged. Kubernetes: StaticEstimatedCostLimit. */
const RULE_LIMIT = 10_000_000;
/** Largest estimate of all rules of a schema together. Kubernetes: StaticEstimatedCRDCostLimit. */
const SCHEMA_LIMIT = 100_000_000;
/** Rules that are named where all together cost too much. */
const MOST_EXPENSIVE = 4;

/**
 * What is wrong with the rules in CEL of a schema that is otherwise good: whether they compile, and what they may cost at most.
 * Kubernetes: apiextensions-apiserver pkg/apis/apiextensions/validation/{validation,cel_validation}.go.
 */
export function checkRuleExpressions(source: JsonObject, path: string): readonly FieldError[] {
  const schema = readStructuralSchema(source);
  if (!schema.holds.rules) return [];
  const check: Check = { errors: [], structs: new DeclaredStructs(), total: 0, costs: [] };
  walk(schema, path, true, { type: undefined, cardinality: 1, uncorrelated: undefined }, check);
  if (check.total > SCHEMA_LIMIT) {
    const worst = check.costs.filter(({ cost }) => cost >= SCHEMA_LIMIT / 100).sort((a, b) => b.cost - a.cost);
    for (const { path: at } of worst.slice(0, MOST_EXPENSIVE)) {
      check.errors.push(fieldForbidden(at, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'));
    }
    const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
    check.errors.push(fieldForbidden(path, costMessage(what, check.total, SCHEMA_LIMIT)));
  }
  return check.errors;
}

interface Check {
  readonly errors: FieldError[];
  readonly structs: DeclaredStructs;
  total: number;
  readonly costs: { readonly path: string; readonly cost: number }[];
}

interface Place {
  /** Undefined where it has to be declared anew. */
  readonly type: DeclaredType | undefined;
  /** How often values of the schema may occur; undefined where nothing bounds it. */
  readonly cardinality: number | undefined;
  /** The outermost place above whose old value can't be told. */
  readonly uncorrelated: string | undefined;
}

function walk(schema: StructuralSchema, path: string, isRoot: boolean, place: Place, check: Check): void {
  if (!schema.holds.rules) return;
  const type = place.type ?? declareType(schema, isRoot || schema.isEmbedded, check.structs);
  const below = { cardinality: cardinalityBelow(schema, place.cardinality), uncorrelated: place.uncorrelated };
  const { items, additional } = schema;
  if (additional !== undefined && additional !== true) {
    walk(additional, `${path}.additionalProperties`, false, { ...below, type: type?.element }, check);
  }
  const mapType = text(schema.source, 'x-kubernetes-map-type');
  const inMap = mapType === undefined || mapType === 'granular' || mapType === 'atomic' ? below.uncorrelated : (below.uncorrelated ?? path);
  for (const [name, property] of schema.properties) {
    const escaped = escapePropertyName(name);
    const its = { ...below, uncorrelated: inMap, type: escaped === undefined ? undefined : type?.fields?.get(escaped) };
    walk(property, `${path}.properties[${name}]`, false, its, check);
  }
  if (items !== undefined) {
    const uncorrelated = schema.listType === 'map' ? below.uncorrelated : (below.uncorrelated ?? path);
    walk(items, `${path}.items`, false, { ...below, uncorrelated, type: type?.element }, check);
  }
  if (type !== undefined) checkRules(schema, type, path, place, check);
}

function cardinalityBelow(schema: StructuralSchema, above: number | undefined): number | undefined {
  const isMap = schema.type === 'object' && schema.additional !== undefined;
  if (above === undefined) return undefined;
  if (!isMap && schema.type !== 'array') return above;
  const most = numberOf(schema.source, isMap ? 'maxProperties' : 'maxItems');
  return most === undefined ? undefined : above * Math.max(0, most);
}

function checkRules(schema: StructuralSchema, type: DeclaredType, path: string, place: Place, check: Check): void {
  const sources = readRules(schema.source);
  const documents = ownValue(schema.source, 'x-kubernetes-validations') as readonly JsonObject[];
  compileRules(sources, schema, type, check.structs).forEach((rule, i) => {
    const at = `${path}.x-kubernetes-validations[${i}]`;
    const cost = rule.maxCost === 0 ? 0 : rule.maxCost * (place.cardinality ?? rule.maxCardinality);
    if (cost > RULE_LIMIT) check.errors.push(fieldForbidden(`${at}.rule`, costMessage('estimated rule cost', cost, RULE_LIMIT)));
    observe(check, `${at}.rule`, cost);
    const document = ruleDocument(documents[i] as JsonObject);
    if (rule.error !== undefined) check.errors.push(fieldInvalid(`${at}.rule`, document, rule.error));
    if (rule.messageExpressionError !== undefined) {
      check.errors.push(fieldInvalid(`${at}.messageExpression`, document, rule.messageExpressionError));
    } else if (rule.messageExpression !== undefined) {
      const its = rule.messageExpressionMaxCost;
      if (its > RULE_LIMIT) {
        check.errors.push(fieldForbidden(`${at}.messageExpression`, costMessage('estimated messageExpression cost', its, RULE_LIMIT)));
      }
      observe(check, `${at}.messageExpression`, its);
    }
    if (rule.usesOldSelf && place.uncorrelated !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelated}`;
      check.errors.push(fieldInvalid(`${at}.rule`, rule.source.rule, detail));
    } else if (!rule.usesOldSelf && typeof documents[i]?.['optionalOldSelf'] === 'boolean') {
      const detail = 'may not be set if oldSelf is not used in rule';
      check.errors.push(fieldInvalid(`${at}.optionalOldSelf`, documents[i]?.['optionalOldSelf'], detail));
    }
  });
}

/** The rule as Go prints its structure, with all fields and their Go names. */
function ruleDocument(rule: JsonObject): JsonObject {
  return {
    Rule: rule['rule'] ?? '',
    Message: rule['message'] ?? '',
    MessageExpression: rule['messageExpression'] ?? '',
    Reason: rule['reason'] ?? null,
    FieldPath: rule['fieldPath'] ?? '',
    OptionalOldSelf: rule['optionalOldSelf'] ?? null,
  };
}

function observe(check: Check, path: string, cost: number): void {
  check.total += cost;
  check.costs.push({ path, cost });
}

function costMessage(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}
