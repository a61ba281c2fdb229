import type { JsonObject } from '../../../../engine/object/json.ts';
import type { ObjectName, ResourceType } from '../../client.ts';
import type { GroupResource, Registry, ServedResource } from '../registry.ts';

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  readonly name: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/** What every stored object has. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** One of Kubernetes' own kinds, with the type in which the parts of the cluster read it. The server has validated what is stored. */
export interface Kind<T extends KubernetesObject = KubernetesObject> {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  /** Only a type: which object a read answers. */
  readonly object?: T;
}

/** `kindOf<Pod>('', 'v1', 'pods', 'Pod')`. */
export function kind<T extends KubernetesObject>(group: string, version: string, resource: string, name: string): Kind<T> {
  return { group, version, resource, kind: name };
}

export const groupResource = ({ group, resource }: Pick<ResourceType, 'group' | 'resource'>): GroupResource => `${group}/${resource}`;

/** The served resource of a kind; undefined where this server does not serve it. */
export const servedKind = (registry: Registry, { group, version, resource }: Kind): ServedResource | undefined =>
  registry.find(group, version, resource);

/** A stored object in a kind's type, and back. Only the type changes. */
export const typed = <T extends KubernetesObject>(object: JsonObject): T => object as unknown as T;
export const untyped = (object: object): JsonObject => object as unknown as JsonObject;

export const nameOf = ({ metadata }: { readonly metadata: Pick<ObjectMeta, 'name' | 'namespace'> }): ObjectName =>
  metadata.namespace === undefined ? { name: metadata.name } : { namespace: metadata.namespace, name: metadata.name };

/** `namespace/name`, or `name` of what lives in no namespace: the key of an object in a queue. */
export type ObjectKey = string;

export const keyOf = ({ metadata }: { readonly metadata: Pick<ObjectMeta, 'name' | 'namespace'> }): ObjectKey =>
  metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;

export function nameOfKey(key: ObjectKey): ObjectName {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The reference to the controller of an object. */
export const controllerOf = ({ metadata }: KubernetesObject): OwnerReference | undefined =>
  metadata.ownerReferences?.find((reference) => reference.controller === true);

/** What a controller writes into the objects it makes. Kubernetes: apimachinery pkg/apis/meta/v1/controller_ref.go NewControllerRef. */
export const controllerReference = (owner: KubernetesObject): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

export const isDeleted = ({ metadata }: KubernetesObject): boolean => metadata.deletionTimestamp !== undefined;
