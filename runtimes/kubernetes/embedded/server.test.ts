import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../engine/object/json.ts';
import { type ManualClock, manualClock } from '../../host/clock.ts';
import { type EmbeddedServer, startEmbeddedServer } from './server.ts';

let server: EmbeddedServer;
let clock: ManualClock;
beforeEach(async () => {
  clock = manualClock(Date.parse('2030-01-01T00:00:00Z'));
  server = await startEmbeddedServer({ clock, historyLimit: 20 });
});
afterEach(() => server.close());

interface Answer {
  readonly code: number;
  readonly body: JsonObject;
  readonly headers: Headers;
}

async function ask(method: string, path: string, body?: Json, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { code: response.status, body: isJson ? (JSON.parse(text) as JsonObject) : { text }, headers: response.headers };
}

const MAPS = '/api/v1/namespaces/default/configmaps';
const map = (name: string, data: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({ metadata: { name, ...metadata }, data });
const metadata = ({ body }: Answer): JsonObject => body['metadata'] as JsonObject;
const names = ({ body }: Answer): readonly Json[] =>
  (body['items'] as readonly JsonObject[]).map((item) => (item['metadata'] as JsonObject)['name'] as Json);
const PATCH = (type: string): Record<string, string> => ({ 'content-type': `application/${type}` });

describe('what is wrong is answered as Kubernetes answers it', () => {
  test.each<[title: string, method: string, path: string, body: Json | undefined, code: number, reason: string, message: string]>([
    ['no object', 'GET', `${MAPS}/none`, undefined, 404, 'NotFound', 'configmaps "none" not found'],
    [
      'no object of a group',
      'GET',
      '/apis/apps/v1/namespaces/default/deployments/x',
      undefined,
      404,
      'NotFound',
      'deployments.apps "x" not found',
    ],
    ['no namespace', 'POST', '/api/v1/namespaces/none/configmaps', map('a'), 404, 'NotFound', 'namespaces "none" not found'],
    ['no resource', 'GET', '/apis/apps/v1/nothings', undefined, 404, 'NotFound', 'the server could not find the requested resource'],
    [
      'no verb',
      'DELETE',
      '/api/v1/namespaces',
      undefined,
      405,
      'MethodNotAllowed',
      'the server does not allow this method on the requested resource',
    ],
    [
      'no JSON',
      'POST',
      MAPS,
      undefined,
      400,
      'BadRequest',
      "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    ],
    [
      'another namespace',
      'POST',
      MAPS,
      map('a', {}, { namespace: 'x' }),
      400,
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      'no name',
      'POST',
      MAPS,
      { data: {} },
      422,
      'Invalid',
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    ],
    [
      'a version',
      'GET',
      `${MAPS}?resourceVersion=1&resourceVersionMatch=Wrong`,
      undefined,
      422,
      'Invalid',
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Wrong": supported values: "Exact", "NotOlderThan", ""',
    ],
    [
      'a field selector',
      'GET',
      `${MAPS}?fieldSelector=data.x%3D1`,
      undefined,
      400,
      'BadRequest',
      '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    [
      'a wrong type',
      'POST',
      MAPS,
      { metadata: { name: 'a' }, data: { x: 1 } },
      400,
      'BadRequest',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
    [
      'an unknown field',
      'POST',
      `${MAPS}?fieldValidation=Strict`,
      { metadata: { name: 'a' }, spec: 1 },
      400,
      'BadRequest',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "spec"',
    ],
  ])('%s', async (_, method, path, body, code, reason, message) => {
    const answer = await ask(method, path, body, body === undefined && method === 'POST' ? { 'content-type': 'application/json' } : {});
    expect({ code: answer.code, reason: answer.body['reason'], message: answer.body['message'] }).toEqual({ code, reason, message });
  });

  test('only protobuf is not acceptable, protobuf or JSON is JSON', async () => {
    expect((await ask('GET', MAPS, undefined, { accept: 'application/vnd.kubernetes.protobuf' })).code).toBe(406);
    const both = await ask('GET', MAPS, undefined, { accept: 'application/vnd.kubernetes.protobuf,application/json' });
    expect([both.code, both.headers.get('content-type')]).toEqual([200, 'application/json']);
  });

  test('a body that is too large', async () => {
    const answer = await ask('POST', MAPS, map('a', { x: 'x'.repeat(3 * 1024 * 1024) }));
    expect([answer.code, answer.body['reason']]).toEqual([413, 'RequestEntityTooLarge']);
  });

  test('a body that nests too deep', async () => {
    const response = await fetch(`${server.url}${MAPS}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[{"a":'.repeat(500) + '1' + '}]'.repeat(500),
    });
    expect(response.status).toBe(400);
  });

  test('unknown and doubled fields are warned of, and dropped', async () => {
    const response = await fetch(`${server.url}${MAPS}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"metadata":{"name":"a","labels":{"k":"1","k":"2"}},"spec":{}}',
    });
    expect(response.headers.get('warning')).toBe('299 - "duplicate field \\"metadata.labels.k\\"", 299 - "unknown field \\"spec\\""');
    expect(await response.json()).not.toHaveProperty('spec');
  });
});

describe('writing', () => {
  test('names are generated, identity is given, what is stored is answered', async () => {
    const answer = await ask('POST', MAPS, { metadata: { generateName: 'a-' } });
    expect(answer.code).toBe(201);
    expect(metadata(answer)).toMatchObject({
      name: expect.stringMatching(/^a-[a-z0-9]{5}$/),
      namespace: 'default',
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      creationTimestamp: '2030-01-01T00:00:00Z',
      resourceVersion: expect.stringMatching(/^\d+$/),
    });
    expect((await ask('GET', `${MAPS}/${String(metadata(answer)['name'])}`)).body).toEqual(answer.body);
  });

  test('the second of two who read the same version is refused', async () => {
    const { body } = await ask('POST', MAPS, map('a'));
    expect((await ask('PUT', `${MAPS}/a`, { ...body, data: { by: 'one' } })).code).toBe(200);
    const second = await ask('PUT', `${MAPS}/a`, { ...body, data: { by: 'two' } });
    expect([second.code, second.body['reason'], second.body['message']]).toEqual([
      409,
      'Conflict',
      'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    ]);
  });

  test('a write that changes nothing is none', async () => {
    const created = await ask('POST', MAPS, map('a', { x: '1' }));
    clock.advance(5_000);
    const same = await ask('PATCH', `${MAPS}/a`, { data: { x: '1' } }, PATCH('merge-patch+json'));
    expect(metadata(same)['resourceVersion']).toBe(metadata(created)['resourceVersion']);
  });

  test('a dry run keeps nothing', async () => {
    expect((await ask('POST', `${MAPS}?dryRun=All`, map('a'))).code).toBe(201);
    expect((await ask('GET', `${MAPS}/a`)).code).toBe(404);
    await ask('POST', MAPS, map('a'));
    expect((await ask('DELETE', `${MAPS}/a?dryRun=All`)).code).toBe(200);
    expect((await ask('GET', `${MAPS}/a`)).code).toBe(200);
  });

  test.each([
    ['json-patch+json', [{ op: 'add', path: '/data/b', value: '2' }]],
    ['merge-patch+json', { data: { b: '2' } }],
    ['strategic-merge-patch+json', { data: { b: '2' } }],
  ])('%s', async (type, patch) => {
    await ask('POST', MAPS, map('a', { a: '1' }));
    const answer = await ask('PATCH', `${MAPS}/a`, patch as Json, PATCH(type));
    expect([answer.code, answer.body['data']]).toEqual([200, { a: '1', b: '2' }]);
  });

  test('apply creates, shares, conflicts, and takes back', async () => {
    const apply = (manager: string, data: JsonObject, more = ''): Promise<Answer> =>
      ask(
        'PATCH',
        `${MAPS}/a?fieldManager=${manager}${more}`,
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data },
        PATCH('apply-patch+yaml'),
      );
    expect((await apply('one', { a: '1', b: '1' })).code).toBe(201);
    const conflict = await apply('two', { a: '2' });
    expect([conflict.code, conflict.body['message']]).toEqual([409, 'Apply failed with 1 conflict: conflict with "one": .data.a']);
    expect((await apply('two', { a: '2' }, '&force=true')).body['data']).toEqual({ a: '2', b: '1' });
    expect((await apply('one', {})).body['data']).toEqual({ a: '2' });
  });

  test('apply with a uid changes that object and makes none', async () => {
    const uid = '55555555-5555-5555-5555-555555555555';
    const apply = (): Promise<Answer> =>
      ask(
        'PATCH',
        `${MAPS}/a?fieldManager=one`,
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', uid } },
        PATCH('apply-patch+yaml'),
      );
    const refused = await apply();
    expect([refused.code, refused.body['reason'], refused.body['message']]).toEqual([
      409,
      'Conflict',
      `Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    ]);
    expect((await ask('GET', `${MAPS}/a`)).code).toBe(404);
    await ask('POST', MAPS, map('a'));
    const other = await apply();
    expect([other.code, (other.body['details'] as JsonObject)['causes']]).toMatchObject([422, [{ field: 'metadata.uid' }]]);
  });

  test('the generation counts changes of the spec, the status goes by its own path', async () => {
    const path = '/apis/apps/v1/namespaces/default/deployments';
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'c:1' }] } };
    const created = await ask('POST', path, {
      metadata: { name: 'd' },
      spec: { selector: { matchLabels: { a: 'b' } }, template },
      status: { replicas: 9 },
    });
    expect([metadata(created)['generation'], created.body['status']]).toEqual([1, {}]);
    const status = await ask('PATCH', `${path}/d/status`, { spec: { replicas: 7 }, status: { replicas: 3 } }, PATCH('merge-patch+json'));
    expect([metadata(status)['generation'], (status.body['spec'] as JsonObject)['replicas'], status.body['status']]).toEqual([
      1,
      1,
      { replicas: 3 },
    ]);
    const scaled = await ask('PATCH', `${path}/d/scale`, { spec: { replicas: 5 } }, PATCH('merge-patch+json'));
    expect(scaled.body).toMatchObject({ kind: 'Scale', spec: { replicas: 5 }, status: { replicas: 3, selector: 'a=b' } });
    expect(metadata(await ask('GET', `${path}/d`))['generation']).toBe(2);
  });
});

test('a status that is only reported changes nothing beside it', async () => {
  const path = '/apis/storage.k8s.io/v1/volumeattachments';
  const spec = { attacher: 'example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } };
  await ask('POST', path, { metadata: { name: 'a', labels: { x: '1' } }, spec });
  const sent = { metadata: { labels: { x: '2' }, finalizers: ['example.com/x'] }, spec: { nodeName: 'm' }, status: { attached: true } };
  const { body } = await ask('PATCH', `${path}/a/status`, sent, PATCH('merge-patch+json'));
  expect(body).toMatchObject({ metadata: { labels: { x: '1' } }, spec: { nodeName: 'n' }, status: { attached: true } });
  expect(body).not.toHaveProperty('metadata.finalizers');
});

describe('deleting', () => {
  test('an object with finalizers waits for them', async () => {
    const hold = { finalizers: ['example.com/hold'] };
    await ask('POST', MAPS, map('a', {}, hold));
    const marked = await ask('DELETE', `${MAPS}/a`);
    expect(metadata(marked)).toMatchObject({ deletionTimestamp: '2030-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 });
    const added = await ask(
      'PATCH',
      `${MAPS}/a`,
      { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } },
      PATCH('merge-patch+json'),
    );
    expect([added.code, added.body['reason']]).toEqual([422, 'Invalid']);
    await ask('PATCH', `${MAPS}/a`, { metadata: { finalizers: null } }, PATCH('merge-patch+json'));
    expect((await ask('GET', `${MAPS}/a`)).code).toBe(404);
  });

  test('only the object that is meant', async () => {
    const { body } = await ask('POST', MAPS, map('a'));
    const { uid } = body['metadata'] as JsonObject;
    expect((await ask('DELETE', `${MAPS}/a`, { preconditions: { uid: 'another' } })).code).toBe(409);
    expect((await ask('DELETE', `${MAPS}/a`, { preconditions: { uid: uid as Json } })).body['status']).toBe('Success');
  });

  test('a pod on a node has time, one without has none', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    const spec = { containers: [{ name: 'c', image: 'c:1' }] };
    await ask('POST', pods, { metadata: { name: 'free' }, spec });
    await ask('POST', pods, { metadata: { name: 'placed' }, spec: { ...spec, nodeName: 'n' } });
    await ask('DELETE', `${pods}/free`);
    expect(metadata(await ask('DELETE', `${pods}/placed`))).toMatchObject({ deletionGracePeriodSeconds: 30 });
    expect(names(await ask('GET', pods))).toEqual(['placed']);
    await ask('DELETE', `${pods}/placed`, { gracePeriodSeconds: 0 });
    expect(names(await ask('GET', pods))).toEqual([]);
  });

  test('what a selector names', async () => {
    for (const name of ['a', 'b', 'c']) await ask('POST', MAPS, map(name, {}, { labels: { keep: String(name === 'b') } }));
    await ask('DELETE', `${MAPS}?labelSelector=keep%3Dfalse`);
    expect(names(await ask('GET', MAPS))).toEqual(['b']);
  });
});

describe('listing', () => {
  test('all pages show one moment, whatever happens meanwhile', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await ask('POST', MAPS, map(name));
    const first = await ask('GET', `${MAPS}?limit=2`);
    expect([names(first), metadata(first)['remainingItemCount']]).toEqual([['a', 'b'], 2]);
    await ask('DELETE', `${MAPS}/c`);
    await ask('POST', MAPS, map('bb'));
    const token = encodeURIComponent(String(metadata(first)['continue']));
    const second = await ask('GET', `${MAPS}?limit=2&continue=${token}`);
    expect([names(second), metadata(second)['continue']]).toEqual([['c', 'd'], undefined]);
    for (let i = 0; i < 30; i++) await ask('POST', MAPS, map(`later-${i}`));
    const late = await ask('GET', `${MAPS}?limit=2&continue=${token}`);
    expect([late.code, late.body['reason']]).toEqual([410, 'Expired']);
    const rest = await ask('GET', `${MAPS}?limit=2&continue=${encodeURIComponent(String(metadata(late)['continue']))}`);
    expect(names(rest)).toEqual(['bb', 'd']);
  });

  test.each<readonly [accept: string, code: number, kind: string]>([
    ['application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2', 200, 'APIGroupDiscoveryList'],
    ['application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v9', 406, 'Status'],
    ['application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v9,application/json', 200, 'APIGroupList'],
    ['*/*', 200, 'APIGroupList'],
  ])('groups as %s', async (accept, code, kind) => {
    const answer = await ask('GET', '/apis', undefined, { accept });
    expect([answer.code, answer.body['kind']]).toEqual([code, kind]);
  });

  test('as a table, and as metadata', async () => {
    await ask('POST', MAPS, map('a', { x: '1' }));
    clock.advance(90_000);
    const table = await ask('GET', MAPS, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    expect(table.body).toMatchObject({ kind: 'Table', rows: [{ cells: ['a', 1, '90s'], object: { kind: 'PartialObjectMetadata' } }] });
    const partial = await ask('GET', MAPS, undefined, { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' });
    expect(partial.body).toMatchObject({
      kind: 'PartialObjectMetadataList',
      items: [{ kind: 'PartialObjectMetadata', metadata: { name: 'a' } }],
    });
  });
});

/** Lines of a watch until `count` have come. */
async function watched(query: string, count: number, meanwhile: () => Promise<unknown> = async () => {}): Promise<readonly JsonObject[]> {
  const controller = new AbortController();
  const response = await fetch(`${server.url}${MAPS}?watch=true&${query}`, { signal: controller.signal });
  await meanwhile();
  const lines: JsonObject[] = [];
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      lines.push(JSON.parse(text.slice(0, end)) as JsonObject);
      text = text.slice(end + 1);
    }
    if (lines.length >= count) break;
  }
  controller.abort();
  return lines;
}

const seen = (events: readonly JsonObject[]): readonly string[] =>
  events.map(({ type, object }) => `${String(type)} ${String(((object as JsonObject)['metadata'] as JsonObject)['name'])}`);

describe('watching', () => {
  test('goes on from a version', async () => {
    const { body } = await ask('POST', MAPS, map('a'));
    await ask('PATCH', `${MAPS}/a`, { data: { x: '1' } }, PATCH('merge-patch+json'));
    const events = await watched(`resourceVersion=${String((body['metadata'] as JsonObject)['resourceVersion'])}`, 3, async () => {
      await ask('POST', MAPS, map('b'));
      await ask('DELETE', `${MAPS}/a`);
    });
    expect(seen(events)).toEqual(['MODIFIED a', 'ADDED b', 'DELETED a']);
  });

  test('a selector makes objects come and go', async () => {
    const label = (value: string) => ask('PATCH', `${MAPS}/a`, { metadata: { labels: { on: value } } }, PATCH('merge-patch+json'));
    await ask('POST', MAPS, map('a', {}, { labels: { on: 'no' } }));
    const events = await watched('labelSelector=on%3Dyes', 3, async () => {
      for (const value of ['yes', 'no', 'yes']) await label(value);
    });
    expect(seen(events)).toEqual(['ADDED a', 'DELETED a', 'ADDED a']);
    const versions = events.map(({ object }) => Number(((object as JsonObject)['metadata'] as JsonObject)['resourceVersion']));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
  });

  test('a streaming list says where it ends', async () => {
    for (const name of ['b', 'a']) await ask('POST', MAPS, map(name));
    const events = await watched('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true', 3);
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'ADDED', 'BOOKMARK']);
    expect(events[2]).toMatchObject({ object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } });
  });

  test('bookmarks come every minute', async () => {
    const events = await watched('allowWatchBookmarks=true&resourceVersion=0&labelSelector=none', 2, async () => {
      clock.advance(60_000);
      clock.advance(60_000);
    });
    expect(events.map(({ type }) => type)).toEqual(['BOOKMARK', 'BOOKMARK']);
  });

  test('what is forgotten is gone', async () => {
    const { body } = await ask('POST', MAPS, map('a'));
    for (let i = 0; i < 30; i++) await ask('POST', MAPS, map(`later-${i}`));
    const old = String((body['metadata'] as JsonObject)['resourceVersion']);
    const answer = await ask('GET', `${MAPS}?watch=true&resourceVersion=${old}`);
    expect([answer.code, answer.body['reason'], answer.body['message']]).toEqual([
      410,
      'Expired',
      expect.stringMatching(/^too old resource version: \d+ \(\d+\)$/),
    ]);
    const future = await ask('GET', `${MAPS}?watch=true&resourceVersion=999999`);
    expect([future.code, future.body['reason']]).toEqual([504, 'Timeout']);
  });
});

test('what is kept in a folder is there after a restart, tokens included', async () => {
  const data = mkdtempSync(join(tmpdir(), 'fairlead-server-'));
  try {
    const first = await startEmbeddedServer({ clock, data, durability: 'process' });
    const maps = first.registry.find('', 'v1', 'configmaps')!;
    const accounts = first.registry.find('', 'v1', 'serviceaccounts')!;
    await first.registry.create(accounts, { metadata: { name: 'a', namespace: 'default' } });
    const kept = await first.registry.create(maps, { metadata: { name: 'a', namespace: 'default' }, data: { x: '1' } });
    const json = { 'content-type': 'application/json' };
    const path = '/api/v1/namespaces/default/serviceaccounts/a/token';
    const issued = await fetch(`${first.url}${path}`, { method: 'POST', headers: json, body: '{}' });
    const { token } = ((await issued.json()) as { readonly status: { readonly token: string } }).status;
    await first.close();

    const second = await startEmbeddedServer({ clock, data, durability: 'process' });
    expect(second.registry.get(maps, { namespace: 'default', name: 'a' })).toEqual(kept);
    const who = await fetch(`${second.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
      method: 'POST',
      headers: { ...json, authorization: `Bearer ${token}` },
      body: '{}',
    });
    expect(await who.json()).toMatchObject({ status: { userInfo: { username: 'system:serviceaccount:default:a' } } });
    await second.close();
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});

test.each(['127.0.0.1', '::1'])('listens at %s', async (host) => {
  const local = await startEmbeddedServer({ clock, host });
  expect((await fetch(`${local.url}/readyz`)).status).toBe(200);
  await local.close();
});

test.each(['0.0.0.0', '::', '10.0.0.1', 'localhost.example.com'])('does not listen at %s without TLS', async (host) => {
  await expect(startEmbeddedServer({ clock, host })).rejects.toThrow('without TLS everybody is let in');
});
