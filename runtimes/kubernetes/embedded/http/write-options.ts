import { isJsonObject, type Json, type JsonObject } from '../../../../engine/object/json.ts';
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts';
import { badRequest, invalid } from '../status-error.ts';
import type { FieldValidation } from '../verbs/decode.ts';
import type { DeleteOptions, PropagationPolicy } from '../verbs/delete.ts';

/** Options in the query of a request that writes. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly force: boolean | undefined;
  /** For admission: CreateOptions, UpdateOptions or PatchOptions as an object. */
  readonly object: JsonObject;
}

const LONGEST_MANAGER = 128;

/** Reads and checks them; throws a 422 as Kubernetes does. Kubernetes: apimachinery pkg/apis/meta/v1/validation. */
export function parseWriteOptions(
  query: URLSearchParams,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  isApply = false,
): WriteOptions {
  const dryRun = query.getAll('dryRun');
  const fieldManager = query.get('fieldManager') ?? '';
  const fieldValidation = query.get('fieldValidation') ?? '';
  const forceText = query.get('force');
  const force = forceText === null ? undefined : forceText === '' || forceText === 'true' || forceText === '1';
  const errors: FieldError[] = [];
  if (kind === 'PatchOptions') {
    if (isApply && fieldManager === '') errors.push(fieldRequired('fieldManager', 'is required for apply patch'));
    if (!isApply && force !== undefined) {
      errors.push({ type: 'FieldValueForbidden', field: 'force', body: 'Forbidden: may not be specified for non-apply patch' });
    }
  }
  errors.push(...managerErrors(fieldManager), ...dryRunErrors(dryRun));
  if (!['', 'Strict', 'Warn', 'Ignore'].includes(fieldValidation)) {
    errors.push(fieldNotSupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']));
  }
  if (errors.length > 0) throw invalid('meta.k8s.io', kind, '', errors);
  return {
    dryRun: dryRun.length > 0,
    fieldManager,
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as FieldValidation),
    force,
    object: {
      kind,
      apiVersion: 'meta.k8s.io/v1',
      ...(dryRun.length === 0 ? {} : { dryRun }),
      ...(fieldManager === '' ? {} : { fieldManager }),
      ...(force === undefined ? {} : { force }),
      ...(fieldValidation === '' ? {} : { fieldValidation }),
    },
  };
}

function managerErrors(manager: string): readonly FieldError[] {
  if (Buffer.byteLength(manager) > LONGEST_MANAGER) {
    return [{ type: 'FieldValueTooLong', field: 'fieldManager', body: `Too long: may not be more than ${LONGEST_MANAGER} bytes` }];
  }
  const odd = [...manager].findIndex((char) => !/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char));
  return odd < 0
    ? []
    : [fieldInvalid('fieldManager', manager, `invalid character ${unicodeName([...manager][odd] ?? '')} (at position ${odd})`)];
}

/** `U+000A`, as Go's %U. */
function unicodeName(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function dryRunErrors(dryRun: readonly string[]): readonly FieldError[] {
  return dryRun.every((value) => value === 'All') ? [] : [fieldNotSupported('dryRun', [...dryRun] as Json, ['All'])];
}

/** Options of a deletion: those of the body, or where there is none those of the query. */
export function parseDeleteOptions(
  query: URLSearchParams,
  body: Json | undefined,
): DeleteOptions & { readonly dryRun: boolean; readonly object: JsonObject } {
  let options: JsonObject = {};
  if (body !== undefined) {
    if (!isJsonObject(body)) throw badRequest('expected DeleteOptions in the body');
    const { kind = '', apiVersion = '' } = body;
    if (kind !== '' && kind !== 'DeleteOptions') {
      throw badRequest(`no kind "${String(kind)}" is registered for version "${String(apiVersion)}" in scheme "pkg/runtime/scheme.go:111"`);
    }
    const policy = body['propagationPolicy'] ?? '';
    if (typeof policy !== 'string') {
      const found = typeof policy === 'object' ? 'object' : typeof policy === 'boolean' ? 'bool' : 'number';
      throw badRequest(
        `json: cannot unmarshal ${found} into Go struct field DeleteOptions.propagationPolicy of type v1.DeletionPropagation`,
      );
    }
    options = body;
  } else {
    const seconds = query.get('gracePeriodSeconds');
    const policy = query.get('propagationPolicy');
    const orphan = query.get('orphanDependents');
    if (seconds !== null && !/^-?[0-9]{1,18}$/.test(seconds)) throw badRequest(`strconv.ParseInt: parsing "${seconds}": invalid syntax`);
    options = {
      ...(seconds === null ? {} : { gracePeriodSeconds: Number(seconds) }),
      ...(policy === null ? {} : { propagationPolicy: policy }),
      ...(orphan === null ? {} : { orphanDependents: orphan === 'true' || orphan === '1' }),
      ...(query.has('dryRun') ? { dryRun: query.getAll('dryRun') } : {}),
    };
  }
  const { propagationPolicy, orphanDependents, gracePeriodSeconds } = options;
  const dryRun = Array.isArray(options['dryRun']) ? (options['dryRun'] as readonly Json[]).map(String) : [];
  const preconditions = isJsonObject(options['preconditions']) ? options['preconditions'] : {};
  const errors: FieldError[] = [];
  if (typeof orphanDependents === 'boolean' && propagationPolicy !== undefined && propagationPolicy !== null) {
    errors.push(fieldInvalid('propagationPolicy', propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  if (propagationPolicy !== undefined && propagationPolicy !== null && !POLICIES.includes(String(propagationPolicy))) {
    errors.push(fieldNotSupported('propagationPolicy', propagationPolicy, [...POLICIES, 'nil']));
  }
  errors.push(...dryRunErrors(dryRun));
  if (errors.length > 0) throw invalid('meta.k8s.io', 'DeleteOptions', '', errors);
  const { uid, resourceVersion } = preconditions;
  return {
    dryRun: dryRun.length > 0,
    ...(typeof gracePeriodSeconds === 'number' ? { gracePeriodSeconds } : {}),
    ...(typeof propagationPolicy === 'string' ? { propagationPolicy: propagationPolicy as PropagationPolicy } : {}),
    ...(typeof orphanDependents === 'boolean' ? { orphanDependents } : {}),
    preconditions: {
      ...(typeof uid === 'string' ? { uid } : {}),
      ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
    },
    object: { ...options, kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1' },
  };
}

const POLICIES = ['Foreground', 'Background', 'Orphan'];
