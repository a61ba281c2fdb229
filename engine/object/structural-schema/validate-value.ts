import { goQuote } from '../../cel/go-quote.ts';
import { compileRe2 } from '../../cel/run/re2.ts';
import { codePointLength } from '../../cel/run/text.ts';
import { CelError } from '../../cel/values.ts';
import { goFloat } from '../go-format.ts';
import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../json.ts';
import { type Correlation, correlateField, correlateItem, isUnchanged } from './correlation.ts';
import { type FormatTest, formatTest } from './formats.ts';
import { numberOf, schemaList, text, textList } from './structural.ts';
import { ValidationResult, type Violation } from './validation-result.ts';

/** Checks a value against the value validations of a schema; `path` is where it stands. */
export type ValueValidator = (value: Json, path: string, correlation: Correlation | undefined) => ValidationResult;

/**
 * Compiles the validations of a schema (types, formats, bounds, `required`, `enum`, `anyOf`, ...) with the texts of the API
 * server. Unchanged values of an update keep what is wrong with them. Rules in CEL are not among them. Kubernetes: kube-openapi
 * pkg/validation/validate.
 */
export function compileValueValidator(source: JsonObject): ValueValidator {
  const type = compileType(source);
  const enumeration = compileEnum(source);
  const checks: readonly Check[] = [
    compileJunctors(source),
    compileString(source),
    compileNumber(source),
    compileList(source),
    enumeration,
    compileMap(source),
  ].filter((check): check is Check => check !== undefined);
  return (value, path, correlation) => {
    const result = new ValidationResult();
    if (value === null) {
      type?.(value, path, result, correlation);
      enumeration?.(value, path, result, correlation);
    } else {
      result.matches += partsLookedAt(value);
      type?.(value, path, result, correlation);
      for (const check of checks) check(value, path, result, correlation);
    }
    if (result.isValid || !isUnchanged(correlation)) return result;
    const ratcheted = new ValidationResult();
    ratcheted.matches = result.matches;
    return ratcheted;
  };
}

/** Parts of a schema that look at a value of its kind, each of which counts as a match. */
function partsLookedAt(value: Json): number {
  return typeof value === 'boolean' || Array.isArray(value) ? 4 : 5;
}

type Check = (value: Json, path: string, result: ValidationResult, correlation: Correlation | undefined) => void;

function jsonType(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'boolean';
    case 'bigint':
      return 'integer';
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'number';
    default:
      return 'object';
  }
}

const FORMAT_OF: { readonly [type: string]: string } = { integer: 'int64', number: 'float64' };

function compileType(source: JsonObject): Check | undefined {
  const types = typesOf(source);
  const format = supportedFormat(source, types);
  if (types.length === 0 && format === undefined) return undefined;
  const isNullable = ownValue(source, 'nullable') === true;
  const name = types.join(',');
  const isNumeric = types.includes('number') || types.includes('integer');
  return (value, path, result) => {
    const found = jsonType(value);
    if (value !== null) result.matches++;
    if (value === null) {
      if (types.length > 0 && !isNullable) result.add(typeViolation(path, name, 'null'));
      else result.matches++;
      return;
    }
    const fits = types.includes(found) || (found === 'integer' && types.includes('number'));
    const isText = found === 'string' || found === 'array';
    if (!isText && format !== undefined && !fits && format !== FORMAT_OF[found]) {
      result.add(typeViolation(path, format, FORMAT_OF[found] ?? ''));
    } else if (!isNumeric && format !== undefined && isText) result.matches++;
    else if (fits) result.matches++;
    else result.add(typeViolation(path, name, found));
  };
}

function typesOf(source: JsonObject): readonly string[] {
  if (ownValue(source, 'x-kubernetes-int-or-string') === true) return ['integer', 'string'];
  const type = text(source, 'type');
  return type === undefined || type === '' ? [] : [type];
}

/** Formats that are not supported count as none. */
function supportedFormat(source: JsonObject, types: readonly string[]): string | undefined {
  const format = text(source, 'format');
  if (format === undefined || format === '') return undefined;
  const type = types.length === 1 ? types[0] : '';
  if (type === '' || type === 'string') return formatTest(format) === undefined ? undefined : format;
  if (type === 'integer') return format === 'int32' || format === 'int64' ? format : undefined;
  if (type === 'number') return format === 'float' || format === 'double' ? format : undefined;
  return undefined;
}

function typeViolation(path: string, expected: string, found: string): Violation {
  return { kind: 'type', path, message: `${path} in body must be of type ${expected}: ${goQuote(found)}`, value: found };
}

function invalid(path: string, rule: string, value: Json): Violation {
  return { kind: 'invalid', path, message: `${path} in body ${rule}`, value };
}

function composite(message: string): Violation {
  return { kind: 'composite', path: '', message, value: '' };
}

function compileEnum(source: JsonObject): Check | undefined {
  const allowed = ownValue(source, 'enum');
  if (!Array.isArray(allowed) || allowed.length === 0) return undefined;
  const values = allowed as readonly Json[];
  return (value, path, result) => {
    if (value !== null && values.some((each) => jsonEqual(each, value))) return;
    result.add({ kind: 'enum', path, message: `${path} in body should be one of enum`, value, allowed: values });
  };
}

function compileString(source: JsonObject): Check | undefined {
  const maxLength = numberOf(source, 'maxLength');
  const minLength = numberOf(source, 'minLength');
  const pattern = text(source, 'pattern') ?? '';
  const format = supportedFormat(source, typesOf(source));
  const hasFormat = format === undefined ? undefined : formatTest(format);
  if (maxLength === undefined && minLength === undefined && pattern === '' && hasFormat === undefined) return undefined;
  const matches = pattern === '' ? undefined : compilePattern(pattern);
  return (value, path, result) => {
    if (typeof value !== 'string') return;
    if (maxLength !== undefined && codePointLength(value) > maxLength) {
      const message = `${path} in body should be at most ${maxLength} chars long`;
      result.add({ kind: 'tooLong', path, message, value, limit: maxLength });
    } else if (minLength !== undefined && codePointLength(value) < minLength) {
      result.add(invalid(path, `should be at least ${minLength} chars long`, value));
    } else if (matches?.(value) === false) result.add(invalid(path, `should match '${pattern}'`, value));
    if (hasFormat !== undefined) result.matches++;
    if (hasFormat?.(value) === false) {
      result.add({ kind: 'type', path, message: `${path} in body must be of type ${format}: ${goQuote(value)}`, value });
    }
  };
}

/** A pattern that is none matches nothing; the schema was refused for it. */
function compilePattern(pattern: string): FormatTest {
  try {
    return compileRe2(pattern).test;
  } catch (error) {
    if (error instanceof CelError) return () => false;
    throw error;
  }
}

const INT32 = 2147483647;
const FLOAT32 = 3.4028234663852886e38;

function compileNumber(source: JsonObject): Check | undefined {
  const types = typesOf(source);
  const type = types.length === 1 ? (types[0] as string) : '';
  const format = type === 'integer' || type === 'number' ? supportedFormat(source, types) : undefined;
  const [maximum, minimum, multipleOf] = ['maximum', 'minimum', 'multipleOf'].map((key) => numberOf(source, key));
  const isBelow = ownValue(source, 'exclusiveMaximum') === true;
  const isAbove = ownValue(source, 'exclusiveMinimum') === true;
  return (value, path, result) => {
    if (typeof value !== 'number' && typeof value !== 'bigint') return;
    result.matches++;
    if (!isInRange(value, type, format)) {
      const what = format === undefined ? `${type} (default format)` : `${type} with format ${format}`;
      result.add(composite(`Checked value must be of type ${what} in ${path}`));
    }
    const isInt = typeof value === 'bigint' || Number.isInteger(value);
    const number = Number(value);
    if (multipleOf !== undefined) {
      const factor = isInt ? Math.trunc(multipleOf) : multipleOf;
      if (factor <= 0) {
        const message = `factor MultipleOf declared for ${path} must be positive: ${goFloat(factor)}`;
        result.add({ kind: 'invalid', path, message, value: factor });
      } else if (!isMultiple(number, factor)) result.add(invalid(path, `should be a multiple of ${goFloat(factor)}`, value));
    }
    if (minimum !== undefined && (isAbove ? number <= minimum : number < minimum)) {
      result.add(invalid(path, `should be greater than${isAbove ? '' : ' or equal to'} ${shown(minimum, isInt)}`, value));
    }
    if (maximum !== undefined && (isBelow ? number >= maximum : number > maximum)) {
      result.add(invalid(path, `should be less than${isBelow ? '' : ' or equal to'} ${shown(maximum, isInt)}`, value));
    }
  };
}

/** Ints are held against bounds cut to ints. */
function shown(bound: number, isInt: boolean): string {
  return isInt ? goFloat(Math.trunc(bound)) : goFloat(bound);
}

function isInRange(value: number | bigint, type: string, format: string | undefined): boolean {
  if (type === 'integer') {
    if (typeof value === 'number' && !Number.isInteger(value)) return false;
    if (format === 'int32') return value <= INT32 && value >= -INT32 - 1;
    return BigInt.asIntN(64, BigInt(value)) === BigInt(value);
  }
  return format !== 'float' || Math.abs(Number(value)) <= FLOAT32;
}

function isMultiple(value: number, factor: number): boolean {
  const times = factor < 1 ? (1 / factor) * value : value / factor;
  return Math.abs(times - Math.round(times)) < 1e-9 * Math.max(1, Math.abs(times));
}

function compileList(source: JsonObject): Check | undefined {
  const itemsSource = ownValue(source, 'items');
  const items = isJsonObject(itemsSource) ? compileValueValidator(itemsSource) : undefined;
  const minItems = numberOf(source, 'minItems');
  const maxItems = numberOf(source, 'maxItems');
  const isUnique = ownValue(source, 'uniqueItems') === true;
  return (value, path, result, correlation) => {
    if (!Array.isArray(value)) return;
    const list = value as readonly Json[];
    result.matches += 2;
    if (items !== undefined) {
      for (let i = 0; i < list.length; i++) result.merge(items(list[i] as Json, `${path}[${i}]`, correlateItem(correlation, i)));
    }
    if (minItems !== undefined && list.length < minItems) {
      result.add(invalid(path, `should have at least ${minItems} items`, list.length));
    }
    if (maxItems !== undefined && list.length > maxItems) {
      const message = `${path} in body should have at most ${maxItems} items`;
      result.add({ kind: 'tooMany', path, message, value: list.length, limit: maxItems });
    }
    if (isUnique && list.some((item, i) => list.slice(0, i).some((other) => jsonEqual(item, other)))) {
      result.add(invalid(path, "shouldn't contain duplicates", ''));
    }
  };
}

function compileMap(source: JsonObject): Check | undefined {
  const minProperties = numberOf(source, 'minProperties');
  const maxProperties = numberOf(source, 'maxProperties');
  const required = textList(ownValue(source, 'required'));
  const declared = ownValue(source, 'properties');
  const properties = new Map<string, ValueValidator>();
  if (isJsonObject(declared)) {
    for (const [name, property] of Object.entries(declared))
      if (isJsonObject(property)) properties.set(name, compileValueValidator(property));
  }
  const additionalSource = ownValue(source, 'additionalProperties');
  const additional = isJsonObject(additionalSource) ? compileValueValidator(additionalSource) : undefined;
  return (value, path, result, correlation) => {
    if (!isJsonObject(value)) return;
    const size = Object.keys(value).length;
    if (minProperties !== undefined && size < minProperties) {
      result.add(invalid(path, `should have at least ${minProperties} properties`, size));
    }
    if (maxProperties !== undefined && size > maxProperties) {
      const message = `${path} in body should have at most ${maxProperties} properties`;
      result.add({ kind: 'tooMany', path, message, value: size, limit: maxProperties });
    }
    for (const name of Object.keys(value)) {
      const property = properties.get(name);
      const child = value[name] as Json;
      // Both versions of an object have the same apiVersion and kind by the time they are compared.
      const its = path === '' && (name === 'apiVersion' || name === 'kind') ? undefined : correlateField(correlation, name);
      if (property !== undefined) result.merge(property(child, path === '' ? name : `${path}.${name}`, its));
      else if (additional !== undefined) result.merge(additional(child, `${path}.${name}`, its));
    }
    for (const name of required) {
      if (Object.hasOwn(value, name)) continue;
      result.add({ kind: 'required', path: `${path}.${name}`, message: `${path}.${name} in body is required`, value: '' });
    }
  };
}

function compileJunctors(source: JsonObject): Check | undefined {
  const [anyOf, oneOf, allOf] = ['anyOf', 'oneOf', 'allOf'].map((key) => schemaList(ownValue(source, key)).map(compileValueValidator));
  const notSource = ownValue(source, 'not');
  const not = isJsonObject(notSource) ? compileValueValidator(notSource) : undefined;
  const parts: Check[] = [];
  if (anyOf !== undefined && anyOf.length > 0) parts.push(anyOfCheck(anyOf));
  if (oneOf !== undefined && oneOf.length > 0) parts.push(oneOfCheck(oneOf));
  if (allOf !== undefined && allOf.length > 0) parts.push(allOfCheck(allOf));
  if (not !== undefined) {
    parts.push((value, path, result, correlation) => {
      if (not(value, path, correlation).isValid) result.add(composite(`${goQuote(path)} must not validate the schema (not)`));
    });
  }
  if (parts.length === 0) return undefined;
  return (value, path, result, correlation) => {
    for (const part of parts) part(value, path, result, correlation);
  };
}

function anyOfCheck(alternatives: readonly ValueValidator[]): Check {
  return (value, path, result, correlation) => {
    let best: ValidationResult | undefined;
    for (const alternative of alternatives) {
      const its = alternative(value, path, correlation);
      if (its.isValid) {
        result.merge(its);
        return;
      }
      if (best === undefined || its.matches > best.matches) best = its;
    }
    result.add(composite(`${goQuote(path)} must validate at least one schema (anyOf)`));
    if (best !== undefined) result.merge(best);
  };
}

function oneOfCheck(alternatives: readonly ValueValidator[]): Check {
  return (value, path, result, correlation) => {
    let best: ValidationResult | undefined;
    let first: ValidationResult | undefined;
    let valid = 0;
    for (const alternative of alternatives) {
      const its = alternative(value, path, correlation);
      if (its.isValid) {
        valid++;
        first ??= its;
      } else if (best === undefined || its.matches > best.matches) best = its;
    }
    if (valid === 1 && first !== undefined) {
      result.merge(first);
      return;
    }
    const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
    result.add(composite(`${goQuote(path)} must validate one and only one schema (oneOf). ${found}`));
    if (valid === 0 && best !== undefined) result.merge(best);
  };
}

function allOfCheck(parts: readonly ValueValidator[]): Check {
  return (value, path, result, correlation) => {
    let valid = 0;
    for (const part of parts) {
      const its = part(value, path, correlation);
      if (its.isValid) valid++;
      result.merge(its);
    }
    if (valid === parts.length) return;
    result.add(composite(`${goQuote(path)} must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`));
  };
}
