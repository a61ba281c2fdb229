import { suggest } from '../../engine/text/suggest.ts';
import type { ResourceType } from '../kubernetes/client.ts';
import { UsageError } from './command.ts';

/**
 * The resource that a name on the command line stands for: `deployments`, `deployments.apps`, `deployments.v1.apps`, `Deployment` or
 * `deploy`. A full name goes before a short one of another resource. Throws {@link UsageError} where it stands for none.
 */
export function resourceNamed(name: string, types: readonly ResourceType[]): ResourceType {
  const wanted = name.toLowerCase();
  const found = types.find((type) => namesOf(type).includes(wanted)) ?? types.find(({ shortNames = [] }) => shortNames.includes(wanted));
  if (found !== undefined) return found;
  const meant = suggest(
    wanted,
    types.flatMap((type) => namesOf(type)),
  );
  throw new UsageError(
    `the server serves no ${JSON.stringify(name)}`,
    meant === undefined ? '`kubectl api-resources` lists what it serves' : `did you mean ${meant}?`,
  );
}

/** `deployments.apps`, `pods`. */
export function resourceText({ resource, group }: Pick<ResourceType, 'resource' | 'group'>): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function namesOf({ resource, kind, version, group }: ResourceType): readonly string[] {
  return [resource, kind.toLowerCase(), resourceText({ resource, group }), group === '' ? '' : `${resource}.${version}.${group}`];
}
