import { expect, test } from 'vitest';
import { compileText, picturesOf } from './compile.fixture.ts';

/** What is wrong, and how it is told: the pictures are in a file beside. */
const MISTAKES: readonly (readonly [what: string, text: string])[] = [
  ['an operation that is none', '- lnk: { name: a }'],
  ['an operation like no other', '- teleport: {}'],
  ['a step without an operation', '- id: a\n  when: "true"'],
  ['a step of two operations', '- link: { name: a }\n  route: { to: default }'],
  ['a step that is text', '- link'],
  ['arguments that are text', '- link: cni0'],
  ['a condition among the arguments', '- link: { name: a, when: config.up, forEach: ports }'],
  ['a condition that is no text', '- link: { name: a }\n  when: 7'],
  ['a condition that is a number', '- link: { name: a }\n  when: 1 + 1'],
  ['an id that can not be selected', '- link: { name: a }\n  id: my-link'],
  ['an id that is a word of CEL', '- link: { name: a }\n  id: in'],
  ['an id that is there already', '- link: { name: a }\n  id: a\n- link: { name: b }\n  id: a'],
  ['a timeout', '- link: { name: a }\n  timeout: soon'],
  ['a range that is no list', '- link: { name: a }\n  forEach: "\'text\'"'],
  ['an argument that is not known', '- link: { name: a, mtuu: 1500 }'],
  ['an argument of the wrong type', '- link: { name: a, up: "${config.up}", mtu: big }'],
  ['an argument that is missing', '- link: { mtu: 1500 }'],
  ['an expression of the wrong type', '- link: { name: "${ports}", mtu: "${names.a}" }'],
  ['text where there is no place for it', '- link: { name: "br-${ports[0]}", mtu: "1${ports[0]}" }'],
  ['an expression that does not compile', '- link: { name: "${confg.name}" }'],
  ['an expression without an end', '- link: { name: "${config.name" }'],
  ['a constant that the operation refuses', '- link: { name: a, mtu: "${config.mtu}", addresses: [10.1.0.1/16, 10.1.0.2] }'],
  ['outputs of a step that comes later', '- link: { name: "${steps.b.name}" }\n- link: { name: b }\n  id: b'],
  ['outputs of its own', '- link: { name: "${steps.a.name}" }\n  id: a'],
  ['outputs of no step', '- link: { name: a }\n  id: one\n- link: { name: "${steps.onw.name}" }'],
  ['outputs that a step has not', '- link: { name: a }\n  id: one\n- link: { name: "${steps.one.nam}" }'],
  ['an item outside of a loop', '- link: { name: "${item.name}" }'],
];

test('mistakes are shown where they stand', async () => {
  const pictures = MISTAKES.map(([what, text]) => `### ${what}\n\n${picturesOf(text)}\n`);
  for (const [what, text] of MISTAKES) expect(compileText(text).steps, what).toBeUndefined();
  await expect(pictures.join('\n')).toMatchFileSnapshot('testdata/mistakes.txt');
});

test.each([
  [
    '- link: { name: a }\n- link: { name: b }\n  id: b\n- link: { name: c }\n- route: { to: default }',
    ['link-1', 'b', 'link-2', 'route-1'],
  ],
  ['- route:\n    to: default\n    when: "an argument of the operation"', ['route-1']],
])('keys of %s', (text, keys) => {
  expect(compileText(text).steps?.map(({ key }) => key)).toEqual(keys);
});

test('knows line and timeout of each step', () => {
  const { steps } = compileText('# a comment\n- link: { name: a }\n  timeout: 1m30s\n- route: { to: default }\n');
  expect(steps?.map(({ line, timeout }) => [line, timeout])).toEqual([
    [2, 90_000],
    [4, 30_000],
  ]);
});
