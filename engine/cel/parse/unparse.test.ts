import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expr } from '../ast.ts';
import { parse } from './parse.ts';
import { unparse } from './unparse.ts';

function parsed(text: string): Expr {
  const result = parse(text);
  if (!result.ok) throw new Error(`${text}: ${result.issues.map((issue) => issue.message).join('; ')}`);
  return result.ast.root;
}

/** A tree without what depends on where its nodes stood. */
function shape(expr: Expr): unknown {
  return JSON.parse(
    JSON.stringify(expr, (key, value) => {
      if (key === 'id' || key === 'start' || key === 'end' || key === 'at' || key === 'macro') return undefined;
      if (typeof value === 'bigint') return { bigint: String(value) };
      if (value instanceof Uint8Array) return { bytes: Array.from(value) };
      if (Object.is(value, -0)) return { zero: 'negative' };
      return value;
    }),
  );
}

describe('unparse', () => {
  it.each([
    'a + b * c - d',
    '(a + b) * c - (d - e)',
    'a < b == (c in d)',
    '!a && -b.c != -(1)',
    '!(!a) || -(-a) == -(1.5)',
    'a && b && c && d || e',
    'a && (b && c)',
    'a ? b : c ? d : e',
    '(a ? b : c) ? (d ? e : f) : g',
    'f(a, b).g(c)[d].?e[?f].`g-h`.`in`',
    '(a + b).c',
    '(-a).c',
    '{"a": 1, ?b: 2u}.c == [?d, 1.0, b"\\001\\377"]',
    '.a.B{c: "d\\n\\"", ?`e-f`: null}',
    'a.b.all(x, has(x.y) && x.z.map(i, i > 0, i * 2).exists(j, j in [1]))',
    '(a + b).filter(x, x)',
    'a.?b.optMap(x, x + 1).orValue(1e+100)',
  ])('gives back %s', (text) => expect(unparse(parsed(text))).toBe(text));

  it.each([
    ["'a'", '"a"'],
    ['((a))', 'a'],
    ['0xFF', '255'],
    ['1e2', '100.0'],
    ['[a,]', '[a]'],
    ['a||b', 'a || b'],
    ['--a', 'a'],
  ])('writes %s as %s', (text, expected) => expect(unparse(parsed(text))).toBe(expected));
});

const name = fc.constantFrom('a', 'b', 'object', 'x_1');
const field = fc.constantFrom('spec', 'for', 'b-c', 'in', 'a.b/c d', 'true_');
const quoted = (text: string): string => (/^(?!in$)[a-z_]+$/.test(text) ? text : `\`${text}\``);

/** Texts of expressions, every operand in parentheses, so that all shapes of trees come up. */
const { expression } = fc.letrec<{ expression: string; operand: string }>((tie) => ({
  operand: tie('expression').map((text) => `(${text})`),
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    name,
    fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => `${value}u`),
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .map((value) => (Number.isInteger(value) ? `${value}.0` : String(value)).replace(/^(.*e.*)\.0$/, '$1')),
      fc
        .string({ unit: 'grapheme' })
        .map((text) =>
          JSON.stringify(text).replace(/[^\x20-\x7e]/gu, (char) => `\\U${char.codePointAt(0)!.toString(16).padStart(8, '0')}`),
        ),
      fc
        .uint8Array({ maxLength: 4 })
        .map((bytes) => `b'${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'`),
      fc.constantFrom('true', 'false', 'null'),
    ),
    fc
      .tuple(tie('operand'), fc.constantFrom('+', '-', '*', '/', '%', '<', '<=', '==', '!=', '>', '>=', 'in', '&&', '||'), tie('operand'))
      .map((parts) => parts.join(' ')),
    fc
      .tuple(tie('operand'), fc.constantFrom('&&', '||'), tie('operand'), tie('operand'), tie('operand'))
      .map(([a, op, ...more]) => [a, ...more].join(` ${op} `)),
    fc.tuple(tie('operand'), tie('operand'), tie('operand')).map(([a, b, c]) => `${a} ? ${b} : ${c}`),
    fc.tuple(fc.constantFrom('!', '-', '!!', '---'), tie('operand')).map((parts) => parts.join('')),
    fc.tuple(tie('operand'), fc.constantFrom('.', '.?'), field).map(([a, dot, b]) => `${a}${dot}${quoted(b)}`),
    fc.tuple(tie('operand'), fc.constantFrom('[', '[?'), tie('operand')).map(([a, open, b]) => `${a}${open}${b}]`),
    fc.tuple(tie('operand'), fc.array(tie('operand'), { maxLength: 2 })).map(([a, args]) => `${a}.f(${args.join(', ')})`),
    fc.array(tie('operand'), { maxLength: 3 }).map((args) => `g(${args.join(', ')})`),
    fc
      .array(tie('operand'), { maxLength: 3 })
      .map((items) => `[${items.map((item, index) => (index === 1 ? `?${item}` : item)).join(', ')}]`),
    fc
      .array(fc.tuple(tie('operand'), tie('operand')), { maxLength: 2 })
      .map((entries) => `{${entries.map(([key, value]) => `${key}: ${value}`).join(', ')}}`),
    fc.tuple(field, tie('operand')).map(([key, value]) => `Object.spec{?${quoted(key)}: ${value}}`),
    fc.tuple(tie('operand'), field).map(([a, b]) => `has(${a}.${quoted(b)})`),
    fc
      .tuple(tie('operand'), fc.constantFrom('all', 'exists', 'exists_one', 'map', 'filter', 'optMap', 'optFlatMap'), name, tie('operand'))
      .map(([a, macro, x, body]) => `${a}.${macro}(${x}, ${body})`),
  ),
}));

describe('law', () => {
  it('parse(unparse(tree)) is the tree', () => {
    fc.assert(
      fc.property(expression, (text) => {
        const result = parse(text);
        // Random trees may be larger than what is allowed; nothing else may be wrong with them.
        if (!result.ok) return expect(result.issues.map((issue) => issue.code)).toEqual(['expression-too-large']);
        const printed = unparse(result.ast);
        expect(shape(parsed(printed)), printed).toEqual(shape(result.ast.root));
        expect(unparse(parsed(printed))).toBe(printed);
      }),
      { numRuns: 500 },
    );
  });
});
