import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import { DYN } from '../types.ts';
import { kubernetesFeatures } from './features.ts';

function compiles(version: string, text: string): boolean {
  return createEnvironment({ ...kubernetesFeatures(version), variables: { object: DYN } }).compile(text).ok;
}

describe('what each version brought', () => {
  it.each([
    [28, 'object.?a.orValue(1) == 1'],
    [28, '1 < 1.5'],
    [28, 'quantity("1").isInteger()'],
    [29, 'sets.contains([1], [1])'],
    [30, 'isIP("1.2.3.4")'],
    [30, 'isCIDR("1.2.3.0/24")'],
    [31, '!format.dns1123Label().validate("a").hasValue()'],
    [32, '[1].all(i, v, v > i)'],
    [33, 'isSemver("1.0.0")'],
    [34, '[[1]].flatten() == [1]'],
    [37, '[1].includes(1)'],
  ])('1.%i: %s', (minor, text) => {
    expect([compiles(`1.${minor - 1}`, text), compiles(`1.${minor}`, text)]).toEqual([false, true]);
  });

  it.each(['url("http://a/").getHost() == "a"', '"a".find("a") == "a"', '[1, 2].sum() == 3', '"a".upperAscii() == "A"'])(
    'always: %s',
    (text) => {
      expect([compiles('1.26', text), compiles('1.36', text), compiles('1.37', text)]).toEqual([true, true, true]);
    },
  );

  it('tries literals since 1.29', () => {
    expect([compiles('1.28', 'duration("x") == duration("y")'), compiles('1.29', 'duration("x") == duration("y")')]).toEqual([true, false]);
  });
});

it('gives the same features for the same version, and the newest for a newer one', () => {
  expect(kubernetesFeatures('1.30')).toBe(kubernetesFeatures('v1.30.4'));
  expect(kubernetesFeatures('1.99')).toBe(kubernetesFeatures());
  expect(() => kubernetesFeatures('latest')).toThrow(RangeError);
});
