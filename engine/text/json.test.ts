import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from './json.ts';
import { DEFAULT_LIMITS } from './limits.ts';

const parse = (text: string, limits = DEFAULT_LIMITS) => parseJson({ name: 'test.json', text }, limits);

function summary(text: string): string[] {
  return parse(text).diagnostics.map((d) => `${d.code} ${JSON.stringify(text.slice(d.span?.start, d.span?.end))}`);
}

describe('good JSON', () => {
  test('agrees with JSON.parse on any JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const { documents, diagnostics } = parse(text);
        expect(diagnostics).toEqual([]);
        // Integers beyond 2^53 come as bigints here.
        const asNumber = (_key: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
        expect(JSON.stringify(documents[0]?.value, asNumber)).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test('integers beyond 2^53 keep their digits', () => {
    expect(parse('[9007199254740993, -9223372036854775808, 18446744073709551615, 1e3, 1.0, -0]').documents[0]?.value).toEqual([
      9007199254740993n,
      -9223372036854775808n,
      18446744073709551615n,
      1000,
      1,
      0,
    ]);
  });

  test('several documents one after another', () => {
    const { documents } = parse('\ufeff{"a":1}\n{"a":2}\n');
    expect(documents.map((d) => d.value)).toEqual([{ a: 1 }, { a: 2 }]);
    expect(documents[1]?.locate(['a'])).toEqual({ start: 14, end: 15 });
  });

  test('__proto__ is a key like any other', () => {
    const value = parse('{"__proto__": {"polluted": 1}}').documents[0]?.value as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.hasOwn(value, '__proto__')).toBe(true);
  });
});

describe('bad JSON: every mistake, where it stands', () => {
  test.each<[string, string[]]>([
    ['', ['json-syntax ""']],
    ['{"a": 1,}', ['json-syntax ","']],
    ['{"a": 1 "b": 2}', ['json-syntax "\\""']],
    ["{'a': 'b'}", ['json-syntax "\'"', 'json-syntax "\'"']],
    ['{a: 1, b: 2}', ['json-syntax "a"', 'json-syntax "b"']],
    ['[1, 2', ['json-syntax "["']],
    ['{"a": 1', ['json-syntax "{"']],
    ['{"a" 1}', ['json-syntax "1"']],
    ['{"a": }', ['json-syntax "}"']],
    ['{"a": 1, "a": 2, "b": {"c": 1, "c": 1}}', ['json-duplicate-key "\\"a\\""', 'json-duplicate-key "\\"c\\""']],
    ['[01, .5, +1]', ['json-syntax "01"', 'json-syntax "."']],
    ['[1_000, 0x10, 1.2.3]', ['json-syntax "1_000"', 'json-syntax "0x10"', 'json-syntax "1.2.3"']],
    ['[True, None, NaN]', ['json-syntax "True"', 'json-syntax "None"', 'json-syntax "NaN"']],
    ['// x\n{"a": 1} /* y */', ['json-syntax "// x"', 'json-syntax "/*"']],
    ['["\\q", "\\u12"]', ['json-syntax "\\\\q"', 'json-syntax "\\\\u"']],
    ['["a\nb"]', ['json-syntax "\\"a"']],
    ['["a\tb"]', ['json-syntax "\\t"']],
    ['[1e999]', ['json-number-too-large "1e999"']],
    ['{"a": 1}}', ['json-syntax "}"']],
    ['\0', ['json-syntax "\\u0000"']],
  ])('%s', (text, expected) => {
    expect(summary(text)).toEqual(expected);
  });

  test('cut off anywhere, it ends with an error and never throws', () => {
    const text = '{"a": [1, {"b": "c\\u00e9\\n"}, null, -1.5e3], "d": true}';
    for (let end = 0; end < text.length; end++) expect(parse(text.slice(0, end)).diagnostics.length, text.slice(0, end)).toBeGreaterThan(0);
  });

  test('any text gives documents or errors', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', 'a', '1', '\\', ' ', '-', '.') }), (text) => {
        const { documents, diagnostics } = parse(text);
        let good = true;
        try {
          JSON.parse(text);
        } catch {
          good = false;
        }
        const several = diagnostics.length === 0 && documents.length > 1;
        expect(several || good === diagnostics.every((d) => d.code === 'json-duplicate-key')).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('limits', () => {
    expect(parse('[[[1]]]', { ...DEFAULT_LIMITS, maxDepth: 2 }).diagnostics.map((d) => d.code)).toEqual(['text-too-deep']);
    expect(parse('1 2 3', { ...DEFAULT_LIMITS, maxDocuments: 2 }).diagnostics.map((d) => d.code)).toEqual(['text-too-many-documents']);
    expect(parse('"abc"', { ...DEFAULT_LIMITS, maxLength: 4 }).diagnostics.map((d) => d.code)).toEqual(['text-too-large']);
    expect(parse('['.repeat(100_000)).diagnostics.map((d) => d.code)).toEqual(['text-too-deep']);
  });
});

describe('positions', () => {
  const text = '{\n  "a": [1, {"b": "x\\ty\\u00e9z"}],\n  "c": null\n}';
  const document = parse(text).documents[0];

  test('values and keys', () => {
    const span = document?.locate(['a', 1, 'b']);
    expect(text.slice(span?.start, span?.end)).toBe('"x\\ty\\u00e9z"');
    const key = document?.locate(['c'], 'key');
    expect(text.slice(key?.start, key?.end)).toBe('"c"');
  });

  test('inside text', () => {
    expect(['x', '\t', 'y', 'é', 'z', ''].map((_, i) => text[document?.locateWithin(['a', 1, 'b'], i) ?? -1])).toEqual([
      'x',
      '\\',
      'y',
      '\\',
      'z',
      '"',
    ]);
  });
});
