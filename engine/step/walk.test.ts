import { describe, expect, test } from 'vitest';
import { bindAll } from './compile.fixture.ts';
import { BindError } from './plan.ts';

/** Keys and arguments, or what went wrong. */
const bound = (...args: Parameters<typeof bindAll>) =>
  bindAll(...args).map((step) =>
    step instanceof BindError ? `${step.step}: ${step.message}` : `${step.key} ${JSON.stringify(step.arguments)}`,
  );

const config = (value: object) => ({ config: value as never });

describe('steps are bound when it is their turn', () => {
  test('with defaults, and without what is absent', () => {
    const text =
      '- link: { name: "${config.name}", mtu: "${config.?mtu}", mode: "${config.?mode}", labels: { "${config.name}": "x${1 + 1}" } }';
    expect(bound(text, config({ name: 'a', mode: 'bridge' }))).toEqual([
      'link-1 {"name":"a","mode":"bridge","labels":{"a":"x2"},"up":true,"addresses":[]}',
    ]);
  });

  test('with the outputs of those before', () => {
    const text = '- link: { name: a }\n  id: first\n- link: { name: "${steps.first.name}-${steps.first.index}" }';
    expect(bound(text, {}, { first: { name: 'veth', index: 3 } })[1]).toContain('"name":"veth-3"');
  });

  test.each([
    [true, ['a {"name":"a"', 'link-1 {"name":"a1"']],
    [false, ['link-1 {"name":"none"']],
  ])('left out by when: %s', (up, expected) => {
    const text = "- link: { name: a }\n  id: a\n  when: config.up\n- link: { name: \"${has(steps.a) ? steps.a.name + '1' : 'none'}\" }";
    const found = bound(text, config({ up }), { a: { name: 'a', index: 1 } });
    expect(found.map((step) => step.slice(0, step.indexOf(',')))).toEqual(expected);
  });

  test('a step that was left out has no outputs to go on with', () => {
    const text = '- link: { name: a }\n  id: a\n  when: config.up\n- link: { name: b, mtu: "${steps.?a.index}" }';
    expect(bound(text, config({ up: false }))[0]).toBe('link-1 {"name":"b","up":true,"addresses":[]}');
    expect(bound(text, config({ up: true }), { a: { name: 'a', index: 9 } })[1]).toBe(
      'link-1 {"name":"b","mtu":9,"up":true,"addresses":[]}',
    );
  });

  test('once for each item of a list', () => {
    const text = '- link: { name: "p${item}", mtu: "${index}" }\n  forEach: ports\n  id: each\n- link: { name: "${steps.each[1].name}" }';
    const found = bound(text, { ports: [80, 443] }, { 'each/0': { name: 'x', index: 1 }, 'each/1': { name: 'y', index: 2 } });
    expect(found).toEqual([
      'each/0 {"name":"p80","mtu":0,"up":true,"addresses":[]}',
      'each/1 {"name":"p443","mtu":1,"up":true,"addresses":[]}',
      'link-1 {"name":"y","up":true,"addresses":[]}',
    ]);
  });

  test('once for each entry of a map', () => {
    const text = '- link: { name: "${key}", mode: "${item}" }\n  forEach: names\n- route: { to: "${string(size(names))}" }';
    expect(bound(text, { names: { a: 'bridge', b: 'private' } }).map((step) => step.split(' ')[0])).toEqual([
      'link-1/a',
      'link-1/b',
      'route-1',
    ]);
  });

  test('for no item, the list of outputs is empty', () => {
    const text = '- link: { name: a }\n  forEach: ports\n  id: each\n- link: { name: "n${size(steps.each)}" }';
    expect(bound(text, { ports: [] })).toEqual(['link-1 {"name":"n0","up":true,"addresses":[]}']);
  });
});

describe('what does not fit is told with the expression it is from', () => {
  test.each([
    [
      'a value of the wrong type',
      '- link: { name: "${config.name}" }',
      { name: 7 },
      'name: expected a string, found an integer: 7 (from ${config.name})',
    ],
    [
      'a value within a value',
      '- link: { name: a, host: "${config.host}" }',
      { host: { vlan: 'x' } },
      'host.vlan: expected an integer, found a string: "x" (from ${config.host})',
    ],
    [
      'a field that is not known',
      '- link: { name: a, host: "${config.host}" }',
      { host: { vln: 1 } },
      'host.vln: unknown field "vln" (from ${config.host})',
    ],
    [
      'a value out of range',
      '- link: { name: a, mtu: "${config.mtu}" }',
      { mtu: 9001 },
      'mtu: must be between 0 and 9000, is 9001 (from ${config.mtu})',
    ],
    [
      'a value that the operation refuses',
      '- link: { name: a, addresses: ["${config.ip}"] }',
      { ip: '10.1.0.1' },
      'addresses.0: "10.1.0.1" has no prefix length (from ${config.ip})',
    ],
    ['a value that is absent and required', '- link: { name: "${config.?name}" }', {}, 'missing field name'],
    ['an expression that fails', '- link: { name: "${config.name}" }', {}, 'no such key: name (in config.name)'],
    ['a condition that fails', '- link: { name: a }\n  when: config.up', {}, 'no such key: up (in config.up)'],
    ['a range that fails', '- link: { name: a }\n  forEach: config.all', { all: 7 }, 'forEach needs a list or a map'],
    [
      'text of something without text',
      '- link: { name: "a${config.name}" }',
      { name: {} },
      "a value of type map can't be put into text: only strings, numbers, bools, times and the like can stand inside text",
    ],
  ])('%s', (_name, text, value, message) => {
    const [first] = bindAll(text, config(value));
    expect(first).toBeInstanceOf(BindError);
    expect(first).toMatchObject({ message, line: 1 });
  });

  test('with the line of the step, after those that could be bound', () => {
    const found = bindAll('- link: { name: a }\n-\n  link: { name: "${config.x}" }', config({}));
    expect(found).toMatchObject([{ key: 'link-1' }, { step: 'link-2', line: 3, path: [1, 'link', 'name'] }]);
  });

  test.each([
    [
      'items',
      '- link: { name: a }\n  forEach: config.all',
      { all: Array.from({ length: 1001 }, () => 1) },
      'the step has more than 1000 items',
    ],
    [
      'characters',
      '- link: { name: a, labels: "${config.all}" }',
      { all: { a: 'x'.repeat(300_000) } },
      'the rendered value is larger than the limit',
    ],
  ])('too many %s', (_name, text, value, message) => {
    expect(bindAll(text, config(value)).at(-1)).toMatchObject({ message });
  });

  test('too many steps', () => {
    const text = Array.from({ length: 6 }, () => '- link: { name: a }\n  forEach: config.all').join('\n');
    const found = bindAll(text, config({ all: Array.from({ length: 1000 }, () => 1) }));
    expect(found.at(-1)).toMatchObject({ message: 'the plan has more than 5000 steps' });
  });
});
