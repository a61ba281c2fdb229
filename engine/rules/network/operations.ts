import type { Operation } from '../../step/operation.ts';
import { OPERATIONS } from '../../step/operations/index.ts';
import type { OperationTable } from '../../step/step-source.ts';
import { ADDRESSES } from './addresses.ts';

/** Every operation that plans of network rules have steps of: those that rules name, and that which `ipam` becomes. */
export const NETWORK_OPERATIONS: OperationTable = new Map<string, Operation>([
  ...OPERATIONS,
  [ADDRESSES.name, ADDRESSES as unknown as Operation],
]);
