import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { type ChangingBundle, changingBundle, startTestCluster, type TestCluster } from './cluster.fixture.ts';
import type { Controller } from './controller.ts';
import { annotationOf, finalizersOf, labelOf, resourceVersionOf, uidOf } from './ownership.ts';

/** A rule that decorates ConfigMaps with this label. */
const rule = (name: string, objects: string): string => `
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: ${name} }
spec:
  for: { apiVersion: v1, kind: ConfigMap, selector: { matchLabels: { rule: ${name} } } }
${objects}
`;
const copy = (more = '', data = '{ value: "${self.data.value}" }'): string => `
  objects:
  - id: copy
${more}
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: "\${self.metadata.name}-copy" }
      data: ${data}
`;

describe('a rule for objects that exist', () => {
  let cluster: TestCluster;
  const controllers: Controller[] = [];
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(() => cluster.close());

  /** Each test has a namespace and a rule of its own. */
  async function begin(name: string, objects: string): Promise<{ readonly controller: Controller; readonly bundle: ChangingBundle }> {
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const bundle = changingBundle(rule(name, objects));
    const controller = await cluster.control(bundle, { name: `controller-${name}` });
    controllers.push(controller);
    return { controller, bundle };
  }
  const source = (ns: string, data: JsonObject, name = 'a'): JsonObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: ns, name, labels: { rule: ns } },
    data,
  });
  const config = (ns: string, name: string): Promise<JsonObject | null> => cluster.get('v1', 'ConfigMap', ns, name);
  const there = (ns: string, name: string): Promise<JsonObject> => cluster.until(async () => (await config(ns, name)) ?? undefined);
  const gone = (ns: string, name: string): Promise<true> => cluster.until(async () => (await config(ns, name)) === null);
  const data = (object: JsonObject | null): JsonObject => (object?.['data'] ?? {}) as JsonObject;

  it('makes what it stands for, and says whose it is', async () => {
    await begin('made', copy());
    const instance = await cluster.create(source('made', { value: 'x' }));
    const made = await there('made', 'a-copy');
    expect(data(made)).toEqual({ value: 'x' });
    expect(labelOf(made, 'fairlead.dev/instance')).toBe(uidOf(instance));
    expect((made['metadata'] as JsonObject)['ownerReferences']).toMatchObject([{ kind: 'ConfigMap', name: 'a', controller: true }]);
    const kept = await config('made', 'a');
    expect(annotationOf(kept!, 'inventory.fairlead.dev/made')).toBe('{"kinds":["v1/ConfigMap"]}');
    // The garbage collector does all there is to do.
    expect(finalizersOf(kept!)).toEqual([]);
  });

  it('follows the instance, and repairs what others change of its own', async () => {
    const { controller } = await begin('kept', copy('    force: true'));
    await cluster.create(source('kept', { value: 'x' }));
    await there('kept', 'a-copy');
    await cluster.merge('v1', 'ConfigMap', 'kept', 'a', { data: { value: 'y' } });
    await cluster.until(async () => data(await config('kept', 'a-copy'))['value'] === 'y');
    await cluster.merge('v1', 'ConfigMap', 'kept', 'a-copy', { data: { value: 'z', theirs: '1' } });
    await cluster.until(async () => data(await config('kept', 'a-copy'))['value'] === 'y');
    expect(data(await config('kept', 'a-copy'))).toEqual({ value: 'y', theirs: '1' });
    await cluster.remove('v1', 'ConfigMap', 'kept', 'a-copy');
    await there('kept', 'a-copy');
    await controller.idle();
  });

  it('writes nothing where nothing is to be changed', async () => {
    const { controller, bundle } = await begin('quiet', copy());
    await cluster.create(source('quiet', { value: 'x' }));
    const made = await there('quiet', 'a-copy');
    await controller.idle();
    await controller.stop();
    const again = await cluster.control(bundle, { name: 'controller-quiet' });
    await cluster.until(async () => again.status().rules[0]?.instances === 1);
    await again.idle();
    expect(resourceVersionOf((await config('quiet', 'a-copy'))!)).toBe(resourceVersionOf(made));
  });

  it('prunes what the rule no longer has', async () => {
    const both = copy() + copy().replace('  objects:\n', '').replace('id: copy', 'id: second').replace('-copy"', '-second"');
    const { bundle } = await begin('pruned', both);
    await cluster.create(source('pruned', { value: 'x' }));
    await there('pruned', 'a-second');
    bundle.set(rule('pruned', copy()));
    await gone('pruned', 'a-second');
    expect(await config('pruned', 'a-copy')).not.toBeNull();
  });

  it('leaves alone what others have made, and says so', async () => {
    const { controller } = await begin('refused', copy('    adopt: Never'));
    await cluster.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'refused', name: 'a-copy' },
      data: { value: 'theirs' },
    });
    await cluster.create(source('refused', { value: 'x' }));
    const event = await cluster.until(async () =>
      (await cluster.list('events.k8s.io/v1', 'Event')).find(({ regarding }) => (regarding as JsonObject)['namespace'] === 'refused'),
    );
    expect(event).toMatchObject({ type: 'Warning', reason: 'NotOurs' });
    expect(event['note']).toContain('ConfigMap refused/a-copy is not taken over: it exists already');
    expect(data(await config('refused', 'a-copy'))).toEqual({ value: 'theirs' });
    expect(controller.status().rules[0]).toMatchObject({ rule: 'refused', failing: 1 });
  });

  it('takes over what nobody controls', async () => {
    await begin('adopted', copy('    adopt: IfUnowned\n    force: true'));
    await cluster.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'adopted', name: 'a-copy' },
      data: { value: 'theirs', other: '1' },
    });
    await cluster.create(source('adopted', { value: 'x' }));
    await cluster.until(async () => data(await config('adopted', 'a-copy'))['value'] === 'x');
    expect(data(await config('adopted', 'a-copy'))).toEqual({ value: 'x', other: '1' });
  });

  it('reports a field that another manager owns, with its name', async () => {
    await begin('contested', copy());
    await cluster.create(source('contested', { value: 'x' }));
    await there('contested', 'a-copy');
    const type = (await cluster.client.discovery.resourceOf('v1', 'ConfigMap'))!;
    const other = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'contested', name: 'a-copy' }, data: { value: 'mine' } };
    await cluster.client.resource(type).apply(other, { fieldManager: 'somebody', force: true });
    const event = await cluster.until(async () =>
      (await cluster.list('events.k8s.io/v1', 'Event')).find(
        ({ reason, regarding }) => reason === 'FieldConflict' && (regarding as JsonObject)['namespace'] === 'contested',
      ),
    );
    expect(event['note']).toContain('conflict with "somebody"');
    expect(event['note']).toContain('.data.value');
  });

  it('cleans up elsewhere by a finalizer, the later level first', async () => {
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'elsewhere' } });
    const far = `
  objects:
  - id: far
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: "\${self.metadata.name}-far", namespace: elsewhere }
  - id: further
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: "\${far.metadata.name}-ther", namespace: elsewhere }
`;
    const { controller } = await begin('far', far);
    await cluster.create(source('far', {}));
    const made = await there('elsewhere', 'a-far-ther');
    expect((made['metadata'] as JsonObject)['ownerReferences']).toBeUndefined();
    expect(finalizersOf((await config('far', 'a'))!)).toEqual(['cleanup.fairlead.dev/far']);
    await controller.idle();
    const deleted: string[] = [];
    const stop = cluster.server.registry.subscribe(({ type, object }) => {
      if (type === 'DELETED') deleted.push(String((object['metadata'] as JsonObject)['name']));
    });
    await cluster.remove('v1', 'ConfigMap', 'far', 'a');
    await gone('far', 'a');
    stop();
    expect(deleted).toEqual(['a-far-ther', 'a-far', 'a']);
  });

  it('cleans up after a rule that has gone', async () => {
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'left' } });
    const elsewhere = copy().replace('-copy"', '-copy", namespace: left');
    const { controller, bundle } = await begin('retired', elsewhere);
    await cluster.create(source('retired', { value: 'x' }));
    await there('left', 'a-copy');
    bundle.set(rule('another', copy()));
    controller.refresh();
    await controller.idle();
    expect(controller.status().retired).toEqual(['retired']);
    expect(await config('left', 'a-copy')).not.toBeNull();
    await controller.stop();
    const next = await cluster.control(bundle, { name: 'controller-retired' });
    await cluster.remove('v1', 'ConfigMap', 'retired', 'a');
    await gone('retired', 'a');
    expect(await config('left', 'a-copy')).toBeNull();
    await cluster.until(async () => next.status().retired.length === 0);
  });

  it('does nothing for an instance that is paused', async () => {
    const { controller } = await begin('paused', copy());
    const instance = source('paused', { value: 'x' });
    await cluster.create({
      ...instance,
      metadata: { ...(instance['metadata'] as JsonObject), annotations: { 'fairlead.dev/paused': 'true' } },
    });
    await cluster.until(async () => controller.status().rules[0]?.instances === 1);
    await controller.idle();
    expect(await config('paused', 'a-copy')).toBeNull();
    await cluster.merge('v1', 'ConfigMap', 'paused', 'a', { metadata: { annotations: { 'fairlead.dev/paused': null } } });
    await there('paused', 'a-copy');
  });

  it('looks again when something it reads changes', async () => {
    const external = `
  objects:
  - id: settings
    external: { apiVersion: v1, kind: ConfigMap, name: settings }
  - id: copy
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: "\${self.metadata.name}-copy" }
      data: { value: "\${settings.data.value}" }
`;
    const { controller } = await begin('reading', external);
    await cluster.create(source('reading', {}));
    await cluster.until(async () => controller.status().rules[0]?.instances === 1);
    await controller.idle();
    expect(await config('reading', 'a-copy')).toBeNull();
    await cluster.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'reading', name: 'settings' },
      data: { value: '1' },
    });
    await there('reading', 'a-copy');
    await cluster.merge('v1', 'ConfigMap', 'reading', 'settings', { data: { value: '2' } });
    await cluster.until(async () => data(await config('reading', 'a-copy'))['value'] === '2');
  });

  it('keeps a generated value for as long as its instance lives', async () => {
    const password = `
  generate:
  - id: password
    random: { length: 12, alphabet: abc }
${copy('', '{ value: "${password.value}" }')}`;
    const { controller } = await begin('secret', password);
    await cluster.create(source('secret', {}));
    const made = await there('secret', 'a-copy');
    expect(data(made)['value']).toMatch(/^[abc]{12}$/);
    await controller.idle();
    await cluster.merge('v1', 'ConfigMap', 'secret', 'a', { data: { other: '1' } });
    await controller.idle();
    const secret = await cluster.get('v1', 'Secret', 'secret', 'a-password');
    expect(Buffer.from(String(data(secret)['value']), 'base64').toString()).toBe(data(made)['value']);
    expect(labelOf(secret!, 'fairlead.dev/rule')).toBe('secret');
  });

  it('leaves a path to others once the object is made', async () => {
    await begin('ignoring', copy('    ignore: [$.data.value]', '{ value: "${self.data.value}", fixed: "${self.data.value}" }'));
    await cluster.create(source('ignoring', { value: 'x' }));
    await there('ignoring', 'a-copy');
    await cluster.merge('v1', 'ConfigMap', 'ignoring', 'a-copy', { data: { value: 'theirs' } });
    await cluster.merge('v1', 'ConfigMap', 'ignoring', 'a', { data: { value: 'y' } });
    await cluster.until(async () => data(await config('ignoring', 'a-copy'))['fixed'] === 'y');
    expect(data(await config('ignoring', 'a-copy'))['value']).toBe('theirs');
  });

  it('stops writing what is never the same twice', async () => {
    const flapping = `
  objects:
  - id: clock
    external: { apiVersion: v1, kind: ConfigMap, name: "\${self.metadata.name}-copy", optional: true }
${copy('', "{ value: \"${string(size(string(clock.?metadata.resourceVersion.orValue(''))) )}-${clock.?metadata.resourceVersion.orValue('')}\" }").replace('  objects:\n', '')}`;
    await begin('flapping', flapping);
    await cluster.create(source('flapping', {}));
    const event = await cluster.until(async () =>
      (await cluster.list('events.k8s.io/v1', 'Event')).find(
        ({ reason, regarding }) => reason === 'HotLoop' && (regarding as JsonObject)['namespace'] === 'flapping',
      ),
    );
    expect(event['note']).toContain('.data.value');
  });
});
