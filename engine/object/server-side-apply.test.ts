import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TypeTableData } from './compact-schema.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { formatFields } from './managed-fields/field-set.ts';
import { decodeFieldsV1 } from './managed-fields/fields-v1.ts';
import { ownedFields, projectOwned } from './managed-fields/owned-fields.ts';
import type { MapSchema } from './schema.ts';
import { type ServerSideApplyOutcome, serverSideApply, trackUpdate, type WrittenKind } from './server-side-apply.ts';
import { createTypeTable, customResourceTypes } from './type-table.ts';

const types = createTypeTable(
  JSON.parse(readFileSync(new URL('../../schemas/kubernetes/v1.37.json', import.meta.url), 'utf8')) as TypeTableData,
);
const T1 = '2026-01-01T00:00:01Z';
const T2 = '2026-01-01T00:00:02Z';
const T3 = '2026-01-01T00:00:03Z';

/** An object of a kind under writes by managers, one after the other. */
class Writes {
  object: JsonObject | null = null;
  readonly #kind: WrittenKind;

  constructor(apiVersion: string, schema: MapSchema | undefined, more: Partial<WrittenKind> = {}) {
    this.#kind = { apiVersion, schema, ...more };
  }

  static of(apiVersion: string, kind: string, more: Partial<WrittenKind> = {}): Writes {
    return new Writes(apiVersion, types.typeOf({ apiVersion, kind }), more);
  }

  tryApply(
    manager: string,
    applied: JsonObject,
    options: { force?: boolean; now?: string; subresource?: string } = {},
  ): ServerSideApplyOutcome {
    const { force = false, now = T1, subresource = '' } = options;
    const outcome = serverSideApply({ ...this.#kind, live: this.object, applied, manager, force, now, subresource });
    if (outcome.ok) this.object = outcome.object;
    return outcome;
  }

  apply(manager: string, applied: JsonObject, options: { force?: boolean; now?: string; subresource?: string } = {}): this {
    const outcome = this.tryApply(manager, applied, options);
    expect(outcome).toMatchObject({ ok: true });
    return this;
  }

  update(manager: string, change: (object: JsonObject) => JsonObject, now = T1, subresource = ''): this {
    const updated = change(this.object ?? {});
    this.object = trackUpdate({ ...this.#kind, live: this.object, updated, manager, now, subresource });
    return this;
  }

  /** Who owns what: `manager/Operation` → field texts. */
  get owners(): { [manager: string]: string[] } {
    const owners: { [manager: string]: string[] } = {};
    for (const entry of this.entries) {
      const name = `${String(entry['manager'])}/${String(entry['operation'])}${entry['subresource'] ? `/${String(entry['subresource'])}` : ''}`;
      owners[name] = formatFields(decodeFieldsV1(entry['fieldsV1']));
    }
    return owners;
  }

  get entries(): readonly JsonObject[] {
    const metadata = this.object?.['metadata'];
    const entries = isJsonObject(metadata) ? metadata['managedFields'] : undefined;
    return Array.isArray(entries) ? (entries as readonly JsonObject[]) : [];
  }

  /** Without the books. */
  get content(): JsonObject {
    const { managedFields: _, ...metadata } = (this.object as JsonObject)['metadata'] as JsonObject;
    return { ...this.object, metadata };
  }
}

function configMap(data: JsonObject, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', ...metadata }, data };
}

function deployment(spec: JsonObject): JsonObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'n' }, spec };
}

function withContainers(...containers: JsonObject[]): JsonObject {
  return deployment({ template: { spec: { containers } } });
}

describe('creating by apply', () => {
  it('makes the object, and the manager owns what it says', () => {
    const writes = Writes.of('v1', 'ConfigMap').apply(
      'm',
      configMap({ b: '2', a: '1' }, { labels: { app: 'x' }, finalizers: ['f/z', 'f/a'] }),
    );
    expect(writes.object).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'c',
        labels: { app: 'x' },
        finalizers: ['f/z', 'f/a'],
        managedFields: [
          {
            manager: 'm',
            operation: 'Apply',
            apiVersion: 'v1',
            time: T1,
            fieldsType: 'FieldsV1',
            fieldsV1: {
              'f:data': { 'f:a': {}, 'f:b': {} },
              'f:metadata': { 'f:finalizers': { 'v:"f/a"': {}, 'v:"f/z"': {} }, 'f:labels': { 'f:app': {} } },
            },
          },
        ],
      },
      data: { a: '1', b: '2' },
    });
    // Fields in the order in which the API server writes them.
    expect(Object.keys((writes.entries[0] as JsonObject)['fieldsV1'] as JsonObject)).toEqual(['f:data', 'f:metadata']);
  });

  it('tells elements apart by keys, their defaults included', () => {
    const ports = [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP' }];
    const writes = Writes.of('apps/v1', 'Deployment').apply('m', withContainers({ name: 'a', ports, env: [{ name: 'E', value: '1' }] }));
    expect(writes.owners).toEqual({
      'm/Apply': [
        '.spec.template.spec.containers[name="a"]',
        '.spec.template.spec.containers[name="a"].name',
        '.spec.template.spec.containers[name="a"].env[name="E"]',
        '.spec.template.spec.containers[name="a"].env[name="E"].name',
        '.spec.template.spec.containers[name="a"].env[name="E"].value',
        '.spec.template.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"]',
        '.spec.template.spec.containers[name="a"].ports[containerPort=80,protocol="UDP"]',
        '.spec.template.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].containerPort',
        '.spec.template.spec.containers[name="a"].ports[containerPort=80,protocol="UDP"].containerPort',
        '.spec.template.spec.containers[name="a"].ports[containerPort=80,protocol="UDP"].protocol',
      ],
    });
  });

  it('owns atomic lists, maps and structures as one', () => {
    const writes = Writes.of('apps/v1', 'Deployment').apply(
      'm',
      deployment({
        selector: { matchLabels: { app: 'x' } },
        template: { spec: { nodeSelector: { a: 'b' }, containers: [{ name: 'a', command: ['sh'] }] } },
      }),
    );
    expect(writes.owners['m/Apply']).toEqual([
      '.spec.selector',
      '.spec.template.spec.nodeSelector',
      '.spec.template.spec.containers[name="a"]',
      '.spec.template.spec.containers[name="a"].command',
      '.spec.template.spec.containers[name="a"].name',
    ]);
  });

  it('owns empty maps, but not empty lists', () => {
    const writes = Writes.of('v1', 'Pod').apply('m', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', finalizers: [] },
      spec: { containers: [{ name: 'a', resources: {} }] },
    });
    expect(writes.owners['m/Apply']).toEqual([
      '.spec.containers[name="a"]',
      '.spec.containers[name="a"].name',
      '.spec.containers[name="a"].resources',
    ]);
  });
});

describe('applying again', () => {
  it('changes nothing, not even a time', () => {
    const writes = Writes.of('v1', 'ConfigMap').apply('m', configMap({ a: '1' }));
    const before = writes.object;
    writes.apply('m', configMap({ a: '1' }), { now: T2 });
    expect(writes.object).toBe(before);
  });

  it('removes what the manager no longer wants and nobody else owns', () => {
    const writes = Writes.of('v1', 'ConfigMap')
      .apply('m', configMap({ a: '1', b: '2', c: '3' }, { labels: { l: '1' } }))
      .apply('other', configMap({ b: '2' }))
      .apply('m', configMap({ a: '1' }), { now: T2 });
    expect(writes.content).toEqual(configMap({ a: '1', b: '2' }));
    expect(writes.owners).toEqual({ 'm/Apply': ['.data.a'], 'other/Apply': ['.data.b'] });
  });

  it('leaves what somebody has put beside it', () => {
    const writes = Writes.of('v1', 'ConfigMap')
      .apply('m', configMap({ a: '1', b: '2' }))
      .update('kubectl-edit', (object) => ({ ...object, data: { ...(object['data'] as JsonObject), x: '9' } }), T2)
      .apply('m', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }, { now: T3 });
    expect(writes.content).toEqual(configMap({ x: '9' }));
    expect(writes.owners).toEqual({ 'kubectl-edit/Update': ['.data.x'] });
  });

  it('removes elements of lists, and keeps the order of the others', () => {
    const writes = Writes.of('apps/v1', 'Deployment')
      .apply('m', withContainers({ name: 'a', image: '1' }, { name: 'b', image: '2' }, { name: 'c', image: '3' }))
      .apply('m', withContainers({ name: 'c', image: '3' }, { name: 'a', image: '1' }));
    expect(writes.content).toEqual(withContainers({ name: 'c', image: '3' }, { name: 'a', image: '1' }));
  });

  it('keeps an empty map that another manager owns as one', () => {
    const configMap = (data: JsonObject): JsonObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data });
    const writes = Writes.of('v1', 'ConfigMap')
      .apply('one', configMap({ a: '1' }))
      .apply('two', configMap({ a: '1' }));
    writes.apply('one', configMap({})).apply('two', configMap({}));
    expect(writes.owners).toEqual({ 'one/Apply': ['.data'], 'two/Apply': ['.data'] });
    expect(writes.object).not.toHaveProperty('data');
  });

  it('releases everything by an empty configuration', () => {
    const writes = Writes.of('v1', 'ConfigMap')
      .apply('m', configMap({ a: '1' }))
      .apply('m', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } });
    expect(writes.content).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } });
    expect(writes.entries).toEqual([]);
  });

  it('keeps an element that another manager owns a field of', () => {
    const writes = Writes.of('apps/v1', 'Deployment')
      .apply('m', withContainers({ name: 'a', image: '1', tty: true }))
      .apply('other', withContainers({ name: 'a', stdin: true }))
      .apply('m', deployment({ replicas: 1 }));
    expect(writes.content).toEqual(deployment({ replicas: 1, template: { spec: { containers: [{ name: 'a', stdin: true }] } } }));
  });
});

describe('conflicts', () => {
  const scaled = Writes.of('apps/v1', 'Deployment')
    .apply('m', deployment({ replicas: 1, paused: false }))
    .update('kubectl-edit', (object) => ({ ...object, spec: { ...(object['spec'] as JsonObject), replicas: 5 } }), T2);

  it('names the manager that updates, and its version', () => {
    expect(scaled.tryApply('m', deployment({ replicas: 1, paused: false }))).toEqual({
      ok: false,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas',
      conflicts: [{ message: 'conflict with "kubectl-edit" using apps/v1', field: '.spec.replicas' }],
    });
  });

  it('lists several by manager', () => {
    const writes = Writes.of('apps/v1', 'Deployment')
      .apply('b', deployment({ replicas: 1, paused: false }))
      .apply('a', withContainers({ name: 'x', image: '1' }))
      .apply('s', { ...deployment({}), status: { replicas: 3 } }, { subresource: 'status' });
    const outcome = writes.tryApply('c', {
      ...deployment({ replicas: 2, paused: true, template: { spec: { containers: [{ name: 'x', image: '2' }] } } }),
      status: { replicas: 4 },
    });
    expect(outcome).toMatchObject({
      message: [
        'Apply failed with 4 conflicts: conflicts with "a":',
        '- .spec.template.spec.containers[name="x"].image',
        'conflicts with "b":',
        '- .spec.paused',
        '- .spec.replicas',
        'conflicts with "s" with subresource "status":',
        '- .status.replicas',
      ].join('\n'),
    });
  });

  it('are none where the value is the same: both own it', () => {
    const writes = Writes.of('v1', 'ConfigMap')
      .apply('a', configMap({ k: 'v' }))
      .apply('b', configMap({ k: 'v' }), { now: T2 });
    expect(writes.owners).toEqual({ 'a/Apply': ['.data.k'], 'b/Apply': ['.data.k'] });
    expect(writes.apply('a', configMap({}), { now: T3 }).content).toEqual(configMap({ k: 'v' }));
    expect(writes.owners).toEqual({ 'a/Apply': ['.data'], 'b/Apply': ['.data.k'] });
  });

  it('give way to force, which takes the field', () => {
    const writes = Writes.of('v1', 'ConfigMap')
      .apply('a', configMap({ k: '1', other: 'x' }))
      .apply('b', configMap({ k: '2' }), { force: true, now: T2 });
    expect(writes.owners).toEqual({ 'a/Apply': ['.data.other'], 'b/Apply': ['.data.k'] });
    expect(writes.content).toEqual(configMap({ k: '2', other: 'x' }));
  });

  it('spare who turns from client-side apply of kubectl', () => {
    const last = configMap({ k: '1' });
    const create = (): Writes =>
      Writes.of('v1', 'ConfigMap').update('kubectl-client-side-apply', () =>
        configMap({ k: '1', foreign: 'x' }, { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(last) } }),
      );
    expect(create().tryApply('someone', configMap({ k: '2' }))).toMatchObject({ ok: false, reason: 'Conflict' });
    expect(create().tryApply('kubectl', configMap({ foreign: 'y' }))).toMatchObject({ ok: false, reason: 'Conflict' });
    const writes = create().apply('kubectl', configMap({ k: '2' }), { now: T2 });
    expect(writes.content).toEqual(
      configMap(
        { k: '2', foreign: 'x' },
        {
          annotations: {
            'kubectl.kubernetes.io/last-applied-configuration':
              '{"apiVersion":"v1","data":{"k":"2"},"kind":"ConfigMap","metadata":{"name":"c"}}\n',
          },
        },
      ),
    );
  });
});

describe('refusals', () => {
  const deployed = Writes.of('apps/v1', 'Deployment').apply('m', deployment({ replicas: 1 }));
  it.each<{ what: string; applied: JsonObject; reason: string; message: string }>([
    {
      what: 'another kind',
      applied: { ...deployment({}), apiVersion: 'apps/v2' },
      reason: 'BadRequest',
      message: 'invalid object type: apps/v2, Kind=Deployment',
    },
    {
      what: 'managed fields in a configuration',
      applied: { ...deployment({}), metadata: { name: 'd', managedFields: [] } },
      reason: 'BadRequest',
      message: 'metadata.managedFields must be nil',
    },
    {
      what: 'a field that is not declared',
      applied: deployment({ replica: 1 }),
      reason: 'InternalError',
      message: 'failed to create typed patch object (n/d; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema',
    },
    {
      what: 'two elements of one key',
      applied: withContainers({ name: 'a' }, { name: 'a' }),
      reason: 'InternalError',
      message:
        'failed to create typed patch object (n/d; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="a"]',
    },
  ])('$what', ({ applied, reason, message }) => {
    expect(deployed.tryApply('m', applied)).toEqual({ ok: false, reason, message, conflicts: [] });
  });
});

describe('updates', () => {
  const create = (): Writes => Writes.of('v1', 'ConfigMap').update('kubectl-create', () => configMap({ a: '1' }));

  it('own what they create, maps included', () => {
    expect(create().owners).toEqual({ 'kubectl-create/Update': ['.data', '.data.a'] });
  });

  it('take over what they change, and free what they remove', () => {
    const writes = create().update('editor', (object) => ({ ...object, data: { a: '2', b: '3' } }), T2);
    expect(writes.owners).toEqual({ 'editor/Update': ['.data.a', '.data.b'], 'kubectl-create/Update': ['.data'] });
    writes.update('other', (object) => ({ ...object, data: { b: '3' } }), T3);
    expect(writes.owners).toEqual({ 'editor/Update': ['.data.b'], 'kubectl-create/Update': ['.data'] });
    expect(writes.entries.map(({ time }) => time)).toEqual([T1, T2]);
  });

  it('that change nothing leave the books alone', () => {
    const writes = create();
    const [entry] = writes.entries;
    writes.update('editor', (object) => ({ ...object }), T2);
    expect(writes.entries).toEqual([entry]);
  });

  it('do not lose the books by who does not know of them, and may reset them', () => {
    const withoutBooks = (object: JsonObject): JsonObject => ({ ...object, metadata: { name: 'c' } });
    expect(create().update('old', withoutBooks).owners).toEqual({ 'kubectl-create/Update': ['.data', '.data.a'] });
    const reset = (object: JsonObject): JsonObject => ({ ...object, metadata: { name: 'c', managedFields: [{}] } });
    const writes = create().update('any', reset);
    expect(writes.entries).toEqual([]);
    // From then on nobody owns anything, until somebody applies.
    writes.update('editor', (object) => ({ ...object, data: { a: '5' } }));
    expect(writes.entries).toEqual([]);
    expect(writes.tryApply('m', configMap({ a: '6' }))).toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
    });
    writes.apply('m', configMap({ a: '5' }));
    expect(writes.owners).toEqual({ 'm/Apply': ['.data.a'], 'before-first-apply/Update': ['.data', '.data.a'] });
  });

  it('own nothing of what they can not set', () => {
    const writes = Writes.of('apps/v1', 'Deployment', { resetFields: [['status']] }).update('m', () => ({
      ...deployment({ replicas: 1 }),
      status: { replicas: 7 },
    }));
    expect(writes.owners).toEqual({ 'm/Update': ['.spec', '.spec.replicas'] });
  });

  it('through a subresource can not write the books', () => {
    const writes = create().update('m', (object) => ({ ...object, metadata: { name: 'c', managedFields: [{}] } }), T2, 'status');
    expect(writes.owners).toEqual({ 'kubectl-create/Update': ['.data', '.data.a'] });
  });

  it('of more than ten managers are merged, the oldest first', () => {
    const writes = create();
    for (let i = 0; i < 12; i++) {
      const second = String(10 + i);
      writes.update(
        `m${second}`,
        (object) => ({ ...object, data: { ...(object['data'] as JsonObject), [`k${second}`]: 'v' } }),
        `2026-01-01T00:00:${second}Z`,
      );
    }
    expect(writes.entries).toHaveLength(10);
    expect(writes.owners['ancient-changes/Update']).toEqual(['.data', '.data.a', '.data.k10', '.data.k11', '.data.k12']);
    expect(writes.entries[0]).toMatchObject({ manager: 'ancient-changes', time: '2026-01-01T00:00:12Z' });
  });
});

describe('elements that share a key', () => {
  it('are owned by the key alone, and replaced by who applies it', () => {
    const env = (...values: string[]): Json => values.map((value) => ({ name: 'E', value }));
    const writes = Writes.of('apps/v1', 'Deployment').update('u', () => withContainers({ name: 'a', env: env('1', '2') }));
    expect(writes.owners['u/Update']).toContain('.spec.template.spec.containers[name="a"].env[name="E"]');
    expect(writes.owners['u/Update']).not.toContain('.spec.template.spec.containers[name="a"].env[name="E"].value');
    writes.apply('m', withContainers({ name: 'a', env: env('3') }), { force: true });
    expect(writes.content).toEqual(withContainers({ name: 'a', env: env('3') }));
  });
});

describe('custom resources', () => {
  const crd = (properties: JsonObject): MapSchema | undefined =>
    createTypeTable(
      customResourceTypes([
        {
          spec: {
            group: 'g.io',
            scope: 'Namespaced',
            names: { kind: 'K', plural: 'ks' },
            versions: [{ name: 'v1', schema: { openAPIV3Schema: { type: 'object', properties } } }],
          },
        },
      ]),
      JSON.parse(readFileSync(new URL('../../schemas/kubernetes/v1.37.json', import.meta.url), 'utf8')) as TypeTableData,
    ).typeOf({ apiVersion: 'g.io/v1', kind: 'K' });
  const k = (spec: Json): JsonObject => ({ apiVersion: 'g.io/v1', kind: 'K', metadata: { name: 'k' }, spec });

  it('merge free-form JSON key by key, and replace its lists', () => {
    const schema = crd({ spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } });
    const writes = new Writes('g.io/v1', schema, { keepsNulls: true })
      .apply('a', k({ x: { p: 1, l: [1, 2] } }))
      .apply('b', k({ x: { q: 2 } }));
    expect(writes.content).toEqual(k({ x: { p: 1, q: 2, l: [1, 2] } }));
    expect(writes.owners).toEqual({ 'a/Apply': ['.spec.x', '.spec.x.l', '.spec.x.p'], 'b/Apply': ['.spec.x', '.spec.x.q'] });
    expect(writes.tryApply('b', k({ x: { l: [3] } }))).toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "a": .spec.x.l',
    });
  });

  it('follow a schema that has made a map one value', () => {
    const spec = { type: 'object', additionalProperties: { type: 'string' } };
    const writes = new Writes('g.io/v1', crd({ spec })).apply('a', k({ p: '1' }));
    const later = new Writes('g.io/v1', crd({ spec: { ...spec, 'x-kubernetes-map-type': 'atomic' } }));
    later.object = writes.object;
    later.apply('a', k({ p: '1', q: '2' }));
    expect(later.owners).toEqual({ 'a/Apply': ['.spec'] });
  });

  it('know managers of other versions, and forget those of versions that are gone', () => {
    const spec = { type: 'object', properties: { old: { type: 'string' }, now: { type: 'string' } } };
    const schema = crd({ spec });
    const convert: WrittenKind['convert'] = (object, apiVersion) =>
      apiVersion === 'g.io/v1' || apiVersion === 'g.io/v1beta1' ? { object: { ...object, apiVersion }, schema } : undefined;
    const live: JsonObject = {
      ...k({ old: '1', now: '1' }),
      metadata: {
        name: 'k',
        managedFields: [
          {
            manager: 'beta',
            operation: 'Update',
            apiVersion: 'g.io/v1beta1',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:spec': { 'f:old': {} } },
          },
          {
            manager: 'alpha',
            operation: 'Update',
            apiVersion: 'g.io/v1alpha1',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:spec': { 'f:now': {} } },
          },
        ],
      },
    };
    const writes = new Writes('g.io/v1', schema, { convert });
    writes.object = live;
    expect(writes.tryApply('m', k({ old: '2' }))).toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "beta" using g.io/v1beta1: .spec.old',
    });
    writes.apply('m', k({ now: '2' }));
    expect(writes.owners).toEqual({ 'm/Apply': ['.spec.now'], 'beta/Update': ['.spec.old'] });
  });
});

describe('the part of an object that a manager owns', () => {
  it('is what it has applied, whatever others have added', () => {
    const applied = withContainers({ name: 'a', image: '1', ports: [{ containerPort: 80 }], command: ['x', 'y'] });
    const writes = Writes.of('apps/v1', 'Deployment')
      .apply('m', applied)
      .update('defaulter', (object) => {
        const spec = {
          replicas: 1,
          template: { spec: { restartPolicy: 'Always', containers: [{ name: 'side' }, ...containersOf(object)] } },
        };
        return { ...object, spec };
      });
    expect(projectOwned(writes.object as JsonObject, ownedFields(writes.object as JsonObject, 'm'))).toEqual({
      spec: (applied as { spec: Json }).spec,
    });
    expect(ownedFields(writes.object as JsonObject, 'defaulter').size).toBe(0);
  });

  function containersOf(object: JsonObject): JsonObject[] {
    const { spec } = object as { spec: { template: { spec: { containers: JsonObject[] } } } };
    return spec.template.spec.containers.map((container) => ({ ...container, terminationMessagePath: '/dev/log' }));
  }
});

describe('laws', () => {
  const names = fc.constantFrom('a', 'b', 'c');
  const container = fc.record(
    {
      name: names,
      image: fc.constantFrom('1', '2'),
      command: fc.array(names, { maxLength: 2 }),
      ports: fc.uniqueArray(fc.record({ containerPort: fc.constantFrom(80, 81), protocol: fc.constantFrom('TCP', 'UDP') }), {
        selector: ({ containerPort, protocol }) => `${containerPort}/${protocol}`,
        minLength: 1,
        maxLength: 3,
      }),
    },
    { requiredKeys: ['name'] },
  );
  const configuration = fc
    .record({
      labels: fc.dictionary(names, fc.constantFrom('1', '2'), { minKeys: 1, maxKeys: 3 }),
      spec: fc.record(
        {
          replicas: fc.constantFrom(1, 2),
          template: fc.record({
            spec: fc.record({ containers: fc.uniqueArray(container, { selector: ({ name }) => name, minLength: 1, maxLength: 3 }) }),
          }),
        },
        { requiredKeys: ['replicas'] },
      ),
    })
    .map(
      ({ labels, spec }): JsonObject =>
        ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', labels }, spec }) as JsonObject,
    );

  it('apply of the same configuration once more is no change', () => {
    fc.assert(
      fc.property(configuration, configuration, configuration, (first, foreign, second) => {
        const writes = Writes.of('apps/v1', 'Deployment')
          .apply('m', first)
          .apply('o', foreign, { force: true })
          .apply('m', second, { force: true });
        const before = writes.object;
        return writes.apply('m', second, { now: T2 }).object === before;
      }),
    );
  });

  it('what is applied is there, and is what the manager owns', () => {
    fc.assert(
      fc.property(configuration, configuration, (foreign, applied) => {
        const writes = Writes.of('apps/v1', 'Deployment').apply('o', foreign).apply('m', applied, { force: true });
        const alone = Writes.of('apps/v1', 'Deployment').apply('m', applied);
        expect(writes.owners['m/Apply']).toEqual(alone.owners['m/Apply']);
        expect(sortedLists(partOf(writes, 'm'))).toEqual(sortedLists(partOf(alone, 'm')));
      }),
    );
  });

  it('who applies and releases leaves what others have applied', () => {
    fc.assert(
      fc.property(configuration, configuration, (foreign, applied) => {
        const writes = Writes.of('apps/v1', 'Deployment').apply('o', foreign);
        const before = writes.owners;
        if (!writes.tryApply('m', applied).ok) return;
        writes.apply('m', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } });
        expect(writes.owners).toEqual(before);
        const alone = Writes.of('apps/v1', 'Deployment').apply('o', foreign);
        expect(sortedLists(partOf(writes, 'o'))).toEqual(sortedLists(partOf(alone, 'o')));
      }),
    );
  });

  it('managers of disjoint fields never conflict', () => {
    const key = fc.integer({ min: 0, max: 9 });
    const data = fc.dictionary(key.map(String), fc.constantFrom('1', '2'));
    const ofParity = (all: { [key: string]: string }, parity: number): JsonObject =>
      configMap(Object.fromEntries([[`own-${parity}`, ''], ...Object.entries(all).filter(([name]) => Number(name) % 2 === parity)]));
    fc.assert(
      fc.property(fc.array(fc.tuple(data, fc.boolean()), { maxLength: 6 }), (turns) => {
        const writes = Writes.of('v1', 'ConfigMap');
        for (const [all, even] of turns) writes.apply(even ? 'even' : 'odd', ofParity(all, even ? 0 : 1));
      }),
    );
  });

  function partOf({ object }: Writes, manager: string): JsonObject {
    return projectOwned(object as JsonObject, ownedFields(object as JsonObject, manager), types.typeOf(object as JsonObject));
  }

  /** Where elements of several managers meet, their order is nobody's. */
  function sortedLists(value: Json): Json {
    if (Array.isArray(value)) return value.map(sortedLists).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, sortedLists(item)]));
  }
});
