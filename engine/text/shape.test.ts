import { describe, expect, expectTypeOf, test } from 'vitest';
import type { Infer } from './shape.ts';
import * as shape from './shape.ts';
import { checkShape } from './shape-check.ts';
import { suggest } from './suggest.ts';
import { parseYaml } from './yaml.ts';

const rule = shape.object({
  apiVersion: shape.oneOf('fairlead.dev/v1alpha1'),
  metadata: shape.object({
    name: shape.string({ pattern: /^[a-z0-9-]+$/, patternName: 'a DNS label', maxLength: 63, doc: 'Name of the rule.' }),
    labels: shape.optional(shape.map(shape.string())),
  }),
  spec: shape.object({
    replicas: shape.defaulted(shape.integer({ minimum: 0, maximum: 10 }), 1),
    ratio: shape.optional(shape.number()),
    enabled: shape.optional(shape.boolean()),
    actions: shape.optional(shape.list(shape.oneOf('Deny', 'Warn', 'Audit'), { minItems: 1, maxItems: 2 })),
    port: shape.optional(shape.union(shape.integer(), shape.string())),
    mutations: shape.optional(
      shape.list(
        shape.choice(
          { apply: shape.any(), set: shape.object({ path: shape.string(), value: shape.any() }) },
          { when: shape.optional(shape.string()) },
        ),
      ),
    ),
  }),
});

/** Problems of a document with `spec` as given: `code path "marked text": message (hint)`. */
function problems(spec: string, head = 'apiVersion: fairlead.dev/v1alpha1\nmetadata: {name: x}\n'): string[] {
  const text = `${head}${spec}`;
  const { documents, diagnostics } = parseYaml({ name: 'x.yaml', text });
  expect(diagnostics).toEqual([]);
  return checkShape(rule, documents[0]!).diagnostics.map(
    (d) => `${d.code} ${d.path} ${JSON.stringify(text.slice(d.span?.start, d.span?.end))}: ${d.message}${d.hint ? ` (${d.hint})` : ''}`,
  );
}

describe('what fits', () => {
  test('comes back typed, with defaults, without nulls', () => {
    const { documents } = parseYaml({
      name: 'x.yaml',
      text: 'apiVersion: fairlead.dev/v1alpha1\nmetadata: {name: x, labels: {__proto__: a}}\nspec: {ratio: ~, actions: [Deny], mutations: [{set: {path: a, value: 1}}]}\n',
    });
    const { value, diagnostics } = checkShape(rule, documents[0]!);
    expect(diagnostics).toEqual([]);
    expect(value?.spec).toEqual({ replicas: 1, actions: ['Deny'], mutations: [{ set: { path: 'a', value: 1 } }] });
    expect(Object.hasOwn(value?.metadata.labels ?? {}, '__proto__')).toBe(true);
    type Spec = Infer<typeof rule>['spec'];
    expectTypeOf<Spec['replicas']>().toEqualTypeOf<number>();
    expectTypeOf<Spec['port']>().toEqualTypeOf<number | string | undefined>();
    expectTypeOf<Spec['actions']>().toEqualTypeOf<readonly ('Deny' | 'Warn' | 'Audit')[] | undefined>();
    const mutation = value?.spec.mutations?.[0];
    if (mutation?.set !== undefined) expectTypeOf(mutation.set.path).toEqualTypeOf<string>();
  });

  test('shapes may contain themselves', () => {
    interface Tree {
      readonly children?: readonly Tree[];
    }
    const tree: shape.Shape<Tree> = shape.named(
      'Tree',
      () => shape.object({ children: shape.optional(shape.list(tree)) }) as shape.Shape<Tree>,
    );
    const good = parseYaml({ name: 'x', text: 'children: [{children: [{}]}]' }).documents[0]!;
    expect(checkShape(tree, good).diagnostics).toEqual([]);
    const bad = parseYaml({ name: 'x', text: 'children: [{children: [{childen: []}]}]' }).documents[0]!;
    expect(checkShape(tree, bad).diagnostics.map((d) => [d.path, d.hint])).toEqual([
      ['$.children[0].children[0].childen', 'did you mean children?'],
    ]);
  });
});

describe('what does not fit', () => {
  test.each<[string, string[]]>([
    [
      'spec: {replcas: 1, enable: true, zzz: 1}',
      [
        'schema-unknown-field $.spec.replcas "replcas": unknown field "replcas" (did you mean replicas?)',
        'schema-unknown-field $.spec.enable "enable": unknown field "enable" (did you mean enabled?)',
        'schema-unknown-field $.spec.zzz "zzz": unknown field "zzz" (known fields: replicas, ratio, enabled, actions, port, mutations)',
      ],
    ],
    [
      'spec: {replicas: "1", enabled: "true", ratio: [1], port: true}',
      [
        'schema-wrong-type $.spec.replicas "\\"1\\"": expected an integer, found a string: "1" (remove the quotes)',
        'schema-wrong-type $.spec.enabled "\\"true\\"": expected a boolean, found a string: "true" (remove the quotes)',
        'schema-wrong-type $.spec.ratio "[1]": expected a number, found a list (remove the dash: this is not a list)',
        'schema-wrong-type $.spec.port "true": expected an integer or a string, found a boolean: true (quote it: "true")',
      ],
    ],
    ['spec: {replicas: 1.5}', ['schema-wrong-type $.spec.replicas "1.5": expected an integer, found a number: 1.5']],
    ['spec: {replicas: 11}', ['schema-out-of-range $.spec.replicas "11": must be between 0 and 10, is 11']],
    [
      'spec: {actions: Deny}',
      ['schema-wrong-type $.spec.actions "Deny": expected a list, found a string: "Deny" (put it into a list: [Deny])'],
    ],
    [
      'spec: {actions: [deny]}',
      ['schema-not-allowed $.spec.actions[0] "deny": expected one of Deny, Warn, Audit, found "deny" (did you mean Deny?)'],
    ],
    ['spec: {actions: []}', ['schema-too-few-items $.spec.actions "[]": must have at least 1 item']],
    ['spec: {mutations: [{}]}', ['schema-choice $.spec.mutations[0] "{}": expected exactly one of apply, set, found none']],
    [
      'spec: {mutations: [{aply: 1}]}',
      ['schema-unknown-field $.spec.mutations[0].aply "aply": unknown field "aply" (did you mean apply?)'],
    ],
    [
      'spec: {mutations: [{apply: 1, set: {path: x}}]}',
      ['schema-choice $.spec.mutations[0].set "set": expected exactly one of apply, set, found apply and set'],
    ],
    ['{}', ['schema-missing-field $ "apiVersion: fairlead.dev/v1alpha1": missing field spec (expected an object)']],
    ['spec:', ['schema-missing-field $.spec "spec": field spec has no value (expected an object)']],
  ])('%s', (spec, expected) => {
    if (spec === '{}') expect(problems('')).toEqual(expected);
    else expect(problems(spec)).toEqual(expected);
  });

  test('text', () => {
    expect(problems('spec: {}', 'apiVersion: v1\nmetadata: {name: A_B}\n')).toEqual([
      'schema-not-allowed $.apiVersion "v1": expected fairlead.dev/v1alpha1, found "v1"',
      'schema-pattern $.metadata.name "A_B": expected a DNS label, found "A_B"',
    ]);
  });

  test('a check beyond the shape', () => {
    const ordered = shape.refine(shape.object({ low: shape.integer(), high: shape.integer() }), ({ low, high }) =>
      low <= high ? [] : [{ path: ['low'], code: 'schema-order', message: 'low is above high' }],
    );
    const text = 'low: 2\nhigh: 1\n';
    const [problem] = checkShape(ordered, parseYaml({ name: 'x', text }).documents[0]!).diagnostics;
    expect([problem?.path, problem?.message]).toEqual(['$.low', 'low is above high']);
  });
});

test.each([
  ['replcas', 'replicas'],
  ['matchcondition', 'matchConditions'],
  ['match-conditions', 'matchConditions'],
  ['x', undefined],
  ['specc', 'spec'],
])('%s was meant to be %s', (name, expected) => {
  expect(suggest(name, ['replicas', 'matchConditions', 'spec'])).toBe(expected);
});
