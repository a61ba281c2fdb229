import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../../../../engine/object/json.ts';
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../../field-error.ts';
import { fieldOf } from '../../verbs/object-fields.ts';
import type { Strategy } from '../definition.ts';
import { pathSegmentErrors } from '../names.ts';

const GROUP = 'rbac.authorization.k8s.io';

/** Roles may have any name that a path may have. Kubernetes: pkg/apis/rbac/validation/validation.go. */
export const roleStrategy: Strategy = roles(true);
export const clusterRoleStrategy: Strategy = roles(false);
export const roleBindingStrategy: Strategy = bindings(['Role', 'ClusterRole']);
export const clusterRoleBindingStrategy: Strategy = bindings(['ClusterRole']);

function roles(isNamespaced: boolean): Strategy {
  const check = (object: JsonObject): readonly FieldError[] =>
    items(object['rules']).flatMap((rule, index) => ruleErrors(rule, `rules[${index}]`, isNamespaced));
  return { nameErrors: pathSegmentErrors, createOnUpdate: true, validate: check, validateUpdate: check };
}

function ruleErrors(rule: JsonObject, path: string, isNamespaced: boolean): readonly FieldError[] {
  const errors: FieldError[] = [];
  const isEmpty = (field: string): boolean => list(rule[field]).length === 0;
  if (isEmpty('verbs')) errors.push(fieldRequired(`${path}.verbs`));
  if (!isEmpty('nonResourceURLs')) {
    const refuse = (why: string): number => errors.push(fieldInvalid(`${path}.nonResourceURLs`, rule['nonResourceURLs'], why));
    if (isNamespaced) refuse('namespaced rules cannot apply to non-resource URLs');
    const isMixed = !isEmpty('apiGroups') || !isEmpty('resources') || !isEmpty('resourceNames');
    if (isMixed) refuse('rules cannot apply to both regular resources and non-resource URLs');
    return errors;
  }
  if (isEmpty('apiGroups')) errors.push(fieldRequired(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  if (isEmpty('resources')) errors.push(fieldRequired(`${path}.resources`, 'resource rules must supply at least one resource'));
  return errors;
}

function bindings(kinds: readonly string[]): Strategy {
  const isNamespaced = kinds.includes('Role');
  const check = (object: JsonObject): readonly FieldError[] => [
    ...referenceErrors(object, kinds),
    ...items(object['subjects']).flatMap((subject, index) => subjectErrors(subject, `subjects[${index}]`, isNamespaced)),
  ];
  return {
    nameErrors: pathSegmentErrors,
    createOnUpdate: true,
    validate: check,
    validateUpdate(object, old) {
      const errors = check(object);
      if (jsonEqual(object['roleRef'], old['roleRef'])) return errors;
      const [APIGroup, Kind, Name] = ['apiGroup', 'kind', 'name'].map((field) => fieldOf(object, 'roleRef', field) ?? '');
      return [
        ...errors,
        fieldInvalid('roleRef', { APIGroup: APIGroup as Json, Kind: Kind as Json, Name: Name as Json }, 'field is immutable'),
      ];
    },
  };
}

function referenceErrors(object: JsonObject, kinds: readonly string[]): readonly FieldError[] {
  const errors: FieldError[] = [];
  const group = fieldOf(object, 'roleRef', 'apiGroup') ?? '';
  if (group !== GROUP) errors.push(fieldNotSupported('roleRef.apiGroup', group, [GROUP]));
  const kind = fieldOf(object, 'roleRef', 'kind') ?? '';
  if (typeof kind !== 'string' || !kinds.includes(kind)) errors.push(fieldNotSupported('roleRef.kind', kind, kinds));
  const name = fieldOf(object, 'roleRef', 'name') ?? '';
  if (name === '') errors.push(fieldRequired('roleRef.name'));
  return errors;
}

const SUBJECT_KINDS = ['ServiceAccount', 'User', 'Group'];

function subjectErrors(subject: JsonObject, path: string, isNamespaced: boolean): readonly FieldError[] {
  const errors: FieldError[] = [];
  const text = (field: string): Json => ownValue(subject, field) ?? '';
  if (text('name') === '') errors.push(fieldRequired(`${path}.name`));
  const kind = text('kind');
  if (typeof kind !== 'string' || !SUBJECT_KINDS.includes(kind)) errors.push(fieldNotSupported(`${path}.kind`, kind, SUBJECT_KINDS));
  else if (kind === 'ServiceAccount') {
    if (text('apiGroup') !== '') errors.push(fieldNotSupported(`${path}.apiGroup`, text('apiGroup'), ['']));
    if (!isNamespaced && text('namespace') === '') errors.push(fieldRequired(`${path}.namespace`));
  } else if (text('apiGroup') !== GROUP) errors.push(fieldNotSupported(`${path}.apiGroup`, text('apiGroup'), [GROUP]));
  return errors;
}

const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);
const items = (value: Json | undefined): readonly JsonObject[] => list(value).filter(isJsonObject);
