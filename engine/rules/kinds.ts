import type { MapSchema } from '../object/schema.ts';
import { parseApiVersion, type TypeTable } from '../object/type-table.ts';
import type { DocumentPath } from '../text/document.ts';
import { suggest } from '../text/suggest.ts';
import type { Reporter } from './reporter.ts';

/** What is known of a kind that a rule names. */
export interface KnownKind {
  readonly schema: MapSchema | undefined;
  /** Undefined: not known here. */
  readonly namespaced: boolean | undefined;
}

/** Looks a kind up in the types that the rule is checked against. */
export function lookUpKind(types: TypeTable | undefined, apiVersion: string, kind: string): KnownKind {
  if (types === undefined) return { schema: undefined, namespaced: undefined };
  const { group, version } = parseApiVersion(apiVersion);
  return { schema: types.kind(group, version, kind), namespaced: types.resourceOf(group, version, kind)?.namespaced };
}

/**
 * Reports a kind that is not known: an error where its group is one of those that are known as a whole, otherwise a warning,
 * because a cluster may serve what is not known here.
 */
export function reportUnknownKind(
  report: Reporter,
  types: TypeTable | undefined,
  path: DocumentPath,
  apiVersion: string,
  kind: string,
  code = 'reconcile-unknown-kind',
): void {
  if (types === undefined) return;
  const { group, version } = parseApiVersion(apiVersion);
  const versions = types.versions(group);
  const kinds = new Set<string>();
  for (const each of types.resources()) if (each.group === group && !each.resource.includes('/')) kinds.add(each.kind.kind);
  const builtIn = [...kinds].some((each) => versions.some((known) => types.isBuiltIn(group, known, each)));
  if (!builtIn && versions.length === 0) {
    const near = [...types.resources()].find((each) => each.kind.kind === kind && !each.resource.includes('/'));
    const message = `the kind ${kind} of ${apiVersion} is not known here, so that nothing about it is checked`;
    const hint =
      near === undefined || group.includes('.')
        ? 'put its CustomResourceDefinition into the bundle'
        : `did you mean apiVersion: ${near.kind.group === '' ? '' : `${near.kind.group}/`}${near.kind.version}?`;
    report.warning(path, code, message, hint);
    return;
  }
  const of = group === '' ? 'the core group' : group;
  if (!versions.includes(version)) {
    const known = versions.filter((each) => types.kind(group, each, kind) !== undefined);
    const hint =
      known.length === 0 ? `it has ${versions.join(', ')}` : `did you mean apiVersion: ${group === '' ? '' : `${group}/`}${known[0]}?`;
    const message = `${of} has no version ${version}`;
    if (builtIn) report.error(path, code, message, hint);
    else report.warning(path, code, `${message} that is known here`, hint);
    return;
  }
  const message = `${apiVersion} has no kind ${kind}`;
  const hint = kindHint(types, kinds, kind);
  if (builtIn) report.error(path, code, message, hint);
  else report.warning(path, code, `${message} that is known here`, hint ?? 'put its CustomResourceDefinition into the bundle');
}

/** The kind that was meant: the same word in another group, which an apiVersion was forgotten for, before one that is merely near. */
function kindHint(types: TypeTable, kinds: ReadonlySet<string>, kind: string): string | undefined {
  const word = kind.toLowerCase();
  const elsewhere = [...types.resources()].find(({ kind: each, resource }) => each.kind.toLowerCase() === word && !resource.includes('/'));
  if (elsewhere !== undefined && !kinds.has(elsewhere.kind.kind)) {
    const { group, version, kind: name } = elsewhere.kind;
    return `did you mean ${name} of apiVersion: ${group === '' ? '' : `${group}/`}${version}?`;
  }
  const near = suggest(kind, kinds);
  return near === undefined ? undefined : `did you mean ${near}?`;
}
