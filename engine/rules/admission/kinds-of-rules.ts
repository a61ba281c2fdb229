import type { MapSchema } from '../../object/schema.ts';
import type { TypeTable } from '../../object/type-table.ts';
import type { GroupVersionKind } from './decision.ts';
import type { ResourceRule } from './resource-match.ts';

export interface MatchedKind {
  readonly kind: GroupVersionKind;
  readonly schema: MapSchema;
}

/** So many kinds of one policy are type-checked. Kubernetes: validating/typechecking.go maxTypesToCheck. */
const MAX_KINDS = 10;

/**
 * The kinds that resource rules name exactly, sorted by group, version and kind; wildcards and kinds without a known type are
 * left out. Kubernetes: validating/typechecking.go typesToCheck, which passes over subresources; `subresources` includes them.
 */
export function kindsOfRules(
  rules: readonly ResourceRule[],
  types: TypeTable,
  options: { readonly subresources: boolean },
): readonly MatchedKind[] {
  const found = new Map<string, MatchedKind>();
  for (const rule of rules) {
    for (const group of rule.apiGroups) {
      for (const version of rule.apiVersions) {
        for (const resource of rule.resources) {
          if ([group, version, resource].some((part) => part.includes('*')) || (!options.subresources && resource.includes('/'))) continue;
          const kind = types.resource(group, version, resource)?.kind;
          const schema = kind && types.kind(kind.group, kind.version, kind.kind);
          if (kind === undefined || schema === undefined || found.size >= MAX_KINDS) continue;
          found.set(`${kind.group}/${kind.version}/${kind.kind}`, { kind, schema });
        }
      }
    }
  }
  return [...found.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, matched]) => matched);
}

/** Whether the rules name nothing but what {@link kindsOfRules} finds. */
export function allKindsKnown(rules: readonly ResourceRule[], types: TypeTable): boolean {
  return rules.every((rule) =>
    rule.apiGroups.every((group) =>
      rule.apiVersions.every((version) =>
        rule.resources.every((resource) => {
          const kind = types.resource(group, version, resource)?.kind;
          return kind !== undefined && types.kind(kind.group, kind.version, kind.kind) !== undefined;
        }),
      ),
    ),
  );
}
