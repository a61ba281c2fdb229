import type { Overload } from '../../function.ts';
import type { CelType } from '../../types.ts';

type Call = Overload['call'];
type Cost = NonNullable<Overload['cost']>;

/** `fn(args)`. */
export function global(id: string, args: readonly CelType[], result: CelType, call: Call, cost?: Cost): Overload {
  return { id, member: false, args, result, call, ...(cost ? { cost } : {}) };
}

/** `args[0].fn(rest)`. */
export function member(id: string, args: readonly CelType[], result: CelType, call: Call, cost?: Cost): Overload {
  return { ...global(id, args, result, call, cost), member: true };
}
