import { testOutcomes } from './evaluation.testing.ts';

testOutcomes('ip', [
  [
    "ip('1.2.3')",
    'error: IP Address "1.2.3" parse error during conversion from string: ParseAddr("1.2.3"): IPv4 address too short  cost 1, estimated 1..1',
  ],
  [
    "ip('1.2.3.256')",
    'error: IP Address "1.2.3.256" parse error during conversion from string: ParseAddr("1.2.3.256"): IPv4 field has value >255  cost 1, estimated 1..1',
  ],
  [
    "ip('01.2.3.4')",
    'error: IP Address "01.2.3.4" parse error during conversion from string: ParseAddr("01.2.3.4"): IPv4 field has octet with leading zero  cost 1, estimated 1..1',
  ],
  ["ip('::ffff:1.2.3.4')", 'error: IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed  cost 2, estimated 2..2'],
  ["ip('fe80::1%en0')", 'error: IP address "fe80::1%en0" with zone value is not allowed  cost 2, estimated 2..2'],
  [
    "ip('2001:db8::1::2')",
    'error: IP Address "2001:db8::1::2" parse error during conversion from string: ParseAddr("2001:db8::1::2"): multiple :: in address (at ":2")  cost 2, estimated 2..2',
  ],
  ["ip('2001:DB8:0:0:1:0:0:1')", 'net.IP(2001:db8::1:0:0:1)  cost 2, estimated 2..2'],
  ["ip('::')", 'net.IP(::)  cost 1, estimated 1..1'],
  [
    "ip('1:2:3:4:5:6:7')",
    'error: IP Address "1:2:3:4:5:6:7" parse error during conversion from string: ParseAddr("1:2:3:4:5:6:7"): address string too short  cost 2, estimated 2..2',
  ],
  [
    "ip('1:2:3:4:5:6:7:8:9')",
    'error: IP Address "1:2:3:4:5:6:7:8:9" parse error during conversion from string: ParseAddr("1:2:3:4:5:6:7:8:9"): trailing garbage after address (at "9")  cost 2, estimated 2..2',
  ],
  [
    "ip('12345::')",
    'error: IP Address "12345::" parse error during conversion from string: ParseAddr("12345::"): each group must have 4 or less digits (at "12345::")  cost 1, estimated 1..1',
  ],
  [
    "ip('abc')",
    'error: IP Address "abc" parse error during conversion from string: ParseAddr("abc"): unable to parse IP  cost 1, estimated 1..1',
  ],
  [
    "ip('::1.2.3')",
    'error: IP Address "::1.2.3" parse error during conversion from string: ParseAddr("::1.2.3"): IPv4 address too short  cost 1, estimated 1..1',
  ],
  ["ip('1:0:0:2:0:0:0:3')", 'net.IP(1:0:0:2::3)  cost 2, estimated 2..2'],
  ["ip('1.2.3.4') == ip('::1.2.3.4')", 'false  cost 3, estimated 3..3'],
  ["ip('127.0.0.1').isGlobalUnicast()", 'false  cost 2, estimated 2..2'],
  ["ip('255.255.255.255').isGlobalUnicast()", 'false  cost 3, estimated 3..3'],
  ["ip('ff02::1').isLinkLocalMulticast()", 'true  cost 2, estimated 2..2'],
  ["ip('224.0.0.1').isLinkLocalMulticast()", 'true  cost 2, estimated 2..2'],
  ["ip('169.254.1.1').isLinkLocalUnicast()", 'true  cost 3, estimated 3..3'],
  ["ip('0.0.0.0').isUnspecified()", 'true  cost 2, estimated 2..2'],
  ["ip.isCanonical('::FFFF')", 'false  cost 2, estimated 2..2'],
  [
    "ip.isCanonical('bad')",
    'error: IP Address "bad" parse error during conversion from string: ParseAddr("bad"): unable to parse IP  cost 1, estimated 1..1',
  ],
  ["type(ip('1.2.3.4')) == net.IP", 'true  cost 3, estimated 4..unbounded'],
  ["type(ip('1.2.3.4'))", 'type(net.IP)  cost 2, estimated 2..2'],
  ["ip('1.2.3.4').foo", "ERROR: <input>:1:14: type 'net.IP' does not support field selection"],
  ["ip('1.2.3.4') == dyn('x')", 'error: no such overload  cost 2, estimated 3..3'],
  ["[ip('1.2.3.4')].indexOf(ip('1.2.3.4'))", '0  cost 13, estimated 13..13'],
  [
    "'%s'.format([ip('1.2.3.4')])",
    'ERROR: <input>:1:16: error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given net.IP',
  ],
  ["string(ip('1.2.3.4'))", '"1.2.3.4"  cost 2, estimated 2..2'],
  ["dyn('x') == dyn(ip('1.2.3.4'))", 'false  cost 3, estimated 4..4'],
  ["null == dyn(ip('1.2.3.4'))", 'false  cost 3, estimated 3..3'],
  ["dyn(ip('1.2.3.4')) == null", 'false  cost 3, estimated 3..3'],
  ["dyn(ip('1.2.3.4')) != null", 'true  cost 3, estimated 3..3'],
  ["size(dyn(ip('1.2.3.4')))", 'error: no such overload: size  cost 3, estimated 3..3'],
  ["string(dyn(ip('1.2.3.4')))", '"1.2.3.4"  cost 3, estimated 2..unbounded'],
  ["ip('1.2.3.4') < ip('1.2.3.5')", "ERROR: <input>:1:15: found no matching overload for '_<_' applied to '(net.IP, net.IP)'"],
  ["dyn(ip('1.2.3.4')) < dyn(ip('1.2.3.5'))", 'error: no such overload: _<_  cost 5, estimated 5..unbounded'],
  ["[ip('1.2.3.4')].max()", "ERROR: <input>:1:20: found no matching overload for 'max' applied to 'list(net.IP).()'"],
  ["{ip('1.2.3.4'): 1}", '{net.IP(1.2.3.4): 1}  cost 31, estimated 31..31'],
  [
    'ip(str).family()',
    'error: IP Address "hello world" parse error during conversion from string: ParseAddr("hello world"): unable to parse IP  cost 4, estimated 2..unbounded',
  ],
]);
