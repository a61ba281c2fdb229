import { validateDns1035Label, validateDns1123Subdomain } from '../../../../engine/cel/libraries/format/names.ts';
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooMany,
} from '../../../../engine/object/field-error.ts';
import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../../../engine/object/json.ts';
import { checkSchema } from '../../../../engine/object/structural-schema/check-schema.ts';
import { fieldPathOf } from '../../../../engine/object/structural-schema/field-path.ts';
import { readStructuralSchema } from '../../../../engine/object/structural-schema/structural.ts';
import { webhookClientErrors } from '../kinds/strategies/webhook-configurations.ts';
import { fieldOf } from '../verbs/object-fields.ts';
import { type DefinitionDocument, objectsOf, type ResourceNames, readDefinition, type VersionDocument } from './definition-document.ts';
import { textOf } from './fields.ts';

/**
 * What is wrong with a CustomResourceDefinition, in the API server's words; `old` where it is updated. Kubernetes:
 * apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
 */
export function validateDefinition(object: JsonObject, old: JsonObject | undefined): readonly FieldError[] {
  const definition = readDefinition(object);
  const before = old && readDefinition(old);
  const errors: FieldError[] = [];
  const { group, names, name } = definition;
  if (before === undefined && name !== '' && name !== `${names.plural}.${group}`) {
    errors.push(fieldInvalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (group === '') errors.push(fieldRequired('spec.group'));
  else if (validateDns1123Subdomain(group).length > 0) {
    errors.push(fieldInvalid('spec.group', group, validateDns1123Subdomain(group, 'bytes').join(',')));
  } else if (!group.includes('.')) errors.push(fieldInvalid('spec.group', group, 'should be a domain with at least one dot'));
  const scope = textOf(object, 'spec', 'scope');
  if (scope === '') errors.push(fieldRequired('spec.scope'));
  else if (scope !== 'Cluster' && scope !== 'Namespaced') {
    errors.push(fieldNotSupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  }
  validateVersions(definition, before, errors);
  for (const key of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (names[key] === '') errors.push(fieldRequired(`spec.names.${key}`));
  }
  validateNames(names, 'spec.names', errors);
  validateShared(definition, before, errors);
  validateConversion(fieldOf(object, 'spec', 'conversion'), errors);
  if (before !== undefined) validateUnchanged(definition, before, errors);
  validateNames(definition.acceptedNames, 'status.acceptedNames', errors);
  validateStoredVersions(definition, errors);
  validateApproval(definition, before, errors);
  if (fieldOf(object, 'spec', 'preserveUnknownFields') === true) {
    const detail = 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(fieldInvalid('spec.preserveUnknownFields', true, detail));
  }
  return errors;
}

function validateVersions(definition: DefinitionDocument, before: DefinitionDocument | undefined, errors: FieldError[]): void {
  const { versions } = definition;
  const names = versions.map(({ name }) => name);
  versions.forEach((version, i) => {
    const path = `spec.versions[${i}]`;
    const problems = validateDns1035Label(version.name);
    if (version.schema === undefined) errors.push(fieldRequired(`${path}.schema.openAPIV3Schema`));
    if (problems.length > 0) errors.push(fieldInvalid(`${path}.name`, version.name, problems.join(',')));
    for (const problem of deprecationProblems(version)) {
      errors.push(fieldInvalid(`${path}.deprecationWarning`, version.deprecationWarning ?? '', problem));
    }
    const own = PARTS.filter((part) => !isShared(definition, part));
    validateParts(version, own, (part) => `${path}.${part}`, before, errors);
  });
  const invalidVersions = (detail: string): void => {
    errors.push({
      type: 'FieldValueInvalid',
      field: 'spec.versions',
      body: `Invalid value: ${JSON.stringify(inGo(definition))}: ${detail}`,
    });
  };
  if (new Set(names).size < names.length) invalidVersions('must contain unique version names');
  if (versions.filter(({ isStorage }) => isStorage).length !== 1) {
    invalidVersions('must have exactly one version marked as storage version');
  }
}

/**
 * What versions may have in common. Kubernetes judges it in a form of the object where that stands above the versions, and speaks of
 * it there: `spec.validation`. Kubernetes: apiextensions-apiserver pkg/apis/apiextensions/v1/conversion.go.
 */
const PARTS = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const;
type Part = (typeof PARTS)[number];

function isShared({ object }: DefinitionDocument, part: Part): boolean {
  const [first, ...others] = objectsOf(fieldOf(object, 'spec', 'versions'));
  return first !== undefined && others.every((other) => jsonEqual(ownValue(other, part), ownValue(first, part)));
}

function validateShared(definition: DefinitionDocument, before: DefinitionDocument | undefined, errors: FieldError[]): void {
  const [first] = definition.versions;
  if (first === undefined) return;
  const shared = PARTS.filter((part) => isShared(definition, part));
  const version = { ...first, hasStatus: definition.versions.some(({ hasStatus }) => hasStatus) };
  validateParts(version, shared, (part) => (part === 'schema' ? 'spec.validation' : `spec.${part}`), before, errors);
  if (shared.includes('selectableFields') && !shared.includes('schema') && first.selectableFields.length > 0) {
    errors.push(fieldInvalid('spec.selectableFields', '', 'may only be set when validations.schema is included'));
  }
}

function validateParts(
  version: VersionDocument,
  parts: readonly Part[],
  pathOf: (part: Part) => string,
  before: DefinitionDocument | undefined,
  errors: FieldError[],
): void {
  // What was good stays good: checking it once more costs the compilation of its rules.
  const was = before?.versions.find(({ name }) => name === version.name);
  const isUnchanged = was !== undefined && jsonEqual(was.schema, version.schema);
  for (const part of parts) {
    const path = pathOf(part);
    if (part === 'schema') {
      if (version.schema === undefined || isUnchanged) continue;
      errors.push(...checkSchema(version.schema, `${path}.openAPIV3Schema`, { hasStatus: version.hasStatus }));
    } else if (part === 'subresources') {
      if (version.scale !== undefined) validateScale(version.scale, `${path}.scale`, errors);
    } else if (part === 'additionalPrinterColumns') {
      version.columns.forEach((column, i) => {
        validateColumn(column, `${path}[${i}]`, errors);
      });
    } else validateSelectableFields(version, path, errors);
  }
}

/** The versions as an error shows them: Go fields under their own names, in the order of Go. */
function inGo(definition: DefinitionDocument): Json {
  const own = (version: JsonObject, part: Part): Json => (isShared(definition, part) ? null : (ownValue(version, part) ?? null));
  return objectsOf(fieldOf(definition.object, 'spec', 'versions')).map((version) => ({
    Name: ownValue(version, 'name') ?? '',
    Served: ownValue(version, 'served') ?? false,
    Storage: ownValue(version, 'storage') ?? false,
    Deprecated: ownValue(version, 'deprecated') ?? false,
    DeprecationWarning: ownValue(version, 'deprecationWarning') ?? null,
    Schema: own(version, 'schema'),
    Subresources: own(version, 'subresources'),
    AdditionalPrinterColumns: own(version, 'additionalPrinterColumns'),
    SelectableFields: own(version, 'selectableFields'),
  }));
}

function deprecationProblems({ isDeprecated, deprecationWarning: warning }: VersionDocument): readonly string[] {
  if (warning === undefined) return [];
  if (!isDeprecated) return ['can only be set for deprecated versions'];
  const problems: string[] = [];
  if (warning.length > 256) problems.push('must be <= 256 characters long');
  if (warning === '') problems.push('must not be an empty string');
  const bad = Array.from(warning).findIndex((char) => !/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char));
  if (bad >= 0) problems.push(`must only contain printable UTF-8 characters; non-printable character found at index ${bad}`);
  return problems;
}

function validateScale(scale: NonNullable<VersionDocument['scale']>, path: string, errors: FieldError[]): void {
  const check = (key: 'specReplicasPath' | 'statusReplicasPath', under: string): void => {
    const value = scale[key];
    if (value === '') errors.push(fieldRequired(`${path}.${key}`));
    else if (!value.startsWith('.')) errors.push(fieldInvalid(`${path}.${key}`, value, 'must be a simple json path starting with .'));
    else if (!value.startsWith(under)) {
      errors.push(fieldInvalid(`${path}.${key}`, value, `should be a json path under ${under.slice(0, -1)}`));
    }
  };
  check('specReplicasPath', '.spec.');
  check('statusReplicasPath', '.status.');
  const selector = scale.labelSelectorPath;
  if (selector === '') return;
  if (!selector.startsWith('.')) {
    errors.push(fieldInvalid(`${path}.labelSelectorPath`, selector, 'must be a simple json path starting with .'));
  } else if (!selector.startsWith('.spec.') && !selector.startsWith('.status.')) {
    errors.push(fieldInvalid(`${path}.labelSelectorPath`, selector, 'should be a json path under either .spec or .status'));
  }
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function validateColumn(column: JsonObject, path: string, errors: FieldError[]): void {
  if (textOf(column, 'name') === '') errors.push(fieldRequired(`${path}.name`));
  const type = textOf(column, 'type');
  const types = `must be one of ${COLUMN_TYPES.join(',')}`;
  if (type === '') errors.push(fieldRequired(`${path}.type`, types));
  else if (!COLUMN_TYPES.includes(type)) errors.push(fieldInvalid(`${path}.type`, type, types));
  const format = textOf(column, 'format');
  if (format !== '' && !COLUMN_FORMATS.includes(format)) {
    errors.push(fieldInvalid(`${path}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`));
  }
  const jsonPath = textOf(column, 'jsonPath');
  if (jsonPath === '') errors.push(fieldRequired(`${path}.JSONPath`));
  else if (!jsonPath.startsWith('.')) {
    errors.push(fieldInvalid(`${path}.JSONPath`, jsonPath, 'must be a simple json path starting with .'));
  }
}

const MAX_SELECTABLE_FIELDS = 8;

function validateSelectableFields({ selectableFields, schema }: VersionDocument, path: string, errors: FieldError[]): void {
  if (selectableFields.length === 0 || schema === undefined) return;
  const structural = readStructuralSchema(schema);
  const seen = new Set<string>();
  selectableFields.forEach((jsonPath, i) => {
    const at = `${path}[${i}].jsonPath`;
    if (jsonPath === '') {
      errors.push(fieldRequired(at));
      return;
    }
    const found = fieldPathOf(jsonPath, structural, { arrays: false });
    if ('error' in found) {
      errors.push(fieldInvalid(at, jsonPath, `is an invalid path: ${found.error}`));
      return;
    }
    if (/^metadata(?:\.|$)/.test(found.path)) errors.push(fieldInvalid(at, jsonPath, 'must not point to fields in metadata'));
    if (!['string', 'boolean', 'integer'].includes(found.schema.type)) {
      const detail = 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      errors.push(fieldInvalid(at, jsonPath, detail));
    }
    if (seen.has(found.path)) errors.push(fieldDuplicate(at, jsonPath));
    seen.add(found.path);
  });
  if (seen.size > MAX_SELECTABLE_FIELDS) errors.push(fieldTooMany(path, seen.size, MAX_SELECTABLE_FIELDS));
}

function validateNames(names: ResourceNames, path: string, errors: FieldError[]): void {
  const check = (key: string, value: string, head = ''): void => {
    const problems = value === '' ? [] : validateDns1035Label(value.toLowerCase() === value || head !== '' ? value.toLowerCase() : value);
    if (problems.length > 0) errors.push(fieldInvalid(`${path}.${key}`, value, head + problems.join(',')));
  };
  const mixed = 'may have mixed case, but should otherwise match: ';
  check('plural', names.plural);
  check('singular', names.singular);
  check('kind', names.kind, mixed);
  check('listKind', names.listKind, mixed);
  names.shortNames.forEach((name, i) => {
    check(`shortNames[${i}]`, name);
  });
  if (names.kind !== '' && names.kind === names.listKind) {
    errors.push(fieldInvalid(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'));
  }
  names.categories.forEach((name, i) => {
    check(`categories[${i}]`, name);
  });
}

function validateConversion(conversion: Json | undefined, errors: FieldError[]): void {
  if (!isJsonObject(conversion)) return;
  const strategy = textOf(conversion, 'strategy');
  const webhook = ownValue(conversion, 'webhook');
  if (strategy === '') errors.push(fieldRequired('spec.conversion.strategy'));
  else if (strategy !== 'None' && strategy !== 'Webhook') {
    errors.push(fieldNotSupported('spec.conversion.strategy', strategy, ['None', 'Webhook']));
  }
  const config = isJsonObject(webhook) ? ownValue(webhook, 'clientConfig') : undefined;
  const versions = isJsonObject(webhook) ? ownValue(webhook, 'conversionReviewVersions') : undefined;
  const configPath = 'spec.conversion.webhookClientConfig';
  const versionsPath = 'spec.conversion.conversionReviewVersions';
  if (strategy !== 'Webhook') {
    const detail = 'should not be set when strategy is not set to Webhook';
    if (config !== undefined) errors.push(fieldForbidden(configPath, detail));
    if (Array.isArray(versions) && versions.length > 0) errors.push(fieldForbidden(versionsPath, detail));
    return;
  }
  if (!isJsonObject(config)) errors.push(fieldRequired(configPath, 'required when strategy is set to Webhook'));
  else errors.push(...webhookClientErrors(config, configPath));
  if (!Array.isArray(versions) || versions.length === 0) errors.push(fieldRequired(versionsPath));
  else if (!versions.includes('v1') && !versions.includes('v1beta1')) {
    errors.push(fieldInvalid(versionsPath, versions as Json, 'must include at least one of v1, v1beta1'));
  }
}

/** The name of the resource never changes; scope and kind not once there may be objects. */
function validateUnchanged(definition: DefinitionDocument, before: DefinitionDocument, errors: FieldError[]): void {
  const check = (path: readonly string[]): void => {
    const value = fieldOf(definition.object, ...path);
    if (!jsonEqual(value, fieldOf(before.object, ...path))) errors.push(fieldInvalid(path.join('.'), value, 'field is immutable'));
  };
  if (isEstablished(before)) {
    check(['spec', 'scope']);
    check(['spec', 'names', 'kind']);
  }
  check(['spec', 'group']);
  check(['spec', 'names', 'plural']);
}

function isEstablished({ object }: DefinitionDocument): boolean {
  const conditions = objectsOf(fieldOf(object, 'status', 'conditions'));
  return conditions.some((condition) => condition['type'] === 'Established' && condition['status'] === 'True');
}

/** Versions in which objects may still be stored must not vanish. */
function validateStoredVersions({ object, versions }: DefinitionDocument, errors: FieldError[]): void {
  const storageVersion = versions.findLast(({ isStorage }) => isStorage)?.name ?? '';
  const stored = fieldOf(object, 'status', 'storedVersions');
  const path = 'status.storedVersions';
  const names: readonly Json[] = Array.isArray(stored) ? stored : [];
  if (names.length === 0) {
    errors.push(fieldInvalid(path, Array.isArray(stored) ? names : null, 'must have at least one stored version'));
    return;
  }
  if (storageVersion !== '' && !names.includes(storageVersion)) {
    errors.push(fieldInvalid(path, names, `must have the storage version ${storageVersion}`));
  }
  names.forEach((name, i) => {
    if (versions.some((version) => version.name === name)) return;
    const detail = `missing from spec.versions; ${String(name)} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${String(name)} and removes ${String(name)} from status.storedVersions`;
    errors.push(fieldInvalid(`${path}[${i}]`, name, detail));
  });
}

export const APPROVAL_ANNOTATION = 'api-approved.kubernetes.io';

/** Groups of the Kubernetes community are used with its approval only. */
function validateApproval(definition: DefinitionDocument, before: DefinitionDocument | undefined, errors: FieldError[]): void {
  const { group } = definition;
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return;
  const approval = textOf(definition.object, 'metadata', 'annotations', APPROVAL_ANNOTATION);
  if (before !== undefined && textOf(before.object, 'metadata', 'annotations', APPROVAL_ANNOTATION) === approval) return;
  const path = `metadata.annotations[${APPROVAL_ANNOTATION}]`;
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (approval === '') {
    errors.push(fieldRequired(path, `protected groups must have approval annotation "${APPROVAL_ANNOTATION}", ${see}`));
  } else if (!approval.startsWith('unapproved') && !/^[a-z][a-z0-9+.-]*:\/\/[^/]+/i.test(approval)) {
    const detail = `protected groups must have approval annotation "${APPROVAL_ANNOTATION}" with either a URL or a reason starting with "unapproved", ${see}`;
    errors.push(fieldInvalid(path, approval, detail));
  }
}
