import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exceedsDepth, type Json } from './json.ts';
import { type ApplyPatchOptions, applyPatch, type PatchOperation } from './json-patch.ts';
import { parsePointer } from './json-pointer.ts';

const run = (document: Json, patch: readonly unknown[], options?: ApplyPatchOptions): unknown => {
  const outcome = applyPatch(document, patch as PatchOperation[], options);
  return outcome.ok ? outcome.value : `${outcome.kind === 'test-failed' ? 'TEST ' : ''}${outcome.message}`;
};

interface Case {
  readonly doc: Json;
  readonly op: Record<string, unknown>;
  readonly rfc6902: unknown;
  /** Where it differs. */
  readonly apiserver?: unknown;
}

const missing = 'missing value';
const cases: readonly Case[] = [
  { doc: { a: 1 }, op: { op: 'add', path: '/b', value: 2 }, rfc6902: { a: 1, b: 2 } },
  { doc: { a: 1 }, op: { op: 'add', path: '/a', value: [1] }, rfc6902: { a: [1] } },
  { doc: [1, 2], op: { op: 'add', path: '/1', value: 9 }, rfc6902: [1, 9, 2] },
  { doc: [1, 2], op: { op: 'add', path: '/2', value: 9 }, rfc6902: [1, 2, 9] },
  { doc: [1, 2], op: { op: 'add', path: '/-', value: 9 }, rfc6902: [1, 2, 9] },
  {
    doc: [1, 2],
    op: { op: 'add', path: '/3', value: 9 },
    rfc6902: `error in add for path: '/3': Unable to access invalid index: 3: invalid index referenced`,
  },
  {
    doc: [1, 2],
    op: { op: 'add', path: '/-1', value: 9 },
    rfc6902: `error in add for path: '/-1': value was not a proper array index: '-1': signs and leading zeros are not allowed`,
    apiserver: [1, 2, 9],
  },
  {
    doc: [1, 2],
    op: { op: 'add', path: '/01', value: 9 },
    rfc6902: `error in add for path: '/01': value was not a proper array index: '01': signs and leading zeros are not allowed`,
    apiserver: [1, 9, 2],
  },
  {
    doc: { a: [] },
    op: { op: 'add', path: '/a/x', value: 9 },
    rfc6902: `error in add for path: '/a/x': strconv.Atoi: parsing "x": invalid syntax`,
    apiserver: `error in add for path: '/a/x': value was not a proper array index: 'x': strconv.Atoi: parsing "x": invalid syntax`,
  },
  { doc: {}, op: { op: 'add', path: '/a/b', value: 1 }, rfc6902: `add operation does not apply: doc is missing path: "/a/b": ${missing}` },
  {
    doc: { a: 'text' },
    op: { op: 'add', path: '/a/b', value: 1 },
    rfc6902: `add operation does not apply: doc is missing path: "/a/b": ${missing}`,
  },
  {
    doc: { a: null },
    op: { op: 'add', path: '/a/b', value: 1 },
    rfc6902: `add operation does not apply: doc is missing path: "/a/b": ${missing}`,
  },
  {
    doc: { a: 1 },
    op: { op: 'add', path: '', value: [] },
    rfc6902: [],
    apiserver: `add operation does not apply: doc is missing path: "": ${missing}`,
  },
  { doc: { a: 1 }, op: { op: 'add', path: '/b' }, rfc6902: `add operation, missing value field: ${missing}`, apiserver: { a: 1, b: null } },
  { doc: { a: 1 }, op: { op: 'add', value: 1 }, rfc6902: `add operation failed to decode path: ${missing}` },

  { doc: { a: 1, b: 2 }, op: { op: 'remove', path: '/b' }, rfc6902: { a: 1 } },
  { doc: [1, 2], op: { op: 'remove', path: '/0' }, rfc6902: [2] },
  {
    doc: { data: {} },
    op: { op: 'remove', path: '/data/nope' },
    rfc6902: `error in remove for path: '/data/nope': Unable to remove nonexistent key: nope: ${missing}`,
  },
  {
    doc: [1],
    op: { op: 'remove', path: '/1' },
    rfc6902: `error in remove for path: '/1': Unable to access invalid index: 1: invalid index referenced`,
  },
  { doc: [1], op: { op: 'remove', path: '/-' }, rfc6902: `error in remove for path: '/-': strconv.Atoi: parsing "-": invalid syntax` },
  {
    doc: [1, 2],
    op: { op: 'remove', path: '/9999999999999999999' },
    rfc6902: `error in remove for path: '/9999999999999999999': strconv.Atoi: parsing "9999999999999999999": value out of range`,
  },
  { doc: { a: 1 }, op: { op: 'remove', path: '' }, rfc6902: `remove operation does not apply: doc is missing path: "": ${missing}` },

  { doc: { a: 1 }, op: { op: 'replace', path: '/a', value: 2 }, rfc6902: { a: 2 } },
  { doc: [1, 2], op: { op: 'replace', path: '/1', value: 9 }, rfc6902: [1, 9] },
  { doc: { a: 1 }, op: { op: 'replace', path: '', value: { b: 1 } }, rfc6902: { b: 1 } },
  {
    doc: { a: 1 },
    op: { op: 'replace', path: '/b', value: 2 },
    rfc6902: `replace operation does not apply: doc is missing key: /b: ${missing}`,
    apiserver: { a: 1, b: 2 },
  },
  {
    doc: { a: [1] },
    op: { op: 'replace', path: '/a/1', value: 2 },
    rfc6902: `replace operation does not apply: doc is missing key: /a/1: ${missing}`,
  },
  {
    doc: {},
    op: { op: 'replace', path: '/a/b', value: 2 },
    rfc6902: `replace operation does not apply: doc is missing path: /a/b: ${missing}`,
  },

  { doc: { a: 1 }, op: { op: 'move', from: '/a', path: '/b' }, rfc6902: { b: 1 } },
  { doc: [1, 2, 3], op: { op: 'move', from: '/0', path: '/2' }, rfc6902: [2, 3, 1] },
  {
    doc: { a: { b: 1 } },
    op: { op: 'move', from: '/a', path: '/a/b' },
    rfc6902: `move operation does not apply: doc is missing destination path: /a/b: ${missing}`,
  },
  {
    doc: {},
    op: { op: 'move', from: '/a', path: '/b' },
    rfc6902: `error in move for path: 'a': Unable to remove nonexistent key: a: ${missing}`,
  },
  { doc: {}, op: { op: 'move', path: '/b' }, rfc6902: `move operation failed to decode from: operation, missing from field: ${missing}` },
  {
    doc: { a: { b: 1 } },
    op: { op: 'move', from: '/a/b', path: '' },
    rfc6902: 1,
    apiserver: `move operation does not apply: doc is missing destination path: : ${missing}`,
  },

  { doc: { a: [1] }, op: { op: 'copy', from: '/a', path: '/b' }, rfc6902: { a: [1], b: [1] } },
  {
    doc: { a: 1 },
    op: { op: 'copy', from: '/x', path: '/b' },
    rfc6902: `error in copy for from: '/x': Unable to copy nonexistent key: x: ${missing}`,
    apiserver: { a: 1, b: null },
  },
  {
    doc: { a: 1 },
    op: { op: 'copy', from: '/x/y', path: '/b' },
    rfc6902: `copy operation does not apply: doc is missing from path: /x/y: ${missing}`,
  },

  { doc: { a: 1 }, op: { op: 'test', path: '/a', value: 1 }, rfc6902: { a: 1 } },
  { doc: { a: 1 }, op: { op: 'test', path: '/a', value: 2 }, rfc6902: 'TEST testing value /a failed: test failed' },
  { doc: { a: '1' }, op: { op: 'test', path: '/a', value: 1 }, rfc6902: 'TEST testing value /a failed: test failed' },
  { doc: { a: 1 }, op: { op: 'test', path: '/b', value: 1 }, rfc6902: 'TEST testing value /b failed: test failed' },
  {
    doc: { a: 1 },
    op: { op: 'test', path: '/b/c', value: 1 },
    rfc6902: `test operation does not apply: is missing path: /b/c: ${missing}`,
  },
  {
    doc: { a: [] },
    op: { op: 'test', path: '/a/0', value: 1 },
    rfc6902: `error in test for path: '/a/0': Unable to access invalid index: 0: invalid index referenced`,
  },
  {
    doc: { a: null },
    op: { op: 'test', path: '/a', value: null },
    rfc6902: { a: null },
    apiserver: 'TEST testing value /a failed: test failed',
  },
  {
    doc: { a: {} },
    op: { op: 'test', path: '/a', value: null },
    rfc6902: 'TEST testing value /a failed: test failed',
    apiserver: { a: {} },
  },
  { doc: { a: 1 }, op: { op: 'test', path: '/b' }, rfc6902: `test operation, missing value field: ${missing}`, apiserver: { a: 1 } },
  {
    doc: { a: { b: [1, { c: 2 }] } },
    op: { op: 'test', path: '', value: { a: { b: [1, { c: 2 }] } } },
    rfc6902: { a: { b: [1, { c: 2 }] } },
  },

  { doc: { 'a/b': 1, 'm~n': 2 }, op: { op: 'replace', path: '/a~1b', value: 3 }, rfc6902: { 'a/b': 3, 'm~n': 2 } },
  { doc: { '~1': 2 }, op: { op: 'replace', path: '/~01', value: 3 }, rfc6902: { '~1': 3 } },
  { doc: { '': 1 }, op: { op: 'replace', path: '/', value: 2 }, rfc6902: { '': 2 } },
  { doc: { a: 1 }, op: { op: 'replace', path: 'x/a', value: 2 }, rfc6902: "invalid JSON pointer 'x/a'", apiserver: { a: 2 } },
  { doc: { 'a~2': 1 }, op: { op: 'replace', path: '/a~2', value: 2 }, rfc6902: "invalid JSON pointer '/a~2'", apiserver: { 'a~2': 2 } },
  { doc: {}, op: { op: 'spam', path: '/a' }, rfc6902: 'Unexpected kind: spam' },
  { doc: {}, op: { path: '/a' }, rfc6902: 'Unexpected kind: unknown' },
];

describe('applyPatch', () => {
  it.each(cases)('$op on $doc', ({ doc, op, rfc6902, apiserver }) => {
    expect(run(doc, [op])).toEqual(rfc6902);
    expect(run(doc, [op], { dialect: 'apiserver' })).toEqual(apiserver === undefined ? rfc6902 : apiserver);
  });

  it('is all or nothing, and says which operation failed', () => {
    const patch: PatchOperation[] = [
      { op: 'add', path: '/b', value: 1 },
      { op: 'remove', path: '/x' },
    ];
    const document = { a: 1 };
    expect(applyPatch(document, patch)).toMatchObject({ ok: false, kind: 'error', index: 1 });
    expect(document).toEqual({ a: 1 });
  });

  it('shares what it did not touch and changes nothing in place', () => {
    const document = { touched: { list: [{ a: 1 }, { a: 2 }] }, untouched: { deep: {} } };
    const before = structuredClone(document);
    const outcome = applyPatch(document, [{ op: 'replace', path: '/touched/list/1/a', value: 3 }]);
    const after = (outcome as unknown as { value: typeof document }).value;
    expect(document).toEqual(before);
    expect(after.touched.list[1]).toEqual({ a: 3 });
    expect(after.untouched).toBe(document.untouched);
    expect(after.touched.list[0]).toBe(document.touched.list[0]);
  });

  it('does not tie a copy to its original, nor an inserted value to the patch', () => {
    const value = { deep: { n: 1 } };
    expect(
      run({ a: value }, [
        { op: 'add', path: '/a/deep/x', value: 1 },
        { op: 'copy', from: '/a', path: '/b' },
        { op: 'replace', path: '/a/deep/n', value: 2 },
        { op: 'add', path: '/c', value },
        { op: 'remove', path: '/c/deep' },
      ]),
    ).toEqual({ a: { deep: { n: 2, x: 1 } }, b: { deep: { n: 1, x: 1 } }, c: {} });
    expect(value).toEqual({ deep: { n: 1 } });
  });

  it('treats hostile keys as keys', () => {
    const document = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}') as Json;
    expect(run({}, [{ op: 'add', path: '/__proto__/polluted', value: true }])).toBe(
      `add operation does not apply: doc is missing path: "/__proto__/polluted": ${missing}`,
    );
    expect(run({}, [{ op: 'remove', path: '/toString' }])).toMatch('Unable to remove nonexistent key: toString');
    expect(run({}, [{ op: 'test', path: '/constructor', value: null }])).toMatch('TEST');
    const outcome = applyPatch(document, [{ op: 'add', path: '/__proto__/x', value: 1 }]);
    expect(JSON.stringify((outcome as { value: Json }).value)).toBe('{"__proto__":{"polluted":true,"x":1},"constructor":1}');
    const added = applyPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }]) as unknown as {
      value: { polluted?: unknown };
    };
    expect(added.value.polluted).toBeUndefined();
    expect(Object.keys(added.value)).toEqual(['__proto__']);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('limits what copies may add together', () => {
    const document = { a: 'x'.repeat(100) };
    const copies = Array.from({ length: 5 }, (_, i) => ({ op: 'copy', from: '/a', path: `/b${i}` }));
    expect(run(document, copies, { maxCopyBytes: 510 })).not.toBeTypeOf('string');
    expect(run(document, copies, { maxCopyBytes: 500 })).toBe(
      'Unable to complete the copy, the accumulated size increase of copy is 510, exceeding the limit 500',
    );
    const doubling = Array.from({ length: 64 }, (_, i) => ({ op: 'copy', from: '', path: `/c${i}` }));
    expect(run(document, doubling)).toMatch('Unable to complete the copy');
  });

  it('limits operations and nesting', () => {
    expect(run({}, Array(10_001).fill({ op: 'test', path: '', value: {} }))).toBe(
      'The allowed maximum operations in a JSON patch is 10000, got 10001',
    );
    const nesting = Array.from({ length: 11 }, (_, i) => ({ op: 'copy', from: '', path: '/a'.repeat(2 ** i) }));
    expect(run({}, nesting)).toBe('document would nest deeper than 1000 levels');
    expect(run({}, [{ op: 'add', path: '/a'.repeat(100_000), value: 1 }])).toMatch('doc is missing path');
  });
});

describe('pointers', () => {
  it('parses what RFC 6901 lists', () => {
    expect(['', '/foo', '/foo/0', '/', '/a~1b', '/m~0n', '/~01'].map((pointer) => parsePointer(pointer))).toEqual([
      [],
      ['foo'],
      ['foo', '0'],
      [''],
      ['a/b'],
      ['m~n'],
      ['~1'],
    ]);
    expect(['a', '/~', '/~2', '#/a'].map((pointer) => parsePointer(pointer))).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('exceedsDepth', () => {
  it('judges nesting that would overflow a recursive walk', () => {
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as Json;
    expect(exceedsDepth(deep)).toBe(true);
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => !exceedsDepth(value as Json, 7)));
    expect([exceedsDepth(1, 0), exceedsDepth([], 0), exceedsDepth([], 1), exceedsDepth([{}], 1)]).toEqual([false, true, false, true]);
  });
});
