import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import type { Program } from '../program.ts';
import { DYN } from '../types.ts';
import { CelError, type CelValue } from '../values.ts';
import { createProgram } from './create-program.ts';

const environment = createEnvironment({ variables: { object: DYN, d: DYN } });

function program(expression: string, backEnd: 'code' | 'closures'): Program {
  const compiled = environment.compile(expression);
  if (!compiled.ok) throw new Error(compiled.issues.map((issue) => issue.message).join('\n'));
  return createProgram(compiled.program.ast, { backEnd });
}

function errorOf(run: () => unknown): CelError {
  try {
    run();
  } catch (error) {
    if (error instanceof CelError) return error;
    throw error;
  }
  throw new Error('expected an error');
}

describe.each(['code', 'closures'] as const)('%s', (backEnd) => {
  const items = Array.from({ length: 1000 }, (_, i) => i);

  test.each([
    ['map', 'd.map(a, d.map(b, d.map(c, d.map(e, a + b + c + e))))'],
    ['all', 'd.all(a, d.all(b, d.all(c, a + b + c >= 0)))'],
    ['exists that never finds', 'd.exists(a, d.exists(b, d.exists(c, d.exists(e, false))))'],
    ['errors that are held', 'd.all(a, d.all(b, d.all(c, c.missing)))'],
    ['filter', 'd.filter(a, d.filter(b, d.filter(c, true).size() > 0).size() > 0)'],
    ['two variables', 'd.all(i, a, d.all(j, b, d.all(k, c, i + j + k >= 0)))'],
    ['an absorbed branch', 'd.all(a, d.all(b, d.all(c, true))) || true'],
  ])('a runaway comprehension is stopped: %s', (_, expression) => {
    const { run } = program(expression, backEnd);
    expect(errorOf(() => run({ d: items }, { remaining: 10_000_000 })).code).toBe('budget');
  });

  test('a small budget stops small work, and leaves the meter alone', () => {
    const { run } = program('d.all(a, a >= 0)', backEnd);
    const meter = { remaining: 1000 };
    expect(errorOf(() => run({ d: items }, meter)).code).toBe('budget');
    expect(meter.remaining).toBe(1000);
    expect(run({ d: items.slice(0, 10) }, meter)).toBe(true);
    expect(meter.remaining).toBeLessThan(1000);
  });

  test('one evaluation may not use more than a million, however much is left', () => {
    const { run } = program('d.map(a, d.map(b, a + b)).size()', backEnd);
    expect(errorOf(() => run({ d: items }, { remaining: 1e9 })).code).toBe('budget');
  });

  test('a text that grows by itself is stopped by its cost', () => {
    const { run } = program(`${'d.map(a, '.repeat(6)}'${'x'.repeat(1000)}' + string(a)${')'.repeat(6)}`, backEnd);
    expect(errorOf(() => run({ d: items }, { remaining: 10_000_000 })).code).toBe('budget');
  });

  test('long chains of operators evaluate', () => {
    const sum = Array.from({ length: 400 }, () => 'd').join(' || ');
    expect(program(`(${sum}) == false`, backEnd).run({ d: false }, { remaining: 1_000_000 })).toBe(true);
  });

  describe('names that every JavaScript object answers to', () => {
    const hostile = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1, "plain": {}, "list": [1]}') as CelValue;

    test.each<[string, CelValue]>([
      ['has(object.__proto__)', true],
      ['object.__proto__.admin', true],
      ['object["__proto__"].admin', true],
      ['object.constructor', 1],
      ['has(object.plain.__proto__)', false],
      ['has(object.plain.constructor)', false],
      ['has(object.plain.toString)', false],
      ['"__proto__" in object.plain', false],
      ['"constructor" in object.plain', false],
      ['object.plain[?"__proto__"].hasValue()', false],
      ['object.plain.?hasOwnProperty.hasValue()', false],
      ['object.map(k, k)', ['__proto__', 'constructor', 'plain', 'list']],
      ['{"__proto__": 1}.map(k, k)', ['__proto__']],
      ['{"__proto__": {"a": 1}}.__proto__.a', 1],
      ['has({"__proto__": {"a": 1}}.a)', false],
      ['object.transformMap(k, v, k).size()', 4],
      ['object.plain == {}', true],
    ])('%s', (expression, expected) => {
      expect(program(expression, backEnd).run({ object: hostile }, { remaining: 10_000 })).toEqual(expected);
    });

    test.each([
      'object.plain.__proto__',
      'object.plain.constructor',
      'object.plain["toString"]',
      'object.plain.valueOf',
      'object.list.length',
      'object.list.map',
      'object.list["length"]',
      'timestamp("2024-01-01T00:00:00Z") == dyn(object.plain.seconds)',
      'dyn(timestamp("2024-01-01T00:00:00Z")).seconds',
      'dyn(1u).value',
      'dyn(int).name',
    ])('%s is an error', (expression) => {
      const { run, trace } = program(expression, backEnd);
      expect(errorOf(() => run({ object: hostile }, { remaining: 10_000 }))).toBeInstanceOf(CelError);
      expect(trace({ object: hostile }).outcome.ok).toBe(false);
    });

    test('variables are own properties of the activation', () => {
      const compiled = createEnvironment({ variables: { constructor: DYN, toString: DYN } }).compile('constructor == 1 || toString == 1');
      if (!compiled.ok) throw new Error('does not compile');
      const { run } = createProgram(compiled.program.ast, { backEnd });
      expect(run({ constructor: 1 as CelValue, toString: 1 as CelValue }, { remaining: 100 })).toBe(true);
      expect(errorOf(() => run({}, { remaining: 100 }))).toBeInstanceOf(CelError);
      expect(compiled.program.trace({}).outcome).toMatchObject({ ok: false, error: { message: 'no such attribute(s): constructor' } });
    });
  });
});

test('the tracing back end names the node of an error and the value of every node', () => {
  const { trace, ast } = program('object.list.all(x, x > 0) && object.missing == 1', 'closures');
  const { outcome, values } = trace({ object: { list: [1, 2, 3] } }, { record: true });
  const error = outcome.ok ? undefined : outcome.error;
  const { start, end } = nodeById(ast.root, error?.nodeId);
  expect(ast.text.slice(start, end)).toBe('object.missing');
  const all = [...values!.values()];
  expect(all.some((entry) => entry.value === true && entry.count === 3)).toBe(true);
});

function nodeById(root: unknown, id: number | undefined): { readonly start: number; readonly end: number } {
  const queue = [root];
  for (const node of queue) {
    if (typeof node !== 'object' || node === null) continue;
    if ('kind' in node && 'id' in node && node.id === id) return node as unknown as { start: number; end: number };
    queue.push(...Object.values(node));
  }
  throw new Error(`no node ${id}`);
}
