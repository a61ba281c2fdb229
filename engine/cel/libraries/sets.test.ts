import { testOutcomes } from './evaluation.testing.ts';

testOutcomes('sets', [
  ["sets.contains([1], dyn(['a', 1]))", "ERROR: <input>:1:30: expected type 'string' but found 'int'"],
  ['sets.contains([1,2],[1])', 'true  cost 3, estimated 23..23'],
  ['sets.equivalent([1,2],[2,1,1])', 'true  cost 13, estimated 33..33'],
  ['sets.intersects([1],[2])', 'false  cost 2, estimated 22..22'],
  ['sets.intersects([], [])', 'false  cost 1, estimated 21..21'],
  ["sets.contains(strs, ['a'])", 'true  cost 5, estimated 12..unbounded'],
  ['sets.contains(object.l, object.s)', 'false  cost 11, estimated 3..unbounded'],
  ['sets.contains(object.a, object.s)', 'error: no such overload: sets.contains(string, list)  cost 7, estimated 3..unbounded'],
]);
