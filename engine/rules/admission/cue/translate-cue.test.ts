import { describe, expect, it } from 'vitest';
import { translateCue } from './translate-cue.ts';

/** What is wrong, with the part of the text that it points at. */
function issueOf(text: string): readonly [code: string, at: string, message: string, hint?: string] {
  const result = translateCue(text);
  if (result.ok) throw new Error(`nothing is wrong with ${text}`);
  const { code, message, start, end, hint } = result.issue;
  return hint === undefined ? [code, text.slice(start, end), message] : [code, text.slice(start, end), message, hint];
}

describe('what is refused', () => {
  it.each<[text: string, code: string, at: string, message: RegExp]>([
    ['', 'empty', '', /says nothing/],
    ['#A: int', 'empty', '#A: int', /says nothing/],
    ['_', 'empty', '_', /says nothing/],
    ['a: "x\\(b)"', 'unsupported', '\\(', /strings with values put in/],
    ['a: b + 1', 'unsupported', '+', /not computed/],
    ['a: 2 * 3', 'unsupported', '*', /not computed/],
    ['a: b == 1', 'unsupported', '==', /not computed/],
    ['a: !true', 'unsupported', '!', /not computed/],
    ['if a != 1 {b: int}', 'unsupported', 'if', /comprehensions/],
    ['a: [for x in [1] {x}]', 'unsupported', 'for', /comprehensions/],
    ['a: int\nb: <a', 'unsupported', 'a', /followed by a literal/],
    ['a: int\nb: a', 'unsupported', 'a', /a is a field/],
    ['X=a: int', 'unsupported', 'X', /aliases/],
    ['(a): int', 'unsupported', '(', /labels are not computed/],
    ['a: int @tag(x)', 'unsupported', '@', /attributes/],
    ["a: 'bytes'", 'unsupported', "'bytes'", /bytes/],
    ['a: {...int}', 'unsupported', 'int', /further fields/],
    ['a: #A.b\n#A: b: int', 'unsupported', '#A.b', /#A.b is not known/],
    ['a: regexp.Match("x")', 'unsupported', 'regexp.Match("x")', /no validator of a value/],
    ['import "net"\na: int', 'unsupported', '"net"', /package "net"/],
    ['a: #A\n#A: {b?: #A}', 'unsupported', '#A', /leads to itself/],
    ['a: 99999999999999999999', 'unsupported', '99999999999999999999', /64 bits/],
    ['a: x', 'undefined', 'x', /x is not defined/],
    ['a: =~"("', 'syntax', '"("', /missing closing/],
    ['a: "\\d"', 'syntax', '\\d', /stands for no character/],
    ['a: "x', 'syntax', '"', /does not end/],
    ['a: {b: int', 'syntax', '', /found the end/],
    ['a: [1, 2', 'syntax', '', /found the end/],
    ['a: 1 b: 2', 'syntax', 'b', /a comma or a new line expected, found b/],
    ['a: *1', 'syntax', '*1', /default of a disjunction/],
    ['a: <true', 'syntax', '<true', /compares numbers or strings/],
    ['a: strings.MinRunes("x")', 'syntax', '"x"', /takes a whole number/],
    ['a: 1__0', 'syntax', '1__0', /not a number/],
    ['a: 012', 'syntax', '012', /not a number/],
    ['a: §', 'syntax', '§', /not expected/],
    ['a: [...int, 1]', 'syntax', '1', /last of a list/],
    ['1: int', 'syntax', '1', /a number is no label/],
  ])('%s', (text, code, at, message) => {
    const issue = issueOf(text);
    expect(issue.slice(0, 2)).toEqual([code, at]);
    expect(issue[2]).toMatch(message);
  });

  it.each([
    ['a: #Prot\n#Port: int', 'did you mean #Port?'],
    ['a: strng', 'did you mean string?'],
    ['a: strings.MinRune(1)', 'did you mean strings.MinRunes?'],
  ])('%s: %s', (text, hint) => {
    expect(issueOf(text)[3]).toBe(hint);
  });
});

describe('hostile text', () => {
  const many = (count: number, text: (index: number) => string) => Array.from({ length: count }, (_, index) => text(index)).join('\n');

  it.each([
    ['deep structs', '{'.repeat(5000)],
    ['deep chains', 'a: '.repeat(5000)],
    ['deep lists', `a: ${'['.repeat(5000)}`],
    ['deep parentheses', `a: ${'('.repeat(5000)}`],
    ['deep signs', `a: ${'-'.repeat(5000)}1`],
    ['deep bounds', `a: ${'<'.repeat(5000)}1`],
    ['definitions that double', `a: #D0\n${many(30, (i) => `#D${i}: {x: #D${i + 1}, y: #D${i + 1}}`)}\n#D30: int`],
    ['references that double', `a: _D0\n${many(30, (i) => `_D${i}: _D${i + 1} & _D${i + 1}`)}\n_D30: int`],
    ['lets that double', `a: D0\n${many(30, (i) => `let D${i} = {D${i + 1}, D${i + 1}}`)}\nlet D30 = int`],
    ['alternatives that multiply', `a: #A\n#A: {\n${many(30, (i) => `({a${i}: int} | {b${i}: int})`)}\n}`],
    ['a large text', `a: "${'x'.repeat(100_000)}"`],
  ])('%s', (_, text) => {
    expect(issueOf(text)[0]).toBe('too-large');
  });

  it('takes many alternatives and many fields', () => {
    expect(translateCue(`a: ${Array.from({ length: 2000 }, (_, index) => `"v${index}"`).join(' | ')}`).ok).toBe(true);
    expect(translateCue(many(1000, (index) => `f${index}?: int`)).ok).toBe(true);
  });

  it('never throws, whatever the text', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      '(',
      ')',
      ':',
      '?',
      ',',
      '\n',
      '...',
      '&',
      '|',
      '*',
      '<',
      '=~',
      '"a"',
      'a',
      '#A',
      '_',
      '1',
      '.',
      '-',
      'close',
    ];
    let seed = 7;
    const next = () => (seed = (seed * 1103515245 + 12345) % 2147483648);
    for (let round = 0; round < 5000; round++) {
      const text = Array.from({ length: 1 + (next() % 12) }, () => pieces[(next() >> 8) % pieces.length]).join(' ');
      expect(typeof translateCue(text).ok).toBe('boolean');
    }
  });
});
