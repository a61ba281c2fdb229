/** A mistake in an expression, before it ever runs. Offsets are UTF-16 offsets into the expression's text. */
export interface CelIssue {
  /** `syntax`, `undeclared-reference`, `no-matching-overload`, `type-mismatch`, `cost-estimate`, ... prefixed `cel-` in diagnostics. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** cel-go's text, word for word, without the `ERROR: <input>:1:1: ` in front. */
  readonly message: string;
  readonly start: number;
  readonly end: number;
  /** Where cel-go would put its caret; -1 when the issue is about the expression as a whole. */
  readonly at: number;
  readonly hint?: string;
}

/** A longer line is not shown. cel-go: common/error.go maxSnippetLength. */
const MAX_SNIPPET_BYTES = 16_384;

/** More issues than this are counted, not shown. cel-go: common/errors.go maxErrorsToReport. */
const MAX_ISSUES = 100;

/**
 * cel-go's picture of issues, as the API server puts it in its messages, sorted by position:
 *
 *     ERROR: <input>:1:1: undeclared reference to 'objct' (in container '')
 *      | objct.metadata
 *      | ^
 */
export function formatIssues(text: string, issues: readonly CelIssue[]): string {
  const shown = issues.slice(0, MAX_ISSUES);
  const pictures = shown.toSorted((a, b) => a.at - b.at).map((issue) => formatIssue(text, issue));
  if (issues.length > MAX_ISSUES) pictures.push(`${issues.length - MAX_ISSUES} more errors were truncated`);
  return pictures.join('\n');
}

function formatIssue(text: string, issue: CelIssue): string {
  const severity = issue.severity === 'error' ? 'ERROR' : 'WARNING';
  if (text === '') return `${severity}: <input>:1:0: ${issue.message}`;
  if (issue.at < 0) return `${severity}: <input>:-1:0: ${issue.message}`;
  const lineStart = text.lastIndexOf('\n', issue.at - 1) + 1;
  const lineNumber = countNewlines(text, lineStart) + 1;
  const column = Array.from(text.slice(lineStart, issue.at));
  const head = `${severity}: <input>:${lineNumber}:${column.length + 1}: ${issue.message}`;
  const newline = text.indexOf('\n', issue.at);
  const line = text.slice(lineStart, newline < 0 ? text.length : newline).replaceAll('\t', ' ');
  if (new TextEncoder().encode(line).length > MAX_SNIPPET_BYTES) return head;
  // Under a wide character stands a wide dot, so that the caret stays in its column.
  const dots = column.map((char) => (char.codePointAt(0)! < 128 ? '.' : '\uff0e')).join('');
  const caret = (text.codePointAt(issue.at) ?? 0) < 128 ? '^' : '\uff3e';
  return `${head}\n | ${line}\n | ${dots}${caret}`;
}

function countNewlines(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
