import { formatTime } from '../../../../engine/object/time.ts';
/** A condition of a status. Kubernetes: apimachinery pkg/apis/meta/v1/types.go Condition, and the older ones of built-in kinds. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly lastUpdateTime?: string;
  readonly observedGeneration?: number;
}

export const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);

export const isTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  conditionOf(conditions, type)?.status === 'True';

/**
 * The conditions with one set. The time of its transition stays unless the status changes, and the very same list comes back
 * when nothing does.
 */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  condition: Omit<Condition, 'lastTransitionTime' | 'lastUpdateTime'>,
  now: number,
  options: { readonly updateTime?: boolean } = {},
): readonly Condition[] {
  const before = conditionOf(conditions, condition.type);
  const same =
    before !== undefined &&
    before.status === condition.status &&
    (before.reason ?? '') === (condition.reason ?? '') &&
    (before.message ?? '') === (condition.message ?? '') &&
    before.observedGeneration === condition.observedGeneration;
  if (same && conditions !== undefined) return conditions;
  const lastTransitionTime = before?.status === condition.status && before.lastTransitionTime ? before.lastTransitionTime : formatTime(now);
  const after: Condition = { ...condition, lastTransitionTime, ...(options.updateTime ? { lastUpdateTime: formatTime(now) } : {}) };
  if (before === undefined) return [...(conditions ?? []), after];
  return (conditions ?? []).map((each) => (each === before ? after : each));
}
