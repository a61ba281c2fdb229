import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../../create-environment.ts';
import { DYN } from '../../types.ts';
import type { CelValue } from '../../values.ts';
import { createProgram } from '../create-program.ts';
import { js, Name, nameSource, property, separated } from './emitter.ts';

const evaluate = (code: { toString(): string }): unknown => new Function(`'use strict'; return (${code});`)();

describe('values become literals and nothing else', () => {
  test.each(['"; throw 1; "', "'", '`${1}`', '\\', '\n', '\u2028\u2029', '*/ //', '</script>', '__proto__'])('%j', (text) => {
    expect(evaluate(js`${text}`)).toBe(text);
    expect(evaluate(js`[${text}, ${1}, ${true}, ${null}]`)).toEqual([text, 1, true, null]);
  });

  test('any text comes back as it went in', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => evaluate(js`${text}`) === text));
  });

  test('any finite number comes back as it went in', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => Object.is(evaluate(js`1 * ${number}`), number)));
    expect(() => js`${Number.NaN}`).toThrow(TypeError);
  });

  test('any property name reads that property', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const read = new Function('o', `return ${property(js`o`, name)};`) as (object: unknown) => unknown;
        return read(Object.fromEntries([[name, 7]])) === 7;
      }),
    );
  });
});

test('a name is an identifier that we made', () => {
  for (const text of ['a b', 'a;b', '', '1a', 'A', 'a.b', 'a"', 'a\n']) expect(() => new Name(text)).toThrow(TypeError);
  const next = nameSource();
  expect(String(js`${next('t')} ${next('t')}`)).toBe('t0 t1');
  expect(String(separated([1, 'a', next('k')], js`, `))).toBe('1, "a", k2');
});

test('text of an expression never becomes code', () => {
  const nasty = ['"+process.exit()+"', '${alert(1)}', "');throw 1;//", '\\', '\u2028', '*/', 'constructor', '__proto__', 'a"b`c'];
  const environment = createEnvironment({ variables: { object: DYN } });
  for (const text of nasty) {
    const quoted = JSON.stringify(text);
    const object = JSON.parse(`{${quoted}: ${quoted}}`) as CelValue;
    for (const [expression, expected] of [
      [`object[${quoted}] == ${quoted}`, true],
      [`${quoted} in object`, true],
      [`object[?${quoted}].orValue('')`, text],
      [`{${quoted}: ${quoted}}[${quoted}]`, text],
      [`['x', ${quoted}].exists(y, y == ${quoted})`, true],
      [`object[${quoted}].startsWith(${quoted}) && object[${quoted}].contains(${quoted})`, true],
    ] as const) {
      const compiled = environment.compile(expression);
      if (!compiled.ok) throw new Error(compiled.issues[0]!.message);
      const { run } = createProgram(compiled.program.ast, { backEnd: 'code' });
      expect([expression, run({ object }, { remaining: 10_000 })]).toEqual([expression, expected]);
    }
  }
});
