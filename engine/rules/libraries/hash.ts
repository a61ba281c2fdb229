import type { Library } from '../../cel/function.ts';
import { pricedByTraversal } from '../../cel/libraries/call-cost.ts';
import { declare, globalOverload } from '../../cel/libraries/declare.ts';
import { INT, STRING } from '../../cel/types.ts';
import { CelError } from '../../cel/values.ts';
import { sha256 } from '../../text/digest.ts';

/** Characters of `hash.short`: enough for a suffix of a name, with one chance in four billion of a clash of two. */
const SHORT = 8;

function short(text: string, length: number | bigint = SHORT): string {
  if (length < 1 || length > 64) throw new CelError('hash.short takes 1 to 64 characters');
  return sha256(text).slice(0, Number(length));
}

/** `hash.sha256(text)` in hexadecimal, and `hash.short(text)`, its first eight characters: for names and for annotations that follow a content. */
export const HASH_LIBRARY: Library = {
  name: 'fairlead.hash',
  functions: [
    declare('hash.sha256', globalOverload('hash_sha256_string', [STRING], STRING, sha256, pricedByTraversal(4))),
    declare(
      'hash.short',
      globalOverload('hash_short_string', [STRING], STRING, short, pricedByTraversal(4)),
      globalOverload('hash_short_string_int', [STRING, INT], STRING, short, pricedByTraversal(4)),
    ),
  ],
};
