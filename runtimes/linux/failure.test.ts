import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../engine/step/effect.ts';
import { classifyErrno, classifyFailure, failureMessage } from './failure.ts';

/** As the programs of iproute2 6.1, nft 1.0.6, iptables 1.8.9 and util-linux 2.38 said it. */
const SAID: readonly (readonly [string, FailureCode])[] = [
  ['RTNETLINK answers: File exists', 'exists'],
  ['Error: ipv4: Address already assigned.', 'exists'],
  ['Error: Exclusivity flag on, cannot modify.', 'exists'],
  ['RTNETLINK answers: Address already in use', 'exists'],
  ['Device "x" does not exist.', 'missing'],
  ['Cannot find device "x"', 'missing'],
  ['RTNETLINK answers: No such device', 'missing'],
  ['RTNETLINK answers: No such process', 'missing'],
  ['RTNETLINK answers: No such file or directory', 'missing'],
  ['Error: ipv4: Device not found.', 'missing'],
  ['RTNETLINK answers: Cannot assign requested address', 'missing'],
  ['Error: ipv4: FIB table does not exist.\nDump terminated', 'missing'],
  ['Error: ipv4: Address not found.', 'missing'],
  ['Error: Cannot find specified qdisc on specified device.', 'missing'],
  ['Error: Invalid handle.', 'invalid'],
  ['iptables-restore: line 2 failed: No chain/target/match by that name.', 'missing'],
  ['iptables: Bad rule (does a matching rule exist in that chain?).', 'missing'],
  ['Error: No such file or directory; did you mean table ‘a’ in family inet?', 'missing'],
  ['Error: Unknown device type.', 'unsupported'],
  ['Error: Specified qdisc kind is unknown.', 'unsupported'],
  ['RTNETLINK answers: Operation not supported', 'unsupported'],
  ['Error: TC classifier not found.', 'unsupported'],
  ['Error: Could not process rule: Operation not supported', 'unsupported'],
  ['iptables-save v1.8.9 (legacy): Cannot initialize: Table does not exist (do you need to insmod?)', 'unsupported'],
  ['RTNETLINK answers: Operation not permitted', 'denied'],
  ['sh: 1: cannot create /proc/sys/net/x: Read-only file system', 'denied'],
  ['RTNETLINK answers: Device or resource busy', 'busy'],
  ['Another app is currently holding the xtables lock; still 9s 0us time ahead to have a chance to grab the lock...', 'busy'],
  ['RTNETLINK answers: No buffer space available', 'full'],
  ['RTNETLINK answers: No space left on device', 'full'],
  ['RTNETLINK answers: Invalid argument', 'invalid'],
  ['Error: Nexthop has invalid gateway.', 'invalid'],
  ['RTNETLINK answers: Network is unreachable', 'invalid'],
  ['Error: any valid prefix is expected rather than "300.1.1.1/24".', 'invalid'],
  ['Error: argument "abc" is wrong: Invalid "vlan_filtering" value', 'invalid'],
  ['Error: either "dev" is duplicate, or "x" is a garbage.', 'invalid'],
  ['RTNETLINK answers: Numerical result out of range', 'invalid'],
  ['tbf: illegal value for "rate": "abc"', 'invalid'],
  ['Error: syntax error, unexpected newline', 'invalid'],
  ['Not enough information: "type" argument is required', 'invalid'],
  ['Error: argument "/nope" is wrong: Invalid "netns" value', 'namespace'],
  ['Error: argument "nope" is wrong: Device does not exist', 'missing'],
  ['Error: Cannot delete qdisc with handle of zero.', 'missing'],
  ["Error: Parent Qdisc doesn't exists.\nWe have an error talking to the kernel", 'missing'],
  ['Error: argument "verylongnameofalink" is wrong: "name" not a valid ifname', 'invalid'],
  ['Error: ipv6: address not found.', 'missing'],
  ["nsenter: reassociate to namespace 'ns/net' failed: Invalid argument", 'namespace'],
  ['nsenter: cannot open /run/netns/x: No such file or directory', 'namespace'],
  ['sh: 1: exec: nsenter: not found', 'program'],
  ['RTNETLINK answers: Connection timed out', 'timeout'],
  ['something else', 'other'],
];

describe('what a program says', () => {
  it.each(SAID)('%s: %s', (text, code) => expect(classifyFailure(text)).toBe(code));

  it.each([
    ['RTNETLINK answers: File exists\nCommand failed -:3\n', 'File exists'],
    ['Error: Unknown device type.\nCommand failed -:12\n', 'Unknown device type.'],
    [
      'RTNETLINK answers: No such device\nCannot send link get request: No such device\n[]\n',
      'No such device; Cannot send link get request: No such device',
    ],
    ['what is that\nUsage: ip link\n  add\n  set\n', 'what is that'],
    ['a\n\na\n', 'a'],
    ['Command failed -:3\n', ''],
    ['\u001b[31mred\u001b[0m', ' [31mred [0m'],
  ])('%j is told in one line', (text, message) => expect(failureMessage(text)).toBe(message));

  it('is not told at any length', () => {
    expect(failureMessage('x'.repeat(1000))).toHaveLength(401);
  });
});

it.each([
  ['EEXIST', 'exists'],
  ['ENOENT', 'missing'],
  ['EROFS', 'denied'],
  ['ENOSPC', 'full'],
  ['EWHATEVER', 'other'],
  [undefined, 'other'],
])('errno %s is %s', (errno, code) => expect(classifyErrno(errno)).toBe(code));
