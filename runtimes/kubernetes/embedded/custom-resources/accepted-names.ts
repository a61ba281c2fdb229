import type { Condition } from '../control-loop/condition.ts';
import type { DefinitionDocument, ResourceNames } from './definition-document.ts';

/** Names that a definition may use, as far as those of its group that came before leave them free. */
export interface NameDecision {
  readonly acceptedNames: ResourceNames;
  readonly namesAccepted: Omit<Condition, 'lastTransitionTime'>;
}

/**
 * Decides on the names of a definition; `others` are the other ones of its group. A name once accepted stays. Kubernetes:
 * apiextensions-apiserver pkg/controller/status/naming_controller.go.
 */
export function decideNames(definition: DefinitionDocument, others: readonly DefinitionDocument[]): NameDecision {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { acceptedNames: accepted } of others) {
    for (const name of [accepted.plural, accepted.singular, ...accepted.shortNames]) resources.add(name);
    for (const name of [accepted.kind, accepted.listKind]) kinds.add(name);
  }
  const { names: wanted, acceptedNames: before } = definition;
  let problem: { readonly reason: string; readonly message: string } | undefined;
  const decide = (reason: string, name: string, old: string, taken: ReadonlySet<string>): string => {
    if (name === old || !taken.has(name)) return name;
    problem = { reason, message: inUse(name) };
    return old;
  };
  const plural = decide('PluralConflict', wanted.plural, before.plural, resources);
  const singular = decide('SingularConflict', wanted.singular, before.singular, resources);
  const conflicts = wanted.shortNames.filter((name) => !before.shortNames.includes(name) && resources.has(name));
  if (conflicts.length > 0) problem = { reason: 'ShortNamesConflict', message: aggregate(conflicts.map(inUse)) };
  const shortNames = conflicts.length > 0 ? before.shortNames : wanted.shortNames;
  const kind = decide('KindConflict', wanted.kind, before.kind, kinds);
  const listKind = decide('ListKindConflict', wanted.listKind, before.listKind, kinds);
  return {
    acceptedNames: { plural, singular, kind, listKind, shortNames, categories: wanted.categories },
    namesAccepted:
      problem === undefined
        ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
        : { type: 'NamesAccepted', status: 'False', ...problem },
  };
}

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;

function aggregate(messages: readonly string[]): string {
  return messages.length === 1 ? (messages[0] as string) : `[${messages.join(', ')}]`;
}
