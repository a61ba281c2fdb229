import { describe, expect, it } from 'vitest';
import { generatedLinkName, generatedMac, linkNameObjection, macObjection } from './link-name.ts';

describe('names of interfaces', () => {
  it.each(['eth0', 'a', '123456789012345', 'eth0.10', 'wg-1_x@y', 'vxlan.1', 'a+b=c~d'])('may be %j', (name) => {
    expect(linkNameObjection(name)).toBeUndefined();
  });

  it.each([
    ['', 'an interface name must not be empty'],
    ['1234567890123456', 'interface name "1234567890123456" is longer than 15 characters'],
    ['.', 'an interface can\'t be called "."'],
    ['..', 'an interface can\'t be called ".."'],
    ['a/b', 'interface name "a/b" must not contain "/"'],
    ['a:b', 'interface name "a:b" must not contain ":"'],
    ['a b', 'interface name "a b" must not contain " "'],
    ['a\nlink', 'interface name "a\\nlink" must not contain "\\n"'],
    ['eth%d', 'interface name "eth%d" must not contain "%"'],
    ['a"b', 'interface name "a\\"b" must not contain "\\""'],
    ['é', 'interface name "é" must not contain "é"'],
    ['a;b', 'interface name "a;b" must not contain ";"'],
    ['a$(b)', 'interface name "a$(b)" must not contain "$"'],
    ['-force', 'interface name "-force" must not begin with a dash'],
  ])('must not be %j', (name, message) => expect(linkNameObjection(name)).toBe(message));

  it('are generated as the kernel takes them, the same for the same seed', () => {
    const name = generatedLinkName('veth', 'seed');
    expect(name).toMatch(/^veth[0-9a-f]{8}$/);
    expect(generatedLinkName('veth', 'seed')).toBe(name);
    expect(generatedLinkName('veth', 'other')).not.toBe(name);
  });
});

describe('MAC addresses', () => {
  it.each(['0a:58:0a:01:00:05', '02:AB:cd:00:00:00'])('may be %j', (text) => expect(macObjection(text)).toBeUndefined());

  it.each([
    ['', '"" is not a MAC address like 0a:58:0a:01:00:05'],
    ['0a-58-0a-01-00-05', '"0a-58-0a-01-00-05" is not a MAC address like 0a:58:0a:01:00:05'],
    ['0a:58:0a:01:00:05 up', '"0a:58:0a:01:00:05 up" is not a MAC address like 0a:58:0a:01:00:05'],
    ['01:00:5e:00:00:01', '01:00:5e:00:00:01 is a multicast address, which no interface can have'],
    ['00:00:00:00:00:00', '00:00:00:00:00:00 stands for no address'],
  ])('must not be %j', (text, message) => expect(macObjection(text)).toBe(message));

  it.each(Array.from({ length: 50 }, (_, index) => `seed ${index}`))('are generated unicast and locally administered for %j', (seed) => {
    const mac = generatedMac(seed);
    expect(macObjection(mac)).toBeUndefined();
    expect(Number.parseInt(mac.slice(0, 2), 16) & 0x03).toBe(0x02);
  });
});
