import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TypeTableData } from './compact-schema.ts';
import type { JsonObject } from './json.ts';
import type { ListSchema, MapSchema, Schema } from './schema.ts';
import { createTypeTable, customResourceTypes, formatApiVersion, parseApiVersion } from './type-table.ts';

const data = JSON.parse(readFileSync(new URL('../../schemas/kubernetes/v1.37.json', import.meta.url), 'utf8')) as TypeTableData;
const table = createTypeTable(data);

const at = (schema: Schema | undefined, ...path: string[]): Schema | undefined => {
  let node = schema;
  for (const name of path) {
    if (node?.kind === 'list') node = node.items;
    node = node?.kind === 'map' ? (node.fields.get(name)?.schema ?? node.rest) : undefined;
  }
  return node;
};

describe('the built-in types', () => {
  const pod = table.kind('', 'v1', 'Pod') as MapSchema;

  it('has the list and map semantics of the API server', () => {
    expect(at(pod, 'spec', 'containers')).toMatchObject({ kind: 'list', listType: 'map', keys: ['name'], strategicKey: 'name' });
    expect(at(pod, 'spec', 'containers', 'ports')).toMatchObject({
      listType: 'map',
      keys: ['containerPort', 'protocol'],
      strategicKey: 'containerPort',
    });
    expect(at(pod, 'spec', 'containers', 'args')).toMatchObject({ listType: 'atomic', strategicKey: undefined });
    expect(at(pod, 'metadata', 'finalizers')).toMatchObject({ listType: 'set', strategicKey: '' });
    expect(at(pod, 'spec', 'nodeSelector')).toMatchObject({ kind: 'map', atomic: true });
    expect(at(pod, 'metadata', 'labels')).toMatchObject({ kind: 'map', atomic: false, rest: { kind: 'string' } });
    expect((at(pod, 'metadata', 'ownerReferences') as ListSchema).items).toMatchObject({ kind: 'map', atomic: true });
    expect(at(pod, 'spec', 'containers', 'resources', 'limits', 'cpu')).toMatchObject({ kind: 'quantity' });
    expect(at(pod, 'spec', 'containers', 'livenessProbe', 'httpGet', 'port')).toMatchObject({ kind: 'int-or-string' });
    expect(at(pod, 'metadata', 'creationTimestamp')).toMatchObject({ kind: 'string', format: 'date-time' });
    expect(at(pod, 'spec', 'nope')).toBeUndefined();
  });

  it('names and shares its structures', () => {
    const spec = at(pod, 'spec');
    expect(spec).toMatchObject({ name: 'core.v1.PodSpec', required: ['containers'] });
    expect(at(table.kind('apps', 'v1', 'Deployment'), 'spec', 'template', 'spec')).toBe(spec);
    expect(table.definition('core.v1.PodSpec')).toBe(spec);
  });

  it('follows recursive types', () => {
    const crd = table.kind('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition');
    const root = at(crd, 'spec', 'versions', 'schema', 'openAPIV3Schema');
    expect(at(root, 'properties', 'x', 'properties', 'y', 'additionalProperties')).toMatchObject({ kind: 'any' });
    expect(at(root, 'properties', 'x', 'not')).toBe(root);
  });

  it('expands every definition', () => {
    const seen = new Set<Schema>();
    const walk = (schema: Schema): void => {
      if (seen.has(schema)) return;
      seen.add(schema);
      expect(['string', 'integer', 'number', 'boolean', 'int-or-string', 'quantity', 'list', 'map', 'any']).toContain(schema.kind);
      if (schema.kind === 'list') walk(schema.items);
      if (schema.kind === 'map') {
        for (const field of schema.fields.values()) walk(field.schema);
        if (schema.rest) walk(schema.rest);
      }
    };
    for (const name of Object.keys(data.definitions)) walk(table.definition(name) as Schema);
    for (const [, text] of JSON.stringify(data.definitions).matchAll(/"#([^"]+)"|"ref":"([^"]+)"/g))
      if (text) expect(data.definitions).toHaveProperty([text]);
    expect(seen.size).toBeGreaterThan(1000);
  });

  it('knows resources and subresources', () => {
    expect(table.resource('', 'v1', 'pods')).toEqual({
      group: '',
      version: 'v1',
      resource: 'pods',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      namespaced: true,
    });
    expect(table.resource('', 'v1', 'pods/exec')?.kind.kind).toBe('PodExecOptions');
    expect(table.resource('', 'v1', 'pods/eviction')?.kind).toEqual({ group: 'policy', version: 'v1', kind: 'Eviction' });
    expect(table.resource('', 'v1', 'pods/ephemeralcontainers')?.kind.kind).toBe('Pod');
    expect(table.resource('apps', 'v1', 'deployments/scale')?.kind).toEqual({ group: 'autoscaling', version: 'v1', kind: 'Scale' });
    expect(table.resource('', 'v1', 'namespaces')?.namespaced).toBe(false);
    expect(table.resource('', 'v1', 'pods/nope')).toBeUndefined();
    expect(table.resource('', 'v1', 'constructor')).toBeUndefined();
    expect(table.resourceOf('apps', 'v1', 'Deployment')?.resource).toBe('deployments');
    expect(table.resourceOf('policy', 'v1', 'Eviction')).toBeUndefined();
    expect(table.versions('autoscaling')).toEqual(['v1', 'v2']);
    expect([...table.resources()].length).toBeGreaterThan(100);
    for (const { kind } of table.resources()) expect(table.kind(kind.group, kind.version, kind.kind), JSON.stringify(kind)).toBeDefined();
  });

  it('types what CONNECT requests carry', () => {
    expect(at(table.kind('', 'v1', 'PodExecOptions'), 'command')).toMatchObject({ kind: 'list', items: { kind: 'string' } });
  });
});

describe('customResourceTypes', () => {
  const crd = (schema: JsonObject): JsonObject => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Thing', plural: 'things' },
      versions: [{ name: 'v1', served: true, schema: { openAPIV3Schema: schema }, subresources: { status: {}, scale: {} } }],
    },
  });
  const typed = createTypeTable(
    data,
    customResourceTypes([
      crd({
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            required: ['size'],
            properties: {
              size: { type: 'integer', format: 'int32', default: 1 },
              port: { 'x-kubernetes-int-or-string': true },
              free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: { type: 'string' } } },
              tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
              parts: {
                type: 'array',
                items: { type: 'object', properties: { id: { type: 'string' } } },
                'x-kubernetes-list-type': 'map',
                'x-kubernetes-list-map-keys': ['id'],
              },
              template: { type: 'object', 'x-kubernetes-embedded-resource': true },
              atom: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
              whatever: { 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      }),
    ]),
  );
  const thing = typed.kind('example.com', 'v1', 'Thing') as MapSchema;

  it('reads a structural schema', () => {
    expect(at(thing, 'metadata', 'labels', 'x')).toMatchObject({ kind: 'string' });
    expect(at(thing, 'kind')).toMatchObject({ kind: 'string' });
    expect((at(thing, 'spec') as MapSchema).required).toEqual(['size']);
    expect((at(thing, 'spec') as MapSchema).fields.get('size')).toMatchObject({ schema: { kind: 'integer', format: 'int32' }, default: 1 });
    expect(at(thing, 'spec', 'port')).toMatchObject({ kind: 'int-or-string' });
    expect(at(thing, 'spec', 'free', 'unknown')).toMatchObject({ kind: 'any' });
    expect(at(thing, 'spec', 'free', 'a')).toMatchObject({ kind: 'string' });
    expect(at(thing, 'spec', 'tags')).toMatchObject({ listType: 'set' });
    expect(at(thing, 'spec', 'parts')).toMatchObject({ listType: 'map', keys: ['id'] });
    expect(at(thing, 'spec', 'template', 'metadata', 'name')).toMatchObject({ kind: 'string' });
    expect(at(thing, 'spec', 'atom')).toMatchObject({ kind: 'map', atomic: true });
    expect(at(thing, 'spec', 'whatever')).toMatchObject({ kind: 'any' });
    expect(at(thing, 'spec', 'nope')).toBeUndefined();
  });

  it('knows its resource', () => {
    expect(typed.resource('example.com', 'v1', 'things/scale')?.kind.kind).toBe('Scale');
    expect(typed.resourceOf('example.com', 'v1', 'Thing')).toMatchObject({ resource: 'things', namespaced: true });
    expect(typed.typeOf({ apiVersion: 'example.com/v1', kind: 'Thing' })).toBe(thing);
    expect(typed.typeOf({ apiVersion: 'example.com/v2', kind: 'Thing' })).toBeUndefined();
  });

  it('is told from the built-in kinds', () => {
    expect([typed.isBuiltIn('example.com', 'v1', 'Thing'), typed.isBuiltIn('apps', 'v1', 'Deployment')]).toEqual([false, true]);
  });

  it('passes over what is no definition', () => {
    expect(customResourceTypes([{}, { spec: null }, { spec: { names: {}, versions: [1] } }, crd('x' as never)]).kinds).toEqual({});
  });
});

it('writes and reads api versions', () => {
  expect([formatApiVersion('', 'v1'), formatApiVersion('apps', 'v1')]).toEqual(['v1', 'apps/v1']);
  expect([parseApiVersion('v1'), parseApiVersion('a.b/v1')]).toEqual([
    { group: '', version: 'v1' },
    { group: 'a.b', version: 'v1' },
  ]);
});
