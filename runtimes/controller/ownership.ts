import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../../engine/object/json.ts';
import { metadataOf, metadataText } from '../../engine/object/metadata.ts';

/** On every object that a rule made: which rule, and the uid of the instance it was made for. */
export const RULE_LABEL = 'fairlead.dev/rule';
export const INSTANCE_LABEL = 'fairlead.dev/instance';
/** On every object that a rule made: `id`, or `id/key` where the entry repeats. */
export const OBJECT_ANNOTATION = 'fairlead.dev/object';
/** On every object that a rule made: its level, so that deletion knows the order without the rule. */
export const LEVEL_ANNOTATION = 'fairlead.dev/level';
/** `Orphan` on objects that are let go instead of deleted. */
export const DELETION_ANNOTATION = 'fairlead.dev/deletion';
/** `true` on an instance (or on anything else a person wants left alone): nothing is written for it. */
export const PAUSED_ANNOTATION = 'fairlead.dev/paused';
/** On a CustomResourceDefinition that a rule made: the bundle. The rule stands in {@link RULE_LABEL}. */
export const BUNDLE_ANNOTATION = 'fairlead.dev/bundle';

const INVENTORY_PREFIX = 'inventory.fairlead.dev/';
const FINALIZER_PREFIX = 'cleanup.fairlead.dev/';
/** Level of generated Secrets: they outlive everything that may use them. */
export const GENERATED_LEVEL = -1;

/** Kubernetes bounds a label's value, and the name part of annotations and finalizers, to this. */
const LONGEST_NAME = 63;

/** A rule's name as labels can carry it: itself, or its beginning and a digest where it is too long. */
export function ruleLabel(name: string): string {
  if (name.length <= LONGEST_NAME) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 10);
  return `${name.slice(0, LONGEST_NAME - 1 - digest.length).replace(/[^A-Za-z0-9]+$/, '')}-${digest}`;
}

/** The annotation in which an instance carries what a rule made for it. One per rule: several may decorate one object. */
export const inventoryAnnotation = (rule: string): string => INVENTORY_PREFIX + ruleLabel(rule);
export const finalizerOf = (rule: string): string => FINALIZER_PREFIX + ruleLabel(rule);

export const uidOf = (object: JsonObject): string => metadataText(object, 'uid');
export const nameOf = (object: JsonObject): string => metadataText(object, 'name');
/** `` for cluster-scoped objects. */
export const namespaceOf = (object: JsonObject): string => metadataText(object, 'namespace');
export const resourceVersionOf = (object: JsonObject): string => metadataText(object, 'resourceVersion');
export const isDeleting = (object: JsonObject): boolean => metadataText(object, 'deletionTimestamp') !== '';

export function generationOf(object: JsonObject): number | undefined {
  const value = ownValue(metadataOf(object), 'generation');
  return typeof value === 'number' ? value : undefined;
}

function textIn(object: JsonObject, map: 'labels' | 'annotations', key: string): string | undefined {
  const found = ownValue(metadataOf(object), map);
  const value = isJsonObject(found) ? ownValue(found, key) : undefined;
  return typeof value === 'string' ? value : undefined;
}

export const labelOf = (object: JsonObject, key: string): string | undefined => textIn(object, 'labels', key);
export const annotationOf = (object: JsonObject, key: string): string | undefined => textIn(object, 'annotations', key);

export function finalizersOf(object: JsonObject): readonly string[] {
  const value = ownValue(metadataOf(object), 'finalizers');
  return Array.isArray(value) ? (value as readonly Json[]).filter((each): each is string => typeof each === 'string') : [];
}

export const isPaused = (object: JsonObject): boolean => annotationOf(object, PAUSED_ANNOTATION) === 'true';

/** What is written on an object that a rule made. Read without the rule. */
export interface Bookkeeping {
  readonly rule: string;
  readonly instance: string;
  /** Id of the entry. */
  readonly id: string;
  /** `` where the entry does not repeat. */
  readonly key: string;
  readonly level: number;
  readonly deletion: 'Delete' | 'Orphan';
}

/** Undefined for an object that no rule made. */
export function readBookkeeping(object: JsonObject): Bookkeeping | undefined {
  const rule = labelOf(object, RULE_LABEL);
  const instance = labelOf(object, INSTANCE_LABEL);
  if (rule === undefined || instance === undefined) return undefined;
  const [id = '', ...key] = (annotationOf(object, OBJECT_ANNOTATION) ?? '').split('/');
  const level = Number(annotationOf(object, LEVEL_ANNOTATION) ?? '0');
  return {
    rule,
    instance,
    id,
    key: key.join('/'),
    level: Number.isSafeInteger(level) ? level : 0,
    deletion: annotationOf(object, DELETION_ANNOTATION) === 'Orphan' ? 'Orphan' : 'Delete',
  };
}

/** Labels and annotations that say whose an object is. */
export function bookkeepingMetadata(mark: Bookkeeping): { readonly labels: JsonObject; readonly annotations: JsonObject } {
  return {
    labels: { [RULE_LABEL]: ruleLabel(mark.rule), [INSTANCE_LABEL]: mark.instance },
    annotations: {
      [OBJECT_ANNOTATION]: mark.key === '' ? mark.id : `${mark.id}/${mark.key}`,
      [LEVEL_ANNOTATION]: String(mark.level),
      ...(mark.deletion === 'Orphan' ? { [DELETION_ANNOTATION]: 'Orphan' } : {}),
    },
  };
}

/** The merge patch that takes an object out of our hands: labels, annotations and the instance's owner reference go, the object stays. */
export function releasePatch(object: JsonObject): JsonObject {
  const instance = labelOf(object, INSTANCE_LABEL);
  const references = ownValue(metadataOf(object), 'ownerReferences');
  const kept = Array.isArray(references)
    ? (references as readonly Json[]).filter((each) => !isJsonObject(each) || ownValue(each, 'uid') !== instance)
    : [];
  return {
    metadata: {
      resourceVersion: resourceVersionOf(object),
      labels: { [RULE_LABEL]: null, [INSTANCE_LABEL]: null },
      annotations: { [OBJECT_ANNOTATION]: null, [LEVEL_ANNOTATION]: null, [DELETION_ANNOTATION]: null },
      ...(Array.isArray(references) && kept.length < references.length ? { ownerReferences: kept.length === 0 ? null : kept } : {}),
    },
  };
}

/** Where an instance lives; `namespace` is `` for cluster-scoped kinds. */
export interface OwnerPlace {
  readonly namespace: string;
}

/**
 * Whether an object may name an instance as its owner: an owner lives in the same namespace or in none, and the garbage
 * collector deletes what breaks this rule. Kubernetes: pkg/controller/garbagecollector, OwnerRefInvalidNamespace.
 */
export function mayOwn(owner: OwnerPlace, childNamespace: string | undefined): boolean {
  return owner.namespace === '' || owner.namespace === childNamespace;
}

export function ownerReference(instance: JsonObject, controller: boolean): JsonObject {
  return {
    apiVersion: String(instance['apiVersion']),
    kind: String(instance['kind']),
    name: nameOf(instance),
    uid: uidOf(instance),
    ...(controller ? { controller: true } : {}),
    blockOwnerDeletion: true,
  };
}

/** The controller that an object names, in words: `Deployment web`; undefined where it has none. */
export function controllerOf(object: JsonObject): { readonly uid: string; readonly text: string } | undefined {
  const references = ownValue(metadataOf(object), 'ownerReferences');
  if (!Array.isArray(references)) return undefined;
  for (const each of references as readonly Json[]) {
    if (!isJsonObject(each) || ownValue(each, 'controller') !== true) continue;
    return { uid: String(ownValue(each, 'uid') ?? ''), text: `${String(ownValue(each, 'kind'))} ${String(ownValue(each, 'name'))}` };
  }
  return undefined;
}

export type Adoption =
  | { readonly kind: 'ours' }
  /** Ours from now on; `controller` says whether the place of the controlling owner is free. */
  | { readonly kind: 'adopt'; readonly controller: boolean }
  /** About to go away: wait. */
  | { readonly kind: 'wait'; readonly reason: string }
  | { readonly kind: 'refuse'; readonly reason: string };

/**
 * Whether an object that exists under the name of a desired one may be written. `instanceLives` tells of other instances by uid.
 */
export function judgeAdoption(
  existing: JsonObject,
  instance: { readonly uid: string },
  adopt: 'Never' | 'IfUnowned' | 'Force',
  instanceLives: (uid: string) => boolean,
): Adoption {
  const mark = readBookkeeping(existing);
  if (mark?.instance === instance.uid) return { kind: 'ours' };
  const controller = controllerOf(existing);
  if (isDeleting(existing)) return { kind: 'wait', reason: 'it is being deleted' };
  const lives = mark !== undefined && instanceLives(mark.instance);
  if (mark !== undefined && !lives && controller?.uid === mark.instance)
    return {
      kind: 'wait',
      reason: `it belongs to ${controller.text}, which is gone and it will be collected, or which another controller looks after`,
    };
  if (adopt === 'Force') return { kind: 'adopt', controller: controller === undefined || controller.uid === instance.uid };
  if (lives) return { kind: 'refuse', reason: `it belongs to another instance of rule ${mark.rule}` };
  if (controller !== undefined && controller.uid !== instance.uid) return { kind: 'refuse', reason: `${controller.text} controls it` };
  if (adopt === 'Never')
    return { kind: 'refuse', reason: 'it exists already and was not made by this rule; `adopt: IfUnowned` takes it over' };
  return { kind: 'adopt', controller: true };
}
