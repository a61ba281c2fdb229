import { randomBytes } from 'node:crypto';
import type { GenerateRequest } from '../../engine/rules/reconcile/program.ts';
import { issue, randomText } from '../controller/generate.ts';

/**
 * Values for a dry run. They are never shown and gone when it ends: what is made in earnest will be something else. Certificates sign
 * themselves, because an authority's key is not in a recording.
 */
export function passingValues(now: number): (request: GenerateRequest) => Readonly<Record<string, string>> {
  const made = new Map<string, Readonly<Record<string, string>>>();
  return ({ secret, value }) => {
    const key = JSON.stringify([secret, value]);
    const values =
      made.get(key) ??
      (value.kind === 'random'
        ? { [value.key]: randomText(value, randomBytes) }
        : { ...issue({ value, issuer: undefined, key: undefined, now }) });
    made.set(key, values);
    return values;
  };
}
