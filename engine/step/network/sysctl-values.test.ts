import { describe, expect, it } from 'vitest';
import { sysctlKey, sysctlObjection, sysctlProblems } from './sysctl-values.ts';

describe('keys of the kernel', () => {
  it.each([
    ['net.ipv4.ip_forward', undefined, 'net/ipv4/ip_forward'],
    ['net.ipv4.conf.IFNAME.arp_filter', 'eth0', 'net/ipv4/conf/eth0/arp_filter'],
    ['net.ipv4.conf.IFNAME.arp_filter', 'eth0.10', 'net/ipv4/conf/eth0.10/arp_filter'],
    ['net/ipv4/conf/eth0.10/arp_filter', undefined, 'net/ipv4/conf/eth0.10/arp_filter'],
  ])('%s for %s is %s', (text, dev, key) => expect(sysctlKey(text, dev)).toBe(key));

  it.each([
    ['kernel.core_pattern', '"kernel.core_pattern" is not below net, the part of a network namespace'],
    ['net', '"net" is not below net, the part of a network namespace'],
    ['network.x', '"network.x" is not below net, the part of a network namespace'],
    ['net/../kernel/core_pattern', '"net/../kernel/core_pattern" is not the key of a kernel parameter'],
    ['net..kernel', '"net..kernel" is not the key of a kernel parameter'],
    ['/net/ipv4/ip_forward', '"/net/ipv4/ip_forward" is not the key of a kernel parameter'],
    ['net/./ipv4', '"net/./ipv4" is not the key of a kernel parameter'],
    ['net.ipv4.x y', '"net.ipv4.x y" is not the key of a kernel parameter'],
    ['net.ipv4.$(x)', '"net.ipv4.$(x)" is not the key of a kernel parameter'],
    ['', '"" is not the key of a kernel parameter'],
  ])('must not be %j', (text, message) => expect(sysctlObjection(text)).toBe(message));

  it('have values of one line', () => {
    expect(
      sysctlProblems({ 'net.ipv4.tcp_rmem': '4096 131072 6291456', 'net.ipv4.ip_forward': '1\n2', 'net.x.y': '' }, ['sysctl']),
    ).toEqual([
      { path: ['sysctl', 'net.ipv4.ip_forward'], message: '"1\\n2" is not one line of printable characters' },
      { path: ['sysctl', 'net.x.y'], message: '"" is not one line of printable characters' },
    ]);
  });
});
