import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../json.ts';
import { propertiesOf } from './check-structural.ts';
import { readRules } from './compile-rules.ts';
import { fieldPathOf } from './field-path.ts';
import { readStructuralSchema, schemaList, text, textList } from './structural.ts';

/** What the place of a schema allows. */
interface Place {
  /** Why there may be no defaults; undefined where there may. */
  readonly noDefaults: string | undefined;
  /** Inside apiVersion, kind or metadata of an object. */
  readonly isInMeta: boolean;
}

/**
 * What a CustomResourceDefinition may not say in a schema, whatever its structure. Kubernetes: apiextensions-apiserver
 * pkg/apis/apiextensions/validation/validation.go ValidateCustomResourceDefinitionOpenAPISchema.
 */
export function checkOpenApi(schema: JsonObject, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  check(schema, path, true, { noDefaults: undefined, isInMeta: false }, errors);
  return errors;
}

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const OBJECT_FIELDS = new Set(['metadata', 'kind', 'apiVersion']);

function check(schema: JsonObject, path: string, isRoot: boolean, place: Place, errors: FieldError[]): void {
  checkKeywords(schema, path, place, errors);
  const properties = propertiesOf(schema);
  const additional = ownValue(schema, 'additionalProperties');
  if (additional !== undefined) {
    if (properties.length > 0 && additional !== true) {
      errors.push(fieldForbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
    }
    const its = place.isInMeta ? { ...place, noDefaults: 'inside additionalProperties applying to object metadata' } : place;
    if (isJsonObject(additional)) check(additional, `${path}.additionalProperties`, false, its, errors);
  }
  const isObject = isRoot || ownValue(schema, 'x-kubernetes-embedded-resource') === true;
  for (const [name, property] of properties) {
    const isMeta = isObject && OBJECT_FIELDS.has(name);
    const its: Place = isMeta ? { isInMeta: true, noDefaults: isRoot ? `in top-level ${name}` : place.noDefaults } : place;
    check(property, `${path}.properties[${name}]`, false, its, errors);
  }
  const not = ownValue(schema, 'not');
  if (isJsonObject(not)) check(not, `${path}.not`, false, place, errors);
  for (const key of ['allOf', 'oneOf', 'anyOf']) {
    schemaList(ownValue(schema, key)).forEach((each, i) => {
      check(each, `${path}.${key}[${i}]`, false, place, errors);
    });
  }
  const items = ownValue(schema, 'items');
  if (isJsonObject(items)) check(items, `${path}.items`, false, place, errors);
  checkTopology(schema, path, errors);
  checkMapList(schema, path, errors);
  checkRules(schema, path, errors);
}

/** Keywords that no structural schema can have. */
export const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'];

function checkKeywords(schema: JsonObject, path: string, place: Place, errors: FieldError[]): void {
  const type = text(schema, 'type') ?? '';
  if (type !== '' && !TYPES.includes(type)) errors.push(fieldNotSupported(`${path}.type`, type, TYPES));
  if ((ownValue(schema, 'default') ?? null) !== null && place.noDefaults !== undefined) {
    errors.push(fieldForbidden(`${path}.default`, `must not be set ${place.noDefaults}`));
  }
  for (const key of UNSUPPORTED) {
    const value = ownValue(schema, key);
    if (value !== undefined && value !== '' && value !== null) errors.push(fieldForbidden(`${path}.${key}`, `${key} is not supported`));
  }
  if (type === 'null') {
    errors.push(fieldForbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
  }
  if (Array.isArray(ownValue(schema, 'items'))) {
    errors.push(fieldForbidden(`${path}.items`, 'items must be a schema object and not an array'));
  }
  if (place.isInMeta && ownValue(schema, 'x-kubernetes-embedded-resource') === true) {
    errors.push(fieldForbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'));
  }
  if (ownValue(schema, 'uniqueItems') === true) {
    const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(fieldForbidden(`${path}.uniqueItems`, detail));
  }
}

/** `x-kubernetes-…` that describe how maps and lists merge. */
function checkTopology(schema: JsonObject, path: string, errors: FieldError[]): void {
  const type = text(schema, 'type') ?? '';
  if (ownValue(schema, 'x-kubernetes-preserve-unknown-fields') === false) {
    errors.push(fieldInvalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  }
  const requireType = (expected: string, keyword: string): void => {
    const detail = `must be ${expected} if ${keyword} is specified`;
    errors.push(type === '' ? fieldRequired(`${path}.type`, detail) : fieldInvalid(`${path}.type`, type, detail));
  };
  const mapType = text(schema, 'x-kubernetes-map-type');
  if (mapType !== undefined) {
    if (type !== 'object') requireType('object', 'x-kubernetes-map-type');
    if (mapType !== 'atomic' && mapType !== 'granular') {
      errors.push(fieldNotSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
    }
  }
  const listType = text(schema, 'x-kubernetes-list-type');
  const items = ownValue(schema, 'items');
  if (listType !== undefined && type !== 'array') requireType('array', 'x-kubernetes-list-type');
  else if (listType === 'set' && isJsonObject(items)) checkSetItems(items, path, errors);
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType)) {
    errors.push(fieldNotSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']));
  }
}

function checkSetItems(items: JsonObject, path: string, errors: FieldError[]): void {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = text(items, 'x-kubernetes-list-type');
  if (items['type'] === 'array' && listType !== undefined && listType !== 'atomic') {
    errors.push(fieldInvalid(`${path}.items.x-kubernetes-list-type`, listType, detail));
  }
  if (items['type'] === 'object' && text(items, 'x-kubernetes-map-type') !== 'atomic') {
    errors.push(fieldInvalid(`${path}.items.x-kubernetes-map-type`, null, detail));
  }
}

function checkMapList(schema: JsonObject, path: string, errors: FieldError[]): void {
  const keys = textList(ownValue(schema, 'x-kubernetes-list-map-keys'));
  const listType = text(schema, 'x-kubernetes-list-type');
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    const at = `${path}.x-kubernetes-list-type`;
    errors.push(listType === undefined ? fieldRequired(at, detail) : fieldInvalid(at, listType, detail));
  }
  const items = ownValue(schema, 'items');
  if (listType === 'map') {
    if (keys.length === 0) {
      errors.push(fieldRequired(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
    }
    if (items === undefined) errors.push(fieldRequired(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
    if (isJsonObject(items)) checkMapItems(items, keys, path, errors);
  }
  if ((listType === 'set' || listType === 'map') && isJsonObject(items) && ownValue(items, 'nullable') === true) {
    errors.push(fieldForbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  }
}

function checkMapItems(items: JsonObject, keys: readonly string[], path: string, errors: FieldError[]): void {
  const type = text(items, 'type') ?? '';
  if (type !== 'object') {
    errors.push(fieldInvalid(`${path}.items.type`, type, "must be object if parent array's x-kubernetes-list-type is map"));
    return;
  }
  const properties = new Map(propertiesOf(items));
  const required = textList(ownValue(items, 'required'));
  const seen = new Set<string>();
  for (const key of keys) {
    const property = properties.get(key);
    const at = `${path}.items.properties[${key}]`;
    if (property === undefined) {
      errors.push(fieldInvalid(`${path}.x-kubernetes-list-map-keys`, keys, 'entries must all be names of item properties'));
    } else if (property['type'] === 'array' || property['type'] === 'object') {
      errors.push(fieldInvalid(`${at}.type`, type, "must be a scalar type if parent array's x-kubernetes-list-type is map"));
    }
    if (seen.has(key)) errors.push(fieldInvalid(`${path}.x-kubernetes-list-map-keys`, keys, 'must not contain duplicate entries'));
    seen.add(key);
    if (property === undefined) continue;
    if (!required.includes(key) && (ownValue(property, 'default') ?? null) === null) {
      const detail = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      errors.push(fieldRequired(`${at}.default`, detail));
    }
    if (ownValue(property, 'nullable') === true) {
      errors.push(fieldForbidden(`${at}.nullable`, 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'));
    }
  }
}

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const NEWLINE = /[\n\r]/;

function checkRules(schema: JsonObject, path: string, errors: FieldError[]): void {
  const rules = readRules(schema);
  if (rules.length === 0) return;
  const structural = readStructuralSchema(schema);
  rules.forEach(({ rule, message, messageExpression, reason, fieldPath }, i) => {
    const at = `${path}.x-kubernetes-validations[${i}]`;
    const said = message.trim();
    if (rule.trim() === '') errors.push(fieldRequired(`${at}.rule`, 'rule is not specified'));
    else if (message !== '' && said === '') errors.push(fieldInvalid(`${at}.message`, message, 'must be non-empty if specified'));
    else if (NEWLINE.test(said)) errors.push(fieldInvalid(`${at}.message`, message, 'must not contain line breaks'));
    else if (NEWLINE.test(rule.trim()) && said === '') {
      errors.push(fieldRequired(`${at}.message`, 'message must be specified if rule contains line breaks'));
    }
    if (messageExpression !== '' && messageExpression.trim() === '') {
      errors.push(fieldRequired(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'));
    }
    if (reason !== undefined && !REASONS.includes(reason)) errors.push(fieldNotSupported(`${at}.reason`, reason, REASONS));
    if (fieldPath === '') return;
    if (fieldPath.trim() === '') errors.push(fieldInvalid(`${at}.fieldPath`, fieldPath, 'must be non-empty if specified'));
    if (NEWLINE.test(fieldPath)) errors.push(fieldInvalid(`${at}.fieldPath`, fieldPath, 'must not contain line breaks'));
    if ('error' in fieldPathOf(fieldPath, structural)) errors.push(fieldInvalid(`${at}.fieldPath`, fieldPath, 'must be a valid path'));
  });
}

/** Whether the schema or one inside of it is what is looked for. */
export function someSchema(schema: JsonObject, test: (schema: JsonObject) => boolean): boolean {
  if (test(schema)) return true;
  const { items, additionalProperties, not } = schema;
  const inner: readonly Json[] = [
    ...propertiesOf(schema).map(([, property]) => property),
    ...['allOf', 'anyOf', 'oneOf'].flatMap((key) => schemaList(ownValue(schema, key))),
    items ?? null,
    additionalProperties ?? null,
    not ?? null,
  ];
  return inner.some((each) => isJsonObject(each) && someSchema(each, test));
}
