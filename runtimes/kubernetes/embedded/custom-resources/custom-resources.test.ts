import { afterEach, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../server.ts';

let server: EmbeddedServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

interface Answer {
  readonly code: number;
  readonly body: JsonObject;
  readonly warnings: readonly string[];
}

async function call(method: string, path: string, body?: unknown, type = 'application/json', accept = 'application/json'): Promise<Answer> {
  const response = await fetch(`${server?.url}${path}`, {
    method,
    headers: { accept, 'content-type': type },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const warnings = response.headers.get('warning');
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return {
    code: response.status,
    body: isJson ? (JSON.parse(text) as JsonObject) : { text },
    warnings: warnings === null ? [] : [warnings],
  };
}

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

function definition(version: JsonObject = {}, names: JsonObject = {}): JsonObject {
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: { replicas: { type: 'integer', default: 1, maximum: 10 }, image: { type: 'string' } },
          'x-kubernetes-validations': [
            { rule: "self.replicas < 5 || (has(self.image) && self.image != '')", message: 'many need an image' },
          ],
        },
        status: { type: 'object', properties: { replicas: { type: 'integer' }, selector: { type: 'string' } } },
      },
    },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'apps.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'apps', kind: 'App', shortNames: ['ap'], ...names },
      versions: [{ name: 'v1', served: true, storage: true, schema, ...version }],
    },
  };
}

const app = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'example.com/v1',
  kind: 'App',
  metadata: { name: 'a', ...metadata },
  spec,
});
const APPS = '/apis/example.com/v1/namespaces/default/apps';

async function define(object: JsonObject): Promise<void> {
  server = await startEmbeddedServer();
  const created = await call('POST', DEFINITIONS, object);
  expect(created).toMatchObject({ code: 201 });
  await settled(() => established('apps.example.com'));
}

/** What the server does by itself takes turns of the event loop, not time. */
async function settled(done: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 200; turn++) if (await done()) return;
  throw new Error('the server has not settled');
}

async function established(name: string): Promise<boolean> {
  const { body } = await call('GET', `${DEFINITIONS}/${name}`);
  return conditions(body)['Established'] === 'True';
}

function conditions(object: JsonObject): { [type: string]: unknown } {
  const status = object['status'];
  const list = isJsonObject(status) && Array.isArray(status['conditions']) ? (status['conditions'] as readonly JsonObject[]) : [];
  return Object.fromEntries(list.map((condition) => [String(condition['type']), condition['status']]));
}

describe('a CustomResourceDefinition', () => {
  it('gets its names, conditions and stored versions, and is discovered', async () => {
    await define(definition());
    const { body } = await call('GET', `${DEFINITIONS}/apps.example.com`);
    expect(body).toMatchObject({
      spec: { names: { singular: 'app', listKind: 'AppList' }, conversion: { strategy: 'None' } },
      status: {
        acceptedNames: { plural: 'apps', singular: 'app', kind: 'App', listKind: 'AppList', shortNames: ['ap'] },
        storedVersions: ['v1'],
        conditions: [
          { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts' },
          { type: 'Established', status: 'True', reason: 'InitialNamesAccepted' },
        ],
      },
    });
    const found = await call('GET', '/apis/example.com/v1');
    expect(found.body).toMatchObject({ resources: [{ name: 'apps', kind: 'App', shortNames: ['ap'], namespaced: true }] });
  });

  it('is refused for a schema that is not good', async () => {
    server = await startEmbeddedServer();
    const bad = definition({ schema: { openAPIV3Schema: { type: 'object', properties: { spec: { properties: {} } } } } });
    const { code, body } = await call('POST', DEFINITIONS, bad);
    expect(code).toBe(422);
    expect(body['message']).toBe(
      'CustomResourceDefinition.apiextensions.k8s.io "apps.example.com" is invalid: spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields',
    );
  });

  it.each<readonly [string, () => Promise<unknown>, readonly string[]]>([
    ['goes', () => call('DELETE', `${DEFINITIONS}/apps.example.com`), ['ADDED', 'DELETED']],
    [
      'gets another schema',
      async () => {
        const { body } = await call('GET', `${DEFINITIONS}/apps.example.com`);
        const changed = definition({ schema: { openAPIV3Schema: { type: 'object' } } });
        await call('PUT', `${DEFINITIONS}/apps.example.com`, { ...changed, metadata: body['metadata'] as JsonObject });
      },
      ['ADDED'],
    ],
  ])('that %s ends the watches of its objects', async (_, change, expected) => {
    await define(definition());
    expect(await call('POST', APPS, app({}))).toMatchObject({ code: 201 });
    const response = await fetch(`${server!.url}${APPS}?watch=true`);
    await change();
    const lines = (await response.text()).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as JsonObject)['type'])).toEqual(expected);
  });

  it('is told that a webhook will not convert its objects', async () => {
    server = await startEmbeddedServer();
    const base = definition();
    const spec = base['spec'] as JsonObject & { readonly versions: readonly JsonObject[] };
    const clientConfig = { url: 'https://127.0.0.1:1/convert' };
    const conversion = { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig } };
    const versions = [...spec.versions, { ...spec.versions[0], name: 'v2', storage: false }];
    const { code, warnings } = await call('POST', DEFINITIONS, { ...base, spec: { ...spec, conversion, versions } });
    expect(code).toBe(201);
    expect(warnings).toEqual([expect.stringContaining('does not call conversion webhooks') as string]);
  });

  it('waits for a name that another one has, and gets it when that is gone', async () => {
    await define(definition());
    const rival = definition({}, { plural: 'rivals', kind: 'App' });
    const created = await call('POST', DEFINITIONS, { ...rival, metadata: { name: 'rivals.example.com' } });
    expect(created).toMatchObject({ code: 201 });
    await settled(async () => conditions((await call('GET', `${DEFINITIONS}/rivals.example.com`)).body)['NamesAccepted'] === 'False');
    expect(conditions((await call('GET', `${DEFINITIONS}/rivals.example.com`)).body)).toMatchObject({ Established: 'False' });
    await call('DELETE', `${DEFINITIONS}/apps.example.com`);
    await settled(() => established('rivals.example.com'));
  });

  it('takes its objects along when it goes', async () => {
    await define(definition());
    await call('POST', APPS, app({}, { finalizers: ['example.com/hold'] }));
    const { body } = await call('DELETE', `${DEFINITIONS}/apps.example.com`);
    expect(body).toMatchObject({
      metadata: { finalizers: ['customresourcecleanup.apiextensions.k8s.io'] },
      status: { conditions: [{}, {}, { type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending' }] },
    });
    await settled(async () => ((await call('GET', `${APPS}/a`)).body['metadata'] as JsonObject)['deletionTimestamp'] !== undefined);
    expect((await call('POST', APPS, app({}, { name: 'late' }))).code).toBe(405);
    await call('PATCH', `${APPS}/a`, { metadata: { finalizers: null } }, 'application/merge-patch+json');
    await settled(async () => (await call('GET', `${DEFINITIONS}/apps.example.com`)).code === 404);
    expect((await call('GET', APPS)).code).toBe(404);
  });
});

describe('a custom resource', () => {
  it('is pruned, defaulted and validated', async () => {
    await define(definition({ subresources: { status: {} } }));
    const created = await call('POST', `${APPS}?fieldValidation=Warn`, { ...app({ image: 'x', unknown: 1 }), status: { replicas: 9 } });
    expect(created).toMatchObject({
      code: 201,
      body: { metadata: { generation: 1 }, spec: { replicas: 1, image: 'x' } },
      warnings: [expect.stringContaining('unknown field \\"spec.unknown\\"')],
    });
    expect(created.body).not.toHaveProperty('status');
    expect(created.body).not.toHaveProperty('spec.unknown');
    expect((await call('POST', APPS, app({ replicas: 11, image: 'x' }, { name: 'b' }))).body['message']).toBe(
      'App.example.com "b" is invalid: spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10',
    );
    expect((await call('POST', APPS, app({ replicas: 7, image: '' }, { name: 'b' }))).body['message']).toBe(
      'App.example.com "b" is invalid: spec: Invalid value: many need an image',
    );
    expect((await call('POST', `${APPS}?fieldValidation=Strict`, app({ x: 1 }, { name: 'b' }))).body['message']).toContain(
      'strict decoding error: unknown field "spec.x"',
    );
  });

  it('has a status of its own, and counts changes of the rest', async () => {
    await define(definition({ subresources: { status: {} } }));
    await call('POST', APPS, app({ image: 'x' }));
    const merge = 'application/merge-patch+json';
    const status = await call('PATCH', `${APPS}/a/status`, { spec: { image: 'no' }, status: { replicas: 2 } }, merge);
    expect(status).toMatchObject({ code: 200, body: { metadata: { generation: 1 }, spec: { image: 'x' }, status: { replicas: 2 } } });
    const spec = await call('PATCH', `${APPS}/a`, { spec: { image: 'y' }, status: { replicas: 5 } }, merge);
    expect(spec).toMatchObject({ code: 200, body: { metadata: { generation: 2 }, spec: { image: 'y' }, status: { replicas: 2 } } });
    expect((await call('PATCH', `${APPS}/a/status`, { status: { replicas: 'x' } }, merge)).code).toBe(422);
  });

  it('shows its columns', async () => {
    const additionalPrinterColumns = [
      { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
      { name: 'Image', type: 'string', jsonPath: '.spec.image', priority: 1 },
    ];
    await define(definition({ additionalPrinterColumns }));
    await call('POST', APPS, app({}));
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const { body } = await call('GET', APPS, undefined, undefined, table);
    expect(body).toMatchObject({
      kind: 'Table',
      columnDefinitions: [{ name: 'Name' }, { name: 'Replicas', type: 'integer' }, { name: 'Image', priority: 1 }],
      rows: [{ cells: ['a', 1, null] }],
    });
  });

  it('is selected by its fields, and warns of a version that is deprecated', async () => {
    await define(definition({ selectableFields: [{ jsonPath: '.spec.image' }], deprecated: true, deprecationWarning: 'use v2' }));
    await call('POST', APPS, app({ image: 'x' }));
    await call('POST', APPS, app({ image: 'y' }, { name: 'b' }));
    const { body, warnings } = await call('GET', `${APPS}?fieldSelector=spec.image%3Dy`);
    expect(body).toMatchObject({ items: [{ metadata: { name: 'b' } }] });
    expect(warnings).toEqual([expect.stringContaining('use v2')]);
    expect((await call('GET', `${APPS}?fieldSelector=spec.replicas%3D1`)).code).toBe(400);
  });

  it("is warned of finalizers that could be anybody's", async () => {
    await define(definition());
    const { code, warnings } = await call('POST', APPS, app({}, { finalizers: ['hold', 'example.com/hold'] }));
    expect(code).toBe(201);
    expect(warnings).toEqual([expect.stringContaining('prefer a domain-qualified finalizer name to avoid accidental conflicts')]);
  });

  it('is served in all its versions, and stored in one', async () => {
    await define(definition());
    await call('POST', APPS, app({ image: 'x' }));
    const { body } = await call('GET', `${DEFINITIONS}/apps.example.com`);
    const spec = body['spec'] as { versions: JsonObject[] };
    const [v1] = spec.versions;
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { added: { type: 'string', default: 'new' } } } },
      },
    };
    const versions = [
      { ...v1, storage: false },
      { name: 'v2', served: true, storage: true, schema },
    ];
    const updated = await call('PUT', `${DEFINITIONS}/apps.example.com`, { ...body, spec: { ...spec, versions } });
    expect(updated).toMatchObject({ code: 200, body: { status: { storedVersions: ['v1', 'v2'] } } });
    const path = '/apis/example.com/v2/namespaces/default/apps/a';
    await settled(async () => (await call('GET', path)).code === 200);
    expect((await call('GET', path)).body).toMatchObject({ apiVersion: 'example.com/v2', spec: {} });
    expect((await call('GET', `${APPS}/a`)).body).toMatchObject({ apiVersion: 'example.com/v1', spec: { image: 'x', replicas: 1 } });
  });

  it('is applied, with fields owned by managers', async () => {
    await define(definition());
    const apply = (manager: string, object: JsonObject): Promise<Answer> =>
      call('PATCH', `${APPS}/a?fieldManager=${manager}`, object, 'application/apply-patch+yaml');
    expect(await apply('m', app({ image: 'x' }))).toMatchObject({ code: 201, body: { spec: { image: 'x', replicas: 1 } } });
    const again = await apply('m', app({ image: 'x' }));
    expect(again).toMatchObject({ code: 200 });
    expect((await apply('m', app({ image: 'x' }))).body['metadata']).toEqual(again.body['metadata']);
    expect((await apply('o', app({ image: 'y' }))).body['message']).toBe('Apply failed with 1 conflict: conflict with "m": .spec.image');
  });
});
