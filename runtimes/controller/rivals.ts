import type { JsonObject } from '../../engine/object/json.ts';
import { diffJson } from '../../engine/object/json-diff.ts';
import { decodeManagers } from '../../engine/object/managed-fields/managers.ts';
import { projectOwned } from '../../engine/object/managed-fields/owned-fields.ts';
import { metadataOf } from '../../engine/object/metadata.ts';

/** Who has set a field of an object to something else than is wanted. */
export interface Rival {
  readonly manager: string;
  /** Paths with dots, `.spec.replicas`; list elements by index. */
  readonly fields: readonly string[];
}

/** The managers, beside our own, of fields of `live` that are to be otherwise. `live` has its `managedFields`. */
export function rivalsOf(live: JsonObject, wanted: JsonObject, ownManager: string): readonly Rival[] {
  const decoded = decodeManagers(metadataOf(live)['managedFields']);
  if ('error' in decoded) return [];
  const rivals: Rival[] = [];
  for (const { manager, operation, fields } of decoded.managers.values()) {
    if (manager === ownManager && operation === 'Apply') continue;
    const contested = diffJson(projectOwned(live, fields), projectOwned(wanted, fields)).filter(({ op }) => op === 'replace');
    if (contested.length > 0) rivals.push({ manager, fields: contested.map(({ path }) => path.replaceAll('/', '.')) });
  }
  return rivals;
}
