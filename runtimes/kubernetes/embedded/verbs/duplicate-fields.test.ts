import { expect, test } from 'vitest';
import { duplicateFields } from './duplicate-fields.ts';

test.each<[text: string, found: readonly string[]]>([
  ['{}', []],
  ['{"a":1,"b":{"a":1}}', []],
  ['{"a":1,"a":2}', ['a']],
  ['{"spec":{"containers":[{"name":"x"},{"image":"a","image":"b"}]}}', ['spec.containers[1].image']],
  ['[[1,{"k":1,"k":2}]]', ['[0][1].k']],
  ['{"a":"a\\"a","b":["a","a"]}', []],
  ['{"a":1,"\\u0061":2}', ['a']],
  ['{"a\\\\":1,"a\\\\":2}', ['a\\']],
  ['{"a":{"b":{},"b":[]},"a":0}', ['a.b', 'a']],
  ['{"__proto__":1,"__proto__":2}', ['__proto__']],
  ['"just text"', []],
])('%s', (text, found) => {
  expect(duplicateFields(text)).toEqual(found);
});
