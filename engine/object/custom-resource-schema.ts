import { type FieldError, fieldInvalid } from './field-error.ts';
import { isJsonObject, type JsonObject, ownValue } from './json.ts';
import { applyStructuralDefaults } from './structural-schema/apply-structural-defaults.ts';
import { correlateField } from './structural-schema/correlation.ts';
import { checkEmbeddedObjects } from './structural-schema/embedded-objects.ts';
import { checkListUniqueness } from './structural-schema/list-uniqueness.ts';
import { type Pruned, pruneUnknown } from './structural-schema/prune.ts';
import { readStructuralSchema, type StructuralSchema } from './structural-schema/structural.ts';
import { compileRulesValidator, type RulesOutcome } from './structural-schema/validate-rules.ts';
import { compileValueValidator } from './structural-schema/validate-value.ts';
import { toFieldErrors } from './structural-schema/validation-result.ts';

/** The schema of a version of a custom resource, compiled. Objects are whole ones, with apiVersion, kind and metadata. */
export interface CustomResourceSchema {
  readonly structural: StructuralSchema;
  /** Without fields that are not declared. */
  prune(object: JsonObject): Pruned;
  /** With the defaults, and without nulls where there may be none. */
  applyDefaults(object: JsonObject): JsonObject;
  /** What is wrong with a new object, in the API server's words. */
  validate(object: JsonObject): RulesOutcome;
  /** What is wrong with an updated object, and was not before. */
  validateUpdate(object: JsonObject, old: JsonObject): RulesOutcome;
  /** The same for an update of the status alone. */
  validateStatusUpdate(object: JsonObject, old: JsonObject): RulesOutcome;
}

/**
 * Compiles the `openAPIV3Schema` of a CustomResourceDefinition. What is wrong with the schema itself is not this function's to
 * say. Kubernetes: apiextensions-apiserver pkg/registry/customresource/strategy.go.
 */
export function compileCustomResourceSchema(source: JsonObject): CustomResourceSchema {
  const structural = readStructuralSchema(source);
  const validateValue = compileValueValidator(source);
  const statusSource = isJsonObject(source['properties']) ? ownValue(source['properties'], 'status') : undefined;
  const validateStatus = isJsonObject(statusSource) ? compileValueValidator(statusSource) : undefined;
  const judge = compileRulesValidator(structural);

  const withRules = (errors: readonly FieldError[], object: JsonObject, old: JsonObject | undefined): RulesOutcome => {
    if (judge === undefined) return { errors, warnings: [] };
    if (errors.some(({ type }) => BLOCKING.has(type))) return { errors: [...errors, NOT_CHECKED], warnings: [] };
    const outcome = judge(object, old);
    return { errors: [...errors, ...outcome.errors], warnings: outcome.warnings };
  };
  /** Lists that were wrong before may stay so. */
  const listErrors = (object: JsonObject, old: JsonObject | undefined): readonly FieldError[] => {
    const errors = checkListUniqueness(object, structural);
    return errors.length > 0 && old !== undefined && checkListUniqueness(old, structural).length > 0 ? [] : errors;
  };
  const validate = (object: JsonObject, old: JsonObject | undefined): RulesOutcome => {
    const correlation = old === undefined ? undefined : { value: object, old, schema: structural };
    const { violations } = validateValue(object, '', correlation);
    const errors = [...toFieldErrors(violations, ''), ...checkEmbeddedObjects(object, structural), ...listErrors(object, old)];
    return withRules(errors, object, old);
  };

  return {
    structural,
    prune: (object) => pruneUnknown(object, structural),
    applyDefaults: (object) => applyStructuralDefaults(object, structural),
    validate: (object) => validate(object, undefined),
    validateUpdate: (object, old) => validate(object, old),
    validateStatusUpdate(object, old) {
      const status = ownValue(object, 'status');
      const correlation = correlateField({ value: object, old, schema: structural }, 'status');
      const violations = status === undefined ? [] : (validateStatus?.(status, '', correlation).violations ?? []);
      return withRules([...toFieldErrors(violations, 'status'), ...listErrors(object, old)], object, old);
    },
  };
}

/** Where these are found, rules in CEL are not judged: they rely on types and bounds. */
const BLOCKING: ReadonlySet<FieldError['type']> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

const NOT_CHECKED = fieldInvalid(
  '<nil>',
  null,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
);
