import type { DefinitionState } from './definitions.ts';
import type { ActiveRule } from './rule-set.ts';

export interface RuleStatus {
  readonly rule: string;
  /** What keeps the whole rule from working. */
  readonly problem: string | undefined;
  /** Whether its instances are looked at: their kind is there. */
  readonly serves: boolean;
  readonly instances: number;
  /** Instances that are not what they are to be, as far as this process has seen. */
  readonly failing: number;
}

export interface ControllerStatus {
  readonly leading: boolean;
  readonly rules: readonly RuleStatus[];
  /** Rules that are in no bundle any more and still have instances. */
  readonly retired: readonly string[];
  /** What the controller needs and is not allowed. */
  readonly missingAccess: readonly string[];
  /** Kinds of which nothing is received at present, with why. */
  readonly unreachable: readonly string[];
}

/** Whether the kind of a rule's instances is there, or not the rule's to make. */
export const servesInstances = ({ rule, definition }: ActiveRule): boolean =>
  rule.definition === undefined || definition?.kind === 'established' || definition?.kind === 'kept';

/** Why a rule's definition is not what it is to be; undefined where it is. */
export function definitionProblem(state: DefinitionState | undefined): string | undefined {
  if (state === undefined || state.kind === 'established') return undefined;
  return state.kind === 'waiting' ? state.reason : state.problem.message;
}
