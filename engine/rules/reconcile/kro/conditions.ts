import type { JsonObject } from '../../../object/json.ts';
import type { StatusCondition } from '../program.ts';

/**
 * The conditions that kro writes, of those that we do. Ready is theirs and ours; a reader of kstatus finds Reconciling and Stalled
 * beside, while they are true. kro: pkg/controller/instance/status.go.
 */
export function kroConditions(conditions: readonly StatusCondition[], failed: boolean): readonly StatusCondition[] {
  const ready = conditions.find(({ type }) => type === 'Ready');
  const isReady = ready?.status === 'True';
  return [
    condition('InstanceManaged', 'True', 'Managed', 'instance is properly managed with finalizers and labels'),
    failed
      ? condition('GraphResolved', 'False', 'ResolutionFailed', ready?.message ?? '')
      : condition('GraphResolved', 'True', 'Resolved', 'runtime graph created and all resources resolved'),
    isReady
      ? condition('ResourcesReady', 'True', 'AllResourcesReady', 'all resources are created and ready')
      : condition('ResourcesReady', 'False', 'NotReady', ready?.message ?? ''),
    ...conditions
      .filter(({ type, status }) => status !== 'False' || (type !== 'Reconciling' && type !== 'Stalled'))
      .map((each) => (each.type === 'Ready' && isReady ? { ...each, message: '' } : each)),
  ];
}

/** `status.state`. */
export function withState(status: JsonObject | undefined, conditions: readonly StatusCondition[], failed: boolean): JsonObject {
  const ready = conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');
  return { ...status, state: ready ? 'ACTIVE' : failed ? 'ERROR' : 'IN_PROGRESS' };
}

function condition(type: string, status: StatusCondition['status'], reason: string, message: string): StatusCondition {
  return { type, status, reason, message };
}
