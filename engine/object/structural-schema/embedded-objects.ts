import { validateDns1035Label } from '../../cel/libraries/format/names.ts';
import { type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../json.ts';
import { childPath } from './list-uniqueness.ts';
import { type StructuralSchema, schemaOfField } from './structural.ts';

/**
 * What is wrong with the apiVersion, kind and metadata of whole Kubernetes objects inside a custom resource. Kubernetes:
 * apiextensions-apiserver pkg/apiserver/schema/objectmeta/validation.go.
 */
export function checkEmbeddedObjects(object: JsonObject, schema: StructuralSchema): readonly FieldError[] {
  const errors: FieldError[] = [];
  walk(object, schema, '', errors);
  return errors;
}

function walk(value: Json, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  if (!schema.holds.embedded) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    value.forEach((item: Json, i: number) => {
      walk(item, items, `${path}[${i}]`, errors);
    });
    return;
  }
  if (!isJsonObject(value)) return;
  if (schema.isEmbedded) checkObject(value, path, errors);
  for (const name of Object.keys(value)) {
    const field = schemaOfField(schema, name);
    if (field === undefined) continue;
    walk(value[name] as Json, field, schema.properties.has(name) ? childPath(path, name) : `${path}[${name}]`, errors);
  }
}

function checkObject(value: JsonObject, path: string, errors: FieldError[]): void {
  const apiVersion = ownValue(value, 'apiVersion');
  const apiVersionPath = childPath(path, 'apiVersion');
  if (apiVersion === undefined) errors.push(fieldRequired(apiVersionPath));
  else if (typeof apiVersion !== 'string') errors.push(fieldInvalid(apiVersionPath, apiVersion, 'must be a string'));
  else if (apiVersion === '') errors.push(fieldInvalid(apiVersionPath, '', 'must not be empty'));
  else if (apiVersion.split('/').length > 2) {
    errors.push(fieldInvalid(apiVersionPath, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  }
  const kind = ownValue(value, 'kind');
  const kindPath = childPath(path, 'kind');
  if (kind === undefined) errors.push(fieldRequired(kindPath));
  else if (typeof kind !== 'string') errors.push(fieldInvalid(kindPath, kind, 'must be a string'));
  else if (kind === '') errors.push(fieldInvalid(kindPath, '', 'must not be empty'));
  else {
    const problems = validateDns1035Label(kind.toLowerCase());
    if (problems.length > 0) {
      errors.push(fieldInvalid(kindPath, kind, `may have mixed case, but should otherwise match: ${problems.join(',')}`));
    }
  }
}
