/** Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/filters/warning.go. */
const MAX_WARNING_RUNES = 256;
const MAX_TOTAL_WARNING_RUNES = 4096;

/**
 * The warnings that a client will see, as the API server would cut them: duplicates once, and only when all together
 * exceed 4096 runes each cut to 256 and those beyond the budget dropped. Cutting here keeps the first ones readable and
 * the answer small.
 */
export function budgetWarnings(warnings: readonly string[]): readonly string[] {
  if (warnings.length === 0) return warnings;
  const distinct = [...new Set(warnings)].filter((text) => text !== '');
  let total = 0;
  for (const text of distinct) total += runeCount(text);
  if (total <= MAX_TOTAL_WARNING_RUNES) return distinct;
  const kept: string[] = [];
  let used = 0;
  for (const text of new Set(distinct.map(truncate))) {
    const size = runeCount(text);
    if (used + size > MAX_TOTAL_WARNING_RUNES) break;
    used += size;
    kept.push(text);
  }
  return kept;
}

function runeCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function truncate(text: string): string {
  if (text.length <= MAX_WARNING_RUNES) return text;
  const runes = [...text];
  return runes.length <= MAX_WARNING_RUNES ? text : runes.slice(0, MAX_WARNING_RUNES).join('');
}
