import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import { formatIssues } from '../issue.ts';
import { formatForMessage } from '../run/format.ts';
import { doubleValue, isDouble, isInt } from '../run/type-of.ts';
import { DYN, INT, listOf, STRING } from '../types.ts';
import { CelMap, type CelValue, Duration, Opaque, Optional, TypeValue, Uint } from '../values.ts';
import { AUTHORIZER_VARIABLES, AuthorizerValue } from './authorizer.ts';
import { JSON_PATCH_LIBRARY } from './jsonpatch.ts';

/** Allows what is named `endpoint1` and the path `/healthz`, fails for what is named `broken`, and allows nothing else. */
const authorizer = new AuthorizerValue({ username: 'u' }, ({ name, path }) => {
  if (name === 'endpoint1' || path === '/healthz') return { allowed: true, reason: 'because' };
  return name === 'broken' ? { allowed: false, reason: 'fail reason', error: 'test error' } : { allowed: false, reason: '' };
});

const VALUES: Readonly<Record<string, CelValue>> = {
  object: { a: 'x', n: 3, l: [1, 2, 3], s: ['b', 'a'], d: 1.5, m: { k: 'v' } },
  strs: ['a', 'bb', 'ccc'],
  ints: [3, 1, 2],
  str: 'hello world',
  num: 7,
  authorizer,
};

const environment = createEnvironment({
  variables: { object: DYN, strs: listOf(STRING), ints: listOf(INT), str: STRING, num: INT, ...AUTHORIZER_VARIABLES },
}).extend({ libraries: [JSON_PATCH_LIBRARY] });

/** A value in a form that tells its type: `1`, `1u`, `1.0`, `"a"`, `optional(1)`, `kubernetes.Quantity(1Ki)`. */
function show(value: CelValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (isInt(value)) return String(value);
  if (isDouble(value)) {
    const text = Object.is(doubleValue(value), -0) ? '-0' : String(doubleValue(value));
    return /^-?[0-9]+$/.test(text) ? `${text}.0` : text;
  }
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Uint8Array) return `bytes(${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')})`;
  if (value instanceof Optional) return value.present ? `optional(${show(value.value)})` : 'optional.none';
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (value instanceof Duration) return `google.protobuf.Duration(${formatForMessage(value)})`;
  if (value instanceof Opaque) return `${value.typeName}(${value})`;
  if (value instanceof TypeValue) return `type(${value.name})`;
  const entries: [CelValue, CelValue][] =
    value instanceof CelMap ? [...value.entries.values()].map(([k, v]) => [k, v]) : Object.entries(value);
  return `{${entries
    .map(([key, item]) => `${show(key)}: ${show(item)}`)
    .sort()
    .join(', ')}}`;
}

const bound = (value: number): number | 'unbounded' => (value > 1e18 ? 'unbounded' : value);

/**
 * What an expression evaluates to: the value or `error: ...`, its cost, and its estimated cost; or what is wrong with it. The
 * expected outcomes in the tests are those of the API server's own CEL code for the same variables.
 */
export function outcomeOf(expression: string): string {
  const compiled = environment.compile(expression);
  if (!compiled.ok) return formatIssues(expression, compiled.issues).split('\n')[0] as string;
  const { outcome, cost } = compiled.program.trace(VALUES);
  const { min, max } = compiled.estimate;
  const answer = outcome.ok ? show(outcome.value) : `error: ${outcome.error.message}`;
  return `${answer}  cost ${cost}, estimated ${bound(min)}..${bound(max)}`;
}

/** A test per row: an expression and its {@link outcomeOf}. */
export function testOutcomes(subject: string, rows: readonly (readonly [expression: string, outcome: string])[]): void {
  describe(subject, () => {
    it.each(rows)('%s', (expression, outcome) => {
      expect(outcomeOf(expression)).toBe(outcome);
    });
  });
}
