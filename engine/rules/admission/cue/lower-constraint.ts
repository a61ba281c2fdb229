import type { CelIssue } from '../../../cel/issue.ts';
import { BOOL, STRING } from '../../../cel/types.ts';
import type { CueIssue } from '../../../text/cue-syntax/tree.ts';
import { type DocumentPath, formatPath } from '../../../text/document.ts';
import type { Reporter } from '../../reporter.ts';
import type { ExpressionCompiler } from '../expressions.ts';
import { OWN_METADATA, type TemplatePlace } from '../pod-template.ts';
import type { Expression } from '../policy.ts';
import { translateCue } from './translate-cue.ts';

export interface ConstraintOptions {
  /** Where the pod template is that the constraint is about. */
  readonly place?: TemplatePlace;
  /** Only the types of fields are of interest: no messages are made. */
  readonly typesOnly?: boolean;
}

/** Compiles a CUE constraint to what a validation has: an expression, and one that says what is wrong with an object. */
export function lowerConstraint(
  report: Reporter,
  path: DocumentPath,
  text: string,
  expressions: ExpressionCompiler,
  { place, typesOnly = false }: ConstraintOptions,
): { readonly expression?: Expression | undefined; readonly messageExpression?: Expression | undefined } {
  const translated = translateCue(text, place && ((fields) => templateFields(fields, place)));
  if (!translated.ok) {
    reportCue(report, path, translated.issue);
    return {};
  }
  const expression = expressions.compileAst(path, translated.verdict, {}, { resultTypes: [BOOL], phrase });
  if (expression === undefined || typesOnly) return { expression };
  return { expression, messageExpression: expressions.compileAst(path, translated.message, {}, { resultTypes: [STRING] }) };
}

/** An operator that a field's type does not have, in the words of who wrote no operator. */
function phrase(issue: CelIssue): CelIssue {
  const type = /applied to '\(?([\w.]+(?:\([^']*?\))?)/.exec(issue.message)?.[1];
  if (issue.code !== 'no-matching-overload' || type === undefined) return issue;
  const { hint: _, ...rest } = issue;
  return { ...rest, message: `the field is of type ${type}, of which no value satisfies this` };
}

/** Fields of a pod, in the object that has its template: what {@link OWN_METADATA} leaves behind stays. */
function templateFields(fields: readonly string[], { template }: TemplatePlace): readonly string[] {
  const [first, second] = fields;
  const moves = first === 'spec' || (first === 'metadata' && !(second !== undefined && OWN_METADATA.has(second)));
  return moves ? [...template, ...fields] : fields;
}

function reportCue(report: Reporter, path: DocumentPath, { code, message, start, end, hint }: CueIssue): void {
  const { document } = report;
  const from = document.locateWithin(path, start);
  const to = document.locateWithin(path, Math.max(end, start + 1));
  const span = from === undefined ? document.locate(path) : { start: from, end: to === undefined || to <= from ? from + 1 : to };
  report.add({
    code: `cue-${code}`,
    severity: 'error',
    message,
    source: document.source,
    ...(span === undefined ? {} : { span }),
    path: formatPath(path),
    ...(hint === undefined ? {} : { hint }),
  });
}
