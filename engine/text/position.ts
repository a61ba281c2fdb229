import type { Source } from './diagnostic.ts';

/** Line and column, both from 1; columns count characters (code points), as editors show them. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

const lineStartsBySource = new WeakMap<Source, readonly number[]>();

/** Offsets where the lines of a source start, the first being 0. Computed once per source. */
export function lineStarts(source: Source): readonly number[] {
  let starts = lineStartsBySource.get(source);
  if (starts === undefined) {
    const found = [0];
    for (let at = source.text.indexOf('\n'); at !== -1; at = source.text.indexOf('\n', at + 1)) found.push(at + 1);
    starts = found;
    lineStartsBySource.set(source, starts);
  }
  return starts;
}

/** Index from 0 of the line that an offset stands on. */
export function lineIndexAt(source: Source, offset: number): number {
  const starts = lineStarts(source);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The text of a line, without its end. */
export function lineText(source: Source, index: number): string {
  const starts = lineStarts(source);
  const line = source.text.slice(starts[index], starts[index + 1] ?? source.text.length);
  return line.replace(/\r?\n$/, '');
}

export function positionAt(source: Source, offset: number): Position {
  const index = lineIndexAt(source, offset);
  return { line: index + 1, column: countCharacters(source.text, lineStarts(source)[index] as number, offset) + 1 };
}

function countCharacters(text: string, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    // The second half of a surrogate pair is not a character of its own.
    if (unit < 0xdc00 || unit > 0xdfff || i === start) count++;
  }
  return count;
}
