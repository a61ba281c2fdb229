import type { JsonObject } from '../../../../engine/object/json.ts';
import { metadataText } from '../../../../engine/object/metadata.ts';
import type { ScaleMapping } from '../kinds/definition.ts';
import { scaleOf, withScale } from '../subresources/scale.ts';

/** Admission sees the scale where a scale is written. */
export function scaled(scale: ScaleMapping | undefined): { readonly shown?: (object: JsonObject) => JsonObject } {
  return scale === undefined ? {} : { shown: (object) => scaleOf(scale, object) };
}

/** What an applied scale says, as a configuration of the whole object. */
export function replicasOnly(scale: ScaleMapping, old: JsonObject, configuration: JsonObject): JsonObject {
  const { apiVersion = '', kind = '' } = old;
  const bare = { apiVersion, kind, metadata: { name: metadataText(old, 'name') } };
  return withScale(scale, bare, configuration);
}
