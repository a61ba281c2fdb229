import type { Library } from '../../../../cel/function.ts';
import { declare, globalOverload } from '../../../../cel/libraries/declare.ts';
import { DYN } from '../../../../cel/types.ts';
import { NONE } from '../../../../cel/values.ts';

/** `omit()` leaves a field out of what a template makes, as `optional.none()` does. kro: pkg/cel/library/omit.go. */
export const KRO_OMIT_LIBRARY: Library = {
  name: 'kro.omit',
  functions: [
    declare(
      'omit',
      globalOverload('omit', [], DYN, () => NONE),
    ),
  ],
};
