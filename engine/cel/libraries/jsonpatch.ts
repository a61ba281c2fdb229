import type { Library } from '../function.ts';
import { STRING } from '../types.ts';
import { pricedByTraversal, traversalEstimate } from './call-cost.ts';
import { declare, globalOverload } from './declare.ts';

/** Escapes a key for a JSON Pointer (RFC 6901). */
export const escapePointerKey = (key: string): string => key.replace(/~/g, '~0').replace(/\//g, '~1');

/** What expressions of mutating policies have besides the rest. Kubernetes: pkg/cel/library/jsonpatch.go. */
export const JSON_PATCH_LIBRARY: Library = {
  name: 'kubernetes.jsonpatch',
  functions: [
    declare(
      'jsonpatch.escapeKey',
      globalOverload(
        'string_jsonpatch_escapeKey_string',
        [STRING],
        STRING,
        escapePointerKey,
        pricedByTraversal(1, traversalEstimate(1, true)),
      ),
    ),
  ],
};
