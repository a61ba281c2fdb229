import type { Library } from '../../../../cel/function.ts';
import { pricedByTraversal } from '../../../../cel/libraries/call-cost.ts';
import { declare, globalOverload } from '../../../../cel/libraries/declare.ts';
import { BYTES, STRING } from '../../../../cel/types.ts';
import { md5, sha256 } from '../../../../text/digest.ts';

const bytesOf =
  (digest: (text: string) => string) =>
  (text: string): Uint8Array =>
    Uint8Array.from(digest(text).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** FNV-1a, 64 bits, of the text's UTF-8. */
function fnv64a(text: string): Uint8Array {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, hash);
  return bytes;
}

const hash = (name: string, digest: (text: string) => Uint8Array) =>
  declare(`hash.${name}`, globalOverload(`hash.${name}_string`, [STRING], BYTES, digest, pricedByTraversal(4)));

/** kro: pkg/cel/library/hash.go. Unlike ours, its functions give bytes. */
export const KRO_HASH_LIBRARY: Library = {
  name: 'kro.hash',
  functions: [hash('fnv64a', fnv64a), hash('sha256', bytesOf(sha256)), hash('md5', bytesOf(md5))],
};
