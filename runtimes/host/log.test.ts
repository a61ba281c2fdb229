import { describe, expect, it } from 'vitest';
import { manualClock } from './clock.ts';
import { boundLog, createJsonLog, type LogFields, logAt } from './log.ts';

describe('the JSON log', () => {
  it('writes one object per line, with level names, and leaves out what is below the level', async () => {
    const lines: string[] = [];
    const log = await createJsonLog({ level: 'info', write: (line) => lines.push(line) });
    log('debug', 'quiet');
    log('warn', 'loud', { count: 2, name: 'x', nothing: undefined });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toEqual({ level: 'warn', time: expect.stringMatching(/^\d{4}-/), message: 'loud', count: 2, name: 'x' });
  });

  it('cuts long fields', async () => {
    const lines: string[] = [];
    const log = await createJsonLog({ write: (line) => lines.push(line) });
    log('info', 'x', { text: 'y'.repeat(5000) });
    expect(JSON.parse(lines[0]!)['text']).toHaveLength(1025);
  });
});

it('a log at one level leaves out what is no scalar', () => {
  const lines: unknown[] = [];
  logAt((...line) => void lines.push(line), 'warn')('one', { code: 7, why: 'text', isLast: true, error: { secret: 'x' }, none: undefined });
  expect(lines).toEqual([['warn', 'one', { code: 7, why: 'text', isLast: true }]]);
});

describe('a bounded log', () => {
  it('drops a flood of one message, lets others through, and says how many it dropped', () => {
    const clock = manualClock();
    const lines: [string, LogFields | undefined][] = [];
    const log = boundLog((_, message, fields) => lines.push([message, fields]), { burst: 3, perSecond: 1, clock });
    for (let i = 0; i < 10; i++) log('info', 'flood', { i });
    log('error', 'other');
    expect(lines.map(([message]) => message)).toEqual(['flood', 'flood', 'flood', 'other']);
    clock.advance(1000);
    log('info', 'flood', { i: 10 });
    expect(lines.at(-1)).toEqual(['flood', { i: 10, suppressed: 7 }]);
    log('info', 'flood');
    expect(lines).toHaveLength(5);
  });
});
