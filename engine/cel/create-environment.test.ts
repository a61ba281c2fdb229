import { describe, expect, it } from 'vitest';
import type { Ast } from './ast.ts';
import { createEnvironment } from './create-environment.ts';
import type { Library } from './function.ts';
import { kubernetesFeatures } from './kubernetes/features.ts';
import { BOOL, DYN, INT, object, STRING, type TypeProvider } from './types.ts';

const provider = (name: string, field: string): TypeProvider => ({
  structType: (asked) =>
    asked === name ? { name, field: (wanted) => (wanted === field ? STRING : undefined), fieldNames: () => [field] } : undefined,
});

const greeting: Library = {
  name: 'greeting',
  functions: [
    { name: 'greet', overloads: [{ id: 'greet_string', member: false, args: [STRING], result: STRING, call: (name) => `hello ${name}` }] },
  ],
  identifiers: { 'greeting.WORLD': { type: STRING, value: 'world' } },
};

function run(environment: ReturnType<typeof createEnvironment>, text: string, activation: Record<string, never> = {}): unknown {
  const result = environment.compile(text);
  if (!result.ok) return result.issues.map((issue) => issue.message).join('; ');
  return result.program.run(activation, { remaining: 1_000_000 });
}

describe('createEnvironment', () => {
  it('is the newest Kubernetes without options', () => {
    const environment = createEnvironment();
    expect(run(environment, '[1, 2].includes(2) && "a".upperAscii() == "A"')).toBe(true);
    expect(run(environment, 'object')).toBe("undeclared reference to 'object' (in container '')");
  });

  it('is exactly what it is told to be otherwise', () => {
    const environment = createEnvironment({ libraries: [greeting] });
    expect(run(environment, 'greet(greeting.WORLD)')).toBe('hello world');
    expect(run(environment, '"a".upperAscii()')).toBe("undeclared reference to 'upperAscii' (in container '')");
  });

  it('parses once for several checks', () => {
    const environment = createEnvironment({ variables: { x: DYN } });
    const parsed = environment.parse('x + 1');
    if (!parsed.ok) throw new Error('no tree');
    const typed = environment.extend({ variables: { x: STRING } });
    expect(environment.compileAst(parsed.ast).ok).toBe(true);
    expect(typed.compileAst(parsed.ast).issues.map((issue) => issue.message)).toEqual([
      "found no matching overload for '_+_' applied to '(string, int)'",
    ]);
  });

  it('walks a tree that nests more deeply than any text may', () => {
    let root: Ast['root'] = { kind: 'ident', id: 1, name: 'x', start: 0, end: 1, at: 0 };
    for (let id = 2; id <= 500; id++) root = { kind: 'call', id, fn: '!_', args: [root], start: 0, end: 1, at: 0 };
    const result = createEnvironment({ variables: { x: BOOL } }).compileAst({ text: 'x', root, nodeCount: 500 });
    expect(result.ok).toBe(true);
  });
});

describe('extend', () => {
  const base = createEnvironment({ ...kubernetesFeatures('1.30'), variables: { x: INT, a: object('A') }, types: provider('A', 'one') });

  it('adds variables, types and libraries, and leaves what it extends alone', () => {
    const extended = base.extend({ variables: { y: STRING, b: object('B') }, types: provider('B', 'two'), libraries: [greeting] });
    expect(extended.compile('greet(y + a.one + b.two) == "" && x == 1').ok).toBe(true);
    expect(['y', 'b.two', 'greet("")'].map((text) => base.compile(text).ok)).toEqual([false, false, false]);
  });

  it('lets later declarations win', () => {
    const extended = base.extend({ variables: { x: STRING }, types: provider('A', 'other') });
    expect(['x.size() == 1', 'a.other', 'a.one', 'x + 1'].map((text) => extended.compile(text).ok)).toEqual([true, true, false, false]);
  });

  it('keeps the dialect', () => {
    expect(base.extend({ variables: { z: INT } }).compile('[1].includes(1)').ok).toBe(false);
    expect(base.extend({ homogeneousLiterals: false }).compile('[1, "a"]').ok).toBe(true);
  });
});
