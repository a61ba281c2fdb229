import { patternError } from '../../cel/run/re2.ts';
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from '../field-error.ts';
import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../json.ts';
import { schemaList, text } from './structural.ts';

/** Where a schema stands among others, which decides what it must say. */
type Level = 'root' | 'item' | 'field';

/**
 * Whether a schema is structural: every place has a type, and `allOf`, `anyOf`, `oneOf` and `not` only judge values that are
 * described beside them. Sorted by text. Kubernetes: apiextensions-apiserver pkg/apiserver/schema/{validation,complete}.go.
 */
export function checkStructural(schema: JsonObject, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  checkInvariants(schema, 'root', path, errors);
  checkJunctorsComplete(schema, schema, path, path, errors);
  const sortText = ({ field, body }: FieldError): string => `${field}: ${body}`;
  return errors.sort((a, b) => (sortText(a) < sortText(b) ? -1 : 1));
}

const NO_TYPE: { readonly [level in Level]: string } = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function checkInvariants(schema: JsonObject, level: Level, path: string, errors: FieldError[]): void {
  const type = text(schema, 'type') ?? '';
  const isEmbedded = flag(schema, 'x-kubernetes-embedded-resource');
  const isIntOrString = flag(schema, 'x-kubernetes-int-or-string');
  const preserves = flag(schema, 'x-kubernetes-preserve-unknown-fields');
  const items = ownValue(schema, 'items');
  if (type === 'array' && !isJsonObject(items)) errors.push(fieldRequired(`${path}.items`, 'must be specified'));
  if (isJsonObject(items)) checkInvariants(items, 'item', `${path}.items`, errors);
  const properties = propertiesOf(schema);
  for (const [name, property] of properties) checkInvariants(property, 'field', `${path}.properties[${name}]`, errors);
  const additional = ownValue(schema, 'additionalProperties');
  if (additional !== undefined) {
    if (level === 'root') errors.push(fieldForbidden(`${path}.additionalProperties`, 'must not be used at the root'));
    if (isJsonObject(additional)) checkInvariants(additional, 'field', `${path}.additionalProperties`, errors);
  }
  if (isIntOrString && preserves) {
    errors.push(fieldInvalid(`${path}.x-kubernetes-preserve-unknown-fields`, true, 'must be false if x-kubernetes-int-or-string is true'));
  }
  if (isIntOrString && isEmbedded) {
    errors.push(fieldInvalid(`${path}.x-kubernetes-embedded-resource`, true, 'must be false if x-kubernetes-int-or-string is true'));
  }
  checkValueValidation(schema, isIntOrStringPattern(schema), isIntOrStringPattern(schemaList(ownValue(schema, 'allOf'))[0]), path, errors);
  if (isEmbedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? fieldRequired(`${path}.type`, detail) : fieldInvalid(`${path}.type`, type, detail));
  } else if (type === '' && !isIntOrString && !preserves) errors.push(fieldRequired(`${path}.type`, NO_TYPE[level]));
  if (isEmbedded && additional !== undefined) {
    errors.push(fieldForbidden(`${path}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'));
  }
  if (level === 'root' && type !== '' && type !== 'object') errors.push(fieldInvalid(`${path}.type`, type, 'must be object at the root'));
  if (level === 'root' || isEmbedded) checkObjectFields(properties, level, path, errors);
  if (isEmbedded && !preserves && properties.length === 0) {
    const detail = 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(fieldRequired(`${path}.properties`, detail));
  }
}

function checkObjectFields(properties: readonly (readonly [string, JsonObject])[], level: Level, path: string, errors: FieldError[]): void {
  for (const [name, property] of properties) {
    const its = `${path}.properties[${name}]`;
    const type = text(property, 'type') ?? '';
    if ((name === 'kind' || name === 'apiVersion') && type !== 'string') errors.push(fieldInvalid(`${its}.type`, type, 'must be string'));
    if (name !== 'metadata') continue;
    if (type !== 'object') errors.push(fieldInvalid(`${its}.type`, type, 'must be object'));
    if (level === 'root' && !restrictsOnlyNames(property)) {
      const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
      errors.push(fieldForbidden(its, detail));
    }
  }
}

function restrictsOnlyNames(metadata: JsonObject): boolean {
  const names = propertiesOf(metadata).map(([name]) => name);
  if (names.some((name) => name !== 'name' && name !== 'generateName')) return false;
  return Object.keys(metadata).every((key) => key === 'type' || key === 'properties' || key === 'default');
}

const INT_OR_STRING: Json = [{ type: 'integer' }, { type: 'string' }];

function isIntOrStringPattern(schema: JsonObject | undefined): boolean {
  return schema !== undefined && jsonEqual(ownValue(schema, 'anyOf'), INT_OR_STRING);
}

function checkValueValidation(schema: JsonObject, skipAnyOf: boolean, skipFirstAllOf: boolean, path: string, errors: FieldError[]): void {
  if (!skipAnyOf) {
    schemaList(ownValue(schema, 'anyOf')).forEach((each, i) => {
      checkNested(each, false, `${path}.anyOf[${i}]`, errors);
    });
  }
  schemaList(ownValue(schema, 'allOf')).forEach((each, i) => {
    checkNested(each, skipFirstAllOf && i === 0, `${path}.allOf[${i}]`, errors);
  });
  schemaList(ownValue(schema, 'oneOf')).forEach((each, i) => {
    checkNested(each, false, `${path}.oneOf[${i}]`, errors);
  });
  const not = ownValue(schema, 'not');
  if (isJsonObject(not)) checkNested(not, false, `${path}.not`, errors);
  const pattern = text(schema, 'pattern') ?? '';
  const error = pattern === '' ? undefined : patternError(pattern);
  if (error !== undefined) {
    errors.push(fieldInvalid(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${error}`));
  }
}

/** What describes structure and so may not stand where values are only judged, with what it must be there. */
const FORBIDDEN_IN_NESTED: readonly (readonly [string, string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
];

function checkNested(schema: JsonObject, skipAnyOf: boolean, path: string, errors: FieldError[]): void {
  checkValueValidation(schema, skipAnyOf, false, path, errors);
  const items = ownValue(schema, 'items');
  if (isJsonObject(items)) checkNested(items, false, `${path}.items`, errors);
  for (const [name, property] of propertiesOf(schema)) {
    checkNested(property, false, `${path}.properties[${name}]`, errors);
    if (name === 'metadata') errors.push(fieldForbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'));
  }
  for (const [key, detail] of FORBIDDEN_IN_NESTED) {
    const value = ownValue(schema, key);
    const isSet = value !== undefined && value !== '' && value !== false && value !== null && !(Array.isArray(value) && value.length === 0);
    if (isSet) errors.push(fieldForbidden(`${path}.${key}`, detail));
  }
}

/** Whatever a junctor judges must be described by the structure beside it. */
function checkJunctorsComplete(
  judging: JsonObject,
  structure: JsonObject | undefined,
  at: string,
  path: string,
  errors: FieldError[],
): void {
  if (structure === undefined) {
    errors.push(fieldRequired(at, `because it is defined in ${path}`));
    return;
  }
  const not = ownValue(judging, 'not');
  if (isJsonObject(not)) checkComplete(not, structure, at, `${path}.not`, errors);
  for (const key of ['allOf', 'anyOf', 'oneOf']) {
    schemaList(ownValue(judging, key)).forEach((each, i) => {
      checkComplete(each, structure, at, `${path}.${key}[${i}]`, errors);
    });
  }
}

function checkComplete(judging: JsonObject, structure: JsonObject | undefined, at: string, path: string, errors: FieldError[]): void {
  if (structure === undefined) {
    errors.push(fieldRequired(at, `because it is defined in ${path}`));
    return;
  }
  checkJunctorsComplete(judging, structure, at, path, errors);
  const items = ownValue(judging, 'items');
  if (isJsonObject(items)) checkComplete(items, objectAt(structure, 'items'), `${at}.items`, `${path}.items`, errors);
  const described = new Map(propertiesOf(structure));
  for (const [name, property] of propertiesOf(judging)) {
    checkComplete(property, described.get(name), `${at}.properties[${name}]`, `${path}.properties[${name}]`, errors);
  }
}

function flag(schema: JsonObject, key: string): boolean {
  return ownValue(schema, key) === true;
}

function objectAt(schema: JsonObject, key: string): JsonObject | undefined {
  const value = ownValue(schema, key);
  return isJsonObject(value) ? value : undefined;
}

/** The declared fields of a schema. */
export function propertiesOf(schema: JsonObject): readonly (readonly [string, JsonObject])[] {
  const properties = objectAt(schema, 'properties') ?? {};
  return Object.entries(properties).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1]));
}
