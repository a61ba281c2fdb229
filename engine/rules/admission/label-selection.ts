import type { DocumentPath } from '../../text/document.ts';
import type { Reporter } from './diagnose.ts';
import type { LabelSelector } from './document.ts';
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
 * Kubernetes: apimachinery pkg/apis/meta/v1/validation ValidateLabelSelector, pkg/labels Requirement.Matches.
 */
export function compileSelector(report: Reporter, path: DocumentPath, selector: LabelSelector): CompiledSelector {
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    checkKey(report, [...path, 'matchLabels'], key);
    checkValue(report, [...path, 'matchLabels', key], value);
    requirements.push({ key, operator: 'In', values: new Set([value]) });
  }
  for (const [index, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const at = [...path, 'matchExpressions', index];
    checkKey(report, [...at, 'key'], key);
    const listed = operator === 'In' || operator === 'NotIn';
    if (listed && values.length === 0) {
      report.error([...at, 'values'], 'admission-required', "Required value: must be specified when `operator` is 'In' or 'NotIn'");
    } else if (!listed && values.length > 0) {
      report.error(
        [...at, 'values'],
        'admission-forbidden',
        "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      );
    }
    for (const [position, value] of values.entries()) checkValue(report, [...at, 'values', position], value);
    requirements.push({ key, operator, values: new Set(values) });
  }
  return {
    matches: requirements.length === 0 ? undefined : (labels) => requirements.every((requirement) => holds(requirement, labels)),
    text: requirements.map(formatRequirement).join(','),
  };
}

interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: ReadonlySet<string>;
}

function holds({ key, operator, values }: Requirement, labels: Parameters<LabelMatcher>[0]): boolean {
  const present = labels !== undefined && Object.hasOwn(labels, key);
  switch (operator) {
    case 'Exists':
      return present;
    case 'DoesNotExist':
      return !present;
    case 'In':
      return present && values.has(labels[key] as string);
    case 'NotIn':
      return !present || !values.has(labels[key] as string);
  }
}

function formatRequirement({ key, operator, values }: Requirement): string {
  if (operator === 'Exists') return key;
  if (operator === 'DoesNotExist') return `!${key}`;
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].sort().join(',')})`;
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
