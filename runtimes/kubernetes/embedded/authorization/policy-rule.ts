import type { RequestAttributes } from '../hooks.ts';
import type { PolicyRule } from './kinds.ts';

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value));

/** Whether a rule allows a request. Kubernetes: plugin/pkg/auth/authorizer/rbac/rbac.go RuleAllows. */
export function ruleAllows(rule: PolicyRule, { verb, resource, path }: RequestAttributes): boolean {
  if (!has(rule.verbs, verb)) return false;
  if (resource === undefined) return (rule.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, path));
  if (!has(rule.apiGroups, resource.group) || !resourceMatches(rule.resources ?? [], resource.resource, resource.subresource)) return false;
  // A rule for names never allows what has none yet, such as a create.
  return rule.resourceNames === undefined || rule.resourceNames.length === 0 || rule.resourceNames.includes(resource.name);
}

/** `*`, `pods`, `pods/log`, and a subresource of everything: `*\/scale`. */
function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  const whole = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some((each) => each === '*' || each === whole || (subresource !== '' && each === `*/${subresource}`));
}

const pathMatches = (pattern: string, path: string): boolean =>
  pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
