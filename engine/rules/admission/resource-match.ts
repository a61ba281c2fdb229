import type { GroupVersionKind, GroupVersionResource, Operation } from './decision.ts';

/** One entry of `resourceRules`, as in ValidatingAdmissionPolicy. `*` is a wildcard in all four lists. */
export interface ResourceRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  /** `CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`. */
  readonly operations: readonly string[];
  /** `pods`, `pods/status`, `pods/*`, `*` (all without subresources), `*` + `/*` (all with). */
  readonly resources: readonly string[];
  readonly scope?: 'Cluster' | 'Namespaced' | '*';
  /** Empty or absent: any name. */
  readonly resourceNames?: readonly string[];
}

/** Everything about a request that rules without names and selectors look at; requests of one shape share their candidates. */
export interface RequestShape {
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
  readonly subresource: string;
  readonly operation: Operation;
  /** The request names a namespace (requests for Namespace objects do). */
  readonly namespaced: boolean;
}

/** Resources that are the same thing under another group or version. */
export interface EquivalentResource {
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
}

export type EquivalentResources = (resource: GroupVersionResource, subresource: string) => readonly EquivalentResource[];

/** A way in which a rule matches: for these names (all when undefined), seen as this resource and kind. */
export interface ShapeMatch {
  readonly names: ReadonlySet<string> | undefined;
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
}

export interface ResourceRules {
  readonly resourceRules: readonly ResourceRule[];
  readonly excludeResourceRules: readonly ResourceRule[];
  readonly matchPolicy: 'Exact' | 'Equivalent';
}

/** What of {@link ResourceRules} is left to ask of a request once its shape is known. */
export interface ShapeVerdict {
  /** Names that are excluded; `all` never reaches a verdict. */
  readonly excluded: ReadonlySet<string> | undefined;
  /** In order of precedence; never empty. */
  readonly matches: readonly ShapeMatch[];
}

/**
 * Decides all of the resource rules that depends on the shape alone. Undefined: no request of this shape matches.
 * Kubernetes: apiserver pkg/admission/plugin/policy/matching/matching.go.
 */
export function matchShape(rules: ResourceRules, shape: RequestShape, equivalents: EquivalentResources): ShapeVerdict | undefined {
  const exclusions = shapeMatches(rules.excludeResourceRules, rules.matchPolicy, shape, equivalents);
  if (exclusions.some((match) => match.names === undefined)) return undefined;
  const excluded = exclusions.length === 0 ? undefined : new Set(exclusions.flatMap((match) => [...match.names!]));
  // No rule at all matches everything; a binding without resourceRules narrows nothing.
  const matches =
    rules.resourceRules.length === 0
      ? [{ names: undefined, resource: shape.resource, kind: shape.kind }]
      : shapeMatches(rules.resourceRules, rules.matchPolicy, shape, equivalents);
  return matches.length === 0 ? undefined : { excluded, matches };
}

/** The match that a request of the verdict's shape and this name gets, if any. */
export function matchName(verdict: ShapeVerdict, name: string): ShapeMatch | undefined {
  if (verdict.excluded?.has(name)) return undefined;
  for (const match of verdict.matches) {
    if (match.names === undefined || match.names.has(name)) return match;
  }
  return undefined;
}

function shapeMatches(
  rules: readonly ResourceRule[],
  matchPolicy: 'Exact' | 'Equivalent',
  shape: RequestShape,
  equivalents: EquivalentResources,
): ShapeMatch[] {
  const matches: ShapeMatch[] = [];
  const add = (rule: ResourceRule, resource: GroupVersionResource, kind: GroupVersionKind): boolean => {
    const names = rule.resourceNames?.length ? new Set(rule.resourceNames) : undefined;
    matches.push({ names, resource, kind });
    return names === undefined;
  };
  for (const rule of rules) {
    // What follows an unconditional match can't be reached.
    if (ruleMatches(rule, shape, shape.resource) && add(rule, shape.resource, shape.kind)) return matches;
  }
  if (matchPolicy === 'Exact' || rules.length === 0) return matches;
  const others = equivalents(shape.resource, shape.subresource);
  for (const rule of rules) {
    for (const other of others) {
      if (ruleMatches(rule, shape, other.resource) && add(rule, other.resource, other.kind)) return matches;
    }
  }
  return matches;
}

/** Kubernetes: apiserver pkg/admission/plugin/webhook/predicates/rules/rules.go. */
function ruleMatches(rule: ResourceRule, shape: RequestShape, resource: GroupVersionResource): boolean {
  return (
    scopeMatches(rule.scope, shape, resource) &&
    listed(rule.operations, shape.operation) &&
    listed(rule.apiGroups, resource.group) &&
    listed(rule.apiVersions, resource.version) &&
    rule.resources.some((entry) => resourceMatches(entry, resource.resource, shape.subresource))
  );
}

function listed(entries: readonly string[], wanted: string): boolean {
  return entries.includes('*') || entries.includes(wanted);
}

function scopeMatches(scope: ResourceRule['scope'], shape: RequestShape, resource: GroupVersionResource): boolean {
  if (scope === undefined || scope === '*') return true;
  // A Namespace is cluster scoped although its request names a namespace: itself.
  const isNamespace = resource.group === '' && resource.version === 'v1' && resource.resource === 'namespaces';
  const namespaced = shape.namespaced && !isNamespace;
  return scope === 'Namespaced' ? namespaced : !namespaced;
}

function resourceMatches(entry: string, resource: string, subresource: string): boolean {
  const slash = entry.indexOf('/');
  const wantedResource = slash < 0 ? entry : entry.slice(0, slash);
  const wantedSubresource = slash < 0 ? '' : entry.slice(slash + 1);
  return (wantedResource === '*' || wantedResource === resource) && (wantedSubresource === '*' || wantedSubresource === subresource);
}
