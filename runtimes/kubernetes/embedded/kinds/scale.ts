import type { JsonObject } from '../../../../engine/object/json.ts';
import { labelSelectorOf } from '../../../../engine/object/label-selector.ts';
import { fieldOf } from '../verbs/object-fields.ts';
import type { ScaleMapping } from './definition.ts';

/** `spec.selector` in the form of `kubectl -l`. */
function selectorText(object: JsonObject): string {
  const parsed = labelSelectorOf(fieldOf(object, 'spec', 'selector') ?? {});
  return parsed.ok ? parsed.selector.text : '';
}

const REPLICAS: ScaleMapping = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', selector: selectorText };

/** How the scale of Kubernetes' own kinds is read and written. By `group/resource`. */
export const SCALES: ReadonlyMap<string, ScaleMapping> = new Map([
  ['apps/deployments', REPLICAS],
  ['apps/replicasets', REPLICAS],
  ['apps/statefulsets', REPLICAS],
  ['/replicationcontrollers', { ...REPLICAS, selector: (object) => mapText(fieldOf(object, 'spec', 'selector')) }],
]);

function mapText(map: JsonObject[string] | undefined): string {
  const parsed = labelSelectorOf({ matchLabels: map ?? {} });
  return parsed.ok ? parsed.selector.text : '';
}
