import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { type ChangingBundle, changingBundle, startTestCluster, type TestCluster } from './cluster.fixture.ts';
import { type InstancePlan, planInstance } from './plan.ts';
import { configMapEntry, createInstance, GROUP, instanceOf, ruleFor, untilCondition } from './rules.fixture.ts';

describe('what would be done for an instance', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  });
  afterAll(() => cluster.close());

  function plan(bundle: ChangingBundle, instance: JsonObject): Promise<InstancePlan> {
    const [rule] = bundle.current()!.program.reconcile.rules;
    const generate = () => ({ value: 'stands for it' });
    return planInstance({ client: cluster.client, rule: rule!, instance, now: Date.parse('2030-01-01T00:00:00Z'), generate });
  }
  const told = ({ changes }: InstancePlan): string[] =>
    changes.map(({ action, reference, problem }) => `${action} ${reference.name}${problem === undefined ? '' : `: ${problem}`}`);
  const data = (object: JsonObject | null): unknown => object?.['data'];

  it('is everything, where there is nothing; with stand-ins for what is not made yet, and nothing is kept', async () => {
    const body = `
generate: [{ id: password, random: { length: 8 } }]
objects: ${configMapEntry('one', '{ value: "${password.value}" }')}${configMapEntry('two', '{ value: "${one.data.value}" }')}`;
    const writes: unknown[] = [];
    const stop = cluster.server.registry.subscribe((event) => writes.push(event));
    const planned = await plan(changingBundle(ruleFor('Fresh', body)), instanceOf('Fresh', 'shop'));
    expect(told(planned)).toEqual(['create a-one', 'create a-two']);
    expect(planned.changes.map(({ before, after }) => [before, data(after)])).toEqual([
      [null, { value: 'stands for it' }],
      [null, { value: 'stands for it' }],
    ]);
    expect(planned.generate.map(({ id }) => id)).toEqual(['password']);
    stop();
    expect(writes).toEqual([]);
  });

  it('is what differs, and what would go, against what the controller made', async () => {
    const bundle = changingBundle(ruleFor('Made', `objects: ${configMapEntry('one')}${configMapEntry('two')}`));
    const controller = await cluster.control(bundle, { name: 'made' });
    await createInstance(cluster, instanceOf('Made', 'shop'));
    const instance = await untilCondition(cluster, instanceOf('Made', 'shop'), 'Ready', { status: 'True' });
    await controller.stop();
    expect(told(await plan(bundle, instance))).toEqual(['unchanged a-one', 'unchanged a-two']);

    bundle.set(ruleFor('Made', `objects: ${configMapEntry('one', '{ value: other }')}${configMapEntry('three')}`));
    const planned = await plan(bundle, instance);
    expect(told(planned)).toEqual(['update a-one', 'create a-three', 'delete a-two']);
    expect([data(planned.changes[0]!.before), data(planned.changes[0]!.after)]).toEqual([{ value: 'x' }, { value: 'other' }]);
    expect(planned.changes[2]).toMatchObject({ id: 'two', after: null });
    expect(data(await cluster.get('v1', 'ConfigMap', 'shop', 'a-one'))).toEqual({ value: 'x' });
  });

  it('names what the server would refuse, and what would not be taken over', async () => {
    const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name: 'a-held' }, data: { value: 'theirs' } };
    await cluster.create(theirs);
    const body = `objects: ${configMapEntry('held', undefined, 'adopt: Never')}${configMapEntry('bad', '{ "a/b": c }')}`;
    const planned = await plan(changingBundle(ruleFor('Refused', body)), instanceOf('Refused', 'shop', { value: 'x' }));
    expect(told(planned)).toEqual([
      expect.stringMatching(/^refused a-held: .*exists already and was not made by this rule/),
      expect.stringMatching(/^refused a-bad: .*data\[a\/b\]: Invalid value/),
    ]);
    expect(data(planned.changes[0]!.before)).toEqual({ value: 'theirs' });
  });

  it('tells of calls without making them', async () => {
    const body = `
calls: [{ id: call, http: { method: POST, url: "http://nowhere.invalid/" } }]
objects: ${configMapEntry('first')}${configMapEntry('two', '{ value: "${call.body.id}" }')}`;
    const planned = await plan(changingBundle(ruleFor('Caller', body)), instanceOf('Caller', 'shop', { value: 'x' }));
    expect([planned.calls, told(planned)]).toEqual([['call'], ['create a-first']]);
  });

  it('leaves to an autoscaler what is its', async () => {
    const web = (image: string): string => `
objects:
- id: web
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata: { name: "\${self.metadata.name}-web" }
    spec:
      replicas: 2
      selector: { matchLabels: { app: a } }
      template: { metadata: { labels: { app: a } }, spec: { containers: [{ name: c, image: "${image}" }] } }`;
    const bundle = changingBundle(ruleFor('Scaled', web('c:1')));
    const controller = await cluster.control(bundle, { name: 'scaled' });
    await createInstance(cluster, instanceOf('Scaled', 'shop'));
    const made = await cluster.until(async () => (await cluster.get('apps/v1', 'Deployment', 'shop', 'a-web')) ?? undefined);
    await controller.idle();
    await controller.stop();
    const instance = (await cluster.get(`${GROUP}/v1`, 'Scaled', 'shop', 'a'))!;
    const path = '/apis/apps/v1/namespaces/shop/deployments/a-web/scale?fieldManager=autoscaler';
    await cluster.client.request({ method: 'PATCH', path, body: { spec: { replicas: 5 } }, contentType: 'application/merge-patch+json' });
    bundle.set(ruleFor('Scaled', web('c:2')));
    const [change] = (await plan(bundle, instance)).changes;
    expect((made['spec'] as JsonObject)['replicas']).toBe(2);
    expect(change).toMatchObject({ action: 'update', after: { spec: { replicas: 5 } } });
  });
});
