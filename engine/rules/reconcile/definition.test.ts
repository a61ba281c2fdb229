import { describe, expect, test } from 'vitest';
import { type Json, type JsonObject, ownValue } from '../../object/json.ts';
import { ruleOf, ruleText } from './compile.fixture.ts';

const definitionOf = (resource: string, spec = ''): JsonObject =>
  ruleOf(ruleText(spec, `resource:\n  group: a.example.com\n  version: v1\n  kind: App\n${resource.replace(/^(?=.)/gm, '  ')}`))
    .definition!;

function at(value: Json | undefined, ...path: readonly (string | number)[]): Json | undefined {
  let found = value;
  for (const segment of path)
    found = typeof found === 'object' && found !== null ? ownValue(found as JsonObject, String(segment)) : undefined;
  return found;
}

const version = ['spec', 'versions', 0] as const;
const schema = [...version, 'schema', 'openAPIV3Schema', 'properties'] as const;
const specOf = (spec: string) => at(definitionOf(`spec: ${spec}`), ...schema, 'spec');

test('names', () => {
  const definition = definitionOf('shortNames: [ap]\ncategories: [all]\nlabels: { team: x }');
  expect(definition['metadata']).toEqual({ name: 'apps.a.example.com', labels: { team: 'x' } });
  expect(at(definition, 'spec', 'names')).toEqual({
    kind: 'App',
    listKind: 'AppList',
    plural: 'apps',
    singular: 'app',
    shortNames: ['ap'],
    categories: ['all'],
  });
  expect(at(definition, 'spec', 'scope')).toBe('Namespaced');
  expect(at(definitionOf('scope: Cluster\nplural: appz'), 'metadata', 'name')).toBe('appz.a.example.com');
});

describe('the schema of', () => {
  test.each<[string, unknown]>([
    ['{ a: string }', { type: 'object', properties: { a: { type: 'string' } } }],
    ['{ a: "string | required" }', { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }],
    ['{ a: "string | required default=x" }', { type: 'object', properties: { a: { type: 'string', default: 'x' } }, default: {} }],
    [
      '{ t: { enabled: "boolean | default=true" } }',
      {
        type: 'object',
        properties: { t: { type: 'object', properties: { enabled: { type: 'boolean', default: true } }, default: {} } },
        default: {},
      },
    ],
    [
      '{ t: { enabled: "boolean | default=true", x: "string | required" } }',
      {
        type: 'object',
        properties: {
          t: { type: 'object', properties: { enabled: { type: 'boolean', default: true }, x: { type: 'string' } }, required: ['x'] },
        },
      },
    ],
    [
      '{ l: "[]string | uniqueItems" }',
      { type: 'object', properties: { l: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' } } },
    ],
    [
      '{ l: [{ name: string }] }',
      { type: 'object', properties: { l: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } } } },
    ],
    [
      '{ m: "map[string][]integer" }',
      { type: 'object', properties: { m: { type: 'object', additionalProperties: { type: 'array', items: { type: 'integer' } } } } },
    ],
    ['{ q: quantity }', { type: 'object', properties: { q: { 'x-kubernetes-int-or-string': true } } }],
    [
      '{ a: "string | immutable" }',
      {
        type: 'object',
        properties: {
          a: {
            type: 'string',
            'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'field is immutable' }],
          },
        },
      },
    ],
    ['{ openAPIV3Schema: { type: object, maxProperties: 3 } }', { type: 'object', maxProperties: 3 }],
    ['any', { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }],
  ])('%s', (spec, expected) => {
    expect(specOf(spec)).toEqual(expected);
  });

  test('status always has conditions, and a fresh object is not ready', () => {
    const status = at(definitionOf('status: { count: integer }'), ...schema, 'status');
    expect(Object.keys(at(status, 'properties') as JsonObject)).toEqual(['count', 'conditions', 'observedGeneration']);
    expect(at(status, 'default', 'conditions', 0)).toMatchObject({ type: 'Ready', status: 'Unknown' });
  });

  test('status follows from its template where the rule does not say', () => {
    const text =
      'status: { name: "${self.metadata.name}", text: "is ${self.metadata.name}", count: "${1 + 1}", at: "${now}", list: "${[\'a\']}", nested: { enabled: "${true}" } }';
    expect(at(definitionOf('spec: {}', text), ...schema, 'status', 'properties')).toMatchObject({
      name: {},
      text: { type: 'string' },
      count: { type: 'integer' },
      at: { type: 'string', format: 'date-time' },
      list: { type: 'array', items: { type: 'string' } },
      nested: { type: 'object', properties: { enabled: { type: 'boolean' } } },
    });
  });
});

test('columns take their types from the schema, and Ready and Age follow', () => {
  const definition = definitionOf(
    'spec: { count: integer, at: "string | format=date-time" }\nprinterColumns: [{ name: Count, path: .spec.count }, { name: At, path: .spec.at, priority: 1 }, { name: X, path: ".spec.x[0]" }]',
  );
  expect(at(definition, ...version, 'additionalPrinterColumns')).toEqual([
    { name: 'Count', type: 'integer', jsonPath: '.spec.count' },
    { name: 'At', type: 'date', jsonPath: '.spec.at', priority: 1 },
    { name: 'X', type: 'string', jsonPath: '.spec.x[0]' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ]);
});
