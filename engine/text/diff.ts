/** One line of an edit script: kept, only in the old text, or only in the new one. */
export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** Beyond this many differing lines, minimality is given up: the whole middle is replaced. */
const MAX_EDITS = 2000;

/**
 * A shortest edit script from one list of lines to another (E. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986).
 * Removals come before additions where both are possible.
 */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before[before.length - 1 - end] === after[after.length - 1 - end])
    end++;
  const same = (text: string): DiffLine => ({ kind: 'same', text });
  return [
    ...before.slice(0, start).map(same),
    ...diffMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

function diffMiddle(before: readonly string[], after: readonly string[]): DiffLine[] {
  const replaceAll = (): DiffLine[] => [
    ...before.map((text): DiffLine => ({ kind: 'removed', text })),
    ...after.map((text): DiffLine => ({ kind: 'added', text })),
  ];
  if (before.length === 0 || after.length === 0) return replaceAll();
  const limit = Math.min(before.length + after.length, MAX_EDITS);
  // furthest[k + limit]: how far in `before` the best path on diagonal k has come; one copy is kept per step, to walk back.
  const furthest = new Int32Array(2 * limit + 2);
  const steps: Int32Array[] = [];
  for (let d = 0; d <= limit; d++) {
    steps.push(furthest.slice(limit - d, limit + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (furthest[limit + k - 1] as number) < (furthest[limit + k + 1] as number));
      let x = down ? (furthest[limit + k + 1] as number) : (furthest[limit + k - 1] as number) + 1;
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x++;
      furthest[limit + k] = x;
      if (x >= before.length && x - k >= after.length) return walkBack(before, after, steps, d);
    }
  }
  return replaceAll();
}

function walkBack(before: readonly string[], after: readonly string[], steps: readonly Int32Array[], edits: number): DiffLine[] {
  const lines: DiffLine[] = [];
  let x = before.length;
  let y = after.length;
  for (let d = edits; d >= 0; d--) {
    const furthest = steps[d] as Int32Array;
    const at = (diagonal: number): number => furthest[diagonal + d] as number;
    const k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const from = d === 0 ? 0 : down ? at(k + 1) : at(k - 1);
    const fromY = d === 0 ? 0 : from - (down ? k + 1 : k - 1);
    while (x > from && y > fromY && (d === 0 || x > from + (down ? 0 : 1) || y > fromY + (down ? 1 : 0))) {
      lines.push({ kind: 'same', text: before[--x] as string });
      y--;
    }
    if (d > 0) {
      if (down) lines.push({ kind: 'added', text: after[--y] as string });
      else lines.push({ kind: 'removed', text: before[--x] as string });
    }
  }
  return lines.reverse();
}

export interface UnifiedDiffOptions {
  /** Unchanged lines around each change. Default: 3. */
  readonly context?: number;
}

/** One stretch of changes in a unified diff. */
export interface Hunk {
  /** `@@ -1,4 +1,5 @@` */
  readonly header: string;
  readonly lines: readonly DiffLine[];
}

/** The changes between two texts, as unified diffs group them. Empty when the texts are equal. */
export function diffHunks(before: string, after: string, { context = 3 }: UnifiedDiffOptions = {}): Hunk[] {
  const lines = diffLines(splitLines(before), splitLines(after));
  const hunks: Hunk[] = [];
  let oldLine = 1;
  let newLine = 1;
  let open: { lines: DiffLine[]; oldStart: number; newStart: number; quiet: number } | undefined;
  const close = (): void => {
    if (open === undefined) return;
    const kept = open.lines.slice(0, open.lines.length - Math.max(open.quiet - context, 0));
    const oldCount = kept.filter(({ kind }) => kind !== 'added').length;
    const newCount = kept.filter(({ kind }) => kind !== 'removed').length;
    hunks.push({ header: `@@ -${range(open.oldStart, oldCount)} +${range(open.newStart, newCount)} @@`, lines: kept });
    open = undefined;
  };
  lines.forEach((line, i) => {
    if (line.kind !== 'same') {
      if (open === undefined) {
        const lead = lines.slice(Math.max(0, i - context), i);
        open = { lines: lead.slice(), oldStart: oldLine - lead.length, newStart: newLine - lead.length, quiet: 0 };
      }
      open.lines.push(line);
      open.quiet = 0;
    } else if (open !== undefined) {
      open.lines.push(line);
      if (++open.quiet > 2 * context) close();
    }
    if (line.kind !== 'added') oldLine++;
    if (line.kind !== 'removed') newLine++;
  });
  close();
  return hunks;
}

function range(start: number, count: number): string {
  if (count === 0) return `${start - 1},0`;
  return count === 1 ? String(start) : `${start},${count}`;
}

function splitLines(text: string): string[] {
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

const SIGNS = { same: ' ', removed: '-', added: '+' } as const;

/** The lines of {@link diffHunks} as `diff -u` prints them, without file names. */
export function unifiedDiff(before: string, after: string, options: UnifiedDiffOptions = {}): string {
  return diffHunks(before, after, options)
    .map(({ header, lines }) => `${header}\n${lines.map(({ kind, text }) => `${SIGNS[kind]}${text}\n`).join('')}`)
    .join('');
}
