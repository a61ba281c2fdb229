import type { CelValue } from '../../cel/values.ts';
import { elementsOf } from '../../object/for-each.ts';
import type { Entry } from './entry.ts';
import { type Evaluation, Unresolved } from './evaluation.ts';

/** One item of a repeated entry, or the only one of an entry that does not repeat. */
export interface Item {
  /** What it is told apart by, `` where the entry does not repeat. */
  readonly key: string;
  readonly locals: Readonly<Record<string, CelValue>> | undefined;
}

const ONLY: readonly Item[] = [{ key: '', locals: undefined }];

/** Items that one entry may have. */
const MAX_ITEMS = 1000;

/** The items of an entry, in order. Throws {@link Unresolved} where they are not known, too many, or not told apart. */
export function itemsOf(entry: Entry, evaluation: Evaluation): readonly Item[] {
  if (entry.loops.length === 0) return ONLY;
  let partial: { readonly locals: Readonly<Record<string, CelValue>>; readonly parts: readonly CelValue[] }[] = [{ locals: {}, parts: [] }];
  for (const loop of entry.loops) {
    const next: typeof partial = [];
    for (const { locals, parts } of partial) {
      const elements = elementsOf(evaluation.evaluate(loop.range, locals));
      if (elements === undefined) throw new Unresolved('failed', 'forEach needs a list or a map', loop.range.path);
      for (const { item, key, index } of elements) {
        if (next.length >= MAX_ITEMS) throw new Unresolved('failed', `the entry has more than ${MAX_ITEMS} items`, loop.range.path);
        const names = loop.keys ? { index, ...(key === undefined ? {} : { key }) } : {};
        next.push({ locals: { ...locals, ...names, [loop.variable]: item }, parts: [...parts, key ?? item] });
      }
    }
    partial = next;
  }
  const seen = new Set<string>();
  return partial.map(({ locals, parts }, position) => {
    const key = keyOf(entry, evaluation, locals, parts) ?? String(position);
    if (seen.has(key)) {
      const hint = entry.key === undefined ? '' : ': key must tell them apart';
      throw new Unresolved('failed', `two items have the key ${JSON.stringify(key)}${hint}`, entry.path);
    }
    seen.add(key);
    return { key, locals };
  });
}

/** Undefined: what the item renders to is enough to tell it apart. */
function keyOf(
  entry: Entry,
  evaluation: Evaluation,
  locals: Readonly<Record<string, CelValue>>,
  parts: readonly CelValue[],
): string | undefined {
  const values = entry.key === undefined ? parts : [evaluation.evaluate(entry.key, locals)];
  const texts: string[] = [];
  for (const value of values) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
      texts.push(String(value));
    else if (entry.looseKeys) return undefined;
    else
      throw new Unresolved('failed', 'an item is told apart by a string or a number: say by which with key', entry.key?.path ?? entry.path);
  }
  return texts.join('/');
}
