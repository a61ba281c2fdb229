import { isJsonObject } from '../../engine/object/json.ts';
import { metadataOf } from '../../engine/object/metadata.ts';
import type { Indexer } from './informer.ts';

/** By the `uid` of each owner. */
export const ownerIndexer: Indexer = (object) => {
  const owners = metadataOf(object)['ownerReferences'];
  if (!Array.isArray(owners)) return NONE;
  return owners.flatMap((owner) => (isJsonObject(owner) && typeof owner['uid'] === 'string' ? [owner['uid']] : []));
};

/** By namespace; cluster-scoped objects are under none. */
export const namespaceIndexer: Indexer = (object) => {
  const { namespace } = metadataOf(object);
  return typeof namespace === 'string' && namespace !== '' ? [namespace] : NONE;
};

/** By the value of one label; objects without it are under none. */
export function labelIndexer(label: string): Indexer {
  return (object) => {
    const labels = metadataOf(object)['labels'];
    if (!isJsonObject(labels) || !Object.hasOwn(labels, label)) return NONE;
    const value = labels[label];
    return typeof value === 'string' ? [value] : NONE;
  };
}

const NONE: readonly string[] = [];
