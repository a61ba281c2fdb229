const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `500ms`, `2s`, `1m30s`; undefined where the text is no duration of that form. */
export function parseDuration(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h)){1,4}$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|s|m|h)/g)) total += Number(amount) * UNITS[unit!]!;
  return total;
}
