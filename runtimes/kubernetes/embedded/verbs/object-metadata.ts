import { goJson } from '../../../../engine/object/go-json.ts';
import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../../../engine/object/json.ts';
import { labelKeyErrors, labelValueErrors } from '../../../../engine/object/label-syntax.ts';
import { metadataOf, metadataText } from '../../../../engine/object/metadata.ts';
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired, fieldTooLong } from '../field-error.ts';
import { dnsLabelErrors, type NameErrors } from '../kinds/names.ts';
import type { ServedResource } from '../registry.ts';

/** The object with fields of its metadata set, or removed where they are undefined. */
export function withMetadata(object: JsonObject, fields: { readonly [field: string]: Json | undefined }): JsonObject {
  const metadata: { [field: string]: Json } = { ...metadataOf(object) };
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined) delete metadata[field];
    else metadata[field] = value;
  }
  return { ...object, metadata };
}

export function finalizersOf(object: JsonObject): readonly string[] {
  const finalizers = ownValue(metadataOf(object), 'finalizers');
  return Array.isArray(finalizers) ? finalizers.filter((item): item is string => typeof item === 'string') : [];
}

/** Whether the object is on its way out: it has a deletionTimestamp. */
export function isBeingDeleted(object: JsonObject): boolean {
  return (ownValue(metadataOf(object), 'deletionTimestamp') ?? null) !== null;
}

const ANNOTATIONS_LIMIT = 256 * 1024;

/**
 * What is wrong with the metadata of any object. Kubernetes: apimachinery pkg/api/validation/objectmeta.go ValidateObjectMetaAccessor.
 */
export function validateMetadata(object: JsonObject, namespaced: boolean, nameErrors: NameErrors): readonly FieldError[] {
  const errors: FieldError[] = [];
  const metadata = metadataOf(object);
  const generateName = metadataText(object, 'generateName');
  if (generateName !== '') {
    for (const error of nameErrors(generateName, true)) errors.push(fieldInvalid('metadata.generateName', generateName, error));
  }
  const name = metadataText(object, 'name');
  if (name === '') errors.push(fieldRequired('metadata.name', 'name or generateName is required'));
  else for (const error of nameErrors(name, false)) errors.push(fieldInvalid('metadata.name', name, error));
  const namespace = metadataText(object, 'namespace');
  if (namespaced) {
    if (namespace === '') errors.push(fieldRequired('metadata.namespace'));
    else for (const error of dnsLabelErrors(namespace, false)) errors.push(fieldInvalid('metadata.namespace', namespace, error));
  } else if (namespace !== '') errors.push(fieldForbidden('metadata.namespace', 'not allowed on this type'));
  errors.push(...validateLabels(metadata['labels'], 'metadata.labels'));
  errors.push(...validateAnnotations(metadata['annotations']));
  errors.push(...validateOwnerReferences(metadata['ownerReferences']));
  errors.push(...validateFinalizers(finalizersOf(object)));
  return errors;
}

/** Kubernetes: meta/v1/validation ValidateLabels. */
export function validateLabels(labels: Json | undefined, field: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (!isJsonObject(labels)) return errors;
  for (const [key, value] of Object.entries(labels)) {
    for (const error of labelKeyErrors(key))
      errors.push(fieldInvalid(field, key, error.replaceAll('a valid label key', 'a qualified name')));
    for (const error of labelValueErrors(String(value))) errors.push(fieldInvalid(field, value, error));
  }
  return errors;
}

function validateAnnotations(annotations: Json | undefined): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (!isJsonObject(annotations)) return errors;
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    for (const error of labelKeyErrors(key.toLowerCase())) errors.push(fieldInvalid('metadata.annotations', key, error));
    size += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (size > ANNOTATIONS_LIMIT) errors.push(fieldTooLong('metadata.annotations', ANNOTATIONS_LIMIT));
  return errors;
}

function validateOwnerReferences(references: Json | undefined): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (!Array.isArray(references)) return errors;
  let controller: string | undefined;
  for (const [index, reference] of (references as readonly Json[]).entries()) {
    if (!isJsonObject(reference)) continue;
    const path = `metadata.ownerReferences[${index}]`;
    for (const field of ['apiVersion', 'kind', 'name', 'uid']) {
      if ((reference[field] ?? '') === '') errors.push(fieldRequired(`${path}.${field}`, 'must not be empty'));
    }
    const { apiVersion, kind } = reference;
    if (typeof apiVersion === 'string' && apiVersion !== '' && !/^([^/]+\/)?[^/]+$/.test(apiVersion)) {
      errors.push(fieldInvalid(`${path}.apiVersion`, apiVersion, 'must be <group>/<version> or <version>'));
    }
    if (apiVersion === 'v1' && kind === 'Event') {
      errors.push(fieldInvalid(path, reference, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (reference['controller'] !== true) continue;
    const current = `${String(kind)}/${String(reference['name'])}`;
    if (controller === undefined) controller = current;
    else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`;
      errors.push({
        type: 'FieldValueInvalid',
        field: 'metadata.ownerReferences',
        body: `Invalid value: ${goReferences(references)}: ${detail}`,
      });
    }
  }
  return errors;
}

/** As Go's JSON of them: by the order of the struct, and not of the alphabet. */
function goReferences(references: readonly Json[]): string {
  const fields = ['apiVersion', 'kind', 'name', 'uid', 'controller', 'blockOwnerDeletion'];
  const inOrder = (reference: Json): Json =>
    isJsonObject(reference)
      ? Object.fromEntries(fields.filter((field) => Object.hasOwn(reference, field)).map((field) => [field, reference[field] as Json]))
      : reference;
  return goJson(references.map(inOrder));
}

function validateFinalizers(finalizers: readonly string[]): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const finalizer of finalizers) {
    for (const error of labelKeyErrors(finalizer)) errors.push(fieldInvalid('metadata.finalizers', finalizer, error));
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(fieldInvalid('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

/** Finalizers without a domain that Kubernetes itself knows. */
const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);
/** Groups whose validation does not ask. */
const GENERIC_GROUPS: ReadonlySet<string> = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io', 'admissionregistration.k8s.io']);

/** What built-in kinds ask of finalizers beside their form. Kubernetes: pkg/apis/core/validation/validation.go validateKubeFinalizerName. */
export function standardFinalizerErrors({ builtIn, group }: ServedResource, object: JsonObject): readonly FieldError[] {
  if (!builtIn || GENERIC_GROUPS.has(group)) return [];
  return finalizersOf(object).flatMap((finalizer, index) =>
    finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)
      ? []
      : [fieldInvalid(`metadata.finalizers[${index}]`, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')],
  );
}

const IMMUTABLE = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'];

/** What an update may not do to metadata. Kubernetes: ValidateObjectMetaAccessorUpdate. */
export function validateMetadataUpdate(object: JsonObject, old: JsonObject): readonly FieldError[] {
  const errors: FieldError[] = [];
  const next = metadataOf(object);
  const previous = metadataOf(old);
  if (isBeingDeleted(old)) {
    const had = new Set(finalizersOf(old));
    const added = finalizersOf(object).filter((finalizer) => !had.has(finalizer));
    if (added.length > 0) {
      const list = [...new Set(added)].sort().map((each) => JSON.stringify(each));
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list.join(', ')}}`;
      errors.push(fieldForbidden('metadata.finalizers', detail));
    }
  }
  if (metadataText(object, 'resourceVersion') === '') {
    errors.push(fieldInvalid('metadata.resourceVersion', '', 'must be specified for an update'));
  }
  for (const field of IMMUTABLE) {
    if (!jsonEqual(next[field] ?? '', previous[field] ?? ''))
      errors.push(fieldInvalid(`metadata.${field}`, next[field] ?? '', 'field is immutable'));
  }
  return errors;
}
