import type { Library } from '../function.ts';
import { BOOL, DOUBLE, INT, opaque, STRING } from '../types.ts';
import { CelError, type CelValue, double, int, Opaque } from '../values.ts';
import { pricedByTraversal, UNIT_PRICE } from './call-cost.ts';
import { declare, globalOverload, memberOverload } from './declare.ts';
import { formatQuantity } from './quantity/format.ts';
import { parseQuantity } from './quantity/parse.ts';
import {
  addQuantities,
  compareQuantities,
  type Quantity,
  quantityAsInt64,
  quantityOfInt,
  quantitySign,
  quantityToNumber,
  subtractQuantities,
} from './quantity/quantity.ts';

/** `kubernetes.Quantity`. */
export class QuantityValue extends Opaque {
  readonly typeName = 'kubernetes.Quantity';
  readonly quantity: Quantity;
  readonly #computed: boolean;

  /** `computed` marks the result of `add` and `sub`. */
  constructor(quantity: Quantity, computed = false) {
    super();
    this.quantity = quantity;
    this.#computed = computed;
  }

  /** In the API server `a == b.add(c)` is an error and `b.add(c) == a` is not: results of arithmetic are only taken on the left. */
  equals(other: CelValue): boolean | undefined {
    if (!(other instanceof QuantityValue) || other.#computed) return undefined;
    return compareQuantities(this.quantity, other.quantity) === 0;
  }

  toString(): string {
    return formatQuantity(this.quantity);
  }
}

const QUANTITY_TYPE = opaque('kubernetes.Quantity');

function fromString(text: string): QuantityValue {
  const parsed = parseQuantity(text);
  if (!parsed.ok) throw new CelError(parsed.error);
  return new QuantityValue(parsed.quantity);
}

function asInteger(value: QuantityValue): number | bigint {
  const integer = quantityAsInt64(value.quantity);
  if (integer === undefined) throw new CelError('cannot convert value to integer');
  return int(integer);
}

const ofInt = (value: number | bigint): Quantity => quantityOfInt(BigInt(value), 'DecimalExponent');

const comparison = (name: string, id: string, result: typeof BOOL, answer: (order: -1 | 0 | 1) => CelValue) =>
  declare(
    name,
    memberOverload(
      id,
      [QUANTITY_TYPE, QUANTITY_TYPE],
      result,
      (a: QuantityValue, b: QuantityValue) => answer(compareQuantities(a.quantity, b.quantity)),
      UNIT_PRICE,
    ),
  );

const arithmetic = (name: string, combine: (a: Quantity, b: Quantity) => Quantity) =>
  declare(
    name,
    memberOverload(
      `quantity_${name}`,
      [QUANTITY_TYPE, QUANTITY_TYPE],
      QUANTITY_TYPE,
      (a: QuantityValue, b: QuantityValue) => new QuantityValue(combine(a.quantity, b.quantity), true),
      UNIT_PRICE,
    ),
    memberOverload(
      `quantity_${name}_int`,
      [QUANTITY_TYPE, INT],
      QUANTITY_TYPE,
      (a: QuantityValue, b: number | bigint) => new QuantityValue(combine(a.quantity, ofInt(b)), true),
      UNIT_PRICE,
    ),
  );

/** Amounts of resources (`100m`, `1.5Gi`). Kubernetes: pkg/cel/library/quantity.go. */
export const QUANTITY_LIBRARY: Library = {
  name: 'kubernetes.quantity',
  functions: [
    declare('quantity', globalOverload('string_to_quantity', [STRING], QUANTITY_TYPE, fromString, pricedByTraversal(1))),
    declare(
      'isQuantity',
      globalOverload('is_quantity_string', [STRING], BOOL, (text: string) => parseQuantity(text).ok, pricedByTraversal(1)),
    ),
    // A plain function, not a member: `sign(quantity('1'))`.
    declare(
      'sign',
      globalOverload('quantity_sign', [QUANTITY_TYPE], INT, (value: QuantityValue) => quantitySign(value.quantity), UNIT_PRICE),
    ),
    comparison('isGreaterThan', 'quantity_is_greater_than', BOOL, (order) => order > 0),
    comparison('isLessThan', 'quantity_is_less_than', BOOL, (order) => order < 0),
    comparison('compareTo', 'quantity_compare_to', INT, (order) => order),
    declare(
      'asApproximateFloat',
      memberOverload(
        'quantity_get_float',
        [QUANTITY_TYPE],
        DOUBLE,
        (value: QuantityValue) => double(quantityToNumber(value.quantity)),
        UNIT_PRICE,
      ),
    ),
    declare('asInteger', memberOverload('quantity_get_int', [QUANTITY_TYPE], INT, asInteger, UNIT_PRICE)),
    declare(
      'isInteger',
      memberOverload(
        'quantity_is_integer',
        [QUANTITY_TYPE],
        BOOL,
        (value: QuantityValue) => quantityAsInt64(value.quantity) !== undefined,
        UNIT_PRICE,
      ),
    ),
    arithmetic('add', addQuantities),
    arithmetic('sub', subtractQuantities),
  ],
};
