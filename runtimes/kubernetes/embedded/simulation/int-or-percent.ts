import type { IntOrString } from './kinds.ts';

/** `3`, or `25%` of a total, rounded as told. Anything else counts as 0. Kubernetes: apimachinery pkg/util/intstr GetScaledValueFromIntOrPercent. */
export function scaledValue(value: IntOrString | undefined, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const match = /^(\d{1,9})%$/.exec(value ?? '');
  if (match === null) return 0;
  const exact = (Number(match[1]) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}
