import type { Library } from '../../cel/function.ts';
import { pricedByName, pricedByTraversal, traversalCost, traversalEstimate } from '../../cel/libraries/call-cost.ts';
import { declare, globalOverload } from '../../cel/libraries/declare.ts';
import { DYN, STRING } from '../../cel/types.ts';
import { CelError, type CelValue } from '../../cel/values.ts';
import { celToJson, MAX_JSON_SIZE, OMIT } from '../../object/cel-to-json.ts';
import { canonicalJson, exceedsDepth, type Json } from '../../object/json.ts';

function marshal(value: CelValue): string {
  const json = celToJson(value);
  if (json === OMIT) throw new CelError('json.marshal of a value that is absent');
  return canonicalJson(json);
}

function unmarshal(text: string): CelValue {
  if (text.length > MAX_JSON_SIZE) throw new CelError(`the JSON has more than ${MAX_JSON_SIZE} characters`);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    // What JSON.parse says quotes the text, which may be a secret.
    throw new CelError('the text is not JSON');
  }
  if (exceedsDepth(value)) throw new CelError('the JSON nests too deeply');
  return value as CelValue;
}

/**
 * `json.marshal(value)`, with the keys of maps sorted so that the same value is the same text, and `json.unmarshal(text)`. Numbers without a
 * fraction become ints.
 */
export const JSON_LIBRARY: Library = {
  name: 'fairlead.json',
  functions: [
    declare(
      'json.marshal',
      globalOverload(
        'json_marshal_dyn',
        [DYN],
        STRING,
        marshal,
        pricedByName(([value]) => 1 + traversalCost(value as CelValue), traversalEstimate(1)),
      ),
    ),
    declare('json.unmarshal', globalOverload('json_unmarshal_string', [STRING], DYN, unmarshal, pricedByTraversal(2))),
  ],
};
