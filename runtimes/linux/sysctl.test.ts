import { describe, expect, it } from 'vitest';
import { checkSysctl, sysctlFailure } from './sysctl.ts';

describe('a key of the kernel', () => {
  it.each(['net/ipv4/ip_forward', 'net/ipv6/conf/eth0.100/accept_ra', 'net/ipv4/conf/veth1@x/rp_filter', 'vm/max_map_count'])(
    'is %s',
    (key) => void checkSysctl(key, '1'),
  );

  it.each([
    '',
    'net',
    '/net/ipv4',
    'net/../kernel/x',
    'net/./x',
    'net//x',
    'net/a b',
    'net/$(x)',
    'net/a\n',
    'net/`x`',
    'net/*',
    `net/${'a'.repeat(300)}`,
  ])('is not %j', (key) => expect(() => checkSysctl(key)).toThrow(expect.objectContaining({ code: 'invalid' })));

  it.each(['1\n2', 'ä', '\0', 'x'.repeat(5000)])('has no value such as %j', (value) => {
    expect(() => checkSysctl('net/x', value)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});

it.each([
  ['sh: 3: cannot create /proc/sys/net/x: Directory nonexistent', 'missing'],
  ["sh: can't create /proc/sys/net/x: nonexistent directory", 'missing'],
  ['cat: /proc/sys/net/x: No such file or directory', 'missing'],
  ['sh: 3: cannot create /proc/sys/net/x: Permission denied', 'denied'],
  ['sh: 3: printf: I/O error', 'invalid'],
])('%s: %s', (text, code) => expect(sysctlFailure(text, 'net/x', 'sysctl net.x').code).toBe(code));
