import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../engine/object/json.ts';
import { type ChangingBundle, changingBundle, startTestCluster, type TestCluster } from './cluster.fixture.ts';
import type { Controller } from './controller.ts';
import { ownerReference, resourceVersionOf, uidOf } from './ownership.ts';
import { conditionOf, configMapEntry, createInstance, GROUP, instanceOf, ruleFor, untilCondition } from './rules.fixture.ts';

describe('objects of an instance', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(() => cluster.close());

  /** Each test has a kind of its own, and a namespace called as that in lower case. */
  async function begin(
    kind: string,
    body: string,
    spec: JsonObject = {},
    before: (namespace: string) => Promise<unknown> = async () => {},
  ): Promise<{ readonly controller: Controller; readonly bundle: ChangingBundle; readonly instance: JsonObject }> {
    const namespace = kind.toLowerCase();
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await before(namespace);
    const bundle = changingBundle(ruleFor(kind, body));
    const controller = await cluster.control(bundle, { name: namespace });
    return { controller, bundle, instance: await createInstance(cluster, instanceOf(kind, namespace, spec)) };
  }
  const config = (namespace: string, name = 'a-copy'): Promise<JsonObject | null> => cluster.get('v1', 'ConfigMap', namespace, name);
  const dataOf = (object: JsonObject | null): JsonObject => (object?.['data'] ?? {}) as JsonObject;
  const set = (kind: string, spec: JsonObject): Promise<JsonObject> =>
    cluster.merge(`${GROUP}/v1`, kind, kind.toLowerCase(), 'a', { spec });
  const theirs = (namespace: string, metadata: JsonObject = {}): JsonObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: 'a-copy', ...metadata },
    data: { value: 'theirs' },
  });
  const readyMessage = (object: JsonObject): string => conditionOf(object, 'Ready')?.message ?? '';

  const IMMUTABLE = '{ name: "${self.metadata.name}-copy" }, immutable: true, data: { value: "${self.spec.value}" }';
  const immutable = (more: string): string => `
objects:
- id: copy
  ${more}
  template: { apiVersion: v1, kind: ConfigMap, metadata: ${IMMUTABLE} }`;

  it('are made anew for a field that cannot change, where the rule says so', async () => {
    const { instance } = await begin('Renewed', immutable('onImmutable: Recreate'));
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    const before = await config('renewed');
    await set('Renewed', { value: 'y' });
    await cluster.until(async () => dataOf(await config('renewed'))['value'] === 'y');
    expect(uidOf((await config('renewed'))!)).not.toBe(uidOf(before!));
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    const events = await cluster.list('events.k8s.io/v1', 'Event');
    expect(events.some(({ reason, note }) => reason === 'Recreated' && String(note).includes('ConfigMap renewed/a-copy'))).toBe(true);
  });

  it('stay as they are where a field cannot change, and the condition says what to do', async () => {
    const { instance } = await begin('Stuck', immutable(''));
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    const before = await config('stuck');
    await set('Stuck', { value: 'y' });
    const failed = await untilCondition(cluster, instance, 'Stalled', { status: 'True', reason: 'ImmutableField' });
    expect(readyMessage(failed)).toMatch(
      /^apply ConfigMap stuck\/a-copy: .*immutable.*Restore the former value, or set onImmutable: Recreate\.$/,
    );
    expect(resourceVersionOf((await config('stuck'))!)).toBe(resourceVersionOf(before!));
    await set('Stuck', { value: 'x' });
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
  });

  it('that the server does not accept stall, with what the server says', async () => {
    const { instance } = await begin('Invalid', `objects: ${configMapEntry('copy', '{ "${self.spec.value}": b }')}`, { value: 'a/b' });
    const failed = await untilCondition(cluster, instance, 'Stalled', { status: 'True', reason: 'InvalidObject' });
    expect(readyMessage(failed)).toMatch(/^apply ConfigMap invalid\/a-copy: ConfigMap "a-copy" is invalid: data\[a\/b\]: Invalid value/);
    expect(readyMessage(failed)).toContain('The template makes an object that the server does not accept.');
    await set('Invalid', { value: 'b' });
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
  });

  it.each<readonly [title: string, kind: string, adopt: string, owned: boolean, refusal: string | undefined]>([
    ['never', 'Never', 'Never', false, 'it exists already and was not made by this rule; `adopt: IfUnowned` takes it over'],
    ['where nobody controls them', 'Free', 'IfUnowned', false, undefined],
    ['not where somebody controls them', 'Held', 'IfUnowned', true, 'ConfigMap owner controls it'],
    ['whoever controls them', 'Taken', 'Force', true, undefined],
  ])('that exist are taken over %s', async (_title, kind, adopt, owned, refusal) => {
    const { instance } = await begin(
      kind,
      `objects: ${configMapEntry('copy', undefined, `adopt: ${adopt}\nforce: true`)}`,
      {},
      async (namespace) => {
        const owner = await cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'owner' } });
        await cluster.create(theirs(namespace, owned ? { ownerReferences: [ownerReference(owner, true)] } : {}));
      },
    );
    const namespace = kind.toLowerCase();
    if (refusal !== undefined) {
      const failed = await untilCondition(cluster, instance, 'Stalled', { status: 'True', reason: 'NotOurs' });
      expect(readyMessage(failed)).toBe(`ConfigMap ${namespace}/a-copy is not taken over: ${refusal}`);
      expect(dataOf(await config(namespace))).toEqual({ value: 'theirs' });
      return;
    }
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    const taken = await config(namespace);
    expect(dataOf(taken)).toEqual({ value: 'x' });
    const references = (taken!['metadata'] as JsonObject)['ownerReferences'] as readonly JsonObject[];
    expect(references.filter(({ uid }) => uid === uidOf(instance))).toHaveLength(1);
    expect(references.filter(({ controller }) => controller === true)).toHaveLength(1);
  });

  it('that are let go outlive the instance, without a trace of it', async () => {
    const { instance } = await begin(
      'Orphan',
      `objects: ${configMapEntry('copy', undefined, 'deletion: { policy: Orphan }')}${configMapEntry('gone')}`,
    );
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    await cluster.remove(`${GROUP}/v1`, 'Orphan', 'orphan', 'a');
    await cluster.until(async () => (await cluster.get(`${GROUP}/v1`, 'Orphan', 'orphan', 'a')) === null);
    await cluster.until(async () => (await config('orphan', 'a-gone')) === null);
    const left = await config('orphan');
    expect(dataOf(left)).toEqual({ value: 'x' });
    expect(JSON.stringify((left!['metadata'] as JsonObject)['labels'] ?? {})).toBe('{}');
    expect((left!['metadata'] as JsonObject)['ownerReferences']).toBeUndefined();
  });

  it('go when the rule no longer has them, and come under another name when it is renamed', async () => {
    const body = `objects: ${configMapEntry('copy')}${configMapEntry('second')}`;
    const { bundle, instance } = await begin('Changing', body);
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    bundle.set(ruleFor('Changing', `objects: ${configMapEntry('copy')}`));
    await cluster.until(async () => (await config('changing', 'a-second')) === null);
    expect(await config('changing')).not.toBeNull();
    bundle.set(ruleFor('Changing', `objects: ${configMapEntry('third')}`));
    await cluster.until(async () => (await config('changing', 'a-third')) !== null && (await config('changing')) === null);
  });

  const deployment = (more: string): string => `
objects:
- id: web
  ${more}
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata: { name: "\${self.metadata.name}" }
    spec:
      replicas: 2
      selector: { matchLabels: { app: a } }
      template: { metadata: { labels: { app: a } }, spec: { containers: [{ name: c, image: "c:\${self.spec.value}" }] } }`;
  const replicas = (object: JsonObject | null): Json | undefined => (object?.['spec'] as JsonObject | undefined)?.['replicas'];
  const web = (namespace: string): Promise<JsonObject | null> => cluster.get('apps/v1', 'Deployment', namespace, 'a');

  it.each([
    ['as the rule says', 'Ignoring', 'ignore: ["$.spec.replicas"]', 'kubectl'],
    ['as it is seen', 'Scaled', '', 'horizontal-pod-autoscaler'],
  ])('leave their replicas to an autoscaler, %s', async (_title, kind, more, manager) => {
    const { controller } = await begin(kind, deployment(more));
    const namespace = kind.toLowerCase();
    await cluster.until(async () => replicas(await web(namespace)) === 2);
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/a/scale?fieldManager=${manager}`;
    const contentType = 'application/merge-patch+json';
    await cluster.client.request({ method: 'PATCH', path, body: { spec: { replicas: 5 } }, contentType });
    await cluster.until(async () => replicas(await web(namespace)) === 5);
    await set(kind, { value: 'y' });
    await cluster.until(async () => JSON.stringify(await web(namespace)).includes('"c:y"'));
    await controller.idle();
    expect(replicas(await web(namespace))).toBe(5);
    const instance = await cluster.get(`${GROUP}/v1`, kind, namespace, 'a');
    expect(conditionOf(instance, 'Ready')?.reason).not.toBe('FieldConflict');
    expect(controller.status().rules[0]?.failing).toBe(0);
  });

  it('are left alone for a while where somebody writes back, who is named', async () => {
    const { instance } = await begin('Contested', `objects: ${configMapEntry('copy', undefined, 'force: true')}`);
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    const type = (await cluster.client.discovery.resourceOf('v1', 'ConfigMap'))!;
    const resource = cluster.client.resource(type);
    const writeBack = async (): Promise<boolean> => {
      const found = conditionOf(await cluster.get(`${GROUP}/v1`, 'Contested', 'contested', 'a'), 'Ready');
      if (found?.reason === 'HotLoop') return true;
      if (dataOf(await config('contested'))['value'] === 'x') {
        const patch = { data: { value: 'theirs' } };
        await resource.patch({ namespace: 'contested', name: 'a-copy' }, 'merge', patch, { fieldManager: 'stubborn-operator' });
      }
      return false;
    };
    await cluster.until(writeBack);
    const failed = await untilCondition(cluster, instance, 'Stalled', { status: 'True', reason: 'HotLoop' });
    expect(readyMessage(failed)).toBe(
      'ConfigMap contested/a-copy was written 10 times in a minute: "stubborn-operator" sets .data.value otherwise. It is left alone for a while.',
    );
  });
});
