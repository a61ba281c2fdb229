import { expect, it } from 'vitest';
import { type CelIssue, formatIssues } from './issue.ts';

const issue = (at: number, message: string, severity: CelIssue['severity'] = 'error'): CelIssue => ({
  code: 'syntax',
  severity,
  message,
  start: Math.max(at, 0),
  end: Math.max(at, 0) + 1,
  at,
});

it('draws each issue under its line, in the order of the text', () => {
  expect(formatIssues('a +\n\tb.c', [issue(5, 'second'), issue(0, 'first')])).toBe(
    ['ERROR: <input>:1:1: first', ' | a +', ' | ^', 'ERROR: <input>:2:2: second', ' |  b.c', ' | .^'].join('\n'),
  );
});

it('keeps columns under wide characters, counting code points', () => {
  expect(formatIssues("'🐱é' + x", [issue(8, 'x'), issue(1, 'cat', 'warning')])).toBe(
    ['WARNING: <input>:1:2: cat', " | '🐱é' + x", ' | .＾', 'ERROR: <input>:1:8: x', " | '🐱é' + x", ' | .．．....^'].join('\n'),
  );
});

it('has no place to point at for the whole expression, or in an empty one', () => {
  expect(formatIssues('a', [issue(-1, 'too deep')])).toBe('ERROR: <input>:-1:0: too deep');
  expect(formatIssues('', [issue(0, 'empty')])).toBe('ERROR: <input>:1:0: empty');
});

it('counts what is too much to show', () => {
  const many = Array.from({ length: 103 }, (_, index) => issue(0, `number ${index}`));
  expect(formatIssues('a', many).split('\n').at(-1)).toBe('3 more errors were truncated');
  const wide = `${'x'.repeat(17_000)} y`;
  expect(formatIssues(wide, [issue(17_001, 'far')])).toBe('ERROR: <input>:1:17002: far');
});
