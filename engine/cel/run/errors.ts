import { CelError, type CelValue, Duration, Timestamp } from '../values.ts';
import { formatForMessage } from './format.ts';
import { typeName } from './type-of.ts';

/** cel-go's text for an operand that an operator's implementation does not take. */
export const noSuchOverload = (): CelError => new CelError('no such overload');

/**
 * cel-go's text for a left operand whose type lacks the operator altogether. Types that have methods of their own (strings,
 * timestamps, durations) are asked for one first, and so err in other words.
 */
export function noSuchOperator(fn: string, operand: CelValue): CelError {
  const hasMethods = typeof operand === 'string' || operand instanceof Timestamp || operand instanceof Duration;
  return hasMethods ? noSuchOverload() : new CelError(`no such overload: ${fn}`);
}

/** cel-go's text for a function that has no overload for the types of the arguments. cel-go: common/decls MaybeNoSuchOverload. */
export const noSuchSignature = (fn: string, args: readonly CelValue[]): CelError =>
  new CelError(`no such overload: ${fn}(${args.map(typeName).join(', ')})`);

export const noSuchKey = (key: CelValue): CelError => new CelError(`no such key: ${formatForMessage(key)}`);

export const indexOutOfBounds = (index: CelValue): CelError => new CelError(`index out of bounds: ${formatForMessage(index)}`);

export const noSuchAttribute = (name: string): CelError => new CelError(`no such attribute(s): ${name}`);

export const intOverflow = (): CelError => new CelError('integer overflow');

export const uintOverflow = (): CelError => new CelError('unsigned integer overflow');

export const conversionError = (from: string, to: string): CelError => new CelError(`type conversion error from '${from}' to '${to}'`);
