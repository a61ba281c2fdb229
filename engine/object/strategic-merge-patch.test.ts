import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TypeTableData } from './compact-schema.ts';
import type { Json, JsonObject } from './json.ts';
import type { MapSchema } from './schema.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';
import { createTypeTable } from './type-table.ts';

const types = createTypeTable(
  JSON.parse(readFileSync(new URL('../../schemas/kubernetes/v1.37.json', import.meta.url), 'utf8')) as TypeTableData,
);
const POD = types.definition('core.v1.PodSpec') as MapSchema;
const DEPLOYMENT = types.definition('apps.v1.DeploymentSpec') as MapSchema;
const METADATA = types.definition('meta.v1.ObjectMeta') as MapSchema;
const SERVICE = types.definition('core.v1.ServiceSpec') as MapSchema;

function patched(object: JsonObject, patch: JsonObject, schema: MapSchema): Json {
  const outcome = applyStrategicMergePatch(object, patch, schema);
  return outcome.ok ? outcome.object : { code: outcome.code, message: outcome.message };
}

interface Case {
  readonly what: string;
  readonly schema: MapSchema;
  readonly object: JsonObject;
  readonly patch: JsonObject;
  readonly result: JsonObject;
}

const named = (...names: string[]): JsonObject[] => names.map((name) => ({ name }));

describe('maps', () => {
  it.each<Case>([
    {
      what: 'merge field by field',
      schema: METADATA,
      object: { name: 'a', labels: { x: '1', y: '2' } },
      patch: { labels: { y: '3', z: '4' } },
      result: { name: 'a', labels: { x: '1', y: '3', z: '4' } },
    },
    {
      what: 'lose what is null, also where a map is new',
      schema: METADATA,
      object: { name: 'a', labels: { x: '1' } },
      patch: { labels: { x: null }, annotations: { a: null, b: '1' }, deletionTimestamp: null },
      result: { name: 'a', labels: {}, annotations: { b: '1' } },
    },
    {
      what: 'are replaced by $patch: replace',
      schema: DEPLOYMENT,
      object: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
      patch: { strategy: { $patch: 'replace', type: 'Recreate' } },
      result: { strategy: { type: 'Recreate' } },
    },
    {
      what: 'are emptied by $patch: delete',
      schema: METADATA,
      object: { name: 'a', labels: { x: '1' } },
      patch: { labels: { $patch: 'delete' } },
      result: { name: 'a', labels: {} },
    },
    {
      what: 'with a directive come to nothing where there is nothing',
      schema: METADATA,
      object: { name: 'a' },
      patch: { labels: { $patch: 'replace', x: '1' } },
      result: { name: 'a' },
    },
    {
      what: 'keep of a union only what $retainKeys has',
      schema: DEPLOYMENT,
      object: { replicas: 1, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
      patch: { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
      result: { replicas: 1, strategy: { type: 'Recreate' } },
    },
    {
      what: 'are taken as they are in the place of something else',
      schema: POD,
      object: { securityContext: null },
      patch: { securityContext: { runAsUser: 1, fsGroup: null } },
      result: { securityContext: { runAsUser: 1 } },
    },
  ])('$what', ({ schema, object, patch, result }) => {
    expect(patched(object, patch, schema)).toEqual(result);
  });
});

describe('lists', () => {
  it.each<Case>([
    {
      what: 'without a merge key are replaced',
      schema: types.definition('core.v1.Container') as MapSchema,
      object: { command: ['a', 'b'] },
      patch: { command: ['c'] },
      result: { command: ['c'] },
    },
    {
      what: 'merge elements of one key, new ones at the end',
      schema: POD,
      object: {
        containers: [
          { name: 'a', image: '1' },
          { name: 'b', image: '2' },
        ],
      },
      patch: { containers: [{ name: 'b', image: '3' }, { name: 'c' }] },
      result: { containers: [{ name: 'a', image: '1' }, { name: 'b', image: '3' }, { name: 'c' }] },
    },
    {
      what: 'merge by another key than the name',
      schema: SERVICE,
      object: { ports: [{ port: 80, name: 'http' }] },
      patch: { ports: [{ port: 80, targetPort: 8080 }, { port: 443 }] },
      result: { ports: [{ port: 80, name: 'http', targetPort: 8080 }, { port: 443 }] },
    },
    {
      what: 'lose elements of $patch: delete',
      schema: POD,
      object: { containers: named('a', 'b', 'c') },
      patch: {
        containers: [
          { name: 'b', $patch: 'delete' },
          { name: 'x', $patch: 'delete' },
        ],
      },
      result: { containers: named('a', 'c') },
    },
    {
      what: 'are replaced by an element $patch: replace',
      schema: POD,
      object: { containers: named('a', 'b') },
      patch: { containers: [{ $patch: 'replace' }, { name: 'c' }, { name: 'b' }] },
      result: { containers: named('c', 'b') },
    },
    {
      what: 'that are new lose elements with directives',
      schema: POD,
      object: {},
      patch: { containers: [{ name: 'a' }, { name: 'b', $patch: 'delete' }] },
      result: { containers: named('a') },
    },
    {
      what: 'of scalars are a union',
      schema: METADATA,
      object: { finalizers: ['a', 'b'] },
      patch: { finalizers: ['b', 'c', 'c'] },
      result: { finalizers: ['a', 'b', 'c'] },
    },
    {
      what: 'of scalars lose what $deleteFromPrimitiveList has',
      schema: METADATA,
      object: { finalizers: ['a', 'b', 'c'] },
      patch: { '$deleteFromPrimitiveList/finalizers': ['b', 'x'] },
      result: { finalizers: ['a', 'c'] },
    },
    {
      what: 'that are not there have nothing to delete from',
      schema: METADATA,
      object: {},
      patch: { '$deleteFromPrimitiveList/finalizers': ['b'] },
      result: {},
    },
    {
      what: 'vanish by null, through the list of deletions as well',
      schema: METADATA,
      object: { finalizers: ['a'], ownerReferences: [] },
      patch: { '$deleteFromPrimitiveList/finalizers': null, ownerReferences: null },
      result: {},
    },
  ])('$what', ({ schema, object, patch, result }) => {
    expect(patched(object, patch, schema)).toEqual(result);
  });
});

describe('order', () => {
  const containers = (list: readonly string[]): JsonObject => ({ containers: named(...list) });
  it.each<{ what: string; live: readonly string[]; patch: JsonObject; result: readonly string[] }>([
    { what: 'follows the patch', live: ['a', 'b', 'c'], patch: containers(['c', 'a']), result: ['b', 'c', 'a'] },
    {
      what: 'follows $setElementOrder before the patch',
      live: ['a', 'b', 'c'],
      patch: { '$setElementOrder/containers': named('c', 'b', 'a') },
      result: ['c', 'b', 'a'],
    },
    {
      what: 'keeps what only the object has among its neighbours',
      live: ['a', 'x', 'b', 'y'],
      patch: { '$setElementOrder/containers': named('a', 'n', 'b'), containers: named('n') },
      result: ['a', 'n', 'x', 'b', 'y'],
    },
    {
      what: 'does not count deletions',
      live: ['a', 'b', 'c'],
      patch: { '$setElementOrder/containers': named('c', 'a'), containers: [{ name: 'b', $patch: 'delete' }, ...named('a')] },
      result: ['c', 'a'],
    },
  ])('$what', ({ live, patch, result }) => {
    expect(patched(containers(live), patch, POD)).toEqual(containers(result));
  });

  it('of scalars', () => {
    expect(
      patched({ finalizers: ['a', 'x', 'b'] }, { '$setElementOrder/finalizers': ['b', 'n', 'a'], finalizers: ['n'] }, METADATA),
    ).toEqual({
      finalizers: ['x', 'b', 'n', 'a'],
    });
  });

  it('of a list that nobody has is no list', () => {
    expect(patched({}, { '$setElementOrder/containers': named('a') }, POD)).toEqual({});
  });
});

describe('refusals', () => {
  it.each<{ schema: MapSchema; object: JsonObject; patch: JsonObject; code: number; message: string }>([
    {
      schema: METADATA,
      object: { labels: {} },
      patch: { labels: { $patch: 'merge', a: '1' } },
      code: 500,
      message: 'unknown patch type: merge in map: map[$patch:merge a:1]',
    },
    {
      schema: POD,
      object: { containers: named('a') },
      patch: { containers: [{ image: 'x' }] },
      code: 500,
      message: 'map: map[image:x] does not contain declared merge key: name',
    },
    {
      schema: POD,
      object: { containers: named('a') },
      patch: { containers: [{ $patch: 'delete' }] },
      code: 500,
      message: 'map: map[$patch:delete] does not contain declared merge key: name',
    },
    {
      schema: POD,
      object: { containers: named('a') },
      patch: { containers: [{ $patch: 'merge', name: 'a' }] },
      code: 500,
      message: 'merging lists cannot yet be specified in the patch',
    },
    {
      schema: POD,
      object: { containers: named('a') },
      patch: { containers: ['b'] },
      code: 500,
      message: 'list element types are not identical: [[map[name:a]] [b]]',
    },
    {
      schema: METADATA,
      object: { finalizers: ['a'] },
      patch: { finalizers: [['b']] },
      code: 422,
      message: 'lists of lists are not supported',
    },
    {
      schema: METADATA,
      object: {},
      patch: { $deleteFromPrimitiveList: ['a'] },
      code: 400,
      message: 'invalid patch format of primitive list',
    },
    { schema: POD, object: {}, patch: { $setElementOrder: [] }, code: 400, message: 'invalid patch format of setElementOrder list' },
    {
      schema: POD,
      object: {},
      patch: { '$setElementOrder/containers': 'a' },
      code: 500,
      message: 'expected a []interface {}, but received a string',
    },
    {
      schema: DEPLOYMENT,
      object: { strategy: {} },
      patch: { strategy: { $retainKeys: ['type'], rollingUpdate: {} } },
      code: 400,
      message: 'invalid patch format of retainKeys',
    },
    {
      schema: POD,
      object: { containers: named('a') },
      patch: { '$setElementOrder/containers': named('a'), containers: named('b') },
      code: 500,
      message: "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
    },
    {
      schema: POD,
      object: {},
      patch: { '$setElementOrder/container': named('a') },
      code: 500,
      message: 'unable to find api field in struct PodSpec for the json field "container"',
    },
    {
      schema: METADATA,
      object: { labels: { a: {} } },
      patch: { labels: { a: { b: '1' } } },
      code: 500,
      message: 'merging an object in json but data type is not struct, instead is: map',
    },
  ])('$message', ({ schema, object, patch, code, message }) => {
    expect(patched(object, patch, schema)).toEqual({ code, message });
  });
});

describe('laws', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const containers = fc.uniqueArray(fc.record({ name, image: fc.constantFrom('1', '2') }), { selector: (each) => each.name, minLength: 1 });
  const spec = fc.record({ containers, priority: fc.constantFrom(1, 2) });

  it('a patch applied twice is a patch applied once', () => {
    fc.assert(
      fc.property(spec, spec, (object, patch) => {
        const once = patched(object, patch, POD) as JsonObject;
        expect(patched(once, patch, POD)).toEqual(once);
      }),
    );
  });

  it('a patch in the order of the object leaves its order alone', () => {
    fc.assert(
      fc.property(containers, (list) => {
        const patch = { containers: list.filter((_, i) => i % 2 === 0) };
        expect(patched({ containers: list }, patch, POD)).toEqual({ containers: list });
      }),
    );
  });
});
