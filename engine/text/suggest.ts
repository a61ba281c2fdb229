/** Edits (insert, delete, replace, swap of neighbours) from one text to the other, or `limit + 1` when there are more than `limit`. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, (last[j - 1] as number) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        distance = Math.min(distance, (beforeLast[j - 2] as number) + 1);
      row.push(distance);
      if (distance < best) best = distance;
    }
    if (best > limit) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return last[b.length] as number;
}

/** The candidate that a misspelt name was most likely meant to be: case, a plural, or up to a third of its letters differ. */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > 100) return undefined;
  const lower = name.toLowerCase().replace(/[-_]/g, '');
  let found: string | undefined;
  let best = Math.max(1, Math.floor(name.length / 3));
  for (const candidate of candidates) {
    const other = candidate.toLowerCase().replace(/[-_]/g, '');
    if (other === lower) return candidate;
    const distance = editDistance(lower, other, best);
    if (distance < best || (distance === best && found === undefined)) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}
