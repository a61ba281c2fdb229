import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import { KUBERNETES_LIBRARIES, type KubernetesVersion, kubernetesLibraries } from './kubernetes.ts';

const knows = (version: KubernetesVersion, expression: string): boolean =>
  createEnvironment({ libraries: kubernetesLibraries(version) }).compile(expression).ok;

describe('libraries by Kubernetes version', () => {
  it.each<[expression: string, since: KubernetesVersion, before: KubernetesVersion]>([
    ["url('/a').getHost() == ''", '1.0', '1.0'],
    ["'abc'.charAt(0) == 'a'", '1.0', '1.0'],
    ["quantity('1').isInteger()", '1.28', '1.27'],
    ['optional.of(1).hasValue()', '1.28', '1.27'],
    ["'%s'.format(['a']) == 'a'", '1.29', '1.28'],
    ['sets.contains([1], [1])', '1.29', '1.28'],
    ["ip('::1').isLoopback()", '1.30', '1.29'],
    ["cidr('::/0').prefixLength() == 0", '1.30', '1.29'],
    ["format.uuid().validate('x').hasValue()", '1.31', '1.30'],
    ['[1].all(i, v, v > i)', '1.32', '1.31'],
    ["semver('1.0', true).major() == 1", '1.33', '1.32'],
    ['[1].distinct() == [1]', '1.34', '1.33'],
    ['[1].includes(1)', '1.37', '1.36'],
  ])('%s since %s', (expression, since, before) => {
    expect(knows(since, expression)).toBe(true);
    expect(knows('1.37', expression)).toBe(true);
    if (before !== since) expect(knows(before, expression)).toBe(false);
  });

  it('declare each overload once', () => {
    for (const version of ['1.27', '1.29', '1.36', '1.37'] as const) {
      const ids = kubernetesLibraries(version).flatMap(({ functions }) =>
        functions.flatMap(({ overloads }) => overloads.map(({ id }) => id)),
      );
      expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    }
  });

  it('replace themselves without a gap', () => {
    for (const { library, removedVersion } of KUBERNETES_LIBRARIES) {
      if (removedVersion === undefined) continue;
      const successors = KUBERNETES_LIBRARIES.filter(
        (other) => other.library.name === library.name && other.introducedVersion === removedVersion,
      );
      expect(successors).toHaveLength(1);
    }
  });
});
