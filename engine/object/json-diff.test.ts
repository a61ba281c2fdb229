import fc from 'fast-check';
import jsonpatch from 'fast-json-patch';
import { describe, expect, it } from 'vitest';
import { type Json, jsonEqual } from './json.ts';
import { diffJson } from './json-diff.ts';
import { applyPatch } from './json-patch.ts';

const pod = (...containers: Json[]): Json => ({ metadata: { name: 'p', labels: { app: 'a' } }, spec: { containers } });
const container = (name: string, image = 'busybox'): Json => ({ name, image, args: ['a', 'b'] });

describe('diffJson', () => {
  it.each<{ name: string; before: Json; after: Json; patch: unknown[] }>([
    { name: 'nothing', before: pod(container('a')), after: pod(container('a')), patch: [] },
    { name: 'the whole value', before: 1, after: [1], patch: [{ op: 'replace', path: '', value: [1] }] },
    {
      name: 'keys that need escapes',
      before: { metadata: { annotations: { 'a.b/c': '1', 'x~y': '1' } } },
      after: { metadata: { annotations: { 'a.b/c': '2', 'k8s.io/z': '3' } } },
      patch: [
        { op: 'remove', path: '/metadata/annotations/x~0y' },
        { op: 'replace', path: '/metadata/annotations/a.b~1c', value: '2' },
        { op: 'add', path: '/metadata/annotations/k8s.io~1z', value: '3' },
      ],
    },
    {
      name: 'a side car in front',
      before: pod(container('a'), container('b')),
      after: pod(container('side'), container('a'), container('b')),
      patch: [{ op: 'add', path: '/spec/containers/0', value: container('side') }],
    },
    {
      name: 'a side car at the end, and an image changed',
      before: pod(container('a'), container('b')),
      after: pod(container('a'), container('b', 'nginx'), container('side')),
      patch: [
        { op: 'replace', path: '/spec/containers/1/image', value: 'nginx' },
        { op: 'add', path: '/spec/containers/2', value: container('side') },
      ],
    },
    {
      name: 'one removed from the middle, the next one changed',
      before: pod(container('a'), container('b'), container('c')),
      after: pod(container('a'), container('c', 'nginx')),
      patch: [
        { op: 'remove', path: '/spec/containers/1' },
        { op: 'replace', path: '/spec/containers/1/image', value: 'nginx' },
      ],
    },
    {
      name: 'scalars',
      before: ['a', 'b', 'c', 'd'],
      after: ['a', 'x', 'c', 'd', 'e'],
      patch: [
        { op: 'replace', path: '/1', value: 'x' },
        { op: 'add', path: '/4', value: 'e' },
      ],
    },
  ])('$name', ({ before, after, patch }) => {
    expect(diffJson(before, after)).toEqual(patch);
  });

  it('stays quick and right on lists too long to align', () => {
    const before = Array.from({ length: 3000 }, (_, i) => ({ name: `n${i}`, n: i }));
    const after = [{ name: 'new' }, ...before.slice(1, 2000).map((item) => ({ ...item, n: item.n + 1 }))];
    expect(applied(before, after)).toEqual(after);
  });

  const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
  const named = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), n: fc.nat(2) }, { requiredKeys: [] });
  const lists = fc.array(fc.oneof(named, fc.nat(3), fc.constantFrom('x', null), fc.array(fc.nat(2), { maxLength: 2 })), {
    maxLength: 8,
  }) as fc.Arbitrary<Json>;
  const objects = fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'a/b', '~', ''), fc.oneof(json, lists), {
    maxKeys: 5,
  }) as fc.Arbitrary<Json>;
  const values = fc.oneof(json, lists, objects);

  const applied = (before: Json, after: Json): Json => {
    const outcome = applyPatch(before, diffJson(before, after));
    if (!outcome.ok) throw new Error(outcome.message);
    return outcome.value;
  };

  it('law: applying the difference gives the other value', () => {
    fc.assert(
      fc.property(values, values, (before, after) => jsonEqual(applied(before, after), after)),
      { numRuns: 2000 },
    );
  });

  it('law: there is a difference exactly where the values differ', () => {
    fc.assert(fc.property(values, values, (before, after) => (diffJson(before, after).length === 0) === jsonEqual(before, after)));
  });

  it('agrees with fast-json-patch: its difference applied by us, ours applied by it', () => {
    const plain = fc
      .oneof(fc.jsonValue({ maxDepth: 4 }), lists, named)
      .filter((value) => !JSON.stringify(value).includes('__proto__')) as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(fc.record({ v: plain }), fc.record({ v: plain }), (before, after) => {
        // Without the prototypes of fast-check, and without -0, which JSON does not tell from 0.
        const a = JSON.parse(JSON.stringify(before)) as Json;
        const b = JSON.parse(JSON.stringify(after)) as Json;
        const theirs = applyPatch(a, jsonpatch.compare(a as object, b as object) as never);
        const ours = jsonpatch.applyPatch(structuredClone(a), diffJson(a, b) as never).newDocument as unknown as Json;
        return theirs.ok && jsonEqual(theirs.value, b) && jsonEqual(ours, b);
      }),
      { numRuns: 1000 },
    );
  });
});
