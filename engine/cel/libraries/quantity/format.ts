import { divideAwayFromZero, powerOfTen, type Quantity } from './quantity.ts';
import { constructSuffix } from './suffix.ts';

/**
 * The canonical form: no fraction, the largest suffix that keeps the number whole, and the suffix family the quantity was
 * written in (`1.5Gi` is `1536Mi`, `0.5` is `500m`). A quantity that was read in an acceptable form is given back as it was.
 * Kubernetes: apimachinery pkg/api/resource Quantity.String.
 */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  if (quantity.unscaled === 0n) return '0';
  if (quantity.format === 'BinarySI') {
    const whole = wholeAmount(quantity);
    if (whole !== undefined && (whole <= -1024n || whole >= 1024n)) return formatBinary(whole);
  }
  const format = quantity.format === 'BinarySI' ? 'DecimalSI' : quantity.format;
  let amount = quantity.unscaled;
  let exponent = quantity.scale;
  while (amount % 10n === 0n) {
    amount /= 10n;
    exponent++;
  }
  const surplus = ((exponent % 3) + 3) % 3;
  return `${amount * powerOfTen(surplus)}${constructSuffix(10, exponent - surplus, format)}`;
}

/** The amount when it is whole. */
function wholeAmount(quantity: Quantity): bigint | undefined {
  if (quantity.scale >= 0) return quantity.unscaled * powerOfTen(quantity.scale);
  const divisor = powerOfTen(-quantity.scale);
  return quantity.unscaled % divisor === 0n ? divideAwayFromZero(quantity.unscaled, divisor) : undefined;
}

function formatBinary(whole: bigint): string {
  let amount = whole;
  let times = 0;
  while ((amount <= -1024n || amount >= 1024n) && amount % 1024n === 0n) {
    amount /= 1024n;
    times++;
  }
  return `${amount}${constructSuffix(2, times * 10, 'BinarySI')}`;
}
