import { testOutcomes } from './evaluation.testing.ts';

testOutcomes('two-variable comprehensions', [
  ['[1,2].all(i, v, v > i)', 'true  cost 13, estimated 17..23'],
  ['[1,2].transformList(i, v, i > 0, v)', '[2]  cost 18, estimated 27..51'],
  ['[1,2].transformMap(i, v, v)', '{0: 1, 1: 2}  cost 9, estimated 49..49'],
  [
    'object.transformMap(k, v, type(v))',
    '{"a": type(string), "d": type(double), "l": type(list), "m": type(map), "n": type(int), "s": type(list)}  cost 32, estimated 32..unbounded',
  ],
  ["{'a':1,'b':2}.transformMapEntry(k, v, {'x': v})", 'error: insert failed: key x already exists  cost 67, estimated 127..127'],
  ["{'a':1}.all(__result__, v, true)", 'ERROR: <input>:1:13: iteration variable overwrites accumulator variable'],
  ["{'a':1}.all(k, 5, true)", 'ERROR: <input>:1:16: argument must be a simple name'],
  ["{'a':1}.all(k, k, true)", 'ERROR: <input>:1:16: duplicate variable name: k'],
  ["{'a':1}.all(k, v, v > 0)", 'true  cost 6, estimated 34..36'],
  ["{'a':1}.all(k.x, v, true)", 'ERROR: <input>:1:14: argument must be a simple name'],
  ["{'a':1}.existsOne(k, v, true)", 'true  cost 4, estimated 33..34'],
  ["{'a':1}.exists_one(k, v, true)", 'true  cost 4, estimated 33..34'],
  [
    "{'a':1}.transformMapEntry(k, v, v)",
    "ERROR: <input>:1:26: found no matching overload for 'cel.@mapInsert' applied to '(map(dyn, dyn), int)'",
  ],
  ["{'a':1}.transformMapEntry(k, v, {'x': v})", '{"x": 1}  cost 34, estimated 94..94'],
]);
