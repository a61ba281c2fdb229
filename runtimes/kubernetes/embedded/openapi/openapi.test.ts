import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../engine/object/json.ts';
import { compactOpenApi } from '../../../../engine/object/openapi-schema.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../server.ts';

let server: EmbeddedServer;

beforeAll(async () => {
  server = await startEmbeddedServer();
});
afterAll(() => server.close());

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url + path, { headers, redirect: 'manual' });
const json = async (path: string): Promise<JsonObject> => (await (await get(path)).json()) as JsonObject;

/** Every `$ref` within a document. */
function references(text: string): Set<string> {
  return new Set(Array.from(text.matchAll(/"\$ref":"([^"]+)"/g), (match) => match[1] as string));
}

describe('OpenAPI v3', () => {
  it('lists its documents by addresses that change with them', async () => {
    const { paths } = (await json('/openapi/v3')) as { paths: { [path: string]: { serverRelativeURL: string } } };
    const { serverRelativeURL } = paths['apis/apps/v1'] as { serverRelativeURL: string };
    expect(serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/);
    const fixed = await get(serverRelativeURL);
    expect([fixed.status, fixed.headers.get('cache-control')]).toEqual([200, 'public, immutable']);
    const old = await get('/openapi/v3/apis/apps/v1?hash=OLD');
    expect([old.status, old.headers.get('location')]).toEqual([301, serverRelativeURL]);
    const etag = fixed.headers.get('etag') ?? '';
    expect((await get('/openapi/v3/apis/apps/v1', { 'if-none-match': etag })).status).toBe(304);
    expect((await get('/openapi/v3/apis/apps/v9')).status).toBe(404);
  });

  it('says what clients look for: kinds, operations and their parameters, how lists merge', async () => {
    const document = (await json('/openapi/v3/apis/apps/v1')) as {
      paths: { [path: string]: { [operation: string]: JsonObject } };
      components: { schemas: { [name: string]: JsonObject } };
    };
    const patch = document.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.['patch'];
    expect(patch).toMatchObject({
      operationId: 'patchAppsV1NamespacedDeployment',
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group: 'apps', version: 'v1', kind: 'Deployment' },
    });
    expect(patch?.['parameters']).toContainEqual({ in: 'query', name: 'fieldValidation', schema: { type: 'string', uniqueItems: true } });
    const { schemas } = document.components;
    expect(schemas['io.k8s.api.core.v1.PodSpec']?.['properties']).toMatchObject({
      // What is no pointer in Go is there even where nobody gives it.
      containers: { items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Container' }], default: {} } },
      affinity: { $ref: '#/components/schemas/io.k8s.api.core.v1.Affinity' },
    });
    expect(schemas['io.k8s.api.apps.v1.Deployment']?.['x-kubernetes-group-version-kind']).toEqual([
      { group: 'apps', version: 'v1', kind: 'Deployment' },
    ]);
    expect(schemas['io.k8s.api.core.v1.PodSpec']).toMatchObject({
      properties: { containers: { 'x-kubernetes-list-type': 'map', 'x-kubernetes-patch-merge-key': 'name' } },
    });
    expect(compactOpenApi(schemas['io.k8s.api.apps.v1.DeploymentStrategy'] as JsonObject)).toMatchObject({ fields: { type: 'string' } });
  });

  it('has every schema that it refers to', async () => {
    const { paths } = (await json('/openapi/v3')) as { paths: { [path: string]: { serverRelativeURL: string } } };
    for (const { serverRelativeURL } of Object.values(paths)) {
      const text = await (await get(serverRelativeURL)).text();
      const { components } = JSON.parse(text) as { components: { schemas: { [name: string]: JsonObject } } };
      const missing = [...references(text)].filter(
        (reference) => !Object.hasOwn(components.schemas, reference.slice('#/components/schemas/'.length)),
      );
      expect([serverRelativeURL, missing]).toEqual([serverRelativeURL, []]);
    }
  });
});

describe('OpenAPI v2', () => {
  it('is one document in JSON, with every definition that it refers to', async () => {
    const response = await get('/openapi/v2');
    const text = await response.text();
    const document = JSON.parse(text) as { swagger: string; definitions: { [name: string]: JsonObject }; paths: JsonObject };
    expect(document.swagger).toBe('2.0');
    expect(Object.keys(document.paths)).toContain('/api/v1/namespaces/{namespace}/pods/{name}');
    expect(
      [...references(text)].filter((reference) => !Object.hasOwn(document.definitions, reference.slice('#/definitions/'.length))),
    ).toEqual([]);
    expect((await get('/openapi/v2', { 'if-none-match': response.headers.get('etag') ?? '' })).status).toBe(304);
  });

  it('is not there in protobuf', async () => {
    expect((await get('/openapi/v2', { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' })).status).toBe(406);
  });
});

describe('custom resources', () => {
  const schema = {
    type: 'object',
    description: 'An app',
    properties: {
      spec: {
        type: 'object',
        required: ['size'],
        properties: {
          size: { type: 'integer', default: 1 },
          mode: { type: 'string', nullable: true, format: 'own' },
          any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: { type: 'string' } } },
        },
        oneOf: [{ required: ['mode'] }, { required: ['size'] }],
      },
    },
  };

  beforeAll(async () => {
    const names = { plural: 'apps', kind: 'App' };
    const versions = [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, selectableFields: [{ jsonPath: '.spec.size' }] },
    ];
    await fetch(`${server.url}/apis/apiextensions.k8s.io/v1/customresourcedefinitions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'apps.example.com' },
        spec: { group: 'example.com', scope: 'Namespaced', names, versions },
      }),
    });
    for (let turn = 0; turn < 200; turn++) if ((await get('/apis/example.com/v1')).status === 200) return;
  });

  it('are published as they are in v3', async () => {
    const { components } = (await json('/openapi/v3/apis/example.com/v1')) as { components: { schemas: { [name: string]: JsonObject } } };
    const app = components.schemas['com.example.v1.App'] as JsonObject;
    expect(app).toMatchObject({
      description: 'An app',
      properties: { spec: schema.properties.spec, apiVersion: { type: 'string' }, metadata: { allOf: [{}] } },
      'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'App' }],
      'x-kubernetes-selectable-fields': [{ fieldPath: 'spec.size' }],
    });
    expect(components.schemas).toHaveProperty(['com.example.v1.AppList']);
  });

  it('are published in v2 without what that does not know', async () => {
    const { definitions } = (await json('/openapi/v2')) as { definitions: { [name: string]: { properties?: JsonObject } } };
    expect(definitions['com.example.v1.App']?.properties?.['spec']).toEqual({
      type: 'object',
      required: ['size'],
      properties: { size: { type: 'integer' }, mode: {}, any: { 'x-kubernetes-preserve-unknown-fields': true } },
    });
  });
});
