import type { DocumentPath } from '../../text/document.ts';
import type { Reporter } from '../reporter.ts';
import type { LabelSelector } from '../shapes.ts';
import type { MatchResourcesDocument, ResourceRuleDocument } from './document.ts';
import { compileSelector } from './label-selection.ts';
import { isPathSegmentName } from './names.ts';
import type { MatchCriteria } from './policy.ts';
import type { ResourceRule } from './resource-match.ts';

export interface MatchChecks {
  /** Operations that may be named. Default: all. */
  readonly operations?: readonly string[];
  /** At least one resource rule is needed. */
  readonly resourceRulesRequired?: boolean;
}

const ALL_OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES = ['*', 'Cluster', 'Namespaced'];

/** Matches everything. */
const MATCH_ALL: MatchCriteria = {
  resourceRules: [],
  excludeResourceRules: [],
  matchPolicy: 'Equivalent',
  namespaceSelector: undefined,
  objectSelector: undefined,
};

/**
 * Checks and lowers `matchConstraints` or `matchResources`.
 * Kubernetes: pkg/apis/admissionregistration/validation validateMatchResources.
 */
export function lowerMatch(
  report: Reporter,
  path: DocumentPath,
  document: MatchResourcesDocument | undefined,
  checks: MatchChecks = {},
): MatchCriteria {
  if (document === undefined) {
    if (checks.resourceRulesRequired) report.error(path, 'admission-required', 'Required value');
    return MATCH_ALL;
  }
  const rules = document.resourceRules ?? [];
  const excluded = document.excludeResourceRules ?? [];
  if (checks.resourceRulesRequired && rules.length === 0) {
    report.error([...path, 'resourceRules'], 'admission-required', 'Required value', 'name at least one resource the rule is about');
  }
  for (const [index, rule] of rules.entries())
    checkRule(report, [...path, 'resourceRules', index], rule, checks.operations ?? ALL_OPERATIONS);
  for (const [index, rule] of excluded.entries()) checkRule(report, [...path, 'excludeResourceRules', index], rule, ALL_OPERATIONS);
  if (document.matchPolicy !== undefined) supported(report, [...path, 'matchPolicy'], document.matchPolicy, ['Equivalent', 'Exact']);
  return {
    resourceRules: rules.map(lowerRule),
    excludeResourceRules: excluded.map(lowerRule),
    matchPolicy: document.matchPolicy ?? 'Equivalent',
    namespaceSelector: selector(report, [...path, 'namespaceSelector'], document.namespaceSelector),
    objectSelector: selector(report, [...path, 'objectSelector'], document.objectSelector),
  };
}

function selector(report: Reporter, path: DocumentPath, document: LabelSelector | undefined) {
  return document === undefined ? undefined : compileSelector(report, path, document)?.matches;
}

function lowerRule(rule: ResourceRuleDocument): ResourceRule {
  return {
    apiGroups: rule.apiGroups ?? [],
    apiVersions: rule.apiVersions ?? [],
    operations: rule.operations ?? [],
    resources: rule.resources ?? [],
    ...(rule.scope === undefined ? {} : { scope: rule.scope }),
    ...(rule.resourceNames === undefined ? {} : { resourceNames: rule.resourceNames }),
  };
}

/** Kubernetes: the same file, validateNamedRuleWithOperations and validateRule. */
function checkRule(report: Reporter, path: DocumentPath, rule: ResourceRuleDocument, operations: readonly string[]): void {
  const names = new Set<string>();
  for (const [index, name] of (rule.resourceNames ?? []).entries()) {
    const at = [...path, 'resourceNames', index];
    const wrong = isPathSegmentName(name);
    if (wrong !== undefined) report.error(at, 'admission-invalid', `Invalid value: ${JSON.stringify(name)}: ${wrong}`);
    if (names.has(name)) report.error(at, 'admission-duplicate', `Duplicate value: ${JSON.stringify(name)}`);
    names.add(name);
  }
  list(report, [...path, 'operations'], rule.operations, 'operations');
  for (const [index, operation] of (rule.operations ?? []).entries())
    supported(report, [...path, 'operations', index], operation, operations);
  list(report, [...path, 'apiGroups'], rule.apiGroups, 'API groups');
  list(report, [...path, 'apiVersions'], rule.apiVersions, 'API versions');
  for (const [index, version] of (rule.apiVersions ?? []).entries()) {
    if (version === '') report.error([...path, 'apiVersions', index], 'admission-required', 'Required value');
  }
  checkResources(report, [...path, 'resources'], rule.resources ?? []);
  if (rule.scope !== undefined) supported(report, [...path, 'scope'], rule.scope, SCOPES);
}

function list(report: Reporter, path: DocumentPath, entries: readonly string[] | undefined, what: string): void {
  if (entries === undefined || entries.length === 0) report.error(path, 'admission-required', 'Required value');
  else if (entries.length > 1 && entries.includes('*')) {
    report.error(path, 'admission-invalid', `Invalid value: ${JSON.stringify(entries)}: if '*' is present, must not specify other ${what}`);
  }
}

/** Kubernetes: the same file, validateResources. */
function checkResources(report: Reporter, path: DocumentPath, resources: readonly string[]): void {
  if (resources.length === 0) report.error(path, 'admission-required', 'Required value');
  const allSubresourcesOf = new Set<string>();
  const subresourceOfAll = new Set<string>();
  let bare = false;
  for (const [index, entry] of resources.entries()) {
    const at = [...path, index];
    const invalid = (why: string) => report.error(at, 'admission-invalid', `Invalid value: ${JSON.stringify(entry)}: ${why}`);
    if (entry === '') {
      report.error(at, 'admission-required', 'Required value');
      continue;
    }
    const slash = entry.indexOf('/');
    if (slash < 0) {
      bare = entry !== '*';
      continue;
    }
    const resource = entry.slice(0, slash);
    const subresource = entry.slice(slash + 1);
    if (allSubresourcesOf.has(resource)) invalid(`if '${resource}/*' is present, must not specify ${entry}`);
    if (subresourceOfAll.has(subresource)) invalid(`if '*/${subresource}' is present, must not specify ${entry}`);
    if (subresource === '*') allSubresourcesOf.add(resource);
    if (resource === '*') subresourceOfAll.add(subresource);
  }
  const value = JSON.stringify(resources);
  if (resources.length > 1 && resources.includes('*/*')) {
    report.error(path, 'admission-invalid', `Invalid value: ${value}: if '*/*' is present, must not specify other resources`);
  }
  if (resources.includes('*') && bare) {
    const why = "if '*' is present, must not specify other resources without subresources";
    report.error(path, 'admission-invalid', `Invalid value: ${value}: ${why}`);
  }
}

/** Reports a value that is not one of a few. */
export function supported(report: Reporter, path: DocumentPath, value: string, values: readonly string[]): boolean {
  if (values.includes(value)) return true;
  const listed = values.map((each) => JSON.stringify(each)).join(', ');
  report.error(path, 'admission-not-supported', `Unsupported value: ${JSON.stringify(value)}: supported values: ${listed}`);
  return false;
}
