import type { JsonObject } from '../../../engine/object/json.ts';
import type { StatusCondition } from '../../../engine/rules/reconcile/program.ts';

/** What is to be said of a rule that is an object of the cluster. */
export interface RuleVerdict {
  /** Why the rule is not served as it stands; undefined where it is. */
  readonly refused: string | undefined;
  /** Ids of its entries, each after those it refers to; undefined where no version of it is served. */
  readonly order: readonly string[] | undefined;
  /** The kind of its instances. */
  readonly kind: string;
  /** Why its CustomResourceDefinition is not there as the rule wants it; undefined where it is. */
  readonly definitionProblem: string | undefined;
  /** Whether its instances are looked at. */
  readonly serves: boolean;
}

export interface RuleObjectStatus {
  /** Fields beside conditions. */
  readonly fields: JsonObject;
  readonly conditions: readonly StatusCondition[];
}

/** A kind of objects that are rules. */
export interface RuleKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Made where the cluster does not have one. */
  readonly definition: JsonObject;
  /** Whether `status.observedGeneration` is a field of it. */
  readonly hasObservedGeneration: boolean;
  /** Why an object is left to somebody else; undefined where it is ours to serve. */
  leftTo(object: JsonObject): string | undefined;
  statusOf(verdict: RuleVerdict): RuleObjectStatus;
}

/** Schema of a list of conditions. */
export const CONDITIONS_SCHEMA: JsonObject = {
  type: 'array',
  items: {
    type: 'object',
    required: ['type', 'status'],
    properties: {
      type: { type: 'string' },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
      reason: { type: 'string' },
      message: { type: 'string' },
      lastTransitionTime: { type: 'string', format: 'date-time' },
      observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
    },
  },
};

export const condition = (type: string, status: StatusCondition['status'], reason: string, message: string): StatusCondition => {
  return { type, status, reason, message };
};
