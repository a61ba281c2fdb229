import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from './json.ts';
import { jsonEqual } from './json.ts';
import { applyPatch } from './json-patch.ts';
import { compileGetter, type JsonPath, type ParsedPath, parsePath } from './path.ts';
import { compileSetter, type SetOptions } from './path-set.ts';

const parse = (text: string): JsonPath => {
  const parsed = parsePath(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.issue.message}`);
  return parsed.path;
};
const steps = (text: string): string =>
  parse(text)
    .steps.map((step) => (step.kind === 'key' ? JSON.stringify(step.key) : step.kind === 'index' ? step.index : '*'))
    .join(' ');

describe('parsePath', () => {
  it.each([
    ['$', ''],
    ['.', ''],
    ['$.spec.replicas', '"spec" "replicas"'],
    ['.status.availableReplicas', '"status" "availableReplicas"'],
    ['$.spec.containers[*].image', '"spec" "containers" * "image"'],
    ['$.data.*', '"data" *'],
    ["$['a.b']", '"a.b"'],
    ['$.metadata.labels["app.kubernetes.io/name"]', '"metadata" "labels" "app.kubernetes.io/name"'],
    ["$['it\\'s'][\"a\\\\b\\u0041\"]", '"it\'s" "a\\\\bA"'],
    ['$[0][-1][12]', '0 -1 12'],
    ['$.x-y.$ref._z', '"x-y" "$ref" "_z"'],
    ["$['']", '""'],
  ])('%s', (text, expected) => {
    expect(steps(text)).toBe(expected);
  });

  it('knows where each step stands', () => {
    const text = '$.a[*]["b c"]';
    expect(parse(text).steps.map(({ start, end }) => text.slice(start, end))).toEqual(['.a', '[*]', '["b c"]']);
  });

  it.each<[string, string, number, number]>([
    ['', 'path-syntax', 0, 0],
    ['spec.x', 'path-syntax', 0, 6],
    ['$spec', 'path-syntax', 1, 2],
    ['$..image', 'path-recursive-descent', 1, 3],
    ['$.a..b', 'path-recursive-descent', 3, 5],
    ['$.a[?(@.b == 1)]', 'path-filter', 3, 16],
    ['$.a[(@.length-1)]', 'path-script', 3, 17],
    ['$.a[1:2]', 'path-slice', 3, 8],
    ['$.a[:2]', 'path-slice', 3, 7],
    ['$.a[0,1]', 'path-union', 3, 8],
    ["$['a','b']", 'path-union', 1, 10],
    ['$.a[b]', 'path-syntax', 3, 6],
    ['$.a[01]', 'path-syntax', 3, 6],
    ['$.a[1', 'path-syntax', 3, 6],
    ['$.a.', 'path-syntax', 3, 5],
    ["$['a", 'path-syntax', 2, 4],
    ["$['a\\q']", 'path-syntax', 4, 6],
    ['$.a[99999999999999999999]', 'path-syntax', 4, 24],
    ['$.a b', 'path-syntax', 3, 4],
    [`$${'.a'.repeat(101)}`, 'path-syntax', 201, 203],
  ])('refuses %s', (text, code, start, end) => {
    const parsed = parsePath(text) as Extract<ParsedPath, { ok: false }>;
    expect(parsed).toMatchObject({ ok: false, issue: { code, start, end } });
    expect(parsed.issue.message).not.toBe('');
  });
});

const pod = { spec: { containers: [{ name: 'a', image: 'x' }, { name: 'b' }] }, metadata: { labels: { 'a.b': '1', c: '2' } } };
const get = (text: string, value: Json): readonly Json[] => compileGetter(parse(text))(value);

describe('compileGetter', () => {
  it.each<[string, Json[]]>([
    ['$', [pod]],
    ['$.spec.containers[*].image', ['x']],
    ['$.spec.containers[*].name', ['a', 'b']],
    ['$.spec.containers[-1].name', ['b']],
    ['$.spec.containers[2].name', []],
    ["$.metadata.labels['a.b']", ['1']],
    ['$.metadata.labels.*', ['1', '2']],
    ['$.spec.containers.name', []],
    ['$.spec[0]', []],
    ['$.nope.deeper', []],
    ['$.toString', []],
    ['$.spec.containers.length', []],
  ])('%s', (path, expected) => {
    expect(get(path, pod)).toEqual(expected);
  });
});

const set = (text: string, object: Json, value: Json, options?: SetOptions): unknown => {
  const before = structuredClone(object);
  const outcome = compileSetter(parse(text), options)(object, () => value);
  expect(object).toEqual(before);
  if (!outcome.ok) return outcome.message;
  const patched = applyPatch(object, outcome.patch);
  expect(patched).toEqual({ ok: true, value: outcome.object });
  expect(outcome.object === object).toBe(outcome.patch.length === 0);
  return outcome;
};

describe('compileSetter', () => {
  it.each<[string, string, Json, SetOptions | undefined, unknown[]]>([
    ['adds', '$.spec.nodeName', { spec: {} }, undefined, [{ op: 'add', path: '/spec/nodeName', value: 1 }]],
    ['replaces', '$.spec.a', { spec: { a: 2 } }, undefined, [{ op: 'replace', path: '/spec/a', value: 1 }]],
    ['does nothing where it is so already', '$.spec.a', { spec: { a: 1 } }, undefined, []],
    [
      'makes what is missing on the way, in one operation',
      '$.spec.a.b',
      {},
      undefined,
      [{ op: 'add', path: '/spec', value: { a: { b: 1 } } }],
    ],
    ['takes null on the way for missing', '$.spec.a', { spec: null }, undefined, [{ op: 'replace', path: '/spec', value: { a: 1 } }]],
    [
      'escapes',
      "$.metadata.labels['a/b']",
      { metadata: { labels: {} } },
      undefined,
      [{ op: 'add', path: '/metadata/labels/a~1b', value: 1 }],
    ],
    [
      'every element',
      '$.c[*].p',
      { c: [{ p: 1 }, {}, { p: 2 }] },
      undefined,
      [
        { op: 'add', path: '/c/1/p', value: 1 },
        { op: 'replace', path: '/c/2/p', value: 1 },
      ],
    ],
    [
      'only what is not set',
      '$.c[*].p',
      { c: [{ p: 1 }, {}, { p: 2 }, { p: null }] },
      { unlessSet: true },
      [
        { op: 'add', path: '/c/1/p', value: 1 },
        { op: 'replace', path: '/c/3/p', value: 1 },
      ],
    ],
    ['one element', '$.c[-1].p', { c: [{}, {}] }, undefined, [{ op: 'add', path: '/c/1/p', value: 1 }]],
    ['list elements themselves', '$.c[0]', { c: [5, 6] }, undefined, [{ op: 'replace', path: '/c/0', value: 1 }]],
    ['every value of a map', '$.m.*', { m: { a: 0, b: 1 } }, undefined, [{ op: 'replace', path: '/m/a', value: 1 }]],
    ['nothing where a wildcard finds nothing', '$.c[*].p', {}, undefined, []],
    ['nothing in an empty list', '$.c[*].p', { c: [] }, undefined, []],
    ['the whole', '$', { a: 1 }, undefined, [{ op: 'replace', path: '', value: 1 }]],
    ['hostile keys', '$.__proto__.x', {}, undefined, [{ op: 'add', path: '/__proto__', value: { x: 1 } }]],
  ])('sets %s', (_, path, object, options, patch) => {
    expect(set(path, object, 1, options)).toMatchObject({ ok: true, patch });
  });

  it.each<[string, Json, string]>([
    ['$.c[2].p', { c: [{}] }, '$.c has 1 elements, no index 2'],
    ['$.c[-2].p', { c: [{}] }, '$.c has 1 elements, no index -2'],
    ['$.c[0].p', {}, '$.c is missing, so it has no index 0'],
    ['$.a.b', { a: 'text' }, '$.a is a string, expected a map'],
    ['$.a.b', { a: [1] }, '$.a is a list, expected a map'],
    ['$.a[0]', { a: {} }, '$.a is a map, expected a list'],
    ['$.a[*].b', { a: 5 }, '$.a is a number, expected a list or a map'],
  ])('%s in %j: %s', (path, object, message) => {
    expect(set(path, object, 1)).toBe(message);
  });

  it('computes the value from the present one, and may leave it', () => {
    const setter = compileSetter(parse('$.c[*].image'));
    const outcome = setter({ c: [{ image: 'a' }, {}, { image: 'r/b' }] }, (current) =>
      typeof current === 'string' && !current.includes('/') ? `r/${current}` : undefined,
    );
    expect(outcome).toMatchObject({ ok: true, patch: [{ op: 'replace', path: '/c/0/image', value: 'r/a' }] });
  });

  it('shares what it leaves', () => {
    const other = { deep: true };
    const outcome = compileSetter(parse('$.a.b'))({ a: { b: 1 }, other }, () => 2);
    expect((outcome as unknown as { object: { other: unknown } }).object.other).toBe(other);
  });

  it('law: what was set is got, and setting it again changes nothing', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const path = fc.array(key, { minLength: 1, maxLength: 4 }).map((keys) => `$.${keys.join('.')}`);
    const tree = fc.letrec<{ node: Json }>((tie) => ({
      node: fc.oneof({ maxDepth: 4 }, fc.constant<Json>(null), fc.dictionary(key, tie('node'), { maxKeys: 3 })),
    })).node;
    fc.assert(
      fc.property(path, fc.dictionary(key, tree) as fc.Arbitrary<Json>, fc.nat(3), (text, object, value) => {
        const setter = compileSetter(parse(text));
        const outcome = setter(object, () => value);
        if (!outcome.ok) throw new Error(outcome.message);
        const again = setter(outcome.object, () => value);
        const patched = applyPatch(object, outcome.patch);
        return (
          jsonEqual([...get(text, outcome.object)], [value]) &&
          again.ok &&
          again.patch.length === 0 &&
          patched.ok &&
          jsonEqual(patched.value, outcome.object)
        );
      }),
    );
  });
});
