import { describe, expect, test } from 'vitest';
import { createTypeTable } from '../../object/type-table.ts';
import type { Diagnostic } from '../../text/diagnostic.ts';
import type { Document } from '../../text/document.ts';
import { parseYaml } from '../../text/yaml.ts';
import { reporter } from '../reporter.ts';
import { warnOfUnknownResources } from './unknown-resources.ts';

const types = createTypeTable({
  kubernetes: 'v1.37.2',
  kinds: {},
  definitions: {},
  resources: {
    v1: { pods: { kind: 'v1/Pod', namespaced: true, subresources: { exec: 'v1/PodExecOptions' } }, endpoints: { kind: 'v1/Endpoints' } },
    'apps/v1': { deployments: { kind: 'apps/v1/Deployment', namespaced: true } },
  },
});

function warnings(apiGroups: readonly string[], resources: readonly string[]): readonly string[] {
  const diagnostics: Diagnostic[] = [];
  const [document] = parseYaml({ name: 'r.yaml', text: 'spec: {}' }).documents;
  const rule = { apiGroups, resources, apiVersions: ['v1'], operations: ['CREATE'] };
  warnOfUnknownResources(reporter(document as Document, diagnostics), ['spec'], [rule], types);
  return diagnostics.map(({ path, severity, message, hint }) => `${severity} ${path}: ${message}; ${hint ?? 'no hint'}`);
}

describe('resource rules that match nothing', () => {
  test.each<[readonly string[], readonly string[], string]>([
    [
      [''],
      ['Pod'],
      'warning $.spec[0].resources[0]: there is no resource "Pod" in the core group, so this matches nothing; did you mean pods?',
    ],
    [
      [''],
      ['pods', 'pod'],
      'warning $.spec[0].resources[1]: there is no resource "pod" in the core group, so this matches nothing; did you mean pods?',
    ],
    [
      [''],
      ['deployments'],
      'warning $.spec[0].resources[0]: there is no resource "deployments" in the core group, so this matches nothing; deployments are in the group apps: apiGroups: ["apps"]',
    ],
    [
      ['apps'],
      ['pods/exec'],
      'warning $.spec[0].resources[0]: there is no resource "pods/exec" in the group apps, so this matches nothing; no hint',
    ],
    [
      ['', 'apps'],
      ['gadgets'],
      'warning $.spec[0].resources[0]: there is no resource "gadgets" in the core group or the group apps, so this matches nothing; no hint',
    ],
    [
      ['apps/v1'],
      ['deployments'],
      'warning $.spec[0].apiGroups[0]: there is no API group "apps/v1", so this matches nothing; versions stand in apiVersions: the group is "apps"',
    ],
    [['core'], ['pods'], 'warning $.spec[0].apiGroups[0]: there is no API group "core", so this matches nothing; the core group is ""'],
  ])('%j %j', (groups, resources, expected) => {
    expect(warnings(groups, resources)).toEqual([expected]);
  });
});

test.each<[readonly string[], readonly string[]]>([
  [[''], ['pods', 'pods/exec', 'pods/*', '*/status', '*']],
  [
    ['', 'apps'],
    ['pods', 'deployments'],
  ],
  [['*'], ['anything']],
  [['example.com'], ['widgets']],
  [['', 'example.com'], ['widgets']],
])('%j may have %j', (groups, resources) => {
  expect(warnings(groups, resources)).toEqual([]);
});
