import { expect, test } from 'vitest';
import { compileBundle } from '../../engine/bundle/compile.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import { combineBundles } from './combine-bundles.ts';

const bundle = (name: string) =>
  compileBundle(
    parseYaml({
      name: `${name}.yaml`,
      text: `apiVersion: fairlead.dev/v1alpha1
kind: RuleBundle
metadata: { name: ${name} }
---
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: ${name}-rule }
spec:
  resource: { group: ${name}.example.com, version: v1, kind: Thing }
`,
    }).documents,
  );

test('reconcile rules keep the name of the bundle they came in', () => {
  const { name, program } = combineBundles([bundle('a'), bundle('b')]);
  expect(name).toBe('a, b');
  expect(program?.reconcile.rules.map((rule) => [rule.name, rule.bundle])).toEqual([
    ['a-rule', 'a'],
    ['b-rule', 'b'],
  ]);
});
