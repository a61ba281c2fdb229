import type { FunctionDeclaration, Library } from '../../function.ts';
import { OPTIONAL_MACROS } from '../../parse/standard-macros.ts';
import { ABSENT, asOptional, checkKey, find } from '../../run/access.ts';
import { noSuchOverload } from '../../run/errors.ts';
import { isZeroValue } from '../../run/type-of.ts';
import { BOOL, DYN, INT, listOf, mapOf, optionalOf, param, STRING, typeOf } from '../../types.ts';
import { CelError, type CelValue, NONE, Optional, some, TypeValue } from '../../values.ts';
import { global, member } from './overloads.ts';

const K = param('K');
const V = param('V');
const OPTIONAL = optionalOf(V);

/** The back ends evaluate these themselves: the second operand only when the first is empty. */
function lazily(): never {
  throw noSuchOverload();
}

/** `container[?key]` and `container.?key`: looks through an optional container, and answers with an optional. */
export function optionalIndex(container: CelValue, key: CelValue): Optional {
  checkKey(key);
  if (container instanceof Optional && !container.present) return NONE;
  const found = find(container instanceof Optional ? container.value : container, key);
  return found === ABSENT ? NONE : some(found);
}

function value(optional: CelValue): CelValue {
  const { present, value } = asOptional(optional);
  if (!present) throw new CelError('optional.none() dereference');
  return value;
}

function unwrap(list: CelValue): CelValue {
  return (list as readonly CelValue[]).map(asOptional).flatMap((optional) => (optional.present ? [optional.value] : []));
}

const FUNCTIONS: readonly FunctionDeclaration[] = [
  { name: 'optional.of', overloads: [global('optional_of', [V], OPTIONAL, some)] },
  {
    name: 'optional.ofNonZeroValue',
    overloads: [global('optional_ofNonZeroValue', [V], OPTIONAL, (item) => (isZeroValue(item) ? NONE : some(item)))],
  },
  { name: 'optional.none', overloads: [global('optional_none', [], OPTIONAL, () => NONE)] },
  { name: 'optional.unwrap', overloads: [global('optional_unwrap', [listOf(OPTIONAL)], listOf(V), unwrap)] },
  { name: 'unwrapOpt', overloads: [member('optional_unwrapOpt', [listOf(OPTIONAL)], listOf(V), unwrap)] },
  { name: 'value', overloads: [member('optional_value', [OPTIONAL], V, value)] },
  { name: 'hasValue', overloads: [member('optional_hasValue', [OPTIONAL], BOOL, (optional) => asOptional(optional).present)] },
  { name: 'first', overloads: [member('list_first', [listOf(V)], OPTIONAL, (list) => optionalIndex(list, 0))] },
  { name: 'last', overloads: [member('list_last', [listOf(V)], OPTIONAL, (list) => optionalIndex(list, (list as unknown[]).length - 1))] },
  { name: 'or', overloads: [member('optional_or_optional', [OPTIONAL, OPTIONAL], OPTIONAL, lazily)] },
  { name: 'orValue', overloads: [member('optional_orValue_value', [OPTIONAL, V], V, lazily)] },
  { name: '_?._', overloads: [global('select_optional_field', [DYN, STRING], OPTIONAL, optionalIndex)] },
  {
    name: '_[?_]',
    overloads: [
      global('list_optindex_optional_int', [listOf(V), INT], OPTIONAL, optionalIndex),
      global('optional_list_optindex_optional_int', [optionalOf(listOf(V)), INT], OPTIONAL, optionalIndex),
      global('map_optindex_optional_value', [mapOf(K, V), K], OPTIONAL, optionalIndex),
      global('optional_map_optindex_optional_value', [optionalOf(mapOf(K, V)), K], OPTIONAL, optionalIndex),
    ],
  },
  {
    name: '_[_]',
    overloads: [
      global('optional_list_index_int', [optionalOf(listOf(V)), INT], OPTIONAL, optionalIndex),
      global('optional_map_index_value', [optionalOf(mapOf(K, V)), K], OPTIONAL, optionalIndex),
    ],
  },
];

/** Optional values: `optional.of`, `.?field`, `[?key]`, `or`, `orValue` and their kin. cel-go: cel/library.go optionalLib. */
export const OPTIONALS: Library = {
  name: 'cel.lib.optional',
  functions: FUNCTIONS,
  macros: OPTIONAL_MACROS,
  identifiers: { optional_type: { type: typeOf(optionalOf(DYN)), value: new TypeValue('optional_type') } },
};
