import { testOutcomes } from './evaluation.testing.ts';

testOutcomes('cidr', [
  ["string(cidr('1.2.3.4/8'))", '"1.2.3.4/8"  cost 2, estimated 2..2'],
  ["cidr('1.2.3.4/8').masked()", 'net.CIDR(1.0.0.0/8)  cost 2, estimated 2..2'],
  [
    "cidr('1.2.3.4/33')",
    'error: network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("1.2.3.4/33"): prefix length out of range  cost 1, estimated 1..1',
  ],
  [
    "cidr('1.2.3.4/08')",
    'error: network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("1.2.3.4/08"): bad bits after slash: "08"  cost 1, estimated 1..1',
  ],
  [
    "cidr('1.2.3.4/+8')",
    'error: network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("1.2.3.4/+8"): bad bits after slash: "+8"  cost 1, estimated 1..1',
  ],
  [
    "cidr('1.2.3.4/')",
    'error: network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("1.2.3.4/"): bad bits after slash: ""  cost 1, estimated 1..1',
  ],
  [
    "cidr('1.2.3.4')",
    `error: network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("1.2.3.4"): no '/'  cost 1, estimated 1..1`,
  ],
  [
    "cidr('::ffff:1.2.3.4/96')",
    'error: network address parse error during conversion from string: IPv4-mapped IPv6 address "::ffff:1.2.3.4/96" is not allowed  cost 2, estimated 2..2',
  ],
  [
    "cidr('fe80::1%en0/64')",
    'error: network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("fe80::1%en0/64"): IPv6 zones cannot be present in a prefix  cost 2, estimated 2..2',
  ],
  [
    "cidr('x/8')",
    'error: network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("x/8"): ParseAddr("x"): unable to parse IP  cost 1, estimated 1..1',
  ],
  ["cidr('10.0.0.0/8').containsIP('bad')", 'error: no such overload  cost 3, estimated 3..6'],
  [
    "cidr('10.0.0.0/8').containsCIDR('bad')",
    `error: network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("bad"): no '/'  cost 5, estimated 5..9`,
  ],
  ["cidr('10.0.0.0/8').containsIP('::1')", 'false  cost 3, estimated 3..6'],
  ["cidr('10.0.0.0/8').containsIP(dyn('10.1.1.1'))", 'true  cost 2, estimated 3..7'],
  ["cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", 'true  cost 6, estimated 6..10'],
  ["cidr('10.1.0.0/16').containsCIDR('10.0.0.0/8')", 'false  cost 6, estimated 6..10'],
  ["cidr('0.0.0.0/0').containsCIDR('10.0.0.0/8')", 'true  cost 3, estimated 5..9'],
  ["cidr('10.0.0.0/8') == cidr('10.0.0.1/8')", 'false  cost 3, estimated 3..3'],
  ["cidr('2001:db8::1/33').masked()", 'net.CIDR(2001:db8::/33)  cost 3, estimated 3..3'],
  [
    'cidr(str).containsIP(str)',
    `error: network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("hello world"): no '/'  cost 7, estimated 3..unbounded`,
  ],
  ['cidr(dyn(1))', 'error: no such overload: cidr(int)  cost 1, estimated 2..2'],
  ["cidr('10.0.0.0/8').ip() == ip('10.0.0.0')", 'true  cost 4, estimated 4..4'],
  ["dyn(cidr('10.0.0.0/8')).ip()", 'net.IP(10.0.0.0)  cost 3, estimated 3..3'],
]);
