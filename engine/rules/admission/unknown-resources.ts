import type { TypeTable } from '../../object/type-table.ts';
import type { DocumentPath } from '../../text/document.ts';
import { suggest } from '../../text/suggest.ts';
import type { Reporter } from '../reporter.ts';
import type { ResourceRule } from './resource-match.ts';

/**
 * Warns of resource rules that nothing can match: groups written with their version, and names that a group whose resources are
 * known does not have (`Pod`, `pod`, deployments of the core group). The API server takes them without a word, and the rule lets
 * everything pass.
 */
export function warnOfUnknownResources(
  report: Reporter,
  path: DocumentPath,
  rules: readonly ResourceRule[],
  types: TypeTable | undefined,
): void {
  for (const [index, rule] of rules.entries()) {
    const at = [...path, index];
    const misnamed = rule.apiGroups.map((group, i) => checkGroup(report, [...at, 'apiGroups', i], group)).includes(true);
    if (misnamed || types === undefined) continue;
    if (!rule.apiGroups.every((group) => types.versions(group).length > 0)) continue;
    for (const [i, resource] of rule.resources.entries()) {
      if (resource.startsWith('*') || rule.apiGroups.some((group) => hasResource(types, group, resource))) continue;
      const where = rule.apiGroups.map(groupName).join(' or ');
      report.warning(
        [...at, 'resources', i],
        'admission-unknown-resource',
        `there is no resource ${JSON.stringify(resource)} in ${where}, so this matches nothing`,
        hintFor(types, rule.apiGroups, resource),
      );
    }
  }
}

/** True where the name of a group can't be one. */
function checkGroup(report: Reporter, path: DocumentPath, group: string): boolean {
  const slash = group.indexOf('/');
  if (slash < 0 && group !== 'core' && group !== 'v1') return false;
  const message = `there is no API group ${JSON.stringify(group)}, so this matches nothing`;
  const hint = slash < 0 ? 'the core group is ""' : `versions stand in apiVersions: the group is ${JSON.stringify(group.slice(0, slash))}`;
  report.warning(path, 'admission-unknown-group', message, hint);
  return true;
}

const groupName = (group: string): string => (group === '' ? 'the core group' : `the group ${group}`);

function hasResource(types: TypeTable, group: string, resource: string): boolean {
  // Subresources come and go with versions, and `pods/*` names them all.
  const plain = resource.split('/', 1)[0] as string;
  return types.versions(group).some((version) => types.resource(group, version, plain) !== undefined);
}

function hintFor(types: TypeTable, groups: readonly string[], resource: string): string | undefined {
  const names = new Set<string>();
  let elsewhere: string | undefined;
  for (const { group, resource: name, kind } of types.resources()) {
    if (name.includes('/')) continue;
    if (groups.includes(group)) {
      if (kind.kind.toLowerCase() === resource.toLowerCase()) return `did you mean ${name}?`;
      names.add(name);
    } else if (name === resource) elsewhere ??= group;
  }
  if (elsewhere !== undefined) return `${resource} are in ${groupName(elsewhere)}: apiGroups: [${JSON.stringify(elsewhere)}]`;
  const near = suggest(resource, names);
  return near === undefined ? undefined : `did you mean ${near}?`;
}
