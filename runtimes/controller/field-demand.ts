import type { FieldDemand } from '../../engine/rules/reconcile/program.ts';

export const NO_FIELDS: FieldDemand = {};

/** Whether a cache that keeps `kept` has everything that `wanted` asks for. */
export function coversDemand(kept: FieldDemand, wanted: FieldDemand): boolean {
  if (kept === true) return true;
  if (wanted === true) return false;
  return Object.entries(wanted).every(([field, demand]) => {
    const own = Object.hasOwn(kept, field) ? kept[field] : undefined;
    const every = Object.hasOwn(kept, '*') ? kept['*'] : undefined;
    return (own !== undefined && coversDemand(own, demand)) || (every !== undefined && coversDemand(every, demand));
  });
}
