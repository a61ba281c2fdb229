import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../../../../engine/object/json.ts';
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired, fieldTooLong } from '../../field-error.ts';
import { withField } from '../../verbs/object-fields.ts';
import type { Strategy } from '../definition.ts';
import { dnsSubdomainErrors } from '../names.ts';

const KEY_PATTERN = /^[-._a-zA-Z0-9]+$/;
const KEY_RULE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
/** How Go writes the path of the object itself. */
const WHOLE = '[]';
/** All values of one object together. */
const SIZE_LIMIT = 1024 * 1024;

function keyErrors(key: string): readonly string[] {
  const errors: string[] = [];
  if (key.length > 253) errors.push('must be no more than 253 characters');
  if (!KEY_PATTERN.test(key)) errors.push(KEY_RULE);
  if (key === '.' || key === '..' || key.startsWith('..')) {
    errors.push(key.startsWith('..') && key !== '..' ? "must not start with '..'" : `must not be '${key}'`);
  }
  return errors;
}

function dataOf(object: JsonObject, field: string): JsonObject {
  const data = ownValue(object, field);
  return isJsonObject(data) ? data : {};
}

function dataErrors(object: JsonObject, fields: readonly string[], whole: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const field of fields) {
    for (const [key, value] of Object.entries(dataOf(object, field))) {
      for (const error of keyErrors(key)) errors.push(fieldInvalid(`${field}[${key}]`, key, error));
      if (field !== 'binaryData' && Object.hasOwn(dataOf(object, 'binaryData'), key)) {
        errors.push(fieldInvalid(`${field}[${key}]`, key, 'duplicate of key present in binaryData'));
      }
      size += Buffer.byteLength(String(value), field === 'data' && whole === WHOLE ? 'utf8' : 'base64');
    }
  }
  if (size > SIZE_LIMIT) errors.push(fieldTooLong(whole, SIZE_LIMIT));
  return errors;
}

/** An object that was made immutable stays so, and what it holds. */
function immutableErrors(object: JsonObject, old: JsonObject, fields: readonly string[]): readonly FieldError[] {
  if (old['immutable'] !== true) return [];
  const errors: FieldError[] = [];
  if (object['immutable'] !== true) errors.push(fieldForbidden('immutable', 'field is immutable when `immutable` is set'));
  for (const field of fields) {
    if (!jsonEqual(object[field] ?? {}, old[field] ?? {})) errors.push(fieldForbidden(field, 'field is immutable when `immutable` is set'));
  }
  return errors;
}

/** Kubernetes: pkg/apis/core/validation/validation.go ValidateConfigMap. */
export const configMapStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  validate: (object) => dataErrors(object, ['data', 'binaryData'], WHOLE),
  validateUpdate: (object, old) => [
    ...dataErrors(object, ['data', 'binaryData'], WHOLE),
    ...immutableErrors(object, old, ['data', 'binaryData']),
  ],
};

/** Keys that secrets of a type must have. */
const REQUIRED_KEYS: ReadonlyMap<Json | undefined, readonly string[]> = new Map<Json | undefined, readonly string[]>([
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
]);

function secretErrors(object: JsonObject): readonly FieldError[] {
  const errors = [...dataErrors(object, ['data'], 'data')];
  const data = dataOf(object, 'data');
  for (const key of REQUIRED_KEYS.get(object['type']) ?? []) if (!Object.hasOwn(data, key)) errors.push(fieldRequired(`data[${key}]`));
  return errors;
}

/** Kubernetes: pkg/registry/core/secret/strategy.go, ValidateSecret. */
export const secretStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  defaults(object) {
    const plain = ownValue(object, 'stringData');
    if (!isJsonObject(plain)) return withField(object, 'stringData', undefined);
    const encoded = Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]));
    return withField({ ...object, data: { ...dataOf(object, 'data'), ...encoded } }, 'stringData', undefined);
  },
  validate: secretErrors,
  validateUpdate(object, old) {
    const errors = [...secretErrors(object), ...immutableErrors(object, old, ['data'])];
    if (object['type'] !== old['type']) errors.push(fieldInvalid('type', object['type'], 'field is immutable'));
    return errors;
  },
};
