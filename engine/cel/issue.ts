/** A mistake in an expression, before it ever runs. Offsets are UTF-16 offsets into the expression's text. */
export interface CelIssue {
  /** `syntax`, `undeclared-reference`, `no-matching-overload`, `type-mismatch`, `cost-estimate`, ... prefixed `cel-` in diagnostics. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** cel-go's text, word for word, without the `ERROR: <input>:1:1: ` in front. */
  readonly message: string;
  readonly start: number;
  readonly end: number;
  /** Where cel-go would put its caret. */
  readonly at: number;
  readonly hint?: string;
}

/**
 * cel-go's picture of issues, as the API server puts it in its messages:
 *
 *     ERROR: <input>:1:1: undeclared reference to 'objct' (in container '')
 *      | objct.metadata
 *      | ^
 */
export function formatIssues(text: string, issues: readonly CelIssue[]): string {
  const lines = text.split('\n');
  return issues
    .map((issue) => {
      const before = text.slice(0, issue.at);
      const line = before.split('\n').length;
      const column = Array.from(before.slice(before.lastIndexOf('\n') + 1)).length;
      const head = `${issue.severity === 'error' ? 'ERROR' : 'WARNING'}: <input>:${line}:${column + 1}: ${issue.message}`;
      return `${head}\n | ${lines[line - 1] ?? ''}\n | ${'.'.repeat(column)}^`;
    })
    .join('\n');
}
