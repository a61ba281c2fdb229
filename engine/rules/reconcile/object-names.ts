import type { DocumentPath } from '../../text/document.ts';
import type { RuleTemplate } from './entry.ts';
import { Unresolved } from './evaluation.ts';
import type { Item } from './items.ts';
import type { Round } from './round.ts';

/** Kubernetes' own limit of most names. */
const MAX_SHOWN = 253;

/**
 * Refuses a name that an expression has made and that cannot be one. Names become parts of a path, where `web/status` would be
 * the status of another object and `..` another resource; what else a name must be depends on the kind, and is for the API server to say.
 * Throws {@link Unresolved}. Kubernetes: apimachinery pkg/api/validation/path.
 */
export function checkName(name: string, what: string, path: DocumentPath): void {
  const shown = JSON.stringify(name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name);
  const illegal = /[/%]/.exec(name)?.[0];
  if (illegal !== undefined) throw new Unresolved('failed', `${shown} can't be ${what}: it may not contain ${illegal}`, path);
  if (name === '.' || name === '..') throw new Unresolved('failed', `${shown} can't be ${what}`, path);
}

/** The namespace that an entry names by a template, if it does. Throws {@link Unresolved} as {@link checkName}. */
export function givenNamespace(round: Round, template: RuleTemplate | undefined, item: Item): string | undefined {
  if (template === undefined) return undefined;
  const namespace = round.text(template, item);
  checkName(namespace, 'a namespace', template.path);
  return namespace;
}
