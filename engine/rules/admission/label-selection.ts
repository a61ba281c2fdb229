import type { Json } from '../../object/json.ts';
import { labelSelectorOf } from '../../object/label-selector.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Reporter } from '../reporter.ts';
import type { LabelSelector } from '../shapes.ts';
import { isQualifiedName } from './names.ts';
import type { LabelMatcher } from './policy.ts';

export interface CompiledSelector {
  /** Undefined: selects everything. */
  readonly matches: LabelMatcher | undefined;
  /** In the form of `kubectl -l`. */
  readonly text: string;
}

/**
 * Checks a label selector and makes a function of it.
 * Kubernetes: apimachinery pkg/apis/meta/v1/validation ValidateLabelSelector.
 */
export function compileSelector(report: Reporter, path: DocumentPath, selector: LabelSelector): CompiledSelector {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    checkKey(report, [...path, 'matchLabels'], key);
    checkValue(report, [...path, 'matchLabels', key], value);
  }
  for (const [index, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const at = [...path, 'matchExpressions', index];
    checkKey(report, [...at, 'key'], key);
    const listed = operator === 'In' || operator === 'NotIn';
    if (listed && values.length === 0) {
      report.error([...at, 'values'], 'admission-required', "Required value: must be specified when `operator` is 'In' or 'NotIn'");
    } else if (!listed && values.length > 0) {
      const message = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      report.error([...at, 'values'], 'admission-forbidden', message);
    }
    for (const [position, value] of values.entries()) checkValue(report, [...at, 'values', position], value);
  }
  const compiled = labelSelectorOf(selector as Json);
  // What is wrong with it has been said.
  if (!compiled.ok) return { matches: () => false, text: '' };
  const { requirements, matches, text } = compiled.selector;
  return { matches: requirements.length === 0 ? undefined : matches, text };
}

function checkKey(report: Reporter, path: DocumentPath, key: string): void {
  const wrong = isQualifiedName(key);
  if (wrong !== undefined) report.error(path, 'admission-invalid', `Invalid value: ${JSON.stringify(key)}: ${wrong}`);
}

function checkValue(report: Reporter, path: DocumentPath, value: string): void {
  if (value.length > 63)
    report.error(path, 'admission-invalid', `Invalid value: ${JSON.stringify(value)}: must be no more than 63 characters`);
  else if (value !== '' && !/^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(value)) {
    const why =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    report.error(path, 'admission-invalid', `Invalid value: ${JSON.stringify(value)}: ${why}`);
  }
}
