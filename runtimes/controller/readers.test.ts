import { expect, it } from 'vitest';
import type { ObjectQuery, ObjectReference } from '../../engine/rules/reconcile/program.ts';
import { referenceText } from './inventory.ts';
import { type ForeignReads, queryText, Readers } from './readers.ts';

const reference = (name: string): ObjectReference => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name });
const query = (labelSelector: string, namespace?: string): ObjectQuery => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace,
  labelSelector,
});
const reads = (objects: readonly ObjectReference[], queries: readonly ObjectQuery[] = []): ForeignReads => ({
  objects: new Map(objects.map((each) => [referenceText(each), each])),
  queries: new Map(queries.map((each) => [queryText(each), each])),
});
const object = (labels: Record<string, string>, namespace = 'ns') => ({ metadata: { name: 'a', namespace, labels } });

it('finds who reads an object by name', () => {
  const readers = new Readers();
  readers.set('one', reads([reference('a')]));
  readers.set('two', reads([reference('b')]));
  expect([...readers.of(reference('a'), [object({})])]).toEqual(['one']);
});

it('finds who selects it, before the change or after it', () => {
  const readers = new Readers();
  readers.set('one', reads([], [query('app=web', 'ns')]));
  readers.set('two', reads([], [query('app=web', 'other')]));
  readers.set('three', reads([], [query('')]));
  expect([...readers.of(reference('a'), [object({}), object({ app: 'web' })])].sort()).toEqual(['one', 'three']);
  expect([...readers.of(reference('a'), [object({})])]).toEqual(['three']);
});

it('forgets what is read no more', () => {
  const readers = new Readers();
  readers.set('one', reads([reference('a')], [query('app=web')]));
  readers.set('one', reads([reference('b')]));
  expect(readers.of(reference('a'), [object({ app: 'web' })]).size).toBe(0);
  readers.forget('one');
  expect(readers.of(reference('b'), [object({})]).size).toBe(0);
});
