import { hash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue, setOwn } from '../../engine/object/json.ts';
import { ownedFields, projectOwned } from '../../engine/object/managed-fields/owned-fields.ts';
import { metadataOf } from '../../engine/object/metadata.ts';
import { parsePath } from '../../engine/object/path.ts';
import { compileSetter } from '../../engine/object/path-set.ts';
import type { DesiredObject } from '../../engine/rules/reconcile/program.ts';
import { stringifyJson } from '../host/json-body.ts';
import { bookkeepingMetadata, mayOwn, namespaceOf, ownerReference, uidOf } from './ownership.ts';

/** Where a manager's fields stand in an object: what drift is found by. Never `generation`, which many kinds don't keep. */
export interface OwnedState {
  /** The fields that the manager owns, as they are; without identity. */
  readonly fields: JsonObject;
  readonly digest: string;
}

/** What a manager owns of an object that still has its `managedFields`. */
export function ownedState(object: JsonObject, manager: string): OwnedState {
  const fields = withoutIdentity(projectOwned(object, ownedFields(object, manager)));
  return { fields, digest: digestOf(fields) };
}

/** Short enough to be kept for every object, long enough that two that differ never meet. */
export function digestOf(value: unknown): string {
  return hash('sha256', stringifyJson(value), 'base64url').slice(0, 22);
}

/** Without what every apply must say and nobody owns. */
function withoutIdentity(object: JsonObject): JsonObject {
  const { apiVersion: _, kind: __, metadata, ...rest } = object;
  if (!isJsonObject(metadata ?? null)) return rest;
  const { name: _name, namespace: _namespace, uid: _uid, resourceVersion: _version, ...kept } = metadata as JsonObject;
  return Object.keys(kept).length === 0 ? rest : { metadata: kept, ...rest };
}

/** Whether an object is as an apply of `body` would leave it. A difference may still be the server's way to write the same. */
export const isAsApplied = (body: JsonObject, owned: OwnedState): boolean => jsonEqual(withoutIdentity(body), owned.fields);

/** Identity of what is wanted: the same answer of a rule, for the same instance, has the same digest. */
export function desiredDigest(desired: DesiredObject, instance: JsonObject): string {
  const { object, id, key, level, deletion, partial } = desired;
  return digestOf([object, id, key, level, deletion, partial, uidOf(instance)]);
}

export interface BodyOptions {
  readonly rule: string;
  readonly instance: JsonObject;
  /** What we own of the object now; undefined where it does not exist. */
  readonly owned: OwnedState | undefined;
  /** Paths that are left to others in this case, beside {@link DesiredObject.ignore}. */
  readonly ignore?: readonly string[];
  /** Whether the instance may be named as the controlling owner. */
  readonly controller: boolean;
}

/**
 * The object to be applied: as the rule wants it, with labels, annotations and owner reference. Ignored paths stand in it only when
 * it is made, or with the value they have where they are still ours: left out, the server would remove them.
 */
export function bodyOf(desired: DesiredObject, options: BodyOptions): JsonObject {
  const { rule, instance, owned, controller } = options;
  let body = withReadableData(desired.object);
  if (owned !== undefined)
    for (const path of [...desired.ignore, ...(options.ignore ?? [])]) body = leaveToOthers(body, path, owned.fields);
  if (desired.partial) return body;
  const metadata = metadataOf(body);
  const mark = bookkeepingMetadata({
    rule,
    instance: uidOf(instance),
    id: desired.id,
    key: desired.key,
    level: desired.level,
    deletion: desired.deletion,
  });
  const owns = desired.deletion === 'Delete' && mayOwn({ namespace: namespaceOf(instance) }, desired.reference.namespace);
  const given = ownValue(metadata, 'ownerReferences');
  return {
    ...body,
    metadata: {
      ...metadata,
      labels: { ...mapAt(metadata, 'labels'), ...mark.labels },
      annotations: { ...mapAt(metadata, 'annotations'), ...mark.annotations },
      ...(owns
        ? { ownerReferences: [...(Array.isArray(given) ? (given as readonly Json[]) : []), ownerReference(instance, controller)] }
        : {}),
    },
  };
}

/** A Secret's `stringData` can't be read again, so that nobody would see it change: it is written as the `data` it becomes. */
function withReadableData(object: JsonObject): JsonObject {
  const texts = ownValue(object, 'stringData');
  if (object['kind'] !== 'Secret' || object['apiVersion'] !== 'v1' || !isJsonObject(texts)) return object;
  const data: { [key: string]: Json } = { ...mapAt(object, 'data') };
  for (const key of Object.keys(texts)) {
    const text = texts[key];
    // What is no text is for the server to refuse.
    if (typeof text !== 'string') return object;
    setOwn(data, key, Buffer.from(text, 'utf8').toString('base64'));
  }
  const { stringData: _, ...rest } = object;
  return { ...rest, data };
}

function mapAt(object: JsonObject, key: string): JsonObject {
  const value = ownValue(object, key);
  return isJsonObject(value) ? value : {};
}

function leaveToOthers(body: JsonObject, path: string, owned: JsonObject): JsonObject {
  const parsed = parsePath(path);
  if (!parsed.ok) return body;
  const current = valueAt(owned, parsed.path.steps);
  const wanted = valueAt(body, parsed.path.steps);
  if (wanted === undefined) return body;
  if (current === undefined) return without(body, parsed.path.steps, 0) as JsonObject;
  const outcome = compileSetter(parsed.path)(body, () => current);
  return outcome.ok ? (outcome.object as JsonObject) : body;
}

type Steps = readonly { readonly kind: string; readonly key?: string; readonly index?: number }[];

/** The value at a path of names and indices; undefined for paths with wildcards, which name many. */
function valueAt(object: Json, steps: Steps): Json | undefined {
  let node: Json | undefined = object;
  for (const step of steps) {
    if (step.kind === 'key' && isJsonObject(node)) node = ownValue(node, step.key!);
    else if (step.kind === 'index' && Array.isArray(node)) node = (node as readonly Json[])[step.index!];
    else return undefined;
  }
  return node;
}

function without(node: Json, steps: Steps, at: number): Json {
  const step = steps[at];
  if (step?.kind === 'key' && isJsonObject(node)) {
    const copy: { [key: string]: Json } = {};
    for (const key of Object.keys(node)) {
      if (key !== step.key) setOwn(copy, key, node[key]!);
      else if (at + 1 < steps.length) setOwn(copy, key, without(node[key]!, steps, at + 1));
    }
    return copy;
  }
  if (step?.kind === 'index' && Array.isArray(node)) {
    const list = node as readonly Json[];
    return at + 1 < steps.length
      ? list.map((item, i) => (i === step.index ? without(item, steps, at + 1) : item))
      : list.filter((_, i) => i !== step.index);
  }
  return node;
}

const REPLICAS = '$.spec.replicas';

/** Names of desired objects whose replicas a desired autoscaler sets: `apps/v1/Deployment ns/web`, without version differences. */
export function autoscaledBy(objects: readonly DesiredObject[]): (object: DesiredObject) => boolean {
  const targets = new Set<string>();
  for (const { object, reference } of objects) {
    if (reference.kind !== 'HorizontalPodAutoscaler') continue;
    const target = ownValue(mapAt(object, 'spec'), 'scaleTargetRef');
    if (isJsonObject(target)) targets.add(`${String(target['kind'])} ${reference.namespace ?? ''}/${String(target['name'])}`);
  }
  return ({ reference: { kind, namespace, name } }) => targets.has(`${kind} ${namespace ?? ''}/${name}`);
}

/**
 * Whether something other than a person sets `spec.replicas` through the scale subresource: an autoscaler that the rule need not
 * know of. `object` still has its `managedFields`.
 */
export function isAutoscaled(object: JsonObject): boolean {
  const entries = ownValue(metadataOf(object), 'managedFields');
  if (!Array.isArray(entries)) return false;
  return (entries as readonly Json[]).some((entry) => {
    if (!isJsonObject(entry) || entry['subresource'] !== 'scale' || String(entry['manager']).startsWith('kubectl')) return false;
    const fields = entry['fieldsV1'];
    const spec = isJsonObject(fields) ? fields['f:spec'] : undefined;
    return isJsonObject(spec) && Object.hasOwn(spec, 'f:replicas');
  });
}

/** Paths that are left to an autoscaler. */
export const AUTOSCALED_PATHS: readonly string[] = [REPLICAS];
