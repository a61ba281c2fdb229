import { describe, expect, it } from 'vitest';
import { judge } from './constraint.fixture.ts';

describe('a constraint', () => {
  it.each<[constraint: string, object: unknown, told: true | string]>([
    // Fields that are named are required, others are free.
    ['a: int', { a: 1, b: 2 }, true],
    ['a: _', {}, 'a is required'],
    ['a: b: c: int', { a: { b: {} } }, 'a.b.c is required'],
    ['a: b: int', { a: [] }, 'a: a list is not a struct'],
    ['a: b: int', { a: 'x' }, 'a: "x" is not a struct'],
    ['"a.b/c": int', { 'a.b/c': 'x' }, '["a.b/c"]: "x" does not satisfy int'],
    ['a!: int', {}, 'a is required'],
    ['a?: int', {}, true],
    ['a?: int', { a: 'x' }, 'a: "x" does not satisfy int'],
    ['a?: _', { a: null }, true],
    ['a?: _|_', {}, true],
    ['a?: _|_', { a: 1 }, 'a: 1 does not satisfy _|_'],
    // Ints and floats are two kinds; a bound is about both.
    ['a: int', { a: 1.5 }, 'a: 1.5 does not satisfy int'],
    ['a: float', { a: 1 }, 'a: 1 does not satisfy float'],
    ['a: number', { a: 1.5 }, true],
    ['a: >=1 & <=10', { a: 40 }, 'a: 40 does not satisfy <=10'],
    ['a: >=1 & <=10', { a: 9.5 }, true],
    ['a: >=1 & <=10', { a: null }, 'a: null does not satisfy >=1'],
    ['a: int & >1', { a: 1 }, 'a: 1 does not satisfy >1'],
    ['a: 10Ki', { a: 10240 }, true],
    ['a: 1.5K', { a: 1500 }, true],
    ['a: -0x10', { a: -16 }, true],
    ['a: uint8', { a: 256 }, 'a: 256 does not satisfy uint8'],
    ['a: !=5', { a: 'x' }, 'a: "x" does not satisfy !=5'],
    ['a: !=null', { a: null }, 'a: null does not satisfy !=null'],
    ['a: bool', { a: 'true' }, 'a: "true" does not satisfy bool'],
    ['a: bytes', { a: 'x' }, 'a: "x" does not satisfy bytes'],
    ['a: null', { a: 0 }, 'a: 0 does not satisfy null'],
    // Strings.
    ['a: =~"^x"', { a: 'y' }, 'a: "y" does not satisfy =~"^x"'],
    ['a: !~"x"', { a: 'axe' }, 'a: "axe" does not satisfy !~"x"'],
    ['a: =~#"^\\d+$"#', { a: '12' }, true],
    ['a: strings.MinRunes(2)', { a: '😀' }, 'a: "😀" does not satisfy strings.MinRunes(2)'],
    ['import "strings"\na: strings.HasPrefix("x-")', { a: 'y' }, 'a: "y" does not satisfy strings.HasPrefix("x-")'],
    ['a: "x"', { a: 'line\n"two"' }, 'a: "line\\n\\"two\\"" does not satisfy "x"'],
    ['a: "x"', { a: 'y'.repeat(200) }, `a: "${'y'.repeat(100)}…" does not satisfy "x"`],
    // Alternatives.
    ['a: "x" | "y"', { a: 'z' }, 'a: "z" does not satisfy "x" | "y"'],
    ['a: "x" | *"y"', {}, 'a is required'],
    ['a: 80 | "http" | >1024', { a: 81 }, 'a: 81 does not satisfy 80 | "http" | >1024'],
    ['a: {b: int} | {c: int}', { a: { d: 1 } }, 'a: a struct does not satisfy {b: int} | {c: int}'],
    // Lists.
    ['a: [...int]', { a: [1, 2, 'x'] }, 'a[2]: "x" does not satisfy int'],
    ['a: [...{b: [...{c: <5}]}]', { a: [{ b: [] }, { b: [{ c: 1 }, { c: 7 }] }] }, 'a[1].b[1].c: 7 does not satisfy <5'],
    ['a: [int, string]', { a: [1] }, 'a has 1 items, 2 expected'],
    ['a: [int, ...]', { a: [] }, 'a has 0 items, at least 1 expected'],
    ['a: [int, ...string]', { a: [1, 'x', 2] }, 'a[2]: 2 does not satisfy string'],
    ['a: [int, string]', { a: [1, 2] }, 'a[1]: 2 does not satisfy string'],
    ['a: []', { a: {} }, 'a: a struct is not a list'],
    ['a: list.UniqueItems()', { a: [{ b: 1 }, { b: 1 }] }, 'a: a list does not satisfy list.UniqueItems()'],
    [
      'a: [...list.UniqueItems()]',
      {
        a: [
          [0, 1],
          [2, 2],
        ],
      },
      'a[1]: a list does not satisfy list.UniqueItems()',
    ],
    // Patterns and closed structs.
    ['a: [string]: =~"^v"', { a: { x: 'v1', y: 'w' } }, 'a["y"]: "w" does not satisfy =~"^v"'],
    ['a: [=~"^x-"]: b: int', { a: { y: 1, 'x-1': { b: 'c' } } }, 'a["x-1"].b: "c" does not satisfy int'],
    ['a: close({b?: int})', { a: { c: 1 } }, 'a: field "c" is not allowed'],
    ['a: #A\n#A: {b?: #B, [=~"^x"]: _}\n#B: c: int', { a: { b: { c: 1, d: 1 } } }, 'a.b: field "d" is not allowed'],
    ['a: #A\n#A: {b?: int, ...}', { a: { d: 1 } }, true],
    ['a: {#A, c: int}\n#A: {b?: int}', { a: { c: 1, d: 1 } }, 'a: field "d" is not allowed'],
    // Names.
    ['let port = int & >1024\na: port\nb?: [...port]', { a: 8080, b: [80] }, 'b[0]: 80 does not satisfy >1024'],
    ['_name: =~"^[a-z]+$" // of lower case\na: _name', { a: 'X' }, 'a: "X" does not satisfy =~"^[a-z]+$"'],
    ['a: {#P}\n#P: int & >0', { a: 0 }, 'a: 0 does not satisfy >0'],
    // The object as a whole.
    ['{a: int}', {}, 'a is required'],
    ['close({a?: int})', { b: 1 }, 'object: field "b" is not allowed'],
    ['a: int', [], 'object: a list is not a struct'],
    ['a: int', null, true],
    // Hostile names.
    ['"__proto__": int', {}, '__proto__ is required'],
    ['a?: {}', JSON.parse('{"__proto__": {"a": 1}}'), true],
    ['a: close({})', JSON.parse('{"a": {"__proto__": 1}}'), 'a: field "__proto__" is not allowed'],
    ['constructor: int', {}, 'constructor is required'],
  ])('%s of %j', (constraint, object, told) => {
    expect(judge(constraint, object)).toBe(told);
  });

  it.each([
    [100, 'f77: "x" does not satisfy int'],
    // Of more, the text that tells them apart would be too large.
    [1000, 'object does not satisfy the constraint'],
  ])('names one field of %i', (count, told) => {
    const names = Array.from({ length: count }, (_, index) => `f${index}`);
    const object = Object.fromEntries(names.map((name) => [name, name === 'f77' ? 'x' : 1]));
    expect(judge(names.map((name) => `${name}: int`).join('\n'), object)).toBe(told);
  });
});
