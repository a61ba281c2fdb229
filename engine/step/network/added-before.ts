import type { Json } from '../../object/json.ts';
import type { StepContext } from '../operation.ts';

/**
 * What an interrupted or ended `ensure` has added, as it kept it by `remember({ added: [...] })` before each: addresses, routes and rules
 * have no place for a tag.
 */
export const addedBefore = <T extends Json>({ memory }: Pick<StepContext, 'memory'>): readonly T[] =>
  (memory as { readonly added?: readonly T[] } | undefined)?.added ?? [];
