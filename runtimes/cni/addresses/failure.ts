import { EffectError, type FailureCode } from '../../../engine/step/effect.ts';
import { classifyErrno } from '../../linux/failure.ts';

/** Why addresses are not given. */
export const failure = (code: FailureCode, message: string): EffectError => new EffectError(code, message, 'allocate addresses');

/** Runs what touches the disk; the system's errors become failures. */
export function guarded<T>(tried: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw failureOf(error, tried);
  }
}

/** The failure that an error is. */
export function failureOf(error: unknown, tried: string): EffectError {
  if (error instanceof EffectError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new EffectError(classifyErrno(code), message, tried);
}
