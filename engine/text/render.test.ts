import { describe, expect, test } from 'vitest';
import type { Diagnostic } from './diagnostic.ts';
import { renderDiagnostic, toRecord } from './render.ts';

/** A diagnostic about the part of `text` between the two `¦` signs. */
function about(marked: string, more: Partial<Diagnostic> = {}): Diagnostic {
  const start = marked.indexOf('¦');
  const end = marked.indexOf('¦', start + 1) - 1;
  return {
    code: 'test-code',
    severity: 'error',
    message: 'something is wrong',
    source: { name: 'rule.yaml', text: marked.replaceAll('¦', '') },
    span: { start, end },
    ...more,
  };
}

const picture = (diagnostic: Diagnostic) => `\n${renderDiagnostic(diagnostic)}\n`;

describe('pictures', () => {
  test('a span on one line, with path and hint', () => {
    expect(picture(about('a: 1\nexpression: "¦objct¦.spec"\n', { path: '$.spec.x', hint: 'did you mean object?' }))).toBe(`
rule.yaml:2:14: error: something is wrong [test-code]
    2 | expression: "objct.spec"
      |              ^^^^^
      = at $.spec.x
      = hint: did you mean object?
`);
  });

  test('an empty span points between characters', () => {
    expect(picture(about('a:¦¦\n', { severity: 'warning' }))).toBe(`
rule.yaml:1:3: warning: something is wrong [test-code]
    1 | a:
      |   ^
`);
  });

  test('two lines', () => {
    expect(picture(about('x: ¦|\n  first\n  second¦\ny: 1'))).toBe(`
rule.yaml:1:4: error: something is wrong [test-code]
    1 | x: |
      |    ^
    2 |   first
      |   ^^^^^
    3 |   second
      |   ^^^^^^
`);
  });

  test('many lines: the first and the last', () => {
    expect(picture(about('¦a: [\n1,\n2,\n3,\n4\n]¦'))).toBe(`
rule.yaml:1:1: error: something is wrong [test-code]
    1 | a: [
      | ^^^^
  ... |
    6 | ]
      | ^
`);
  });

  test('tabs, wide characters, combining marks', () => {
    expect(picture(about('\tb: ¦x¦'))).toBe(`
rule.yaml:1:5: error: something is wrong [test-code]
    1 |     b: x
      |        ^
`);
    expect(picture(about('名前: "😀e\u0301", ¦値段¦'))).toBe(`
rule.yaml:1:12: error: something is wrong [test-code]
    1 | 名前: "😀e\u0301", 値段
      |              ^^^^
`);
  });

  test('a long line is cut around the span', () => {
    const lines = renderDiagnostic(about(`${'a'.repeat(300)}¦here¦${'b'.repeat(300)}`)).split('\n');
    expect(lines[1]).toBe(`    1 | ...${'a'.repeat(40)}here${'b'.repeat(76)}...`);
    expect(lines[2]).toBe(`      | ${' '.repeat(43)}^^^^`);
  });

  test('a line of megabytes is quick', () => {
    const text = 'x'.repeat(5_000_000);
    const rendered = renderDiagnostic({ ...about('¦a¦'), source: { name: 'big', text }, span: { start: 4_000_000, end: 4_000_100 } });
    expect(rendered.length).toBeLessThan(500);
  });

  test('line numbers of any length', () => {
    expect(picture(about(`${'\n'.repeat(99_999)}¦x¦`))).toBe(`
rule.yaml:100000:1: error: something is wrong [test-code]
  100000 | x
         | ^
`);
  });

  test('Windows line ends', () => {
    expect(picture(about('a: 1\r\n¦b: 2\r\nc¦: 3\r\n'))).toBe(`
rule.yaml:2:1: error: something is wrong [test-code]
    2 | b: 2
      | ^^^^
    3 | c: 3
      | ^
`);
  });

  test('without a place', () => {
    expect(renderDiagnostic({ code: 'c', severity: 'info', message: 'first\nsecond' })).toBe('info: first [c]\n    second');
    expect(renderDiagnostic({ code: 'c', severity: 'error', message: 'm', source: { name: 'a.yaml', text: '' }, hint: 'h' })).toBe(
      'a.yaml: error: m [c]\n     = hint: h',
    );
  });

  test('control sequences in documents stay visible signs', () => {
    const rendered = renderDiagnostic(about('a: ¦\u001b[31mred\u0007¦ \u202eevil', { message: 'found \u001b[2J' }));
    expect(rendered).not.toMatch(/[\u001b\u0007\u202e]/);
    expect(rendered).toContain('found ␛[2J');
  });

  test('colour comes from the style', () => {
    const style = {
      severity: (_: string, text: string) => `<${text}>`,
      strong: (text: string) => `*${text}*`,
      faint: (text: string) => `(${text})`,
    };
    expect(renderDiagnostic(about('¦a¦: 1'), style)).toBe(
      '*rule.yaml:1:1: *<error:> *something is wrong* ([test-code])\n(    1 |) a: 1\n(      |) <^>',
    );
  });
});

test('as a record', () => {
  expect(toRecord(about('é😀\n  ¦b¦: 1', { hint: 'h', path: '$.b' }))).toEqual({
    code: 'test-code',
    severity: 'error',
    message: 'something is wrong',
    hint: 'h',
    file: 'rule.yaml',
    line: 2,
    column: 3,
    endLine: 2,
    endColumn: 4,
    path: '$.b',
  });
});
