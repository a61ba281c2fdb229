import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../engine/object/json.ts';
import { changingBundle, startTestCluster, type TestCluster } from '../cluster.fixture.ts';
import type { Controller } from '../controller.ts';
import { labelOf, resourceVersionOf } from '../ownership.ts';

const BUNDLE = `
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: of-a-file }
spec:
  resource: { group: files.example.com, version: v1, kind: FromFile }
  objects:
  - { id: config, template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "\${self.metadata.name}" }, data: { from: file } } }
`;

const graph = (name: string, kind: string, text = '${schema.spec.text}'): JsonObject => ({
  apiVersion: 'kro.run/v1alpha1',
  kind: 'ResourceGraphDefinition',
  metadata: { name },
  spec: {
    schema: { apiVersion: 'v1alpha1', group: 'graphs.example.com', kind, spec: { text: 'string | default=hello' } },
    resources: [
      { id: 'second', template: configMap('${first.metadata.name}-2', { text: '${first.data.text}' }) },
      { id: 'first', template: configMap('${schema.metadata.name}-1', { text }) },
    ],
  },
});
const configMap = (name: string, data: JsonObject): JsonObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

const rule = (name: string, spec: JsonObject): JsonObject => ({
  apiVersion: 'fairlead.dev/v1alpha1',
  kind: 'ReconcileRule',
  metadata: { name },
  spec,
});

describe('rules that are objects of the cluster', () => {
  let cluster: TestCluster;
  let controller: Controller;
  beforeAll(async () => {
    cluster = await startTestCluster();
    controller = await cluster.control(changingBundle(BUNDLE), { watchRules: true });
    await Promise.all(['ResourceGraphDefinition', 'ReconcileRule'].map((kind) => served(kind)));
  });
  afterAll(() => cluster.close());

  const API: Readonly<Record<string, string>> = {
    ResourceGraphDefinition: 'kro.run/v1alpha1',
    ReconcileRule: 'fairlead.dev/v1alpha1',
  };

  /** The controller makes the kinds of rules itself. */
  async function served(kind: string): Promise<void> {
    await cluster.until(async () => {
      cluster.client.discovery.invalidate();
      return (await cluster.client.discovery.resourceOf(API[kind]!, kind)) !== null;
    });
  }

  const get = (kind: string, name: string) => cluster.get(API[kind] ?? 'v1', kind, undefined, name);

  /** The status once its Ready is what is expected. */
  function ready(kind: string, name: string, status: 'True' | 'False'): Promise<JsonObject> {
    return cluster.until(async () => {
      const object = (await get(kind, name)) as { readonly status?: { readonly conditions?: readonly JsonObject[] } } | null;
      const found = object?.status?.conditions?.find(({ type }) => type === 'Ready');
      return found?.['status'] === status ? (object!.status as JsonObject) : undefined;
    });
  }

  async function made(name: string): Promise<JsonObject> {
    return cluster.until(async () => (await cluster.get('v1', 'ConfigMap', 'default', name)) ?? undefined);
  }

  const instance = (apiVersion: string, kind: string, name: string): Promise<JsonObject> =>
    cluster.until(() => cluster.create({ apiVersion, kind, metadata: { name, namespace: 'default' }, spec: {} }));

  it('serves a ResourceGraphDefinition and says of it what kro says', async () => {
    await cluster.create(graph('greeting', 'Greeting'));
    const status = await ready('ResourceGraphDefinition', 'greeting', 'True');
    expect(status).toMatchObject({ state: 'Active', topologicalOrder: ['first', 'second'] });
    expect(
      (status['conditions'] as readonly JsonObject[]).map(({ type, status: is, observedGeneration }) => [type, is, observedGeneration]),
    ).toEqual([
      ['GraphAccepted', 'True', 1],
      ['KindReady', 'True', 1],
      ['ControllerReady', 'True', 1],
      ['Ready', 'True', 1],
    ]);
    await instance('graphs.example.com/v1alpha1', 'Greeting', 'a');
    expect(await made('a-1-2')).toMatchObject({ data: { text: 'hello' } });
  });

  it('serves the newest version that compiles, and tells what is wrong with a newer one', async () => {
    await cluster.create(graph('edited', 'Edited'));
    await ready('ResourceGraphDefinition', 'edited', 'True');
    await instance('graphs.example.com/v1alpha1', 'Edited', 'b');
    await made('b-1-2');
    await cluster.merge(API['ResourceGraphDefinition']!, 'ResourceGraphDefinition', undefined, 'edited', {
      spec: graph('edited', 'Edited', '${schema.spec.nothing}')['spec'] as JsonObject,
    });
    const status = await ready('ResourceGraphDefinition', 'edited', 'False');
    expect(status).toMatchObject({ state: 'Inactive', topologicalOrder: ['first', 'second'] });
    const [accepted] = status['conditions'] as readonly JsonObject[];
    expect(accepted).toMatchObject({ type: 'GraphAccepted', status: 'False', observedGeneration: 2 });
    expect(accepted!['message']).toMatch(/\$\.spec\.resources\[1\]\.template\.data\.text: .*nothing/);
    // The former version goes on, and the other rules with it.
    await cluster.merge('graphs.example.com/v1alpha1', 'Edited', 'default', 'b', { spec: { text: 'still' } });
    await cluster.until(async () => ((await made('b-1'))['data'] as JsonObject)['text'] === 'still');
    await cluster.merge(API['ResourceGraphDefinition']!, 'ResourceGraphDefinition', undefined, 'edited', {
      spec: graph('edited', 'Edited', 'mended')['spec'] as JsonObject,
    });
    await ready('ResourceGraphDefinition', 'edited', 'True');
    await cluster.until(async () => ((await made('b-1-2'))['data'] as JsonObject)['text'] === 'mended');
  });

  it('writes no status again that is as it is to be', async () => {
    await cluster.create(graph('quiet', 'Quiet'));
    await ready('ResourceGraphDefinition', 'quiet', 'True');
    const before = resourceVersionOf((await get('ResourceGraphDefinition', 'quiet'))!);
    // Others come and go; each change is followed by a look at all.
    for (const name of ['other-a', 'other-b']) {
      await cluster.create(graph(name, name === 'other-a' ? 'OtherA' : 'OtherB'));
      await ready('ResourceGraphDefinition', name, 'True');
    }
    expect(resourceVersionOf((await get('ResourceGraphDefinition', 'quiet'))!)).toBe(before);
  });

  it('leaves alone what a deleted definition has made', async () => {
    await cluster.create(graph('leaving', 'Leaving'));
    await ready('ResourceGraphDefinition', 'leaving', 'True');
    await instance('graphs.example.com/v1alpha1', 'Leaving', 'c');
    await made('c-1-2');
    await cluster.remove(API['ResourceGraphDefinition']!, 'ResourceGraphDefinition', undefined, 'leaving');
    await cluster.until(async () => controller.status().retired.includes('leaving'));
    expect(await get('ResourceGraphDefinition', 'leaving')).toBeNull();
    expect(await made('c-1-2')).toMatchObject({ data: { text: 'hello' } });
    expect(
      await cluster.get('apiextensions.k8s.io/v1', 'CustomResourceDefinition', undefined, 'leavings.graphs.example.com'),
    ).not.toBeNull();
  });

  it('serves a ReconcileRule, and refuses one of the name of a rule of the bundle', async () => {
    const spec = { for: { apiVersion: 'v1', kind: 'ConfigMap', selector: { matchLabels: { copied: 'yes' } } }, objects: [copyOf('copy')] };
    await cluster.create(rule('copies', spec));
    expect(await ready('ReconcileRule', 'copies', 'True')).toMatchObject({ observedGeneration: 1, order: ['copy'] });
    await cluster.create({
      ...configMap('original', { a: 'b' }),
      metadata: { name: 'original', namespace: 'default', labels: { copied: 'yes' } },
    });
    expect(labelOf(await made('original-copy'), 'fairlead.dev/rule')).toBe('copies');
    await cluster.create(rule('of-a-file', spec));
    const [accepted] = (await ready('ReconcileRule', 'of-a-file', 'False'))['conditions'] as readonly JsonObject[];
    expect(accepted).toMatchObject({ type: 'Accepted', status: 'False', message: 'a rule of a bundle is called of-a-file already' });
  });

  it('tells that a kind belongs to another rule', async () => {
    await cluster.create(graph('first-of-two', 'Contested'));
    await ready('ResourceGraphDefinition', 'first-of-two', 'True');
    await cluster.create(graph('second-of-two', 'Contested'));
    const status = await ready('ResourceGraphDefinition', 'second-of-two', 'False');
    expect((status['conditions'] as readonly JsonObject[])[1]).toMatchObject({
      type: 'KindReady',
      message: expect.stringContaining('belongs to rule first-of-two'),
    });
  });

  it('leaves to kro what kro serves', async () => {
    const metadata = { name: 'of-kro', finalizers: ['kro.run/finalizer'] };
    await cluster.create({ ...graph('of-kro', 'OfKro'), metadata });
    await cluster.create(graph('after-it', 'AfterIt'));
    await ready('ResourceGraphDefinition', 'after-it', 'True');
    expect((await get('ResourceGraphDefinition', 'of-kro'))!['status']).toBeUndefined();
    expect(controller.status().rules.map(({ rule: name }) => name)).not.toContain('of-kro');
    await cluster.merge(API['ResourceGraphDefinition']!, 'ResourceGraphDefinition', undefined, 'of-kro', {
      metadata: { finalizers: null },
    });
    await ready('ResourceGraphDefinition', 'of-kro', 'True');
  });
});

const copyOf = (id: string): JsonObject => ({ id, template: configMap('${self.metadata.name}-copy', { a: 'b' }) });
