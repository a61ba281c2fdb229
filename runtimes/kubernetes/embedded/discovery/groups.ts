import { formatApiVersion } from '../../../../engine/object/type-table.ts';
import type { ResourceCatalog } from '../catalog.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';

/** A group with its versions in order of preference. */
export interface ServedGroup {
  readonly name: string;
  readonly versions: readonly ServedVersion[];
}

export interface ServedVersion {
  readonly version: string;
  readonly groupVersion: string;
  /** In the order of their names. */
  readonly resources: readonly ResourceDefinition[];
}

/** What is served, by group and version. The core group is the first. */
export function servedGroups(catalog: ResourceCatalog): readonly ServedGroup[] {
  const groups = new Map<string, Map<string, ResourceDefinition[]>>();
  for (const definition of catalog.all()) {
    let versions = groups.get(definition.group);
    if (versions === undefined) {
      versions = new Map();
      groups.set(definition.group, versions);
    }
    const list = versions.get(definition.version);
    if (list === undefined) versions.set(definition.version, [definition]);
    else list.push(definition);
  }
  return [...groups].map(([name, versions]) => ({
    name,
    versions: [...versions]
      .sort(([a], [b]) => compareVersions(a, b))
      .map(([version, resources]) => ({
        version,
        groupVersion: formatApiVersion(name, version),
        resources: resources.sort((a, b) => (a.resource < b.resource ? -1 : 1)),
      })),
  }));
}

/** Stable before beta before alpha, new before old, everything else last by name. Kubernetes: apimachinery pkg/version/helpers.go. */
export function compareVersions(a: string, b: string): number {
  const left = rank(a);
  const right = rank(b);
  if (left === undefined || right === undefined) return left !== undefined ? -1 : right !== undefined ? 1 : a < b ? -1 : a > b ? 1 : 0;
  for (let i = 0; i < left.length; i++) {
    const difference = (right[i] as number) - (left[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

function rank(version: string): readonly number[] | undefined {
  const match = /^v(\d{1,9})(?:(alpha|beta)(\d{1,9}))?$/.exec(version);
  if (match === null) return undefined;
  const [, major, stage, minor] = match;
  return [stage === undefined ? 2 : stage === 'beta' ? 1 : 0, Number(major), Number(minor ?? 0)];
}
