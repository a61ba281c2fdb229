import { getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';

/** How many source characters follow `\x` in an escape, and so how long it is. */
const HEX_ESCAPES: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * For each UTF-16 unit of a scalar's value, and for its end, the offset in the source it came from: quotes, escapes, folding
 * and indentation undone. The array has one element more than the value has units.
 */
export function scalarOffsets(text: string, event: ScalarEvent): number[] {
  const value = getScalarValue(text, event);
  switch (event.style) {
    case SCALAR_STYLE.LITERAL_BLOCK:
    case SCALAR_STYLE.FOLDED_BLOCK:
      return blockOffsets(text, event, value);
    default:
      return flowOffsets(text, event);
  }
}

function flowOffsets(text: string, event: ScalarEvent): number[] {
  const { valueEnd: end, style } = event;
  const offsets: number[] = [];
  let at = event.valueStart;
  while (at < end) {
    const ch = text[at] as string;
    if (ch === ' ' || ch === '\t' || ch === '\n' || ch === '\r') {
      const run = whitespaceRun(text, at, end);
      // A line break folds to one space, each further one to a line feed; white space around it is dropped.
      if (run.breaks === 0) for (let i = at; i < run.end; i++) offsets.push(i);
      else for (let i = 0; i < Math.max(1, run.breaks - 1); i++) offsets.push(at);
      at = run.end;
    } else if (ch === "'" && style === SCALAR_STYLE.SINGLE_QUOTED) {
      offsets.push(at);
      at += 2;
    } else if (ch === '\\' && style === SCALAR_STYLE.DOUBLE_QUOTED) {
      const escaped = text[at + 1] as string;
      if (escaped === '\n' || escaped === '\r') {
        const run = whitespaceRun(text, at + 1, end);
        for (let i = 1; i < run.breaks; i++) offsets.push(at);
        at = run.end;
      } else {
        const digits = HEX_ESCAPES[escaped] ?? 0;
        offsets.push(at);
        if (digits === 8 && Number.parseInt(text.slice(at + 2, at + 10), 16) > 0xffff) offsets.push(at);
        at += 2 + digits;
      }
    } else {
      offsets.push(at);
      at++;
    }
  }
  offsets.push(end);
  return offsets;
}

function whitespaceRun(text: string, start: number, limit: number): { readonly end: number; readonly breaks: number } {
  let breaks = 0;
  let end = start;
  for (; end < limit; end++) {
    const ch = text[end];
    if (ch === '\n') breaks++;
    else if (ch === '\r') {
      breaks++;
      if (text[end + 1] === '\n') end++;
    } else if (ch !== ' ' && ch !== '\t') break;
  }
  return { end, breaks };
}

function blockOffsets(text: string, event: ScalarEvent, value: string): number[] {
  const offsets: number[] = [];
  let lineStart = event.valueStart;
  while (lineStart < event.valueEnd) {
    let lineEnd = lineStart;
    while (lineEnd < event.valueEnd && text[lineEnd] !== '\n' && text[lineEnd] !== '\r') lineEnd++;
    const content = event.indent >= 0 && lineStart + event.indent <= lineEnd ? text.slice(lineStart + event.indent, lineEnd) : '';
    if (content !== '') {
      // What stands between two lines is made of spaces or line feeds only, so the next occurrence is the line itself.
      const found = value.indexOf(content, offsets.length);
      const contentStart = lineStart + event.indent;
      while (offsets.length < found) offsets.push(lineStart);
      for (let i = 0; i < content.length; i++) offsets.push(contentStart + i);
    }
    lineStart = lineEnd + (text[lineEnd] === '\r' && text[lineEnd + 1] === '\n' ? 2 : 1);
  }
  const end = event.valueEnd;
  while (offsets.length < value.length) offsets.push(Math.max(event.valueStart, end - 1));
  offsets.push(end);
  return offsets;
}
