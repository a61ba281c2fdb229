import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import { DYN, STRING } from '../types.ts';
import type { CelValue } from '../values.ts';

const environment = createEnvironment({ variables: { big: STRING, object: DYN } });
const BIG = '9'.repeat(3 * 1024 * 1024);
const LIMIT = 1_000_000_000;

function evaluate(expression: string, object: CelValue = null): CelValue {
  const compiled = environment.compile(expression);
  if (!compiled.ok) throw new Error(compiled.issues.map(({ message }) => message).join('; '));
  // A limit beyond Kubernetes', so that it is not what ends the evaluation.
  const { outcome } = compiled.program.trace({ big: BIG, object }, { limit: LIMIT });
  return outcome.ok ? outcome.value : `error: ${outcome.error.message}`;
}

describe('input made to hurt', () => {
  it.each([
    ['quantity(big)', 'error: unable to parse numeric part of quantity'],
    ['quantity("1e999999999").add(1)', 'error: unable to parse numeric part of quantity'],
    ['quantity("1e-999999999").add(1)', 'error: unable to parse numeric part of quantity'],
    ['isSemver(big + ".0.0")', false],
    ['semver(big, true)', expect.stringMatching(/value out of range$/)],
    ['("%." + big + "f").format([1.5])', expect.stringMatching(/value out of range$/)],
    ['big.replace("", big)', 'error: operation cancelled: result is too large'],
    ['lists.range(1000).map(i, big).join("").size()', 'error: operation cancelled: result is too large'],
    [
      '("%s".replace("s", "s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s")).format(lists.range(99).map(i, big))',
      'error: operation cancelled: result is too large',
    ],
    ['"a".find(big.substring(0, 20000) + ".")', 'error: Illegal regex: error parsing regexp: expression too large'],
    ['big.find("(9+)+x")', ''],
    ['lists.range(100000).distinct().size()', 'error: operation cancelled: actual cost limit exceeded'],
    ['sets.contains(lists.range(100000), lists.range(100000))', 'error: operation cancelled: actual cost limit exceeded'],
    ['isIP(big)', false],
    ['isCIDR(big + "/8")', false],
    ['ip("::/" + big)', expect.stringMatching(/^error: IP Address/)],
    ['url("http://[" + big + "]/")', expect.stringMatching(/^error: URL parse error/)],
    ['format.dns1123Subdomain().validate(big + ".").hasValue()', true],
    ['format.uuid().validate(big).hasValue()', true],
    ['format.byte().validate(big + "x").hasValue()', true],
  ])('%s', (expression, answer) => {
    expect(evaluate(expression)).toEqual(answer);
  });

  it('keys that every object has are keys like any other', () => {
    const query = evaluate("url('http://h?__proto__=a&constructor=b&toString=c').getQuery()") as Record<string, unknown>;
    expect(Object.entries(query)).toEqual([
      ['__proto__', ['a']],
      ['constructor', ['b']],
      ['toString', ['c']],
    ]);
    const object = JSON.parse('{"__proto__": "x"}') as CelValue;
    expect(evaluate('object.transformMap(k, v, v + k)["__proto__"]', object)).toBe('x__proto__');
    expect(evaluate("'%s'.format([object])", object)).toBe('{"__proto__":"x"}');
    expect(evaluate('object.transformMapEntry(k, v, {v: k}).x', object)).toBe('__proto__');
    expect(evaluate("format.named('constructor').hasValue()")).toBe(false);
    expect(evaluate("isQuantity('1constructor')")).toBe(false);
  });
});
