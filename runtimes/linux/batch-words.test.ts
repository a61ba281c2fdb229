import { describe, expect, it } from 'vitest';
import { asTyped, batchLine, deletedLink, renamedLinks } from './batch-words.ts';

const words = (line: string): readonly string[] => line.split(' ');

describe('a line of a batch', () => {
  it.each([
    'link add cni0 type bridge vlan_filtering 1',
    'address add fd00::1/64 dev eth0.100',
    'route add default via 10.0.0.1 dev eth0 mtu lock 1400',
    'link set dev eth0 alias fairlead:a-rule:0123456789abcdef',
    'link add x type veth peer name y netns /var/run/netns/cni-1b4f',
  ])('is let through: %s', (line) => {
    expect(batchLine('ip', { words: words(line) })).toBe(line);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['a second line', ['link', 'del', 'a\nlink'], /can't be a word/],
    ['a space', ['link', 'del', 'a b'], /can't be a word/],
    ['a double quotation mark', ['link', 'del', '"a'], /can't be a word/],
    ['a quotation mark', ['link', 'del', "a'"], /can't be a word/],
    ['a backslash', ['link', 'del', 'a\\'], /can't be a word/],
    ['a comment', ['link', 'del', '#a'], /can't be a word/],
    ['a zero byte', ['link', 'del', 'a\0'], /can't be a word/],
    ['more than ASCII', ['link', 'del', 'ä'], /can't be a word/],
    ['an option', ['link', 'del', '-batch'], /read as an option/],
    ['an option in front', ['-batch', '/etc/passwd'], /not an object/],
    ['a program', ['netns', 'exec', 'a', 'sh'], /not an object/],
    ['what never ends', ['monitor'], /not an object/],
    ['nothing', [], /not an object/],
    ['more words than are read', ['link', ...new Array<string>(98).fill('a')], /words are more/],
    ['a long line', ['link', 'a'.repeat(9000)], /characters/],
  ])('is refused with %s', (_, line, message) => {
    expect(() => batchLine('ip', { words: line })).toThrow(message);
    expect(() => batchLine('ip', { words: line })).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('says nothing where a word is empty', () => {
    expect(batchLine('ip', { words: ['link', 'set', 'dev', 'a', 'alias', ''] })).toBe('link set dev a alias ""');
  });

  it('is of the program that it is for', () => {
    expect(batchLine('tc', { words: words('qdisc show dev eth0') })).toBe('qdisc show dev eth0');
    expect(() => batchLine('tc', { words: ['exec', 'bpf'] })).toThrow(/not an object of tc/);
    expect(() => batchLine('bridge', { words: ['route', 'show'] })).toThrow(/not an object of bridge/);
  });
});

it('shows a command as a user would type it, hostile words quoted, and not all of a long one', () => {
  expect(asTyped('ip', ['link', 'del', 'a\nb'])).toBe('ip link del "a\\nb"');
  expect(asTyped('ip', ['a'.repeat(400)])).toHaveLength(301);
});

it.each([
  ['link del a', 'a'],
  ['link del dev a', 'a'],
  ['link delete dev a type veth', 'a'],
  ['link del a b', undefined],
  ['link del group 7', undefined],
  ['link set a down', undefined],
  ['address del 10.0.0.1/8', undefined],
  ['link del', undefined],
])('of `%s` the deleted link is %s', (line, link) => expect(deletedLink(words(line))).toBe(link));

it.each<[string, readonly string[]]>([
  ['link set dev a name b', ['a', 'b']],
  ['link set a netns /run/netns/x', ['a']],
  ['link set dev a netns /run/netns/x name eth0', ['a', 'eth0']],
  ['link set a up', []],
  ['link add name a type veth', []],
])('after `%s` other links are meant by %s', (line, names) => expect(renamedLinks(words(line))).toEqual(names));
