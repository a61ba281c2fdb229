import { defaulted, string } from '../../text/shape.ts';
import type { ArgumentProblem } from '../operation.ts';

export const path = (doc: string) => string({ doc, minLength: 2, maxLength: 4096 });

/**
 * Why a step can't be given this path. Whether the host allows the place is said by who performs the step; that a path means what it seems
 * to mean is said here: absolute, without `.` and `..`, so that it can be compared with allowed folders as text.
 */
export function pathProblems(value: string, at: readonly string[]): readonly ArgumentProblem[] {
  const problem = (message: string): readonly ArgumentProblem[] => [{ path: at, message: `${JSON.stringify(value)} ${message}` }];
  if (/[\u0000-\u001f\u007f]/.test(value)) return problem('holds control characters');
  if (!value.startsWith('/')) return problem('is not absolute');
  const parts = value.slice(1).split('/');
  if (parts.some((part) => part === '.' || part === '..')) return problem('leads through "." or ".."');
  if (parts.some((part) => part === '')) return problem('has an empty part');
  return [];
}

/** Permission bits as people write them, `0644`: text, because as a number YAML would read it another way. */
export const mode = (doc: string, value: string) =>
  defaulted(string({ doc, pattern: /^[0-7]{3,4}$/, patternName: 'permission bits, as "0644"' }), value);

export const modeBits = (text: string): number => Number.parseInt(text, 8);
