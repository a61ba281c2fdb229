import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyConfiguration } from './apply-configuration.ts';
import type { TypeTableData } from './compact-schema.ts';
import { type JsonObject, jsonEqual } from './json.ts';
import { applyPatch } from './json-patch.ts';
import { createTypeTable } from './type-table.ts';

const table = createTypeTable(
  JSON.parse(readFileSync(new URL('../../schemas/kubernetes/v1.37.json', import.meta.url), 'utf8')) as TypeTableData,
);

const pod = (spec: JsonObject, metadata: JsonObject = { name: 'p' }): JsonObject => ({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
const service = (...ports: JsonObject[]): JsonObject => ({ apiVersion: 'v1', kind: 'Service', spec: { ports } });
const custom = (spec: JsonObject): JsonObject => ({ apiVersion: 'example.com/v1', kind: 'Thing', spec });

/** The merged object, or the error. */
const apply = (object: JsonObject, configuration: JsonObject, atomics: 'refuse' | 'replace' = 'refuse'): unknown => {
  const outcome = applyConfiguration(object, configuration, table.typeOf(object), { atomics });
  return outcome.ok ? outcome.object : outcome.message;
};
const containers = (...names: string[]): JsonObject => ({ containers: names.map((name) => ({ name })) });
const names = (object: unknown): string => {
  if (typeof object === 'string') return object;
  return (object as { spec: { containers: { name: string }[] } }).spec.containers.map((each) => each.name).join('');
};

describe('applyConfiguration', () => {
  it('merges maps and structures key by key', () => {
    const live = pod({ nodeName: 'n', hostNetwork: true }, { name: 'p', labels: { a: '1', b: '2' } });
    expect(apply(live, { metadata: { labels: { b: '3', c: '4' } }, spec: { hostNetwork: false } })).toEqual(
      pod({ nodeName: 'n', hostNetwork: false }, { name: 'p', labels: { a: '1', b: '3', c: '4' } }),
    );
  });

  it('merges map lists by their keys, and adds what is new', () => {
    const live = pod({ containers: [{ name: 'a', image: 'x', env: [{ name: 'E', value: '1' }] }] });
    expect(
      apply(live, {
        spec: {
          containers: [
            { name: 'a', env: [{ name: 'F', value: '2' }] },
            { name: 'side', image: 'y' },
          ],
        },
      }),
    ).toEqual(
      pod({
        containers: [
          {
            name: 'a',
            image: 'x',
            env: [
              { name: 'E', value: '1' },
              { name: 'F', value: '2' },
            ],
          },
          { name: 'side', image: 'y' },
        ],
      }),
    );
  });

  it('takes missing keys from their defaults', () => {
    expect(apply(service({ port: 80, name: 'a', protocol: 'TCP' }), { spec: { ports: [{ port: 80, targetPort: 8080 }] } })).toEqual(
      service({ port: 80, name: 'a', protocol: 'TCP', targetPort: 8080 }),
    );
  });

  it('unites sets', () => {
    const live = { apiVersion: 'v1', kind: 'Pod', metadata: { finalizers: ['a', 'b'] } };
    expect(apply(live, { metadata: { finalizers: ['c', 'b'] } })).toEqual({ ...live, metadata: { finalizers: ['a', 'c', 'b'] } });
  });

  // Expected orders: structured-merge-diff 6.4.2 itself, asked with the same lists.
  it.each([
    ['abc', 'x', 'abcx'],
    ['abc', 'xa', 'xabc'],
    ['abc', 'ax', 'abcx'],
    ['abc', 'cba', 'cba'],
    ['abcd', 'db', 'acdb'],
    ['abcd', 'dxb', 'acdxb'],
    ['abcde', 'ebxc', 'adebxc'],
    ['abcd', 'xbyd', 'axbcyd'],
    ['abcdef', 'xfay', 'bcdexfay'],
    ['', 'ba', 'ba'],
  ])('orders %s with %s as %s', (live, wanted, expected) => {
    expect(names(apply(pod(containers(...live)), { spec: containers(...wanted) }))).toBe(expected);
  });

  it('leaves duplicates of the object alone, and replaces them where they are configured', () => {
    const live = pod({
      containers: [
        {
          name: 'c',
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
            { name: 'B', value: '3' },
          ],
        },
      ],
    });
    const env = (...list: JsonObject[]): JsonObject => ({ spec: { containers: [{ name: 'c', env: list }] } });
    expect(apply(live, env({ name: 'B', value: '4' }))).toEqual(
      pod({
        containers: [
          {
            name: 'c',
            env: [
              { name: 'A', value: '1' },
              { name: 'A', value: '2' },
              { name: 'B', value: '4' },
            ],
          },
        ],
      }),
    );
    expect(apply(live, env({ name: 'A', value: '9' }))).toEqual(
      pod({
        containers: [
          {
            name: 'c',
            env: [
              { name: 'A', value: '9' },
              { name: 'B', value: '3' },
            ],
          },
        ],
      }),
    );
  });

  it.each<[string, JsonObject, string]>([
    ['a list', { spec: { containers: [{ name: 'a', args: ['x'] }] } }, '.spec.containers[0].args'],
    ['an empty list', { spec: { containers: [{ name: 'a', args: [] }] } }, '.spec.containers[0].args'],
    ['a map', { spec: { nodeSelector: { a: 'b' } } }, '.spec.nodeSelector'],
    ['several', { spec: { nodeSelector: { a: 'b' }, tolerations: [{ key: 'x' }] } }, '.spec.nodeSelector, .spec.tolerations'],
    [
      'a structure',
      { metadata: { ownerReferences: [{ uid: 'u', name: 'n', apiVersion: 'v1', kind: 'K' }] } },
      '.metadata.ownerReferences[0]',
    ],
  ])('refuses what is atomic: %s', (_, configuration, paths) => {
    expect(apply(pod({ containers: [] }), configuration)).toBe(
      `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${paths}`,
    );
  });

  it('replaces what is atomic where that is asked for', () => {
    const live = pod({ nodeSelector: { a: 'b' }, containers: [{ name: 'a', args: ['x', 'y'] }] });
    expect(apply(live, { spec: { nodeSelector: { c: 'd' }, containers: [{ name: 'a', args: ['z'] }] } }, 'replace')).toEqual(
      pod({ nodeSelector: { c: 'd' }, containers: [{ name: 'a', args: ['z'] }] }),
    );
  });

  it.each<[JsonObject, string]>([
    [{ dat: 1 }, '.dat: field not declared in schema'],
    [{ data: { a: 1 } }, '.data.a: expected string, got &value.valueUnstructured{Value:1}'],
    [{ data: { a: 1.5 } }, '.data.a: expected string, got &value.valueUnstructured{Value:1.5}'],
    [
      { data: { a: { b: [true, 'x'] } } },
      '.data.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"b":[]interface {}{true, "x"}}}',
    ],
    [{ data: 'x' }, '.data: expected map, got &{x}'],
    [{ data: [1, 'a'] }, '.data: expected map, got &{[1 a]}'],
    [{ immutable: 'yes' }, '.immutable: expected boolean, got &{yes}'],
    [{ metadata: { generation: 'x' } }, '.metadata.generation: expected numeric (int or float), got string'],
    [{ metadata: { finalizers: { a: 1 } } }, '.metadata.finalizers: expected list, got &{map[a:1]}'],
    [{ metadata: { finalizers: ['a', 'a'] } }, '.metadata.finalizers: duplicate entries for key [="a"]'],
    [{ metadata: { finalizers: [['x']] } }, '.metadata.finalizers: element 0: not supported: associative list with lists as elements'],
    [{ metadata: { ownerReferences: [{ uid: 'u', nam: 'x' }] } }, '.metadata.ownerReferences[uid="u"].nam: field not declared in schema'],
    [{ metadata: { creationTimestamp: {} } }, '.metadata.creationTimestamp: expected any scalar, got &{map[]}'],
    [
      { data: { a: 1, b: 2 } },
      'errors:\n  .data.a: expected string, got &value.valueUnstructured{Value:1}\n  .data.b: expected string, got &value.valueUnstructured{Value:2}',
    ],
  ])('says of %j what the API server says', (configuration, message) => {
    expect(apply({ apiVersion: 'v1', kind: 'ConfigMap' }, configuration)).toBe(
      `failed to convert patch object to typed object: ${message}`,
    );
  });

  it('names list elements by their keys', () => {
    expect(apply(pod({}), { spec: { volumes: [{ nam: 'x' }] } })).toMatch('.spec.volumes[name=""].nam: field not declared in schema');
    expect(apply(pod({}), { spec: { containers: [{ name: 'a', ports: [{ containerPort: 80, hostPort: 'x' }] }] } })).toMatch(
      '.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].hostPort: expected numeric (int or float), got string',
    );
    expect(apply({ apiVersion: 'v1', kind: 'ServiceAccount' }, { secrets: [{}] })).toMatch(
      '.secrets: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn\'t have default values for any key fields)',
    );
  });

  it('merges kinds it does not know as the API server does: maps by key, lists replaced', () => {
    expect(apply(custom({ a: { b: 1 }, list: [{ name: 'x' }] }), { spec: { a: { c: 2 }, list: [{ name: 'y' }] } })).toEqual(
      custom({ a: { b: 1, c: 2 }, list: [{ name: 'y' }] }),
    );
    expect(apply(custom({ a: 1 }), { spec: { a: { b: 1 } } })).toEqual(custom({ a: { b: 1 } }));
    expect(apply(custom({ a: { b: 1 } }), { spec: { a: 1 } })).toEqual(custom({ a: 1 }));
    expect(apply(custom({ a: { b: 1 } }), { spec: { a: {} } })).toEqual(custom({ a: { b: 1 } }));
    expect(apply(custom({ a: {} }), { spec: { a: null } }, 'replace')).toEqual(custom({ a: null }));
  });

  it('refuses a configuration of another kind, or passes over it as a policy does', () => {
    const message = 'patch (example.com/v1, Kind=Other) and original object (example.com/v1, Kind=Thing) are not of the same gvk';
    expect(apply(custom({}), { kind: 'Other' }, 'replace')).toBe(message);
    expect(apply(custom({}), { kind: 'Other', spec: { a: 1 } }, 'refuse')).toEqual(custom({ a: 1 }));
  });

  // What a live API server says of `Object{data: null}` and the like.
  it.each<[JsonObject, string]>([
    [{ data: null }, '.data: expected map, got &{NULL_VALUE}'],
    [{ data: { a: null } }, '.data.a: expected string, got &value.valueUnstructured{Value:0}'],
    [{ immutable: null }, '.immutable: expected boolean, got &{NULL_VALUE}'],
    [{ metadata: { generation: null } }, '.metadata.generation: expected numeric (int or float), got structpb.NullValue'],
    [{ metadata: { creationTimestamp: null } }, '.metadata.creationTimestamp: expected any scalar, got &{NULL_VALUE}'],
  ])('refuses the nulls of a policy: %j', (configuration, message) => {
    expect(apply({ apiVersion: 'v1', kind: 'ConfigMap' }, configuration)).toBe(
      `failed to convert patch object to typed object: ${message}`,
    );
  });

  it('takes nulls for null otherwise: a field is unset, what has content stays', () => {
    const live: JsonObject = { apiVersion: 'v1', kind: 'ConfigMap', immutable: true, data: { a: '1' } };
    expect(apply(live, { immutable: null, data: null }, 'replace')).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } });
  });

  it('changes nothing in place, shares what it leaves, and emits the patch of what it changed', () => {
    const live = pod({
      containers: [
        { name: 'a', image: 'x' },
        { name: 'b', image: 'x' },
      ],
      volumes: [{ name: 'v' }],
    });
    const before = structuredClone(live);
    const outcome = applyConfiguration(live, { spec: { containers: [{ name: 'b', image: 'y' }] } }, table.typeOf(live), {
      atomics: 'refuse',
    });
    expect(live).toEqual(before);
    expect(outcome).toMatchObject({ ok: true, patch: [{ op: 'replace', path: '/spec/containers/1/image', value: 'y' }] });
    const object = (outcome as unknown as { object: { spec: { volumes: unknown; containers: unknown[] } } }).object;
    expect(object.spec.volumes).toBe((live['spec'] as JsonObject)['volumes']);
    expect(object.spec.containers[0]).toBe(((live['spec'] as JsonObject)['containers'] as unknown[])[0]);
  });

  it('answers the very object when nothing changes', () => {
    const live = pod(
      { containers: [{ name: 'a', image: 'x', env: [{ name: 'E', value: '1' }] }] },
      { name: 'p', finalizers: ['f'], labels: { a: 'b' } },
    );
    for (const configuration of [
      {},
      { metadata: { labels: {}, finalizers: ['f'] } },
      { spec: { containers: [{ name: 'a', image: 'x', env: [{ name: 'E', value: '1' }] }] } },
    ]) {
      expect(applyConfiguration(live, configuration, table.typeOf(live), { atomics: 'refuse' })).toEqual({
        ok: true,
        object: live,
        patch: [],
      });
      expect(apply(live, configuration)).toBe(live);
    }
  });

  it('takes hostile keys for keys', () => {
    const live = JSON.parse('{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1"}}') as JsonObject;
    const result = apply(live, JSON.parse('{"data":{"__proto__":"x","toString":"y"}}') as JsonObject);
    expect(JSON.stringify(result)).toBe('{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1","__proto__":"x","toString":"y"}}');
    expect(apply(live, JSON.parse('{"__proto__":{}}') as JsonObject)).toMatch('.__proto__: field not declared in schema');
  });

  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const text = fc.constantFrom('x', 'y');
  const env = fc.uniqueArray(fc.record({ name: key, value: text }, { requiredKeys: ['name'] }), {
    selector: (each) => each.name,
    maxLength: 4,
  });
  const container = fc.record(
    {
      name: key,
      image: text,
      env,
      ports: fc.uniqueArray(fc.record({ containerPort: fc.nat(2), protocol: fc.constantFrom('TCP', 'UDP') }), {
        selector: (each) => `${each.containerPort}${each.protocol}`,
        maxLength: 3,
      }),
    },
    { requiredKeys: ['name'] },
  );
  const object = fc.record(
    {
      metadata: fc.record({ labels: fc.dictionary(key, text), finalizers: fc.uniqueArray(key, { maxLength: 4 }) }, { requiredKeys: [] }),
      spec: fc.record(
        { hostNetwork: fc.boolean(), containers: fc.uniqueArray(container, { selector: (each) => each.name, maxLength: 4 }) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ) as unknown as fc.Arbitrary<JsonObject>;
  const asPod = (parts: JsonObject): JsonObject => JSON.parse(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...parts })) as JsonObject;

  it('law: applying twice is applying once, and the patch leads to the result', () => {
    fc.assert(
      fc.property(object, object, (a, b) => {
        const live = asPod(a);
        const outcome = applyConfiguration(live, b, table.typeOf(live), { atomics: 'refuse' });
        if (!outcome.ok) throw new Error(outcome.message);
        const patched = applyPatch(live, outcome.patch);
        const again = applyConfiguration(outcome.object, b, table.typeOf(live), { atomics: 'refuse' });
        return patched.ok && jsonEqual(patched.value, outcome.object) && again.ok && again.object === outcome.object;
      }),
      { numRuns: 1000 },
    );
  });
});
