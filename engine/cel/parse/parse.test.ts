import { describe, expect, it } from 'vitest';
import type { Expr } from '../ast.ts';
import { formatIssues } from '../issue.ts';
import { Double, Uint } from '../values.ts';
import { parse } from './parse.ts';
import { STANDARD_MACROS } from './standard-macros.ts';

/** A tree as an S-expression: calls by their name, literals with their kind where JSON would not tell it. */
function show(expr: Expr): string {
  switch (expr.kind) {
    case 'literal': {
      const { value } = expr;
      if (value instanceof Uint) return `${value.value}u`;
      if (value instanceof Double) return `double:${Object.is(value.value, -0) ? '-0' : value.value}`;
      if (value instanceof Uint8Array) return `bytes:${Array.from(value).join(',')}`;
      if (typeof value === 'bigint') return `${value}n`;
      return JSON.stringify(value);
    }
    case 'ident':
      return expr.name;
    case 'select':
      return `(${expr.testOnly ? 'has' : '.'} ${show(expr.operand)} ${expr.field})`;
    case 'call':
      return `(${[...(expr.target ? [`${show(expr.target)}.${expr.fn}`] : [expr.fn]), ...expr.args.map(show)].join(' ')})`;
    case 'list':
      return `[${expr.elements.map((each, index) => (expr.optionalIndices.includes(index) ? '?' : '') + show(each)).join(' ')}]`;
    case 'map':
      return `{${expr.entries.map((entry) => `${entry.optional ? '?' : ''}${show(entry.key)}:${show(entry.value)}`).join(' ')}}`;
    case 'struct':
      return `${expr.typeName}{${expr.fields.map((field) => `${field.optional ? '?' : ''}${field.name}:${show(field.value)}`).join(' ')}}`;
    case 'comprehension': {
      const variables = [expr.iterVar, expr.iterVar2].filter((name) => name !== undefined).join(',');
      const parts = [expr.accuInit, expr.loopCondition, expr.loopStep, expr.result].map(show).join(' ');
      return `(fold ${variables} in ${show(expr.iterRange)} ${expr.accuVar}= ${parts})`;
    }
  }
}

function tree(text: string): string {
  const parsed = parse(text);
  return parsed.ok ? show(parsed.ast.root) : formatIssues(text, parsed.issues);
}

/** The first line of the first issue. */
function firstError(text: string): string {
  const parsed = parse(text);
  return parsed.ok ? 'no error' : formatIssues(text, parsed.issues).split('\n')[0]!.replace(OPERAND, 'OPERAND');
}

const OPERAND = "'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER";

describe('literals', () => {
  it.each([
    ['null', 'null'],
    ['true', 'true'],
    ['42', '42'],
    ['0x2A', '42'],
    ['-0x2A', '-42'],
    ['-0', '0'],
    ['9223372036854775807', '9223372036854775807n'],
    ['-9223372036854775808', '-9223372036854775808n'],
    ['9007199254740991', '9007199254740991'],
    ['9007199254740992', '9007199254740992n'],
    ['23u', '23u'],
    ['0xFFU', '255u'],
    ['18446744073709551615u', '18446744073709551615u'],
    ['1.5', '1.5'],
    ['1.0', 'double:1'],
    ['-0.0', 'double:-0'],
    ['.5e1', 'double:5'],
    ['1e3', 'double:1000'],
    ['""', '""'],
    [`'it\\'s "so"'`, `"it's \\"so\\""`],
    ['"\\x41\\u00e9\\U0001F431\\101\\n\\a\\?\\`"', '"Aé🐱A\\n\\u0007?`"'],
    ["r'\\n'", '"\\\\n"'],
    [`'''a\r\n"'b'"c'''`, `"a\\n\\"'b'\\"c"`],
    [`R"""\\z"""`, '"\\\\z"'],
    ["b'abé'", 'bytes:97,98,195,169'],
    ["b'\\xff\\377\\n'", 'bytes:255,255,10'],
    ["Br'\\x'", 'bytes:92,120'],
    ["''''''", '""'],
  ])('%s is %s', (text, expected) => expect(tree(text)).toBe(expected));
});

describe('operators', () => {
  it.each([
    ['a + b * c - d', '(_-_ (_+_ a (_*_ b c)) d)'],
    ['(a + b) * c', '(_*_ (_+_ a b) c)'],
    ['a < b == c in d', '(@in (_==_ (_<_ a b) c) d)'],
    ['!a', '(!_ a)'],
    ['!!a', 'a'],
    ['!!!a', '(!_ a)'],
    ['-a', '(-_ a)'],
    ['--1', '1'],
    ['---1', '(-_ 1)'],
    ['4--4', '(_-_ 4 -4)'],
    ['-1.abs()', '(-1.abs)'],
    ['!-1', '(!_ -1)'],
    ['a ? b : c ? d : e', '(_?_:_ a b (_?_:_ c d e))'],
    ['a || b && c', '(_||_ a (_&&_ b c))'],
    ['a && b && c', '(_&&_ (_&&_ a b) c)'],
    ['a && b && c && d', '(_&&_ (_&&_ a b) (_&&_ c d))'],
    ['a && (b && c)', '(_&&_ a (_&&_ b c))'],
  ])('%s is %s', (text, expected) => expect(tree(text)).toBe(expected));
});

describe('members', () => {
  it.each([
    ['a.b.c', '(. (. a b) c)'],
    ['.a.b', '(. .a b)'],
    ['.f(a)', '(.f a)'],
    ['a.f(b, c)', '(a.f b c)'],
    ['a[b].c', '(. (_[_] a b) c)'],
    ['a.?b', '(_?._ a "b")'],
    ['a[?b]', '(_[?_] a b)'],
    ['a.`b-c/d.e f`', '(. a b-c/d.e f)'],
    ['a.?`b-c`', '(_?._ a "b-c")'],
    ['a.for.in_', '(. (. a for) in_)'],
    ['[]', '[]'],
    ['[,]', '[]'],
    ['[a, ?b,]', '[a ?b]'],
    ['{}', '{}'],
    ['{a: 1, ?"b": c,}', '{a:1 ?"b":c}'],
    ['Object{}', 'Object{}'],
    ['.a.b.C{x: 1, ?y: d, `z-z`: 2,}', '.a.b.C{x:1 ?y:d z-z:2}'],
    ['package.Msg{a: 1}', 'package.Msg{a:1}'],
    ['Object{}.x', '(. Object{} x)'],
    ['a // comment\n.b', '(. a b)'],
  ])('%s is %s', (text, expected) => expect(tree(text)).toBe(expected));
});

describe('macros', () => {
  it.each([
    ['has(a.b.c)', '(has (. a b) c)'],
    ['a.all(x, p)', '(fold x in a @result= true (@not_strictly_false @result) (_&&_ @result p) @result)'],
    ['a.exists(x, p)', '(fold x in a @result= false (@not_strictly_false (!_ @result)) (_||_ @result p) @result)'],
    ['a.exists_one(x, p)', '(fold x in a @result= 0 true (_?_:_ p (_+_ @result 1) @result) (_==_ @result 1))'],
    ['a.map(x, t)', '(fold x in a @result= [] true (_+_ @result [t]) @result)'],
    ['a.map(x, p, t)', '(fold x in a @result= [] true (_?_:_ p (_+_ @result [t]) @result) @result)'],
    ['a.filter(x, p)', '(fold x in a @result= [] true (_?_:_ p (_+_ @result [x]) @result) @result)'],
    ['a.optMap(x, t)', '(_?_:_ (a.hasValue) (optional.of (fold #unused in [] x= (a.value) false x t)) (optional.none))'],
    ['a.optFlatMap(x, t)', '(_?_:_ (a.hasValue) (fold #unused in [] x= (a.value) false x t) (optional.none))'],
    // Not those arities, nor those names.
    ['a.all(x)', '(a.all x)'],
    ['all(x, p)', '(all x p)'],
    ['a.existsOne(x, p)', '(a.existsOne x p)'],
  ])('%s is %s', (text, expected) => expect(tree(text)).toBe(expected));

  it('expands only the macros that it is given', () => {
    const parsed = parse('a.optMap(x, t)', { macros: STANDARD_MACROS });
    expect(parsed.ok && show(parsed.ast.root)).toBe('(a.optMap x t)');
  });

  it('keeps what the author wrote', () => {
    const parsed = parse('a.b.filter(x, x > 1)');
    if (!parsed.ok || parsed.ast.root.kind !== 'comprehension') throw new Error('no comprehension');
    const { macro } = parsed.ast.root;
    expect([macro.name, macro.target && show(macro.target), macro.args.map(show)]).toEqual(['filter', '(. a b)', ['x', '(_>_ x 1)']]);
  });

  it.each([
    ['has(a)', '1:5: invalid argument to has() macro'],
    ['has(a[b])', '1:6: invalid argument to has() macro'],
    ['1.all(2, 3)', '1:7: argument must be a simple name'],
    ['m.filter(a.b, false)', '1:11: argument is not an identifier'],
    ['m.map(__result__, 1)', '1:7: iteration variable overwrites accumulator variable'],
    ['m.optMap(a.b, 1)', '1:11: optMap() variable name must be a simple identifier'],
  ])('%s: %s', (text, expected) => expect(firstError(text)).toBe(`ERROR: <input>:${expected}`));
});

describe('positions', () => {
  it('spans nodes from the first to the last character, parentheses of operands included', () => {
    const text = ' (a + b) * f(c) ';
    const parsed = parse(text);
    if (!parsed.ok || parsed.ast.root.kind !== 'call') throw new Error('no call');
    const { root } = parsed.ast;
    const spans = [root, ...root.args].map((node) => [text.slice(node.start, node.end), text[node.at]]);
    expect(spans).toEqual([
      ['(a + b) * f(c)', '*'],
      ['a + b', '+'],
      ['f(c)', '('],
    ]);
  });

  it('points where cel-go points', () => {
    const at = (text: string): number | undefined => {
      const parsed = parse(text);
      return parsed.ok ? parsed.ast.root.at : undefined;
    };
    expect(['a.b', 'a.?b', 'a.f()', 'f()', 'a[0]', 'a ? b : c', 'a == b', '-a', '-1', '[a]', 'M{}', 'a.all(x, x)', '.a'].map(at)).toEqual([
      1, 1, 3, 1, 1, 2, 2, 0, 0, 0, 1, 5, 1,
    ]);
  });

  it('numbers nodes as cel-go does, the names of types not among them', () => {
    const ids = (text: string): number[] => {
      const parsed = parse(text);
      const found: number[] = [];
      JSON.stringify(parsed.ok ? parsed.ast.root : null, (key, value) => {
        if (key === 'id') found.push(value);
        return key === 'macro' ? undefined : value;
      });
      return found.sort((a, b) => a - b);
    };
    expect(ids('a.b.C{x: 1}')).toEqual([1, 2, 3]);
    // The call of has() and its selection have gone.
    expect(ids('has(a.b)')).toEqual([2, 4]);
  });
});

describe('syntax errors', () => {
  it.each([
    ['', "1:0: Syntax error: mismatched input '<EOF>' expecting {OPERAND}"],
    ['a +', "1:4: Syntax error: mismatched input '<EOF>' expecting {OPERAND}"],
    ['a b', "1:3: Syntax error: extraneous input 'b' expecting <EOF>"],
    ['a b c', "1:3: Syntax error: mismatched input 'b' expecting <EOF>"],
    ['f(a', "1:4: Syntax error: missing ')' at '<EOF>'"],
    ['f(a b)', "1:5: Syntax error: extraneous input 'b' expecting ')'"],
    ['(a b', "1:4: Syntax error: mismatched input 'b' expecting ')'"],
    ['((a)', "1:5: Syntax error: missing ')' at '<EOF>'"],
    ['f(', `1:3: Syntax error: mismatched input '<EOF>' expecting {${OPERAND.replace("'.'", "')', '.'")}}`],
    ['[1 2]', "1:4: Syntax error: extraneous input '2' expecting {']', ','}"],
    ['[1, *]', "1:5: Syntax error: extraneous input '*' expecting ']'"],
    ['[1,', "1:4: Syntax error: missing ']' at '<EOF>'"],
    ['{a 1}', "1:4: Syntax error: missing ':' at '1'"],
    ['{a}', "1:3: Syntax error: mismatched input '}' expecting ':'"],
    ['a ? b', "1:6: Syntax error: mismatched input '<EOF>' expecting ':'"],
    ['x{:a}', "1:3: Syntax error: extraneous input ':' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"],
    ['a.', "1:3: Syntax error: no viable alternative at input '.'"],
    ['a."b"', `1:3: Syntax error: no viable alternative at input '."b"'`],
    ['a.true', "1:3: Syntax error: mismatched input 'true' expecting IDENTIFIER"],
    ['-!a', "1:2: Syntax error: no viable alternative at input '-!'"],
    ['a = b', "1:3: Syntax error: token recognition error at: '= '"],
    ['a & b', "1:3: Syntax error: token recognition error at: '& '"],
    ["'abc", "1:1: Syntax error: token recognition error at: ''abc'"],
    ['"\\z"', `1:1: Syntax error: token recognition error at: '"\\z'`],
    ['for', '1:1: reserved identifier: for'],
    ['let(a)', '1:1: reserved identifier: let'],
    ['99999999999999999999', '1:1: invalid int literal'],
    ['9223372036854775808', '1:1: invalid int literal'],
    ['18446744073709551616u', '1:1: invalid uint literal'],
    ['1e400', '1:1: invalid double literal'],
    ["'\\ud800'", '1:1: invalid unicode code point'],
    ["b'\\u0041'", '1:1: unable to unescape string'],
    ['a.?b(c)', "1:5: Syntax error: mismatched input '(' expecting <EOF>"],
  ])('%j: %s', (text, expected) => expect(firstError(text)).toBe(`ERROR: <input>:${expected.replace(OPERAND, 'OPERAND')}`));

  it('reports all that it can', () => {
    expect(tree('[1, 2].map(var, var * 99999999999999999999)')).toBe(
      [
        'ERROR: <input>:1:12: reserved identifier: var',
        ' | [1, 2].map(var, var * 99999999999999999999)',
        ' | ...........^',
        'ERROR: <input>:1:12: argument is not an identifier',
        ' | [1, 2].map(var, var * 99999999999999999999)',
        ' | ...........^',
        'ERROR: <input>:1:17: reserved identifier: var',
        ' | [1, 2].map(var, var * 99999999999999999999)',
        ' | ................^',
        'ERROR: <input>:1:23: invalid int literal',
        ' | [1, 2].map(var, var * 99999999999999999999)',
        ' | ......................^',
      ].join('\n'),
    );
  });
});

describe('after a mistake', () => {
  /** Positions and messages of all issues, in the order of the text. */
  function all(text: string): string[] {
    const parsed = parse(text);
    if (parsed.ok) return [];
    return formatIssues(text, parsed.issues)
      .split('\n')
      .filter((line) => line.startsWith('ERROR'))
      .map((line) => line.replace('ERROR: <input>:', '').replace('Syntax error: ', '').replace(OPERAND, 'OPERAND'));
  }

  it.each<[string, string[]]>([
    ['1 + +', ["1:5: mismatched input '+' expecting {OPERAND}", "1:6: mismatched input '<EOF>' expecting {OPERAND}"]],
    ['f(a, *)', ["1:6: mismatched input '*' expecting {OPERAND}", "1:7: mismatched input ')' expecting {OPERAND}"]],
    [
      'a.* + for',
      ["1:3: no viable alternative at input '.*'", "1:5: extraneous input '+' expecting {OPERAND}", '1:7: reserved identifier: for'],
    ],
    ['--', ["1:3: no viable alternative at input '-'", "1:3: mismatched input '<EOF>' expecting {OPERAND}"]],
    ['?', ["1:1: mismatched input '?' expecting {OPERAND}", "1:2: mismatched input '<EOF>' expecting {OPERAND}"]],
    [
      '{*: 1}',
      [
        "1:2: mismatched input '*' expecting {'[', '{', '}', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
        "1:3: extraneous input ':' expecting {OPERAND}",
        "1:6: extraneous input '}' expecting <EOF>",
      ],
    ],
    ["['a'b, 'c', 'd']", ["1:5: extraneous input 'b' expecting {']', ','}", "1:8: mismatched input ''c'' expecting ']'"]],
    ['a b @', ["1:3: extraneous input 'b' expecting <EOF>", "1:5: token recognition error at: '@'"]],
    ['a.?1', ["1:4: mismatched input '1' expecting {IDENTIFIER, ESC_IDENTIFIER}", '1:4: unsupported ident kind']],
  ])('%s: goes on as far as cel-go does', (text, expected) => {
    expect(all(text)).toEqual(expected);
  });

  it('stops after 100 syntax errors, and after 30 attempts to go on', () => {
    const parsed = parse('@'.repeat(50_000));
    expect(
      [parsed.ok ? [] : parsed.issues]
        .flat()
        .map((issue) => issue.message)
        .slice(99),
    ).toEqual(["Syntax error: token recognition error at: '@'", 'Syntax error: More than 100 syntax errors']);
    const attempts = all('* '.repeat(150));
    expect(attempts.at(-1)).toMatch(/error recovery attempt limit exceeded: 30$/);
  });
});

describe('limits', () => {
  it.each([
    ['parentheses', '('.repeat(100_000)],
    ['lists', '['.repeat(99_999)],
    ['calls', 'f('.repeat(50_000)],
    ['sums to the right', '1+('.repeat(30_000)],
    ['conditionals', 'a?b:'.repeat(25_000)],
    ['maps', '{a:'.repeat(30_000)],
    ['messages', 'a{a:'.repeat(25_000)],
  ])('nested %s are refused, not followed', (_, text) => {
    expect(firstError(text)).toBe('ERROR: <input>:-1:0: expression recursion limit exceeded: 250');
  });

  it.each([
    ['selections', `a${'.b'.repeat(251)}`],
    ['sums', `1${'+1'.repeat(251)}`],
    ['comparisons', `1${'<1'.repeat(251)}`],
    ['indices', `a${'[0]'.repeat(251)}`],
    ['method calls', `a${'.f()'.repeat(251)}`],
  ])('chains of %s have an end', (_, text) => {
    expect(firstError(text)).toBe('ERROR: <input>:-1:0: max recursion depth exceeded');
  });

  it('allows what cel-go allows', () => {
    expect(parse('('.repeat(249) + 'a' + ')'.repeat(249)).ok).toBe(true);
    expect(parse(`a${'.b'.repeat(250)}`).ok).toBe(true);
    expect(parse(`a${' && a'.repeat(5000)}`).ok).toBe(true);
    expect(parse(`${'!'.repeat(50_000)}a`).ok).toBe(true);
  });

  it('counts code points, not units', () => {
    expect(parse(`'${'🐱'.repeat(99_998)}'`).ok).toBe(true);
    expect(firstError(`'${'🐱'.repeat(99_999)}'`)).toBe(
      'ERROR: <input>:-1:0: expression code point size exceeds limit: size: 100001, limit 100000',
    );
  });

  it('stops macros that copy their target from growing without end', () => {
    expect(firstError(`a${'.optMap(x, x)'.repeat(30)}`)).toBe('ERROR: <input>:-1:0: expression expands to more than 100000 nodes');
  });
});
