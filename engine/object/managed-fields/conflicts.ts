import { goQuote } from '../../cel/go-quote.ts';
import { type ManagerEntry, managerKey } from './managers.ts';
import type { FieldConflict } from './ownership.ts';
import { formatFieldPath } from './path-element.ts';

/** A cause of the Status that says 409. */
export interface ApplyConflict {
  /** `conflict with "kubectl-edit" using apps/v1`. */
  readonly message: string;
  /** `.spec.template.spec.containers[name="app"].image`. */
  readonly field: string;
}

/** Conflicts in the API server's words. Kubernetes: apimachinery pkg/util/managedfields/internal/conflict.go. */
export function describeConflicts(found: readonly FieldConflict[]): {
  readonly message: string;
  /** By manager; those of one manager in the order of its fields. */
  readonly conflicts: readonly ApplyConflict[];
} {
  const sorted = found
    .map(({ manager, path }) => ({ key: managerKey(manager), who: describeManager(manager), field: formatFieldPath(path) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const conflicts = sorted.map(({ who, field }) => ({ message: `conflict with ${who}`, field }));
  const [first] = sorted;
  if (first !== undefined && sorted.length === 1) {
    return { message: `Apply failed with 1 conflict: conflict with ${first.who}: ${first.field}`, conflicts };
  }
  const lines: string[] = [];
  sorted.forEach(({ key, who, field }, i) => {
    if (key !== sorted[i - 1]?.key) lines.push(`conflicts with ${who}:`);
    lines.push(`- ${field}`);
  });
  return { message: `Apply failed with ${sorted.length} conflicts: ${lines.join('\n')}`, conflicts };
}

function describeManager({ manager, operation, apiVersion, subresource }: ManagerEntry): string {
  const who = subresource === '' ? goQuote(manager) : `${goQuote(manager)} with subresource ${goQuote(subresource)}`;
  return operation === 'Update' ? `${who} using ${apiVersion}` : who;
}
