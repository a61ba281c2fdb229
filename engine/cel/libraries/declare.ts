import type { FunctionDeclaration, Overload } from '../function.ts';
import type { CelType } from '../types.ts';
import type { CelValue } from '../values.ts';

type Extras = Omit<Overload, 'id' | 'member' | 'args' | 'result' | 'call'>;

/**
 * Arguments of an implementation. The dispatcher guarantees their CEL types, so an implementation names the JavaScript types
 * it gets by its signature instead of checking them again.
 */
type Implementation = (...args: never[]) => CelValue;

/** `name(args)`. */
export function globalOverload(id: string, args: readonly CelType[], result: CelType, call: Implementation, extras: Extras = {}): Overload {
  return { id, member: false, args, result, call: call as Overload['call'], ...extras };
}

/** `receiver.name(args)`; the receiver is the first of `args`. */
export function memberOverload(id: string, args: readonly CelType[], result: CelType, call: Implementation, extras: Extras = {}): Overload {
  return { id, member: true, args, result, call: call as Overload['call'], ...extras };
}

export const declare = (name: string, ...overloads: readonly Overload[]): FunctionDeclaration => ({ name, overloads });
