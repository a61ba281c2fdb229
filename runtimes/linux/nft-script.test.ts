import { describe, expect, it } from 'vitest';
import { listLine, scriptLine } from './nft-script.ts';

describe('a script of nft in one line', () => {
  it.each([
    ['add table inet a\nadd chain inet a b\n', 'add table inet a;add chain inet a b'],
    ['add table inet a; add chain inet a b;', 'add table inet a; add chain inet a b'],
    ['\n\n  add table inet a\n\n', 'add table inet a'],
    [
      'add chain inet a b { type nat hook postrouting priority 100; policy accept; }',
      'add chain inet a b { type nat hook postrouting priority 100; policy accept; }',
    ],
    ['table inet a {\n  chain b {\n    counter accept\n  }\n}\n', 'table inet a {  chain b {    counter accept;  };}'],
    [
      'add set inet a s { type ipv4_addr\n elements = { 1.1.1.1,\n 2.2.2.2\n }\n }',
      'add set inet a s { type ipv4_addr; elements = { 1.1.1.1,  2.2.2.2  }; }',
    ],
    ['add element inet a s { 1.1.1.1,\n2.2.2.2 }', 'add element inet a s { 1.1.1.1, 2.2.2.2 }'],
    ['add rule inet a b tcp dport { 80,\n443 } accept', 'add rule inet a b tcp dport { 80, 443 } accept'],
    ['add rule inet a b comment "x; y {\'# z"', 'add rule inet a b comment "x; y {\'# z"'],
    ['', ''],
  ])('%j', (script, line) => expect(scriptLine(script)).toBe(line));

  it.each([
    ['include "/etc/passwd"', /does not begin with a change/],
    ['add table inet a; quit', /does not begin with a change/],
    ['list ruleset', /does not begin with a change/],
    ['define x = 1', /does not begin with a change/],
    ['{ add table inet a }', /a brace stands/],
    ['add table inet a # comment', /comment/],
    ['add rule inet a b \\\n accept', /backslash/],
    ['add rule inet a b comment "x\ny"', /does not end in its line/],
    ['add rule inet a b comment "x', /does not end/],
    ['add chain inet a b {', /not closed/],
    ['add chain inet a b }', /not opened/],
    ['add rule inet a b comment "ä"', /printable ASCII/],
    ['add table inet a\r', /printable ASCII/],
    ['add table inet \0a', /printable ASCII/],
  ])('refuses %j', (script, message) => {
    expect(() => scriptLine(script)).toThrow(message);
    expect(() => scriptLine(script)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});

describe('a list of nft', () => {
  it('is made of words', () => {
    expect(listLine(['table', 'inet', 'fairlead'])).toBe('list table inet fairlead');
  });

  it.each([[[]], [['table', 'a;']], [['-f', 'x']], [['a b']], [['']], [['a\nb']], [new Array<string>(13).fill('a')]])(
    'is not made of %j',
    (words) => {
      expect(() => listLine(words)).toThrow(expect.objectContaining({ code: 'invalid' }));
    },
  );
});
