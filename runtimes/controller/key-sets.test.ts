import { expect, it } from 'vitest';
import { KeySets } from './key-sets.ts';

it('keeps keys by name, and nothing for names without', () => {
  const sets = new KeySets();
  sets.add('a', '1');
  sets.add('a', '2');
  sets.add('a', '2');
  sets.add('b', '1');
  expect([[...sets.of('a')], [...sets.of('b')], [...sets.of('c')]]).toEqual([['1', '2'], ['1'], []]);
  sets.deleteKey('1');
  expect(sets.names()).toEqual(['a']);
  expect([...sets.take('a')]).toEqual(['2']);
  expect([sets.has('a'), [...sets.take('a')]]).toEqual([false, []]);
  sets.delete('a', '2');
});
