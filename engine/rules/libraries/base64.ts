import type { Library } from '../../cel/function.ts';
import { pricedByTraversal } from '../../cel/libraries/call-cost.ts';
import { declare, globalOverload } from '../../cel/libraries/declare.ts';
import { BYTES, STRING } from '../../cel/types.ts';
import { CelError } from '../../cel/values.ts';

function encode(value: string | Uint8Array): string {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function decode(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    throw new CelError('illegal base64 data');
  }
}

/**
 * `base64.encode(bytes or text)` and `base64.decode(text)`, as the fields of Secrets have it: RFC 4648 with padding. Kubernetes enables no
 * such functions; those of cel-go (ext/encoders.go) have the same names, and encode bytes only.
 */
export const BASE64_LIBRARY: Library = {
  name: 'fairlead.base64',
  functions: [
    declare(
      'base64.encode',
      globalOverload('base64_encode_bytes', [BYTES], STRING, encode, pricedByTraversal(2)),
      globalOverload('base64_encode_string', [STRING], STRING, encode, pricedByTraversal(2)),
    ),
    declare('base64.decode', globalOverload('base64_decode_string', [STRING], BYTES, decode, pricedByTraversal(1))),
  ],
};
