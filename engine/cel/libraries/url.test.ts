import { testOutcomes } from './evaluation.testing.ts';

testOutcomes('url', [
  [
    "url('https://user:pa%20ss@example.com:8080/a%2Fb/c?x=1&y=2&x=3#frag').getQuery()",
    '{"x": ["1", "3"], "y": ["2"]}  cost 8, estimated 8..8',
  ],
  ["url('https://user:pa%20ss@example.com:8080/a%2Fb/c?x=1&y=2&x=3#frag').getEscapedPath()", '"/a%2Fb/c"  cost 8, estimated 8..8'],
  ["url('https://user:pa%20ss@example.com:8080/a%2Fb/c?x=1&y=2&x=3#frag').getHost()", '"example.com:8080"  cost 8, estimated 8..8'],
  ["url('https://[::1]:80/').getHostname()", '"::1"  cost 3, estimated 3..3'],
  ["url('https://[::1]:80/').getHost()", '"[::1]:80"  cost 3, estimated 3..3'],
  ["url('https://[fe80::1%25en0]:8080/').getHostname()", '"fe80::1%en0"  cost 4, estimated 4..4'],
  [
    "url('https://example.com:x/')",
    'error: URL parse error during conversion from string: parse "https://example.com:x/": invalid port ":x" after host  cost 3, estimated 3..3',
  ],
  [
    "url('https://a b/')",
    'error: URL parse error during conversion from string: parse "https://a b/": invalid character " " in host name  cost 2, estimated 2..2',
  ],
  [
    "url('https://exa mple.com/%zz')",
    'error: URL parse error during conversion from string: parse "https://exa mple.com/%zz": invalid character " " in host name  cost 3, estimated 3..3',
  ],
  [
    "url('https://[::1')",
    `error: URL parse error during conversion from string: parse "https://[::1": missing ']' in host  cost 2, estimated 2..2`,
  ],
  [
    "url('http://[1.2.3.4]/')",
    'error: URL parse error during conversion from string: parse "http://[1.2.3.4]/": invalid IP-literal  cost 2, estimated 2..2',
  ],
  [
    "url('http://[zz]/')",
    'error: URL parse error during conversion from string: parse "http://[zz]/": invalid host: ParseAddr("zz"): unable to parse IP  cost 2, estimated 2..2',
  ],
  ["url('../x')", 'error: URL parse error during conversion from string: parse "../x": invalid URI for request  cost 1, estimated 1..1'],
  ["url('')", 'error: URL parse error during conversion from string: parse "": empty url  cost 0, estimated 0..0'],
  ["url('a:b')", 'kubernetes.URL(a:b)  cost 1, estimated 1..1'],
  ["url('mailto:joe@example.com').getHost()", '""  cost 4, estimated 4..4'],
  ["url('mailto:joe@example.com').getEscapedPath()", '""  cost 4, estimated 4..4'],
  ["url('/path?')", 'kubernetes.URL(/path?)  cost 1, estimated 1..1'],
  [
    "url('http://a:b:c/')",
    'error: URL parse error during conversion from string: parse "http://a:b:c/": invalid port ":b:c" after host  cost 2, estimated 2..2',
  ],
  ["url('foo://a:b:80/').getPort()", '"80"  cost 3, estimated 3..3'],
  [
    "url('http://x:80:90/')",
    'error: URL parse error during conversion from string: parse "http://x:80:90/": invalid port ":80:90" after host  cost 2, estimated 2..2',
  ],
  ["url(':foo')", 'error: URL parse error during conversion from string: parse ":foo": missing protocol scheme  cost 1, estimated 1..1'],
  [
    "url('1http://x')",
    'error: URL parse error during conversion from string: parse "1http://x": invalid URI for request  cost 1, estimated 1..1',
  ],
  [
    'url("http://a\\nb")',
    'error: URL parse error during conversion from string: parse "http://a\\nb": net/url: invalid control character in URL  cost 1, estimated 1..1',
  ],
  ["url('http://a/%41').getEscapedPath()", '"/%41"  cost 3, estimated 3..3'],
  ["url('http://a/é b').getEscapedPath()", '"/%C3%A9%20b"  cost 3, estimated 3..3'],
  ["url('*').getEscapedPath()", '"*"  cost 2, estimated 2..2'],
  ["url('http://x?a=%zz&b=1&c;d=2&=5&e').getQuery()", '{"": ["5"], "b": ["1"], "e": [""]}  cost 4, estimated 4..4'],
  [
    "url('http://us er@x/')",
    'error: URL parse error during conversion from string: parse "http://us er@x/": net/url: invalid userinfo  cost 2, estimated 2..2',
  ],
  [
    "url('http://u%zzr@x/')",
    'error: URL parse error during conversion from string: parse "http://u%zzr@x/": invalid URL escape "%zz"  cost 2, estimated 2..2',
  ],
  [
    "url('http://x#%zz')",
    'error: URL parse error during conversion from string: parse "http://x#%zz": invalid character "#" in host name  cost 2, estimated 2..2',
  ],
  [
    "url('http://h%41st/')",
    'error: URL parse error during conversion from string: parse "http://h%41st/": invalid URL escape "%41"  cost 2, estimated 2..2',
  ],
  ["url('http://h%C3%A9st/').getHost()", '"hést"  cost 3, estimated 3..3'],
  ["isURL('http://x#%zz')", 'false  cost 1, estimated 1..1'],
  ["isURL('a')", 'false  cost 1, estimated 1..1'],
  ['url(dyn(1))', 'error: no such overload: url(int)  cost 1, estimated 2..2'],
  ["dyn('x').getHost()", 'error: no such overload: getHost(string)  cost 1, estimated 2..2'],
  ["dyn(quantity('1')).getHost()", 'error: no such overload: getHost(kubernetes.Quantity)  cost 3, estimated 3..3'],
  ["url('/a').foo", "ERROR: <input>:1:10: unexpected failed resolution of 'kubernetes.URL'"],
]);
