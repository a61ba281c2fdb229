import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../engine/object/json.ts';
import { formatPath, type PathSegment } from '../../engine/text/document.ts';

/**
 * Why a changed CustomResourceDefinition would break objects that exist: versions that vanish, another scope, schemas that
 * refuse what the former ones let in. Empty where every object that was valid stays so and keeps its fields.
 */
export function breakingChanges(former: JsonObject, next: JsonObject): readonly string[] {
  const found: string[] = [];
  const before = mapAt(former, 'spec');
  const after = mapAt(next, 'spec');
  const scope = (spec: JsonObject): string => String(ownValue(spec, 'scope') ?? '');
  if (scope(before) !== scope(after)) found.push(`scope changes from ${scope(before)} to ${scope(after)}`);
  const kind = (spec: JsonObject): string => String(ownValue(mapAt(spec, 'names'), 'kind') ?? '');
  if (kind(before) !== kind(after)) found.push(`kind changes from ${kind(before)} to ${kind(after)}`);
  const versions = new Map(versionsOf(after).map((version) => [String(ownValue(version, 'name')), version]));
  for (const version of versionsOf(before)) {
    const name = String(ownValue(version, 'name'));
    const changed = versions.get(name);
    if (changed === undefined) found.push(`version ${name} is removed`);
    else if (ownValue(version, 'served') !== false && ownValue(changed, 'served') === false)
      found.push(`version ${name} is no longer served`);
    else compareSchemas(schemaOf(version), schemaOf(changed), [], found);
  }
  return found.length > MOST ? [...found.slice(0, MOST), `and ${found.length - MOST} more`] : found;
}

const MOST = 10;

function mapAt(object: JsonObject, key: string): JsonObject {
  const value = ownValue(object, key);
  return isJsonObject(value) ? value : {};
}

function versionsOf(spec: JsonObject): readonly JsonObject[] {
  const versions = ownValue(spec, 'versions');
  return Array.isArray(versions) ? (versions as readonly Json[]).filter(isJsonObject) : [];
}

const schemaOf = (version: JsonObject): JsonObject => mapAt(mapAt(version, 'schema'), 'openAPIV3Schema');

/** Bounds that let in less when they rise, or when they come. */
const LOWER_BOUNDS = ['minimum', 'minLength', 'minItems', 'minProperties'] as const;
/** Bounds that let in less when they fall, or when they come. */
const UPPER_BOUNDS = ['maximum', 'maxLength', 'maxItems', 'maxProperties'] as const;
/** What lets in less when it comes or changes; whether another pattern or format is wider is not decided here. */
const EXACT = ['pattern', 'format', 'multipleOf'] as const;

function compareSchemas(before: JsonObject, after: JsonObject, path: readonly PathSegment[], found: string[]): void {
  if (found.length > MOST || path.length > 100) return;
  const where = formatPath(path);
  const say = (what: string): void => void found.push(`${where} ${what}`);
  const type = (schema: JsonObject): string =>
    ownValue(schema, 'x-kubernetes-int-or-string') === true ? 'integer or string' : String(ownValue(schema, 'type') ?? 'any');
  if (type(before) !== type(after) && type(after) !== 'any') {
    if (
      !(type(before) === 'integer' && (type(after) === 'number' || type(after) === 'integer or string')) &&
      !(type(before) === 'string' && type(after) === 'integer or string')
    ) {
      say(`changes its type from ${type(before)} to ${type(after)}`);
      return;
    }
  }
  for (const bound of LOWER_BOUNDS) {
    const value = numberAt(after, bound);
    const former = numberAt(before, bound);
    if (value !== undefined && (former === undefined || value > former) && !(bound !== 'minimum' && value === 0))
      say(`has ${bound} ${value} now${was(former)}`);
  }
  for (const bound of UPPER_BOUNDS) {
    const value = numberAt(after, bound);
    const former = numberAt(before, bound);
    if (value !== undefined && (former === undefined || value < former)) say(`has ${bound} ${value} now${was(former)}`);
  }
  for (const keyword of EXACT) {
    const value = ownValue(after, keyword);
    if (value !== undefined && !jsonEqual(value, ownValue(before, keyword))) say(`has another ${keyword} now: ${JSON.stringify(value)}`);
  }
  for (const bound of ['exclusiveMinimum', 'exclusiveMaximum', 'uniqueItems'] as const) {
    if (ownValue(after, bound) === true && ownValue(before, bound) !== true) say(`has ${bound} now`);
  }
  if (ownValue(before, 'nullable') === true && ownValue(after, 'nullable') !== true) say('may no longer be null');
  compareEnums(ownValue(before, 'enum'), ownValue(after, 'enum'), say);
  const required = textsAt(before, 'required');
  const properties = mapAt(after, 'properties');
  for (const field of textsAt(after, 'required')) {
    if (required.includes(field)) continue;
    // A default fills the field in before it is missed.
    if (ownValue(mapAt(properties, field), 'default') === undefined) say(`requires ${field} now`);
  }
  compareProperties(before, after, path, found, say);
  const items = ownValue(before, 'items');
  const nextItems = ownValue(after, 'items');
  if (isJsonObject(items) && isJsonObject(nextItems)) compareSchemas(items, nextItems, [...path, 'items'], found);
  compareRules(before, after, say);
}

function compareProperties(
  before: JsonObject,
  after: JsonObject,
  path: readonly PathSegment[],
  found: string[],
  say: (what: string) => void,
): void {
  const former = mapAt(before, 'properties');
  const next = mapAt(after, 'properties');
  const keepsUnknown = (schema: JsonObject): boolean => ownValue(schema, 'x-kubernetes-preserve-unknown-fields') === true;
  const values = ownValue(after, 'additionalProperties');
  for (const field of Object.keys(former)) {
    const changed = ownValue(next, field);
    if (isJsonObject(changed)) compareSchemas(mapAt(former, field), changed, [...path, field], found);
    else if (isJsonObject(values)) compareSchemas(mapAt(former, field), values, [...path, field], found);
    else if (!keepsUnknown(after) && values !== true) say(`loses its field ${field}`);
  }
  const formerValues = ownValue(before, 'additionalProperties');
  if (isJsonObject(formerValues) && isJsonObject(values)) compareSchemas(formerValues, values, [...path, '*'], found);
  else if ((isJsonObject(formerValues) || formerValues === true) && values === undefined && !keepsUnknown(after))
    say('no longer takes any key');
  if (keepsUnknown(before) && !keepsUnknown(after) && values === undefined) say('no longer keeps fields that are not in its schema');
}

function compareEnums(before: Json | undefined, after: Json | undefined, say: (what: string) => void): void {
  if (!Array.isArray(after)) return;
  if (!Array.isArray(before)) {
    say(`takes only ${JSON.stringify(after)} now`);
    return;
  }
  const gone = (before as readonly Json[]).filter((value) => !(after as readonly Json[]).some((each) => jsonEqual(each, value)));
  if (gone.length > 0) say(`no longer takes ${gone.map((value) => JSON.stringify(value)).join(', ')}`);
}

/** A validation rule that was not there may refuse what exists. */
function compareRules(before: JsonObject, after: JsonObject, say: (what: string) => void): void {
  const rules = (schema: JsonObject): readonly string[] => {
    const list = ownValue(schema, 'x-kubernetes-validations');
    return Array.isArray(list)
      ? (list as readonly Json[]).flatMap((each) => (isJsonObject(each) ? [String(ownValue(each, 'rule'))] : []))
      : [];
  };
  const former = new Set(rules(before));
  for (const rule of rules(after)) if (!former.has(rule)) say(`is checked by ${JSON.stringify(rule)} now`);
}

function numberAt(schema: JsonObject, key: string): number | bigint | undefined {
  const value = ownValue(schema, key);
  return typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
}

function textsAt(schema: JsonObject, key: string): readonly string[] {
  const value = ownValue(schema, key);
  return Array.isArray(value) ? (value as readonly Json[]).filter((each): each is string => typeof each === 'string') : [];
}

const was = (former: number | bigint | undefined): string => (former === undefined ? '' : `, was ${former}`);
