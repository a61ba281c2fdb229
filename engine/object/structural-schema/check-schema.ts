import { type FieldError, fieldForbidden, fieldInvalid } from '../field-error.ts';
import { type JsonObject, jsonEqual, ownValue } from '../json.ts';
import { checkOpenApi, UNSUPPORTED } from './check-openapi.ts';
import { checkRuleExpressions } from './check-rules.ts';
import { checkStructural } from './check-structural.ts';
import { pruneValue } from './prune.ts';
import { readStructuralSchema, type StructuralSchema, text } from './structural.ts';
import { compileRulesValidator } from './validate-rules.ts';
import { compileValueValidator } from './validate-value.ts';
import { toFieldErrors } from './validation-result.ts';

/** Keywords at the root that a status, which is validated apart, does not lose. */
const ROOT_KEYWORDS: ReadonlyMap<string, string> = new Map([
  ['description', 'Description'],
  ['type', 'Type'],
  ['format', 'Format'],
  ['title', 'Title'],
  ['maximum', 'Maximum'],
  ['exclusiveMaximum', 'ExclusiveMaximum'],
  ['minimum', 'Minimum'],
  ['exclusiveMinimum', 'ExclusiveMinimum'],
  ['maxLength', 'MaxLength'],
  ['minLength', 'MinLength'],
  ['pattern', 'Pattern'],
  ['maxItems', 'MaxItems'],
  ['minItems', 'MinItems'],
  ['uniqueItems', 'UniqueItems'],
  ['multipleOf', 'MultipleOf'],
  ['required', 'Required'],
  ['items', 'Items'],
  ['properties', 'Properties'],
  ['externalDocs', 'ExternalDocs'],
  ['example', 'Example'],
  ['x-kubernetes-preserve-unknown-fields', 'XPreserveUnknownFields'],
  ['x-kubernetes-validations', 'XValidations'],
]);

export interface SchemaCheckOptions {
  /** The custom resource has a status of its own. */
  readonly hasStatus: boolean;
}

/**
 * What is wrong with the schema of a custom resource, in the API server's words: not structural, not supported, defaults that do
 * not fit, rules that do not compile or may cost too much. `path` is where it stands: `spec.versions[0].schema.openAPIV3Schema`.
 *
 * Kubernetes: apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go validateCustomResourceDefinitionValidation.
 */
export function checkSchema(source: JsonObject, path: string, options: SchemaCheckOptions): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (options.hasStatus) {
    const type = text(source, 'type') ?? '';
    if (type !== '' && type !== 'object') {
      const detail = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      errors.push(fieldInvalid(`${path}.type`, type, detail));
    } else if (Object.keys(source).some((key) => !ROOT_KEYWORDS.has(key))) {
      const allowed = [...ROOT_KEYWORDS.values()].join(' ');
      const detail = `only [${allowed}] fields are allowed at the root of the schema if the status subresource is enabled`;
      errors.push(fieldInvalid(path, source, detail));
    }
  }
  if (ownValue(source, 'nullable') === true) errors.push(fieldForbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  const openApi = checkOpenApi(source, path);
  const isReadable = !openApi.some(({ field }) => UNSUPPORTED.some((keyword) => field.endsWith(`.${keyword}`)));
  const structural = isReadable ? checkStructural(source, path) : [];
  const defaults = structural.length > 0 || !isReadable ? [] : checkDefaults(readStructuralSchema(source), path);
  errors.push(...structural, ...defaults, ...openApi);
  // A schema that is wrong has no types that rules could be compiled against.
  return errors.length > 0 ? errors : checkRuleExpressions(source, path);
}

/** Defaults must be good values of the place that they stand for. */
function checkDefaults(schema: StructuralSchema, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (schema.holds.defaults) walk(schema, path, errors);
  return errors;
}

function walk(schema: StructuralSchema, path: string, errors: FieldError[]): void {
  if (!schema.holds.defaults) return;
  const value = schema.default;
  if (value !== undefined) {
    const at = `${path}.default`;
    if (!jsonEqual(pruneValue(value, schema), value)) errors.push(fieldInvalid(at, value, 'must not have unknown fields'));
    const { violations } = compileValueValidator(schema.source)(value, '', undefined);
    if (violations.length > 0) errors.push(...toFieldErrors(violations, at));
    else errors.push(...ruleErrors(schema, value as JsonObject, at));
  }
  if (schema.items !== undefined) walk(schema.items, `${path}.items`, errors);
  for (const [name, property] of schema.properties) walk(property, `${path}.properties[${name}]`, errors);
}

/** A default comes up for new values, and stays as it is. */
function ruleErrors(schema: StructuralSchema, value: JsonObject, path: string): readonly FieldError[] {
  const judge = compileRulesValidator(schema, { isRoot: schema.isEmbedded, path });
  if (judge === undefined) return [];
  const kept = judge(value, value).errors;
  return kept.length > 0 ? kept : judge(value, undefined).errors;
}
