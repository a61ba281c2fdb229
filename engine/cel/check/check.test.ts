import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../create-environment.ts';
import type { Environment } from '../environment.ts';
import { formatIssues } from '../issue.ts';
import type { Reference } from '../program.ts';
import {
  BOOL,
  type CelType,
  DYN,
  formatType,
  INT,
  listOf,
  mapOf,
  object,
  opaque,
  optionalOf,
  STRING,
  type StructType,
  TIMESTAMP,
  type TypeProvider,
  UINT,
} from '../types.ts';

const POD: Readonly<Record<string, CelType>> = {
  name: STRING,
  replicas: INT,
  labels: mapOf(STRING, STRING),
  owner: object('Owner'),
  created: TIMESTAMP,
};

const types: TypeProvider = {
  structType(name): StructType | undefined {
    if (name === 'Pod')
      return { name, field: (field) => (Object.hasOwn(POD, field) ? POD[field] : undefined), fieldNames: () => Object.keys(POD) };
    if (name === 'Owner') return { name, field: () => undefined, fieldNames: () => [], open: true, constructible: true };
    if (name === 'Patch') {
      return {
        name,
        field: (field) => (field === 'op' ? STRING : field === 'value' ? DYN : undefined),
        fieldNames: () => ['op', 'value'],
        constructible: true,
      };
    }
    return undefined;
  },
};

const environment = createEnvironment({
  types,
  variables: {
    object: DYN,
    pod: object('Pod'),
    b: BOOL,
    i: INT,
    u: UINT,
    s: STRING,
    'a.b': INT,
    strings: listOf(STRING),
    counts: mapOf(STRING, INT),
    maybe: optionalOf(STRING),
    address: opaque('net.IP'),
  },
});

function typeOf(text: string, within: Environment = environment): string {
  const result = within.compile(text);
  return result.ok ? formatType(result.resultType) : formatIssues(text, result.issues);
}

/** Line, column and message of each issue. */
function errors(text: string, within: Environment = environment): string[] {
  const result = within.compile(text);
  if (result.ok) return [];
  return formatIssues(text, result.issues)
    .split('\n')
    .filter((line) => line.startsWith('ERROR'))
    .map((line) => line.slice('ERROR: <input>:'.length));
}

describe('types', () => {
  it.each([
    ['1', 'int'],
    ['1u', 'uint'],
    ['1.0', 'double'],
    ["b''", 'bytes'],
    ['null', 'null'],
    ['i + 1', 'int'],
    ['object.x.y + 1', 'int'],
    ['object.x + object.y', 'dyn'],
    ['object.x == 1', 'bool'],
    ['[]', 'list(dyn)'],
    ['{}', 'map(dyn, dyn)'],
    ['[1, 2]', 'list(int)'],
    ["[[], ['a']]", 'list(list(string))'],
    ["{'a': [1]}", 'map(string, list(int))'],
    ['[1, 2][0]', 'int'],
    ["{'a': 1}['a']", 'int'],
    ['counts.x', 'int'],
    ["{'a': 1}.a", 'int'],
    ['strings + []', 'list(string)'],
    ['[] + [1]', 'list(int)'],
    ['b ? 1 : 2', 'int'],
    ['b ? 1 : dyn(2)', 'dyn'],
    ['b ? [] : [1]', 'list(int)'],
    ['strings.map(x, size(x))', 'list(int)'],
    ['strings.filter(x, x != "")', 'list(string)'],
    ['counts.map(k, k)', 'list(string)'],
    ['counts.all(k, v, v > 0)', 'bool'],
    ['strings.transformMap(i, v, v)', 'map(int, string)'],
    ['object.items.map(x, x)', 'list(dyn)'],
    ['object.items.exists(x, x == 1)', 'bool'],
    ['[].map(x, x)', 'list(dyn)'],
    ['pod.labels["a"]', 'string'],
    ['pod.owner.anything', 'dyn'],
    ['has(pod.name)', 'bool'],
    ['pod.?name', 'optional_type(string)'],
    ['object.?a.?b', 'optional_type(dyn)'],
    ['object.?a.orValue(1)', 'dyn'],
    ['maybe.orValue("")', 'string'],
    ['maybe.optMap(x, size(x))', 'optional_type(int)'],
    ['[?maybe]', 'list(string)'],
    ['{?"a": maybe}', 'map(string, string)'],
    ['optional.of(1).or(optional.none())', 'optional_type(int)'],
    ['optional.none()', 'optional_type(dyn)'],
    ['a.b + 1', 'int'],
    ['int', 'type(int)'],
    ['type(1)', 'type(int)'],
    ['type(1) == int', 'bool'],
    ['Patch{op: s}', 'Patch'],
    ['Patch{?op: maybe, value: [1]}', 'Patch'],
    ['Owner{x: 1}.y', 'dyn'],
    ['Patch', 'type(Patch)'],
    ['1 < 1.5 && 1u >= 1', 'bool'],
    ['pod == null && pod.created == null', 'bool'],
    ['duration("1h") + pod.created', 'timestamp'],
    ['timestamp("2024-01-01T00:00:00Z") - timestamp(0)', 'duration'],
    ['quantity("1Gi").isGreaterThan(quantity("1"))', 'bool'],
    ['ip("1.2.3.4") == address', 'bool'],
    ['"%s %d".format(["a", 1])', 'string'],
    ['strings.quote("a")', 'string'],
  ])('%s is %s', (text, expected) => expect(typeOf(text)).toBe(expected));
});

describe('errors', () => {
  it.each<[string, string[]]>([
    ['objct.spec', ["1:1: undeclared reference to 'objct' (in container '')"]],
    ['.x', ["1:2: undeclared reference to '.x' (in container '')"]],
    ['foo(1)', ["1:4: undeclared reference to 'foo' (in container '')"]],
    ['s.foo(1)', ["1:6: undeclared reference to 'foo' (in container '')"]],
    ['Nope{a: 1}', ["1:5: undeclared reference to 'Nope' (in container '')"]],
    ['int{}', ["1:4: 'int' is not a message type"]],
    ["i + s + 'a'", ["1:3: found no matching overload for '_+_' applied to '(int, string)'"]],
    ["1 == ''", ["1:3: found no matching overload for '_==_' applied to '(int, string)'"]],
    ['size(1)', ["1:5: found no matching overload for 'size' applied to '(int)'"]],
    ["s.startsWith(1, 'a')", ["1:13: found no matching overload for 'startsWith' applied to 'string.(int, string)'"]],
    ['s[0]', ["1:2: found no matching overload for '_[_]' applied to '(string, int)'"]],
    ['pod.created == duration("1s")', ["1:13: found no matching overload for '_==_' applied to '(timestamp, duration)'"]],
    ['pod.nam', ["1:4: undefined field 'nam'"]],
    ['has(pod.nam)', ["1:4: undefined field 'nam'"]],
    ['pod.?nam', ["1:4: undefined field 'nam'"]],
    ['pod.name.x', ["1:9: type 'string' does not support field selection"]],
    ['address.x', ["1:8: type 'net.IP' does not support field selection"]],
    ['quantity("1").x', ["1:14: unexpected failed resolution of 'kubernetes.Quantity'"]],
    ['i && b', ["1:1: expected type 'bool' but found 'int'"]],
    ['b || s || object.x', ["1:6: expected type 'bool' but found 'string'"]],
    ['b ? 1 : ""', ["1:3: found no matching overload for '_?_:_' applied to '(bool, int, string)'"]],
    ['i.map(x, x)', ["1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"]],
    ['strings.all(x, x)', ["1:16: expected type 'bool' but found 'string'"]],
    ['strings.exists(x, y)', ["1:19: undeclared reference to 'y' (in container '')"]],
    [
      '[x, y.map(z, z + q)]',
      [
        "1:2: undeclared reference to 'x' (in container '')",
        "1:5: undeclared reference to 'y' (in container '')",
        "1:18: undeclared reference to 'q' (in container '')",
      ],
    ],
    ['Patch{nope: 1}', ["1:11: undefined field 'nope'"]],
    ['Patch{op: 1}', ["1:9: expected type of field 'op' is 'string' but provided type is 'int'"]],
    ['Patch{?op: s}', ["1:12: expected type 'optional_type(string)' but found 'string'"]],
    ['[?s]', ["1:3: expected type 'optional_type(string)' but found 'string'"]],
    ['maybe + "a"', ["1:7: found no matching overload for '_+_' applied to '(optional_type(string), string)'"]],
  ])('%s: %j', (text, expected) => expect(errors(text)).toEqual(expected));

  it.each([
    ['objct.spec', "did you mean 'object'?"],
    ['self.spec', "did you mean 'object'?"],
    ['spec.replicas', "did you mean 'object.spec'?"],
    ['strings.x', 'it is a list: take one by [index]'],
    ['s.startWith("a")', "did you mean 'startsWith'?"],
    ['strings.exist(x, x == "")', "did you mean 'exists'?"],
    ['strings.map(x)', "'map' takes 2 or 3 arguments"],
    ['has(pod.name, 1)', "'has' takes 1 argument"],
    ['pod.lables', "did you mean 'labels'?"],
    ['strings.all(item, itm == "")', "did you mean 'item'?"],
    ['i == "1"', 'both sides must have one type: convert one with int(...) or string(...)'],
    ['maybe == "a"', 'unwrap the optional first, with .orValue(...) or .value()'],
    ['startsWith(s, "a")', "'startsWith' is a method: write x.startsWith(...)"],
    ['s.charAt("0")', 'there is string.charAt(int)'],
    ['[1, "a"]', 'lists and maps hold one type; wrap elements in dyn(...) to mix types'],
    ['duration("1 hour")', 'like "1h30m"'],
  ])('%s hints: %s', (text, expected) => {
    const result = environment.compile(text);
    expect(result.issues.map((issue) => issue.hint ?? '').join('\n')).toContain(expected);
  });

  it('has no hint where nothing is near', () => {
    expect(environment.compile('q + zzzzzz(1)').issues.map((issue) => issue.hint)).toEqual([undefined, undefined]);
  });

  it('says what the result should have been', () => {
    const text = 'object.x';
    const result = environment.compile(text, { resultTypes: [BOOL] });
    expect(formatIssues(text, result.issues)).toBe('ERROR: <input>:-1:0: must evaluate to bool but got dyn');
    expect(environment.compile('pod.created', { resultTypes: [STRING, BOOL] }).issues[0]?.message).toBe(
      'must evaluate to one of [string bool] but got google.protobuf.Timestamp',
    );
    expect(environment.compile('b', { resultTypes: [BOOL] }).ok).toBe(true);
  });
});

describe('literals', () => {
  it.each<[string, string[]]>([
    ['[1, "a"]', ["1:5: expected type 'int' but found 'string'"]],
    ['[1, 2, "a", b]', ["1:8: expected type 'int' but found 'string'"]],
    ['{"a": 1, "b": "c"}', ["1:15: expected type 'int' but found 'string'"]],
    ['{"a": 1, 2: 1}', ["1:10: expected type 'string' but found 'int'"]],
    ['[1, object.x]', ["1:11: expected type 'int' but found 'dyn'"]],
    ['[?maybe, 1]', ["1:10: expected type 'string' but found 'int'"]],
    ['duration("1 hour")', ['1:10: invalid duration argument']],
    ['timestamp("yesterday")', ['1:11: invalid timestamp argument']],
    ['s.matches("(")', ['1:11: invalid matches argument']],
    ['matches(s, "(?=a)")', []],
    ['"%d".format(["a"])', ['1:14: error during formatting: decimal clause can only be used on integers, was given string']],
    ['"%s".format(["a", 1])', ['1:12: too many arguments supplied to string.format (expected 1, got 2)']],
    ['s.find("(")', ['1:7: error parsing regexp: missing closing ): `(`']],
  ])('%s: %j', (text, expected) => {
    // A pattern that only `matches` as a function gets is looked at when the program is made.
    const found = errors(text);
    if (text.startsWith('matches(')) expect(found).toHaveLength(1);
    else expect(found).toEqual(expected);
  });

  it.each([
    ['int("a") == 1', "type conversion error from 'string' to 'int'"],
    ['string(b"\\xff") == ""', 'invalid UTF-8 in bytes, cannot convert to string'],
    ['bool("x")', "type conversion error from 'string' to 'bool'"],
  ])('%s is converted when the program is made', (text, message) => {
    const result = environment.compile(text);
    expect(result.ok ? [] : result.issues.map((issue) => [issue.code, issue.message])).toEqual([['instantiation', message]]);
  });

  it('may be switched off', () => {
    const lenient = environment.extend({ homogeneousLiterals: false, literalValidators: false });
    expect(typeOf('[1, "a"]', lenient)).toBe('list(dyn)');
    expect(typeOf('duration("1 hour")', lenient)).toBe('duration');
  });
});

describe('references', () => {
  function reference(text: string, within = environment): Reference | undefined {
    const result = within.compile(text);
    if (!result.ok) throw new Error(formatIssues(text, result.issues));
    return result.program.ast.references[result.program.ast.root.id];
  }
  const overloads = (text: string): readonly string[] => {
    const found = reference(text);
    return found?.kind === 'function' ? found.overloads.map((overload) => overload.id) : [];
  };

  it('names the one overload that fits, or all that may', () => {
    expect(overloads('s.contains("a")')).toEqual(['contains_string']);
    expect(overloads('object.a + 1')).toEqual(['add_int64']);
    expect(overloads('size(object.a)').toSorted()).toEqual(['size_bytes', 'size_list', 'size_map', 'size_string']);
    expect(overloads('strings.quote("a")')).toEqual(['strings_quote']);
  });

  it('swallows the selections of a dotted variable', () => {
    expect(reference('a.b')).toEqual({ kind: 'variable', name: 'a.b' });
  });

  it('knows types as constants', () => {
    expect(reference('Patch')).toMatchObject({ kind: 'constant', name: 'Patch', value: { name: 'Patch' } });
    expect(reference('google.protobuf.Timestamp')).toMatchObject({ kind: 'constant', name: 'google.protobuf.Timestamp' });
  });

  it('prefers the variable of a comprehension, unless a dot leads', () => {
    expect(typeOf('[true].map(s, s)')).toBe('list(bool)');
    expect(typeOf('[true].map(s, .s)')).toBe('list(string)');
    // `a.b` is a variable, but inside `a` is the comprehension's.
    expect(typeOf('[{"b": "x"}].map(a, a.b)')).toBe('list(string)');
  });

  it('looks names up from the container outwards', () => {
    const within = environment.extend({ container: 'x.y', variables: { 'x.y.v': INT, 'x.w': STRING, w: BOOL } });
    expect([typeOf('v', within), typeOf('w', within), typeOf('.w', within), typeOf('x.w', within)]).toEqual([
      'int',
      'string',
      'bool',
      'string',
    ]);
    expect(errors('nope', within)).toEqual(["1:1: undeclared reference to 'nope' (in container 'x.y')"]);
  });
});

describe('hostile names', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is no variable, function or field', (name) => {
    expect(errors(name)).toEqual([`1:1: undeclared reference to '${name}' (in container '')`]);
    expect(errors(`${name}(1)`)[0]).toContain(`undeclared reference to '${name}'`);
    expect(errors(`pod.${name}`)).toEqual([`1:4: undefined field '${name}'`]);
    expect(errors(`${name}{}`)[0]).toContain(`undeclared reference to '${name}'`);
  });
});
