import { testOutcomes } from './evaluation.testing.ts';

testOutcomes('jsonpatch', [
  ["jsonpatch.escapeKey('a/b~c')", '"a~1b~0c"  cost 1, estimated 1..1'],
  ['jsonpatch.escapeKey(str)', '"hello world"  cost 3, estimated 1..unbounded'],
  ['jsonpatch.escapeKey(dyn(1))', 'error: no such overload: jsonpatch.escapeKey(int)  cost 1, estimated 2..2'],
]);
