import { describe, expect, test } from 'vitest';
import type { GroupVersionKind, Operation } from './decision.ts';
import { builtInEquivalents, readsTheSame } from './equivalent-resources.ts';
import { matchName, matchShape, type RequestShape, type ResourceRule } from './resource-match.ts';

/** `CREATE apps/v1/deployments` or `CREATE v1/pods/exec`, cluster-scoped with a `!` in front. */
function shape(text: string): RequestShape {
  const [operation, path] = text.replace('!', '').split(' ') as [Operation, string];
  const parts = path.split('/');
  const [group, version, resource, subresource] = /^v\d/.test(parts[0]!) ? ['', ...parts] : parts;
  return {
    resource: { group: group!, version: version!, resource: resource! },
    kind: { group: group!, version: version!, kind: 'K' },
    subresource: subresource ?? '',
    operation,
    namespaced: !text.startsWith('!'),
  };
}

const ANY: ResourceRule = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] };

function matches(rule: Partial<ResourceRule>, request: string, matchPolicy: 'Exact' | 'Equivalent' = 'Exact') {
  return matchShape({ resourceRules: [{ ...ANY, ...rule }], excludeResourceRules: [], matchPolicy }, shape(request), builtInEquivalents);
}

test.each<[Partial<ResourceRule>, string, boolean]>([
  [{}, 'CREATE v1/pods', true],
  [{ operations: ['UPDATE'] }, 'CREATE v1/pods', false],
  [{ operations: ['UPDATE', 'CREATE'] }, 'CREATE v1/pods', true],
  [{ apiGroups: [''] }, 'CREATE apps/v1/deployments', false],
  [{ apiGroups: ['', 'apps'] }, 'CREATE apps/v1/deployments', true],
  [{ apiVersions: ['v1beta1'] }, 'CREATE apps/v1/deployments', false],
  [{ resources: ['pods'] }, 'CREATE v1/pods', true],
  [{ resources: ['pods'] }, 'UPDATE v1/pods/status', false],
  [{ resources: ['pods/status'] }, 'UPDATE v1/pods/status', true],
  [{ resources: ['pods/status'] }, 'UPDATE v1/pods', false],
  [{ resources: ['pods/*'] }, 'CONNECT v1/pods/exec', true],
  [{ resources: ['pods/*'] }, 'CREATE v1/pods', true],
  [{ resources: ['*'] }, 'CONNECT v1/pods/exec', false],
  [{ resources: ['*/scale'] }, 'UPDATE apps/v1/deployments/scale', true],
  [{ resources: ['*/scale'] }, 'UPDATE apps/v1/deployments', false],
  [{ resources: ['*/*'] }, 'CONNECT v1/pods/exec', true],
  [{ resources: ['*/*'] }, 'CREATE v1/pods', true],
  [{ scope: 'Namespaced' }, 'CREATE v1/pods', true],
  [{ scope: 'Cluster' }, 'CREATE v1/pods', false],
  [{ scope: 'Cluster' }, '!CREATE v1/nodes', true],
  [{ scope: 'Namespaced' }, '!CREATE v1/nodes', false],
  // The request for a Namespace names a namespace: itself.
  [{ scope: 'Cluster' }, 'CREATE v1/namespaces', true],
  [{ scope: 'Namespaced' }, 'CREATE v1/namespaces', false],
  [{ scope: '*' }, 'CREATE v1/namespaces', true],
])('%j %s', (rule, request, expected) => {
  expect(matches(rule, request) !== undefined).toBe(expected);
});

describe('Equivalent', () => {
  const old = { apiGroups: ['extensions'], apiVersions: ['v1beta1'], resources: ['deployments'] };

  test('matches the same resource under another version, and says which', () => {
    expect(matches(old, 'CREATE apps/v1/deployments')).toBeUndefined();
    expect(matches(old, 'CREATE apps/v1/deployments', 'Equivalent')?.matches).toEqual([
      {
        names: undefined,
        resource: { group: 'extensions', version: 'v1beta1', resource: 'deployments' },
        kind: { group: 'extensions', version: 'v1beta1', kind: 'Deployment' },
      },
    ]);
  });

  test('prefers the version of the request', () => {
    const rules = { resourceRules: [{ ...ANY, ...old }, ANY], excludeResourceRules: [], matchPolicy: 'Equivalent' as const };
    const found = matchShape(rules, shape('CREATE apps/v1/deployments'), builtInEquivalents);
    expect(found?.matches.map((match) => match.resource.group)).toEqual(['apps']);
  });

  test('excludes the same resource under another version, too', () => {
    const rules = { resourceRules: [ANY], excludeResourceRules: [{ ...ANY, ...old }], matchPolicy: 'Equivalent' as const };
    expect(matchShape(rules, shape('CREATE apps/v1/deployments'), builtInEquivalents)).toBeUndefined();
    expect(matchShape(rules, shape('CREATE apps/v1/daemonsets'), builtInEquivalents)).toBeDefined();
  });

  test.each<[GroupVersionKind, GroupVersionKind, boolean]>([
    [{ group: 'apps', version: 'v1', kind: 'Deployment' }, { group: 'extensions', version: 'v1beta1', kind: 'Deployment' }, true],
    [
      { group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler' },
      { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
      false,
    ],
    [{ group: '', version: 'v1', kind: 'Event' }, { group: 'events.k8s.io', version: 'v1', kind: 'Event' }, false],
  ])('%j read as %j', (from, to, expected) => {
    expect(readsTheSame(from, to)).toBe(expected);
  });
});

describe('names', () => {
  const named = { ...ANY, resourceNames: ['a', 'b'] };
  const verdict = (rules: readonly ResourceRule[], excluded: readonly ResourceRule[] = []) =>
    matchShape({ resourceRules: rules, excludeResourceRules: excluded, matchPolicy: 'Exact' }, shape('CREATE v1/pods'), builtInEquivalents);

  test.each([
    ['a', true],
    ['c', false],
    ['', false],
  ])('only %j', (name, expected) => {
    expect(matchName(verdict([named])!, name) !== undefined).toBe(expected);
  });

  test('one rule without names matches all', () => {
    expect(matchName(verdict([named, ANY])!, 'c')).toBeDefined();
  });

  test('excluded by name, and excluded altogether', () => {
    const some = verdict([ANY], [named])!;
    expect([matchName(some, 'a'), matchName(some, 'c')].map(Boolean)).toEqual([false, true]);
    expect(verdict([ANY], [named, ANY])).toBeUndefined();
  });
});

test('no rule at all matches everything', () => {
  expect(
    matchShape({ resourceRules: [], excludeResourceRules: [], matchPolicy: 'Exact' }, shape('CREATE v1/pods'), builtInEquivalents),
  ).toBeDefined();
});
