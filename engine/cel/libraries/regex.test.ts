import { testOutcomes } from './evaluation.testing.ts';

testOutcomes('regex', [
  ["'abc'.find('b')", '"b"  cost 1, estimated 1..1'],
  ["'abc'.find('(')", 'ERROR: <input>:1:11: error parsing regexp: missing closing ): `(`'],
  ["object.a.find('(')", 'ERROR: <input>:1:14: error parsing regexp: missing closing ): `(`'],
  ["'abc'.find('zz(')", 'ERROR: <input>:1:11: error parsing regexp: missing closing ): `zz(`'],
  ["'a1b22c'.findAll('[0-9]+')", '["1", "22"]  cost 2, estimated 2..2'],
  ["'a1b22c'.findAll('[0-9]+', 1)", '["1"]  cost 2, estimated 2..2'],
  ["'a1b22c'.findAll('[0-9]+', 0)", '[]  cost 2, estimated 2..2'],
  ["'a1b22c'.findAll('[0-9]+', -5)", '["1", "22"]  cost 2, estimated 2..2'],
  ["'abc'.findAll('')", '["", "", "", ""]  cost 0, estimated 0..0'],
  ["'aé😀'.findAll('')", '["", "", "", ""]  cost 0, estimated 0..0'],
  ["'aaa'.findAll('a*')", '["aaa"]  cost 1, estimated 1..1'],
  ["'baac'.findAll('a*')", '["", "aa", ""]  cost 1, estimated 1..1'],
  ["'abc'.findAll(object.a + '(')", 'error: Illegal regex: error parsing regexp: missing closing ): `x(`  cost 4, estimated 3..unbounded'],
  ["'abc'.find('(a{1000}){1000}')", 'ERROR: <input>:1:11: error parsing regexp: invalid repeat count: `{1000}`'],
  ['str.find(str)', '"hello world"  cost 8, estimated 2..unbounded'],
  ["'x'.find(dyn(1))", 'error: no such overload: find(string, int)  cost 1, estimated 2..2'],
]);
