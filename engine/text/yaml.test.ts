import fc from 'fast-check';
import { getScalarValue, parseEvents, type ScalarEvent } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { DocumentPath } from './document.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { readText } from './read.ts';
import { parseYaml } from './yaml.ts';
import { scalarOffsets } from './yaml-offsets.ts';

const parse = (text: string, limits = DEFAULT_LIMITS) => parseYaml({ name: 'test.yaml', text }, limits);

/** Diagnostics as `code "marked text"`. */
function summary(text: string, limits = DEFAULT_LIMITS): string[] {
  return parse(text, limits).diagnostics.map((d) =>
    d.span ? `${d.code} ${JSON.stringify(text.slice(d.span.start, d.span.end))}` : d.code,
  );
}

describe('values are what Kubernetes reads', () => {
  test.each<[string, unknown]>([
    ['true', true],
    ['TRUE', true],
    ['tRUE', 'tRUE'],
    ['yes', true],
    ['off', false],
    ['n', false],
    ['~', null],
    ['"~"', '~'],
    ['12', 12],
    ['+12', 12],
    ['-0', 0],
    ['0644', 420],
    ['0o17', 15],
    ['089', 89],
    ['0x1F', 31],
    ['-0b11', -3],
    ['1_000', 1000],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615', 18446744073709551615n],
    ['18446744073709551616', 2 ** 64],
    ['1.5', 1.5],
    ['1.0', 1],
    ['1e3', 1000],
    ['.5', 0.5],
    ['.5_0', 0.5],
    ['1e400', '1e400'],
    ['1.2.3', '1.2.3'],
    ['2001-01-01', '2001-01-01'],
    ['12:30:45', '12:30:45'],
    ['100m', '100m'],
    ["'12'", '12'],
    ['!!str 12', '12'],
    ['!!int 12', 12],
    ['!!float 12', 12],
    ['!!int 0xE1', 225],
    ['y', true],
    ['1.', 1],
    ['0x_1F', 31],
    ['+18446744073709551615', 18446744073709552000],
  ])('%s', (text, value) => {
    expect(parse(`a: ${text}\n`).documents[0]?.value).toEqual({ a: value });
  });

  test('keys are text', () => {
    expect(parse('8080: a\n010: b\n1.50: c\ntrue: d\n').documents[0]?.value).toEqual({ '8080': 'a', '8': 'b', '1.5': 'c', true: 'd' });
  });

  test('__proto__ is a key like any other', () => {
    const value = parse('__proto__: {polluted: 1}\n').documents[0]!.value as { polluted?: number };
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.hasOwn(value, '__proto__')).toBe(true);
    expect(value.polluted).toBeUndefined();
  });

  test('merge keys: own keys win, then the earlier source', () => {
    const text = 'base: &b {x: 1, w: 1}\nother: &o {w: 2, z: 2}\nall: {<<: [*b, *o], x: 0}\n';
    expect((parse(text).documents[0]!.value as { all: unknown }).all).toEqual({ x: 0, w: 1, z: 2 });
  });

  test('several documents, empty ones left out', () => {
    const { documents, diagnostics } = parse('---\n# nothing\n---\na: 1\n---\n---\n"text"\n...\n');
    expect(documents.map((d) => [d.index, d.value])).toEqual([
      [0, { a: 1 }],
      [1, 'text'],
    ]);
    expect(diagnostics).toEqual([]);
  });
});

describe('everything wrong is reported, where it stands', () => {
  test.each<[string, string, string[]]>([
    ['duplicate keys, all of them', 'a: 1\nb: 2\na: 3\nb: 4\n', ['yaml-duplicate-key "a"', 'yaml-duplicate-key "b"']],
    ['duplicate after quoting', 'a: 1\n"a": 2\n', ['yaml-duplicate-key "\\"a\\""']],
    ['duplicate in flow style', '{a: 1, a: 2}', ['yaml-duplicate-key "a"']],
    ['boolean words', 'a: yes\nb: [on, "off"]\nno: 1\n', ['yaml-boolean-word "yes"', 'yaml-boolean-word "on"', 'yaml-boolean-word "no"']],
    ['not a JSON number', 'a: .inf\nb: -.INF\nc: .nan\n', ['yaml-not-json ".inf"', 'yaml-not-json "-.INF"', 'yaml-not-json ".nan"']],
    ['tab in indentation', 'a:\n\tb: 1\n', ['yaml-syntax "\\t"']],
    ['unknown anchor', 'a: *b\n', ['yaml-unknown-anchor "*b"']],
    ['recursive alias', 'a: &a [*a]\n', ['yaml-recursive-alias "*a"']],
    [
      'tags',
      'a: !!binary aGk=\nb: !Ref x\nc: !!set {x}\n',
      ['yaml-unsupported-tag "!!binary"', 'yaml-unsupported-tag "!Ref"', 'yaml-unsupported-tag "!!set"'],
    ],
    ['wrong tag', 'a: !!int x\nb: !!int 1.0\n', ['yaml-wrong-tag "x"', 'yaml-wrong-tag "1.0"']],
    ['complex keys', '? [a, b]\n: 1\n~: 2\n', ['yaml-complex-key "[a, b"', 'yaml-complex-key "~"']],
    ['merging text', '<<: text\n', ['yaml-bad-merge "<<"']],
    ['null byte', 'a: \0\n', ['yaml-syntax "\\u0000"']],
    ['unclosed quote', 'a: "x\nb: 1\n', ['yaml-syntax "b"']],
    ['nesting', `${'['.repeat(300)}${']'.repeat(300)}`, ['text-too-deep "["']],
  ])('%s', (_name, text, expected) => {
    expect(summary(text)).toEqual(expected);
  });

  test('a syntax error in one document leaves the others', () => {
    const { documents, diagnostics } = parse('a: 1\n---\nb: c: d\n---\ne: [\n---\nf: *x\n');
    expect(documents.map((d) => d.value)).toEqual([{ a: 1 }, { f: null }]);
    expect(diagnostics.map((d) => d.code)).toEqual(['yaml-syntax', 'yaml-syntax', 'yaml-unknown-anchor']);
    expect(documents[1]?.locate(['f'], 'key')).toEqual({ start: 30, end: 31 });
  });

  test('all syntax errors of one document', async () => {
    const text = 'a: [1, 2\nb: "x\\q"\nc: @d\ne: f: g\n';
    const { diagnostics } = await readText({ name: 'x.yaml', text });
    expect(diagnostics.length).toBeGreaterThan(1);
    expect(new Set(diagnostics.map((d) => d.code))).toEqual(new Set(['yaml-syntax']));
  });

  test.each<[string, string, string]>([
    [
      'an expression in a flow map',
      'a: { b: ${x.y} }\nc: { d: 1 }\ne: 2\n',
      'inside of { } and [ ], text that holds ${ must be quoted: "${…}"',
    ],
    [
      'a template of Helm',
      'a:\n  b: {{ .Values.x }}\n',
      'text that holds {{ must be quoted; an expression of a template is written "${…}"',
    ],
    [
      'a function of Helm',
      'a: {{- include "x" . | nindent 4 }}\n',
      'text that holds {{ must be quoted; an expression of a template is written "${…}"',
    ],
  ])('what to do about %s, once', async (_name, text, hint) => {
    const { diagnostics } = await readText({ name: 'x.yaml', text });
    expect(diagnostics.map((d) => d.hint)).toEqual([hint]);
  });

  test('an alias bomb is not expanded', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    const codes = parse(`${lines.join('\n')}\n`).diagnostics.map((d) => d.code);
    expect(codes).toEqual(['yaml-alias-bomb']);
  });

  test('limits', () => {
    expect(summary('abc', { ...DEFAULT_LIMITS, maxLength: 2 })).toEqual(['text-too-large']);
    expect(summary('a\n---\nb\n---\nc\n', { ...DEFAULT_LIMITS, maxDocuments: 2 })).toEqual(['text-too-many-documents']);
    expect(summary('[yes, yes, yes]', { ...DEFAULT_LIMITS, maxDiagnostics: 1 })).toEqual([
      'yaml-boolean-word "yes"',
      'text-too-many-problems',
    ]);
    expect(summary('a: &a [[[x]]]\nb: [[[*a]]]\n', { ...DEFAULT_LIMITS, maxDepth: 6 })).toEqual(['text-too-deep "*a"']);
  });
});

describe('positions', () => {
  const text = `spec:
  # a comment
  quoted: 'it''s'
  double: "a\\tb\\u00e9\\U0001F600c"
  list:
  - one
  - {name: two, value: [1, 2]}
  literal: |
    first
      second

    third
  folded: >-
    one
    two

    three
  plain: several
    words
  empty:
  anchor: &x
    inner: 1
  alias: *x
`;
  const document = parse(text).documents[0]!;
  const shown = (path: DocumentPath, part?: 'key' | 'value') => {
    const span = document.locate(path, part)!;
    return text.slice(span.start, span.end);
  };

  test.each<[DocumentPath, string]>([
    [['spec', 'quoted'], "'it''s'"],
    [['spec', 'list', 0], 'one'],
    [['spec', 'list', 1], '{name: two, value: [1, 2]}'],
    [['spec', 'list', 1, 'value'], '[1, 2]'],
    [['spec', 'list'], '- one\n  - {name: two, value: [1, 2]}'],
    [['spec', 'literal'], 'first\n      second\n\n    third'],
    [['spec', 'plain'], 'several\n    words'],
    [['spec', 'empty'], ''],
    [['spec', 'alias', 'inner'], '1'],
    [['spec', 'missing'], 'spec'],
    [['spec', 'list', 9], 'list'],
    [['spec', 'list', 1, 'missing'], '{name: two, value: [1, 2]}'],
    [['missing'], 'spec:'],
  ])('value at %j', (path, expected) => {
    expect(shown(path)).toBe(expected);
  });

  test('keys', () => {
    expect(shown(['spec', 'list', 1, 'name'], 'key')).toBe('name');
    expect(shown(['spec', 'folded'], 'key')).toBe('folded');
  });

  test.each<[string, string, string]>([
    ['quoted', 's', "s'\n"],
    ['double', 'é', '\\u00e9'],
    ['double', 'c', 'c"'],
    ['literal', 'second', 'second\n'],
    ['literal', 'third', 'third\n'],
    ['folded', 'two', 'two\n'],
    ['folded', 'three', 'three'],
    ['plain', 'words', 'words'],
  ])('inside %s, at %j', (key, needle, expected) => {
    const value = (document.value as { spec: Record<string, string> }).spec[key]!;
    const offset = document.locateWithin(['spec', key], value.indexOf(needle))!;
    expect(text.slice(offset, offset + expected.length)).toBe(expected);
  });

  test('every scalar of every style has one offset per character, in order', () => {
    const anyText = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', "'", '"', '\\', ':', '#', '-', 'é', '😀', '\t') });
    const style = fc.constantFrom('PLAIN', 'QUOTE_SINGLE', 'QUOTE_DOUBLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED');
    fc.assert(
      fc.property(anyText, style, (value, defaultStringType) => {
        const printed = stringify(
          { k: value },
          { defaultStringType: defaultStringType as 'PLAIN', defaultKeyType: 'PLAIN', lineWidth: 20 },
        );
        const events = parseEvents(printed, {});
        const scalar = events.filter((e): e is ScalarEvent => e.type === 4)[1]!;
        // The two libraries differ on blank block scalars; what is tested here is the way back from what was read.
        fc.pre(getScalarValue(printed, scalar) === value);
        const offsets = scalarOffsets(printed, scalar);
        expect(offsets.length).toBe(value.length + 1);
        for (let i = 0; i < value.length; i++) {
          expect(offsets[i]!).toBeLessThanOrEqual(offsets[i + 1]!);
          if (value[i] === 'a' || value[i] === 'b') expect(printed[offsets[i]!]).toBe(value[i]);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('an expression that starts with ! is told to be quoted', () => {
  const { diagnostics } = parseYaml({ name: 'a.yaml', text: 'expression: !has(object.spec)\n' });
  expect(diagnostics.map(({ hint }) => hint)).toEqual(['text that starts with `!` must be quoted']);
});
