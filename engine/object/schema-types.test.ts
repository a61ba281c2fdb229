import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CelType, formatType } from '../cel/types.ts';
import type { TypeTableData } from './compact-schema.ts';
import { escapePropertyName, unescapePropertyName } from './property-name.ts';
import type { Schema } from './schema.ts';
import { createSchemaTypes, type SchemaTypes } from './schema-types.ts';
import { createTypeTable, customResourceTypes } from './type-table.ts';

const data = JSON.parse(readFileSync(new URL('../../schemas/kubernetes/v1.37.json', import.meta.url), 'utf8')) as TypeTableData;
const table = createTypeTable(
  data,
  customResourceTypes([
    {
      spec: {
        group: 'example.com',
        names: { kind: 'Thing', plural: 'things' },
        versions: [
          {
            name: 'v1',
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: {
                    type: 'object',
                    properties: {
                      'foo-bar': { type: 'string' },
                      in: { type: 'object', properties: { a: { type: 'number' } } },
                      nodes: { type: 'array', items: { type: 'object', properties: { b: { type: 'boolean' } } } },
                    },
                  },
                  free: { type: 'object', properties: { a: { type: 'string' } }, 'x-kubernetes-preserve-unknown-fields': true },
                },
              },
            },
          },
        ],
      },
    },
  ]),
);

const typeAt = (types: SchemaTypes, root: Schema | undefined, path: string): string => {
  let type: CelType | undefined = root && types.typeOf(root);
  for (const name of path === '' ? [] : path.split('.')) {
    if (type?.kind === 'list') type = type.element;
    if (type?.kind === 'map') type = type.value;
    else if (type?.kind === 'object') {
      const struct = types.structType(type.name);
      type = struct?.field(name) ?? (struct?.open ? { kind: 'dyn' } : undefined);
    } else type = undefined;
  }
  return type === undefined ? 'none' : formatType(type);
};

const pod = table.kind('', 'v1', 'Pod');
const thing = table.kind('example.com', 'v1', 'Thing');
const crd = table.kind('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition');

// The right column is what the type checking of a live API server 1.37.2 takes these fields for.
describe('createSchemaTypes', () => {
  it.each<[string, Schema | undefined, string, string]>([
    ['', pod, 'core.v1.Pod', 'core.v1.Pod'],
    ['spec.containers', pod, 'list(core.v1.Container)', 'list(core.v1.Container)'],
    ['spec.containers.image', pod, 'string', 'string'],
    ['spec.hostNetwork', pod, 'bool', 'bool'],
    ['spec.containers.ports.containerPort', pod, 'int', 'int'],
    ['metadata.labels', pod, 'map(string, string)', 'map(string, string)'],
    ['metadata.namespace', pod, 'string', 'string'],
    ['metadata.__namespace__', pod, 'none', 'string'],
    ['metadata.creationTimestamp', pod, 'string', 'timestamp'],
    ['spec.containers.livenessProbe.httpGet.port', pod, 'dyn', 'dyn'],
    ['spec.containers.resources.limits', pod, 'map(string, dyn)', 'none'],
    ['spec.nope', pod, 'none', 'none'],
    ['data', table.kind('', 'v1', 'Secret'), 'map(string, string)', 'map(string, bytes)'],
    ['spec.versions.schema.openAPIV3Schema.maximum', crd, 'dyn', 'double'],
    ['spec.versions.schema.openAPIV3Schema.default', crd, 'dyn', 'none'],
    ['spec.versions.schema.openAPIV3Schema.properties.x.type', crd, 'string', 'none'],
    ['metadata.managedFields.fieldsV1.x', pod, 'dyn', 'none'],
    ['data.x', table.kind('apps', 'v1', 'ControllerRevision'), 'none', 'none'],
    ['spec.foo-bar', thing, 'string', 'none'],
    ['spec.foo__dash__bar', thing, 'none', 'string'],
    ['spec.in.a', thing, 'dyn', 'double'],
    ['spec.__in__.a', thing, 'none', 'double'],
    ['spec.nodes.b', thing, 'bool', 'bool'],
    ['free.a', thing, 'string', 'string'],
    ['free.other', thing, 'dyn', 'none'],
    ['metadata.name', thing, 'string', 'string'],
  ])('%s', (path, schema, values, apiserver) => {
    expect([typeAt(createSchemaTypes('values'), schema, path), typeAt(createSchemaTypes('apiserver'), schema, path)]).toEqual([
      values,
      apiserver,
    ]);
  });

  it('gives recursive types one name', () => {
    const types = createSchemaTypes('values');
    const path = 'spec.versions.schema.openAPIV3Schema';
    expect(typeAt(types, crd, `${path}.not.not`)).toBe(typeAt(types, crd, path));
  });

  it('names the structures of a schema by their place, and tells schemas apart', () => {
    const types = createSchemaTypes('values');
    expect(typeAt(types, thing, 'spec.in')).toBe('example.com.v1.Thing.spec.in');
    const anonymous = (): Schema => ({
      kind: 'map',
      name: undefined,
      fields: new Map(),
      rest: undefined,
      atomic: false,
      required: [],
      embedded: false,
    });
    expect([typeAt(types, anonymous(), ''), typeAt(types, anonymous(), '')]).toEqual(['object', 'object#2']);
  });

  it('lists fields for suggestions', () => {
    const types = createSchemaTypes('values');
    types.typeOf(pod as Schema);
    expect([...(types.structType('core.v1.Pod')?.fieldNames() ?? [])].sort()).toEqual(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  });
});

describe('escapePropertyName', () => {
  it.each([
    ['plain', 'plain'],
    ['a__b', 'a__underscores__b'],
    ['a_b', 'a_b'],
    ['a.b-c/d', 'a__dot__b__dash__c__slash__d'],
    ['namespace', '__namespace__'],
    ['namespaces', 'namespaces'],
    ['$ref', undefined],
    ['1a', undefined],
    ['', undefined],
    ['é', undefined],
  ])('%s is %s', (name, escaped) => {
    expect(escapePropertyName(name)).toBe(escaped);
    if (escaped !== undefined) expect(unescapePropertyName(escaped)).toBe(name);
  });

  it('law: escapes come back, and no two names share one', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z._/-][a-z0-9._/-]{0,8}$/), (name) => {
        const escaped = escapePropertyName(name) as string;
        return /^[A-Za-z_][A-Za-z0-9_]*$/.test(escaped) && unescapePropertyName(escaped) === name;
      }),
      { numRuns: 2000 },
    );
    expect(unescapePropertyName('a__nope__')).toBeUndefined();
  });
});
