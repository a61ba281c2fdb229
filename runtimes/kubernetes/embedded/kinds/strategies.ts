import type { GroupResource } from '../registry.ts';
import type { Strategy } from './definition.ts';

/** Strategies by where objects are stored; a resource without one has nothing of its own. */
export type StrategyTable = ReadonlyMap<GroupResource, Strategy>;

/** The strategies of Kubernetes' own kinds. A new table per server: some keep account of addresses and ports. */
export function builtInStrategies(): StrategyTable {
  return new Map();
}
