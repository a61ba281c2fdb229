import { isJsonObject, type Json, type JsonObject, ownValue, setOwn } from '../../../../engine/object/json.ts';
import { metadataOf, metadataText } from '../../../../engine/object/metadata.ts';
import { fieldInvalid } from '../field-error.ts';
import type { ScaleMapping, TablePrinter } from '../kinds/definition.ts';
import { internalError, invalid } from '../status-error.ts';
import { age } from '../table/age.ts';
import { withMetadata } from '../verbs/object-metadata.ts';

/** What of the metadata a scale has. */
const METADATA = ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp'];

/** Scales as kubectl shows them. Kubernetes: pkg/printers/internalversion/printers.go printScale. */
export const SCALE_PRINTER: TablePrinter = {
  columns: [
    { name: 'Name', type: 'string', format: 'name', description: 'Name of the scaled object.', priority: 0 },
    { name: 'Desired', type: 'integer', format: '', description: 'Replicas that are wanted.', priority: 0 },
    { name: 'Available', type: 'integer', format: '', description: 'Replicas that there are.', priority: 0 },
    { name: 'Age', type: 'string', format: '', description: 'Time since the scaled object was made.', priority: 0 },
  ],
  cells: (scale, now) => [
    metadataText(scale, 'name'),
    number(readPath(scale, '.spec.replicas')),
    number(readPath(scale, '.status.replicas')),
    age(metadataText(scale, 'creationTimestamp'), now),
  ],
};

/** The scale of an object. Kubernetes: autoscaling/v1 Scale. */
export function scaleOf(mapping: ScaleMapping, object: JsonObject): JsonObject {
  const metadata = metadataOf(object);
  const selector = mapping.selector(object);
  const replicas = readPath(object, mapping.specReplicasPath);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: Object.fromEntries(
      METADATA.filter((field) => Object.hasOwn(metadata, field)).map((field) => [field, metadata[field] as Json]),
    ),
    spec: typeof replicas === 'number' && replicas !== 0 ? { replicas } : {},
    status: { replicas: number(readPath(object, mapping.statusReplicasPath)), ...(selector === '' ? {} : { selector }) },
  };
}

/** The scale as it is read; throws where there is none. */
export function shownScale(mapping: ScaleMapping, object: JsonObject): JsonObject {
  if (mapping.needsReplicas === true && readPath(object, mapping.specReplicasPath) === undefined) {
    throw internalError(`the spec replicas field ${JSON.stringify(mapping.specReplicasPath)} does not exist`);
  }
  return scaleOf(mapping, object);
}

/** The object with the replicas of a scale. A version that the scale carries counts for the object. */
export function withScale(mapping: ScaleMapping, object: JsonObject, scale: JsonObject): JsonObject {
  const spec = ownValue(scale, 'spec');
  const replicas = number(isJsonObject(spec) ? spec['replicas'] : undefined);
  // Custom resources are validated as a whole.
  if (replicas < 0 && mapping.needsReplicas !== true) {
    const error = fieldInvalid('spec.replicas', replicas, 'must be greater than or equal to 0');
    throw invalid('autoscaling', 'Scale', metadataText(object, 'name'), [error]);
  }
  const scaled = writePath(object, mapping.specReplicasPath.split('.').slice(1), replicas);
  const version = metadataText(scale, 'resourceVersion');
  const uid = metadataText(scale, 'uid');
  return withMetadata(scaled, { ...(version === '' ? {} : { resourceVersion: version }), ...(uid === '' ? {} : { uid }) });
}

function number(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

/** What stands at `.spec.replicas`. */
function readPath(object: JsonObject, path: string): Json | undefined {
  let node: Json | undefined = object;
  for (const name of path.split('.').slice(1)) node = isJsonObject(node) ? ownValue(node, name) : undefined;
  return node;
}

function writePath(object: JsonObject, path: readonly string[], value: Json): JsonObject {
  const [name = '', ...rest] = path;
  const copy: { [key: string]: Json } = { ...object };
  const child = ownValue(object, name);
  setOwn(copy, name, rest.length === 0 ? value : writePath(isJsonObject(child) ? child : {}, rest, value));
  return copy;
}
