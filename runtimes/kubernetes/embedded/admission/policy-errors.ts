import { goQuote } from '../../../../engine/cel/go-quote.ts';
import { formatIssues } from '../../../../engine/cel/issue.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import type { Diagnostic } from '../../../../engine/text/diagnostic.ts';
import type { FieldError } from '../field-error.ts';

/** How messages of field errors begin, by what they are. */
const TYPES: readonly (readonly [beginning: string, type: FieldError['type']])[] = [
  ['Required value', 'FieldValueRequired'],
  ['Unsupported value', 'FieldValueNotSupported'],
  ['Duplicate value', 'FieldValueDuplicate'],
  ['Forbidden', 'FieldValueForbidden'],
  ['Invalid value', 'FieldValueInvalid'],
];

/**
 * What is wrong with a policy as the API server says it: expressions with cel-go's picture of their mistakes. Spans of `diagnostics`
 * are offsets within the expressions themselves. Kubernetes: pkg/apis/admissionregistration/validation/validation.go.
 */
export function policyErrors(policy: JsonObject, diagnostics: readonly Diagnostic[]): readonly FieldError[] {
  const errors: FieldError[] = [];
  const pictured = new Set<string>();
  for (const { path = '$', message, code } of diagnostics) {
    const field = path.replace(/^\$\.?/, '');
    if (code.startsWith('cel-')) {
      if (pictured.has(path)) continue;
      pictured.add(path);
      const mistakes = diagnostics.filter((other) => other.path === path && other.code.startsWith('cel-'));
      errors.push({ type: 'FieldValueInvalid', field, body: pictureOf(textAt(policy, field), mistakes) });
      continue;
    }
    const type = TYPES.find(([beginning]) => message.startsWith(beginning))?.[1];
    errors.push({ type: type ?? 'FieldValueInvalid', field, body: type === undefined ? `Invalid value: ${message}` : message });
    // Either of them would do, and so Kubernetes says it of both.
    if (type === 'FieldValueRequired' && field === 'spec.validations') errors.push({ type, field: 'spec.auditAnnotations', body: message });
  }
  return errors;
}

function pictureOf(expression: string, mistakes: readonly Diagnostic[]): string {
  const issues = mistakes.map(({ code, message, span }) => ({
    code,
    severity: 'error' as const,
    message,
    start: span?.start ?? 0,
    end: span?.end ?? 0,
    at: span?.start ?? -1,
  }));
  return `Invalid value: ${goQuote(expression)}: compilation failed: ${formatIssues(expression, issues)}`;
}

/** The text at `spec.validations[0].expression`. */
function textAt(object: JsonObject, field: string): string {
  let node: Json | undefined = object;
  for (const [, name, index] of field.matchAll(/([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]/g)) {
    if (index !== undefined) node = Array.isArray(node) ? (node as readonly Json[])[Number(index)] : undefined;
    else node = isJsonObject(node) && name !== undefined ? ownValue(node, name) : undefined;
  }
  return typeof node === 'string' ? node : '';
}
