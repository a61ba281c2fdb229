import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../../../cel/create-environment.ts';
import { kubernetesFeatures } from '../../../cel/kubernetes/features.ts';
import { DYN } from '../../../cel/types.ts';
import { NET_LIBRARY } from './net.ts';

const features = kubernetesFeatures();
const environment = createEnvironment({
  ...features,
  libraries: [...features.libraries, NET_LIBRARY],
  homogeneousLiterals: false,
  variables: { d: DYN },
});

function evaluate(text: string, d: unknown = null): unknown {
  const compiled = environment.compile(text);
  if (!compiled.ok) return compiled.issues.map(({ message }) => message).join('\n');
  const { outcome } = compiled.program.trace({ d: d as never });
  return outcome.ok ? outcome.value : outcome.error.message;
}

test.each([
  ["net.host('10.1.0.0/16', 1)", '10.1.0.1'],
  ["net.host('10.1.2.3/16', 256)", '10.1.1.0'],
  ["net.host('10.1.0.0/16', -1)", '10.1.255.255'],
  ["net.host('10.1.0.0/30', 4)", 'the network 10.1.0.0/30 has no address 4'],
  ["net.host('10.1.0.0/30', -5)", 'the network 10.1.0.0/30 has no address -5'],
  ["net.host('fd00::/64', 1)", 'fd00::1'],
  ["net.host('fd00::/64', -1)", 'fd00::ffff:ffff:ffff:ffff'],
  ["net.host('here', 1)", '"here" is no network, as 10.1.0.0/16'],
  ["net.next('10.1.255.255')", '10.2.0.0'],
  ["net.next('255.255.255.255')", 'there is no address after "255.255.255.255"'],
  ["net.network('10.1.2.3/16')", '10.1.0.0/16'],
  ["net.broadcast('10.1.2.3/16')", '10.1.255.255'],
  ["net.address('10.1.2.3/16')", '10.1.2.3'],
  ["net.address('10.1.2.3')", '10.1.2.3'],
  ["net.single('fd00::1')", 'fd00::1/128'],
  ["net.prefixLength('10.1.2.3/16')", 16],
  ["net.family('10.1.2.3/16')", 4],
  ["net.family('fd00::1')", 6],
  ["net.family('x')", '"x" is no IP address'],
  ["net.interfaceName('veth', 'a')", 'vethca978112ca1'],
  ["net.interfaceName('much-too-long-', 'a')", 'net.interfaceName takes a prefix of 1 to 11 letters and digits'],
  ["net.mac('a')", 'ca:97:81:12:ca:1b'],
  ["net.mac('b').matches('^.[26ae]:')", true],
])('%s', (text, expected) => {
  expect(evaluate(text)).toBe(expected);
});

describe('net.selects', () => {
  test.each<[unknown, unknown, unknown]>([
    [{}, { a: 'b' }, true],
    [null, { a: 'b' }, true],
    [{ matchLabels: { a: 'b' } }, { a: 'b', c: 'd' }, true],
    [{ matchLabels: { a: 'b' } }, {}, false],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }] }, { a: 'c' }, true],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, {}, false],
  ])('%j of %j: %j', (selector, labels, expected) => {
    expect(evaluate('net.selects(d.selector, d.labels)', { selector, labels })).toBe(expected);
  });

  test('says what is wrong with a selector', () => {
    expect(evaluate("net.selects({'matchExpressions': [{'key': 'a', 'operator': 'Near'}]}, {})")).toContain('Near');
  });

  test('costs what it looks at', () => {
    const compiled = environment.compile('net.selects(d.selector, d.labels)');
    if (!compiled.ok) throw new Error('it compiles');
    const labels = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`label-${index}`, 'x'.repeat(60)]));
    const cost = (value: object) => compiled.program.trace({ d: { selector: {}, labels: value } as never }).cost;
    expect(cost(labels)).toBeGreaterThan(cost({}) + 100);
  });
});
