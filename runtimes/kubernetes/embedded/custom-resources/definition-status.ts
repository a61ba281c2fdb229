import type { Json, JsonObject } from '../../../../engine/object/json.ts';
import { isJsonObject, ownValue } from '../../../../engine/object/json.ts';
import { type Condition, isTrue, setCondition } from '../control-loop/condition.ts';
import { fieldOf, withField } from '../verbs/object-fields.ts';
import { decideNames } from './accepted-names.ts';
import { type DefinitionDocument, objectsOf, type ResourceNames, readDefinition } from './definition-document.ts';
import { textOf } from './fields.ts';
import { APPROVAL_ANNOTATION } from './validate-definition.ts';

export function conditionsOf(object: JsonObject): readonly Condition[] {
  return objectsOf(fieldOf(object, 'status', 'conditions')) as unknown as readonly Condition[];
}

/**
 * The definition with the status that it should have: names accepted as far as they are free, and established once all are. The
 * object itself where that is so already. `now`: milliseconds since the epoch.
 */
export function withDecidedStatus(object: JsonObject, others: readonly DefinitionDocument[], now: number): JsonObject {
  const definition = readDefinition(object);
  const { acceptedNames, namesAccepted } = decideNames(definition, others);
  const conditionsBefore = conditionsOf(object);
  let conditions = conditionsBefore;
  conditions = setCondition(conditions, namesAccepted, now);
  if (namesAccepted.status === 'True') {
    if (!isTrue(conditions, 'Established')) conditions = setCondition(conditions, ESTABLISHED, now);
  } else if (!conditions.some(({ type }) => type === 'Established')) conditions = setCondition(conditions, NOT_ACCEPTED, now);
  const approval = textOf(object, 'metadata', 'annotations', APPROVAL_ANNOTATION);
  if (approval !== '') conditions = setCondition(conditions, approvalCondition(approval), now);
  const status = ownValue(object, 'status');
  const before = isJsonObject(status) ? status : {};
  const next = { ...before, acceptedNames: namesObject(acceptedNames), conditions: conditions as unknown as Json };
  if (conditions === conditionsBefore && sameNames(definition.acceptedNames, acceptedNames)) return object;
  return withField(object, 'status', next);
}

const ESTABLISHED = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
} as const;
const NOT_ACCEPTED = { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' } as const;

/** Kubernetes: apiextensions-apiserver pkg/controller/apiapproval. */
function approvalCondition(approval: string): Omit<Condition, 'lastTransitionTime'> {
  const type = 'KubernetesAPIApprovalPolicyConformant';
  return approval.startsWith('unapproved')
    ? { type, status: 'False', reason: 'UnapprovedAnnotation', message: `not approved: ${JSON.stringify(approval)}` }
    : { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${approval}` };
}

function namesObject({ plural, singular, kind, listKind, shortNames, categories }: ResourceNames): JsonObject {
  return {
    plural,
    ...(singular === '' ? {} : { singular }),
    kind,
    ...(listKind === '' ? {} : { listKind }),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
}

function sameNames(a: ResourceNames, b: ResourceNames): boolean {
  return JSON.stringify(namesObject(a)) === JSON.stringify(namesObject(b));
}

/** The definition with another reason for its end. */
export function withTerminating(object: JsonObject, condition: Omit<Condition, 'type' | 'lastTransitionTime'>, now: number): JsonObject {
  const before = conditionsOf(object);
  const conditions = setCondition(before, { type: 'Terminating', ...condition }, now);
  if (conditions === before) return object;
  const status = ownValue(object, 'status');
  return withField(object, 'status', { ...(isJsonObject(status) ? status : {}), conditions: conditions as unknown as Json });
}
