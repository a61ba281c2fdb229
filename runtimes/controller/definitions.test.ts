import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../engine/object/json.ts';
import { changingBundle, startTestCluster, type TestCluster } from './cluster.fixture.ts';
import { conditionOf, configMapEntry, createInstance, GROUP, instanceOf, ruleFor, untilCondition } from './rules.fixture.ts';

/** A CustomResourceDefinition that somebody made by hand. */
const definition = (kind: string, spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${kind.toLowerCase()}s.${GROUP}`, ...metadata },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: `${kind.toLowerCase()}s`, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        subresources: { status: {} },
      },
    ],
  },
});
const LOOSE: JsonObject = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

describe('the kinds of rules', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  });
  afterAll(() => cluster.close());
  const crd = (kind: string): Promise<JsonObject | null> =>
    cluster.get('apiextensions.k8s.io/v1', 'CustomResourceDefinition', undefined, `${kind.toLowerCase()}s.${GROUP}`);
  const textOf = async (name: string): Promise<unknown> => {
    const object = (await cluster.get('v1', 'ConfigMap', 'shop', name)) as { readonly data?: JsonObject } | null;
    return object?.data?.['value'];
  };
  const schemaOf = (object: JsonObject | null): Json =>
    (object as unknown as { spec: { versions: { schema: { openAPIV3Schema: { properties: JsonObject } } }[] } }).spec.versions[0]!.schema
      .openAPIV3Schema.properties['spec']!;

  it.each([
    ['nobody', {}, 'exists and was not made by a rule: let the rule decorate its objects (for: instead of resource:), or delete it'],
    [
      'another bundle',
      { labels: { 'fairlead.dev/rule': 'theirs' }, annotations: { 'fairlead.dev/bundle': 'others' } },
      'belongs to rule theirs of bundle others, not to bundle test: use another group or kind, or change its annotation fairlead.dev/bundle',
    ],
  ])('are left alone where they are of %s, and the rule says so', async (whose, metadata, message) => {
    const kind = whose === 'nobody' ? 'Foreign' : 'Other';
    await cluster.create(definition(kind, LOOSE, metadata));
    const before = await cluster.until(async () => {
      const object = await crd(kind);
      return conditionOf(object, 'Established')?.status === 'True' && object;
    });
    const controller = await cluster.control(changingBundle(ruleFor(kind, `objects: ${configMapEntry('copy')}`)), {
      name: kind.toLowerCase(),
    });
    await cluster.until(async () => controller.status().rules[0]?.problem !== undefined);
    expect(controller.status().rules[0]).toMatchObject({
      problem: `CustomResourceDefinition ${kind.toLowerCase()}s.${GROUP} ${message}`,
      serves: false,
    });
    expect(await crd(kind)).toEqual(before);
    const event = await cluster.until(async () =>
      (await cluster.list('events.k8s.io/v1', 'Event')).find(
        ({ regarding, reason }) =>
          reason === 'DefinitionNotOurs' && String((regarding as JsonObject)['name']).startsWith(kind.toLowerCase()),
      ),
    );
    expect(event['note']).toContain(message);
  });

  it('do not change while objects live that would not survive it, and instances go on', async () => {
    const before = '{ value: string | default=x, size: integer }';
    const after = '{ value: string | default=x, size: string }';
    const body = `objects: ${configMapEntry('copy')}`;
    const bundle = changingBundle(ruleFor('Strict', body, before));
    const controller = await cluster.control(bundle, { name: 'strict' });
    const instance = await createInstance(cluster, instanceOf('Strict', 'shop', { size: 3 }));
    await untilCondition(cluster, instance, 'Ready', { status: 'True' });
    const made = schemaOf(await crd('Strict'));
    bundle.set(ruleFor('Strict', body, after));
    await cluster.until(async () => controller.status().rules[0]?.problem !== undefined);
    const { problem, serves } = controller.status().rules[0]!;
    expect([serves, problem]).toEqual([
      true,
      expect.stringMatching(/^CustomResourceDefinition stricts\.\S+ stays as it is while objects of its kind exist, .*spec\.size/),
    ]);
    expect(problem).toContain('set the annotation fairlead.dev/allow-breaking-changes: "true" on it');
    expect(schemaOf(await crd('Strict'))).toEqual(made);
    await cluster.merge(`${GROUP}/v1`, 'Strict', 'shop', 'a', { spec: { value: 'y' } });
    await cluster.until(async () => (await textOf('a-copy')) === 'y');
    await cluster.merge('apiextensions.k8s.io/v1', 'CustomResourceDefinition', undefined, `stricts.${GROUP}`, {
      metadata: { annotations: { 'fairlead.dev/allow-breaking-changes': 'true' } },
    });
    await cluster.until(async () => controller.status().rules[0]?.problem === undefined);
    expect(schemaOf(await crd('Strict'))).not.toEqual(made);
  });

  it('are waited for where others make them, and so are the kinds of objects', async () => {
    const text = `
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: later }
spec:
  for: { apiVersion: ${GROUP}/v1, kind: Later }
  objects:
  - id: part
    template: { apiVersion: ${GROUP}/v1, kind: Part, metadata: { name: "\${self.metadata.name}" } }
`;
    const controller = await cluster.control(changingBundle(text), { name: 'later' });
    await cluster.create(definition('Later', LOOSE));
    await createInstance(cluster, instanceOf('Later', 'shop', {}, 'b'));
    await cluster.until(async () => controller.status().rules[0]?.failing === 1);
    const event = await cluster.until(async () =>
      (await cluster.list('events.k8s.io/v1', 'Event')).find(({ regarding }) => (regarding as JsonObject)['kind'] === 'Later'),
    );
    expect([event['reason'], event['note']]).toEqual(['UnknownKind', expect.stringContaining(`Part in ${GROUP}/v1`)]);
    await cluster.create(definition('Part', LOOSE));
    cluster.client.discovery.invalidate(GROUP);
    await cluster.until(async () => {
      cluster.client.discovery.invalidate(GROUP);
      return (await cluster.get(`${GROUP}/v1`, 'Part', 'shop', 'b')) !== null;
    });
    await cluster.until(async () => controller.status().rules[0]?.failing === 0);
  });

  it('may hold values that an expression cannot read: the condition names the field', async () => {
    const text = `
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: loose }
spec:
  for: { apiVersion: ${GROUP}/v1, kind: Loose }
  objects:
  - id: copy
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: "\${self.metadata.name}-loose" }
      data: { value: "\${string(self.spec.size + 1)}" }
`;
    await cluster.create(definition('Loose', LOOSE));
    const controller = await cluster.control(changingBundle(text), { name: 'loose' });
    await createInstance(cluster, instanceOf('Loose', 'shop', { size: 'large' }));
    await cluster.until(async () => controller.status().rules[0]?.failing === 1);
    const event = await cluster.until(async () =>
      (await cluster.list('events.k8s.io/v1', 'Event')).find(({ regarding }) => (regarding as JsonObject)['kind'] === 'Loose'),
    );
    expect(event['note']).toBe(
      '$.spec.objects[0].template.data.value: no such overload: self.spec.size is a string; correct the instance, or have the rule test the type',
    );
    await cluster.merge(`${GROUP}/v1`, 'Loose', 'shop', 'a', { spec: { size: 4 } });
    await cluster.until(async () => (await textOf('a-loose')) === '5');
  });
});
