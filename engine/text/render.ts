import type { Diagnostic, Severity, Source, Span } from './diagnostic.ts';
import { characterWidth, visible } from './display-width.ts';
import { lineIndexAt, lineStarts, lineText, positionAt } from './position.ts';

/** How parts of a rendered diagnostic are set off; each function returns its text with colour around it. */
export interface Style {
  severity(severity: Severity, text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

/** No colour at all: for pipes, files and tests. */
export const PLAIN_STYLE: Style = { severity: (_, text) => text, strong: (text) => text, faint: (text) => text };

const TAB_WIDTH = 4;
/** Columns of source shown; of longer lines the part around the span. */
const MAX_COLUMNS = 120;

/**
 * A diagnostic as people read it:
 *
 *     policy.yaml:12:17: error: undeclared reference to 'objct' [cel-undeclared-reference]
 *        12 |   expression: "objct.spec.replicas <= 5"
 *           |                ^^^^^
 *           = hint: did you mean object?
 *
 * Ends without a line feed. Text from documents can't smuggle terminal control sequences through it.
 */
export function renderDiagnostic(diagnostic: Diagnostic, style: Style = PLAIN_STYLE): string {
  const { source, span, severity } = diagnostic;
  const place = source === undefined ? '' : span === undefined ? `${visible(source.name)}: ` : `${formatPlace(source, span)}: `;
  const [firstLine = '', ...otherLines] = visible(diagnostic.message).split('\n');
  const head = `${style.strong(place)}${style.severity(severity, `${severity}:`)} ${style.strong(firstLine)} ${style.faint(`[${diagnostic.code}]`)}`;
  const lines = [head, ...otherLines.map((line) => `    ${line}`)];
  const picture = source === undefined || span === undefined ? undefined : drawPicture(source, span, severity, style);
  const gutter = picture?.gutter ?? '    ';
  if (picture !== undefined) lines.push(...picture.lines);
  if (diagnostic.path !== undefined && diagnostic.path !== '$') lines.push(style.faint(`${gutter} = at ${visible(diagnostic.path)}`));
  if (diagnostic.hint !== undefined) {
    const [hint = '', ...rest] = visible(diagnostic.hint).split('\n');
    lines.push(`${style.faint(`${gutter} =`)} hint: ${hint}`, ...rest.map((line) => `${gutter}         ${line}`));
  }
  return lines.join('\n');
}

/** `policy.yaml:12:17`: where a span starts, as terminals and editors make links of. */
export function formatPlace(source: Source, span: Span): string {
  const { line, column } = positionAt(source, span.start);
  return `${visible(source.name)}:${line}:${column}`;
}

interface Picture {
  readonly gutter: string;
  readonly lines: readonly string[];
}

function drawPicture(source: Source, span: Span, severity: Severity, style: Style): Picture {
  const first = lineIndexAt(source, span.start);
  const last = lineIndexAt(source, Math.max(span.start, span.end - 1));
  const shown = last - first <= 2 ? range(first, last) : [first, undefined, last];
  const width = Math.max(5, String(last + 1).length + 2);
  const gutter = ' '.repeat(width);
  const lines: string[] = [];
  for (const index of shown) {
    if (index === undefined) {
      lines.push(style.faint(`${'...'.padStart(width)} |`));
      continue;
    }
    const start = lineStarts(source)[index] as number;
    const text = lineText(source, index);
    const from = Math.max(span.start - start, 0);
    const to = Math.min(span.end - start, text.length);
    // On a line that the span runs through, its indentation is not part of what is meant.
    const indent = index === first ? 0 : text.length - text.trimStart().length;
    const line = drawLine(text, Math.max(from, indent), to);
    lines.push(`${style.faint(`${String(index + 1).padStart(width)} |`)} ${line.text}`.trimEnd());
    lines.push(`${style.faint(`${gutter} |`)} ${' '.repeat(line.caretStart)}${style.severity(severity, '^'.repeat(line.caretWidth))}`);
  }
  return { gutter, lines };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** A source line as drawn, and where the carets under `from`..`to` (UTF-16 offsets into the line) go. */
function drawLine(
  text: string,
  from: number,
  to: number,
): { readonly text: string; readonly caretStart: number; readonly caretWidth: number } {
  let drawn = '';
  let column = 0;
  let caretStart = -1;
  let caretEnd = -1;
  let offset = 0;
  // A line of megabytes is cut before it is measured; what is cut off lies far from the span.
  const cutStart = Math.max(0, from - 4 * MAX_COLUMNS);
  for (const character of text.slice(cutStart, from + 4 * MAX_COLUMNS)) {
    const at = cutStart + offset;
    if (at >= from && caretStart === -1) caretStart = column;
    if (at >= to && caretEnd === -1) caretEnd = column;
    offset += character.length;
    if (character === '\t') {
      const columns = TAB_WIDTH - (column % TAB_WIDTH);
      drawn += ' '.repeat(columns);
      column += columns;
    } else {
      drawn += visible(character);
      column += characterWidth(character);
    }
  }
  if (caretStart === -1) caretStart = column;
  if (caretEnd === -1) caretEnd = column;
  return crop(drawn, caretStart, Math.max(caretEnd - caretStart, 1));
}

/** Keeps the part of a long line that the carets stand under. */
function crop(drawn: string, caretStart: number, caretWidth: number): { text: string; caretStart: number; caretWidth: number } {
  const characters = Array.from(drawn);
  const widths = characters.map(characterWidth);
  const total = widths.reduce<number>((sum, width) => sum + width, 0);
  if (total <= MAX_COLUMNS) return { text: drawn, caretStart, caretWidth };
  const lead = Math.max(0, Math.min(caretStart - MAX_COLUMNS / 3, total - MAX_COLUMNS));
  let column = 0;
  let text = '';
  let skipped = 0;
  characters.forEach((character, i) => {
    const width = widths[i] as number;
    if (column < lead) skipped += width;
    else if (column + width <= lead + MAX_COLUMNS) text += character;
    column += width;
  });
  const ellipsis = lead > 0 ? '...' : '';
  return {
    text: `${ellipsis}${text}${total > lead + MAX_COLUMNS ? '...' : ''}`,
    caretStart: caretStart - skipped + ellipsis.length,
    caretWidth: Math.min(caretWidth, MAX_COLUMNS - (caretStart - skipped)),
  };
}

/** A diagnostic for editors and pipelines. Lines and columns count from 1, the end is exclusive. */
export interface DiagnosticRecord {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
  readonly path?: string;
}

export function toRecord(diagnostic: Diagnostic): DiagnosticRecord {
  const { code, severity, message, hint, source, span, path } = diagnostic;
  const start = source !== undefined && span !== undefined ? positionAt(source, span.start) : undefined;
  const end = source !== undefined && span !== undefined ? positionAt(source, span.end) : undefined;
  return {
    code,
    severity,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(source === undefined ? {} : { file: source.name }),
    ...(start === undefined || end === undefined
      ? {}
      : { line: start.line, column: start.column, endLine: end.line, endColumn: end.column }),
    ...(path === undefined ? {} : { path }),
  };
}
