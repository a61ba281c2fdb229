import { getSystemErrorMap } from 'node:util';
import { EffectError } from '../../../engine/step/effect.ts';
import { classifyErrno } from '../failure.ts';

const ERRORS = getSystemErrorMap();

/** `EEXIST`; undefined for 0, and for a number that has no name. */
export const errnoName = (errno: number): string | undefined => (errno === 0 ? undefined : ERRORS.get(-errno)?.[0]);

export const describeErrno = (errno: number): string => ERRORS.get(-errno)?.[1] ?? `errno ${errno}`;

/** A failure that the kernel gave a number, and perhaps a text of its own. */
export function kernelFailure(errno: number, text: string, tried: string): EffectError {
  const said = text === '' ? describeErrno(errno) : text.replaceAll(/[^\x20-\x7e]/g, ' ').replace(/\.$/, '');
  return new EffectError(classifyErrno(errnoName(errno)), said, tried);
}
