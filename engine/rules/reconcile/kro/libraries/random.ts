import type { Library } from '../../../../cel/function.ts';
import { pricedByName } from '../../../../cel/libraries/call-cost.ts';
import { declare, globalOverload } from '../../../../cel/libraries/declare.ts';
import { INT, STRING } from '../../../../cel/types.ts';
import { CelError, type CelValue, int } from '../../../../cel/values.ts';
import { sha256Bytes } from '../../../../text/digest.ts';

const CHARACTERS = '0123456789abcdefghijklmnopqrstuvwxyz';
const MAX_LENGTH = 10_000;

/** Not random at all: the same seed gives the same text. kro: pkg/cel/library/random.go generateDeterministicString. */
function seededString(length: number | bigint, seed: string): string {
  if (length <= 0) throw new CelError('random.seededString length must be positive');
  if (length > MAX_LENGTH) throw new CelError(`random.seededString length must be at most ${MAX_LENGTH}`);
  const bytes = sha256Bytes(seed);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let text = '';
  // Four bytes of the hash choose a character, and after eight characters it begins again.
  for (let i = 0; i < length; i++) text += CHARACTERS[view.getUint32((i * 4) % bytes.length) % CHARACTERS.length];
  return text;
}

function seededInt(min: number | bigint, max: number | bigint, seed: string): CelValue {
  if (min >= max) throw new CelError('random.seededInt min must be less than max');
  const bytes = sha256Bytes(seed);
  const drawn = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
  return int(BigInt(min) + (drawn % (BigInt(max) - BigInt(min))));
}

export const KRO_RANDOM_LIBRARY: Library = {
  name: 'kro.random',
  functions: [
    declare(
      'random.seededString',
      globalOverload(
        'random.seededString_int_string',
        [INT, STRING],
        STRING,
        seededString,
        pricedByName(
          ([length]) => Math.ceil(Number(length) / 10) + 10,
          () => ({ cost: { min: 10, max: 1010 } }),
        ),
      ),
    ),
    declare('random.seededInt', globalOverload('random.seededInt_int_int_string', [INT, INT, STRING], INT, seededInt)),
  ],
};
