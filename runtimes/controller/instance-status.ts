import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue, setOwn } from '../../engine/object/json.ts';
import { formatTime } from '../../engine/object/time.ts';
import type { StatusCondition } from '../../engine/rules/reconcile/program.ts';
import { type Problem, worstOf } from './problem.ts';

/** Conditions that the runtime has a word in (kstatus); all others are the rule's own. */
const KSTATUS = new Set(['Ready', 'Reconciling', 'Stalled']);

/** Conditions of an instance that was seen for the first time: kstatus takes an object without conditions for current. */
export const FIRST_CONDITIONS: readonly StatusCondition[] = [
  { type: 'Ready', status: 'Unknown', reason: 'Progressing', message: 'what the instance stands for is being made' },
  { type: 'Reconciling', status: 'True', reason: 'Progressing', message: 'what the instance stands for is being made' },
];

/** The plan's conditions, and over them what went wrong while performing it. */
export function conditionsWith(planned: readonly StatusCondition[], problems: readonly Problem[]): readonly StatusCondition[] {
  const worst = worstOf(problems);
  if (worst === undefined) return planned;
  const { reason, message } = worst;
  const merged = planned.filter(({ type }) => !KSTATUS.has(type));
  merged.push({ type: 'Ready', status: 'False', reason, message });
  // kstatus looks at Reconciling first: an object that waits for a person must not look as if it went on by itself.
  merged.push(
    worst.stalled
      ? { type: 'Reconciling', status: 'False', reason, message: 'waits for a change' }
      : { type: 'Reconciling', status: 'True', reason, message },
  );
  if (worst.stalled) merged.push({ type: 'Stalled', status: 'True', reason, message });
  return merged;
}

function conditionsOf(status: JsonObject): ReadonlyMap<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  const list = ownValue(status, 'conditions');
  if (!Array.isArray(list)) return found;
  for (const each of list as readonly Json[]) {
    const type = isJsonObject(each) ? ownValue(each, 'type') : undefined;
    if (typeof type === 'string') found.set(type, each as JsonObject);
  }
  return found;
}

export interface WantedStatus {
  /** The rule's fields. */
  readonly fields: JsonObject | undefined;
  readonly conditions: readonly StatusCondition[];
  /** Of the instance that was looked at; undefined where the status is not ours as a whole. */
  readonly generation: number | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The status to be written. A condition keeps its time while its status stays; times are to the second, as Kubernetes' are.
 */
export function composeStatus(wanted: WantedStatus, observed: JsonObject): JsonObject {
  const former = conditionsOf(observed);
  const time = formatTime(wanted.now);
  const conditions = wanted.conditions.map(({ type, status, reason, message }): JsonObject => {
    const before = former.get(type);
    const since = before !== undefined && ownValue(before, 'status') === status ? ownValue(before, 'lastTransitionTime') : undefined;
    return {
      type,
      status,
      reason: reason === '' ? 'Unspecified' : reason,
      message,
      lastTransitionTime: typeof since === 'string' ? since : time,
      ...(wanted.generation === undefined ? {} : { observedGeneration: wanted.generation }),
    };
  });
  const status: { [key: string]: Json } = {};
  for (const key of Object.keys(wanted.fields ?? {})) setOwn(status, key, wanted.fields![key]!);
  if (wanted.generation !== undefined) status['observedGeneration'] = wanted.generation;
  if (conditions.length > 0) status['conditions'] = conditions;
  return status;
}

/**
 * Whether an instance's status must be written. Fields of others are left out of it: `written` names the fields that were ours the
 * last time, and is undefined when nobody remembers; then every field counts as ours.
 */
export function statusDiffers(wanted: JsonObject, observed: JsonObject, written: ReadonlySet<string> | undefined): boolean {
  for (const key of Object.keys(wanted)) {
    const found = ownValue(observed, key);
    if (key === 'conditions' ? conditionsDiffer(wanted, observed, written) : !jsonEqual(wanted[key], found)) return true;
  }
  for (const key of Object.keys(observed)) {
    if (!Object.hasOwn(wanted, key) && (written === undefined || written.has(key))) return true;
  }
  return false;
}

function conditionsDiffer(wanted: JsonObject, observed: JsonObject, written: ReadonlySet<string> | undefined): boolean {
  const found = conditionsOf(observed);
  const ours = conditionsOf(wanted);
  for (const [type, condition] of ours) {
    const other = found.get(type);
    if (other === undefined) return true;
    for (const field of ['status', 'reason', 'message', 'observedGeneration']) {
      if (!jsonEqual(ownValue(condition, field), ownValue(other, field))) return true;
    }
  }
  for (const type of found.keys()) if (!ours.has(type) && (written === undefined || written.has(conditionField(type)))) return true;
  return false;
}

const conditionField = (type: string): string => `conditions/${type}`;

/** The fields and conditions of a status, for {@link statusDiffers}. */
export function statusFields(status: JsonObject): ReadonlySet<string> {
  const fields = new Set(Object.keys(status));
  fields.delete('conditions');
  for (const type of conditionsOf(status).keys()) fields.add(conditionField(type));
  return fields;
}

export function statusOf(object: JsonObject): JsonObject {
  const status = ownValue(object, 'status');
  return isJsonObject(status) ? status : {};
}
