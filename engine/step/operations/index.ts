import type { Operation } from '../operation.ts';
import { BRIDGE } from './bridge.ts';
import { VETH } from './veth.ts';

/** Every operation by its name: the words that a step can begin with. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  ([BRIDGE, VETH] as readonly Operation[]).map((operation) => [operation.name, operation]),
);
