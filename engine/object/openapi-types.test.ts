import { expect, test } from 'vitest';
import { openApiTypes } from './openapi-types.ts';
import { createTypeTable } from './type-table.ts';

const gvk = (group: string, version: string, kind: string) => ({ 'x-kubernetes-group-version-kind': [{ group, version, kind }] });
const document = (schemas: object) => ({ openapi: '3.0.0', components: { schemas } });

test('kinds and what they refer to', () => {
  const types = openApiTypes([
    document({
      'io.k8s.api.apps.v1.Deployment': {
        type: 'object',
        properties: { spec: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec' }], default: {} } },
        ...gvk('apps', 'v1', 'Deployment'),
      },
      'io.k8s.api.apps.v1.DeploymentSpec': { type: 'object', properties: { replicas: { type: 'integer', format: 'int32' } } },
      'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions': { type: 'object', ...gvk('apps', 'v1', 'DeleteOptions') },
    }),
    document({
      'com.example.apps.v1.MyApp': { type: 'object', properties: { size: { type: 'string' } }, ...gvk('apps.example.com', 'v1', 'MyApp') },
    }),
  ]);
  expect(types.kinds).toEqual({ 'apps/v1/Deployment': 'apps.v1.Deployment', 'apps.example.com/v1/MyApp': 'apps.v1.MyApp' });
  const table = createTypeTable({ kubernetes: 'v1.37.2', ...types, resources: {} });
  const spec = table.kind('apps', 'v1', 'Deployment')?.fields.get('spec')?.schema;
  expect(spec?.kind === 'map' ? spec.fields.get('replicas')?.schema : undefined).toMatchObject({ kind: 'integer', format: 'int32' });
});

test('a name that two groups make use of stays whole for the second', () => {
  const schema = (group: string) => ({ type: 'object', ...gvk(group, 'v1', 'Thing') });
  const { kinds } = openApiTypes([
    document({ 'com.a.apps.v1.Thing': schema('apps.a.com') }),
    document({ 'com.b.apps.v1.Thing': schema('apps.b.com') }),
  ]);
  expect(kinds).toEqual({ 'apps.a.com/v1/Thing': 'apps.v1.Thing', 'apps.b.com/v1/Thing': 'com.b.apps.v1.Thing' });
});

test.each([[null], [[]], ['x'], [{ components: 1 }], [{ components: { schemas: { a: 1 } } }]])('%j is passed over', (document) => {
  expect(openApiTypes([document])).toEqual({ definitions: {}, kinds: {} });
});
