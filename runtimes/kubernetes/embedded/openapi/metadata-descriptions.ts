import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';

/**
 * What `kubectl explain` says of the fields that all objects share. The table of built-in types holds no descriptions, but these are
 * asked of custom resources as well.
 */
const DESCRIPTIONS: { readonly [definition: string]: { readonly [field: string]: string } } = {
  'meta.v1.ObjectMeta': {
    annotations: 'Annotations are texts by name that tools keep with the object. Nothing selects by them.',
    creationTimestamp: 'CreationTimestamp is a timestamp of the moment at which the server made the object. Clients can not set it.',
    deletionGracePeriodSeconds: 'DeletionGracePeriodSeconds is how long the object may take to end, from deletionTimestamp on. Read-only.',
    deletionTimestamp:
      'DeletionTimestamp is when the deletion of the object was asked for; it is gone once no finalizer is left. Read-only.',
    finalizers: 'Finalizers name who has to clean up before the object may go. Each removes its own.',
    generateName: 'GenerateName is the beginning of a name that the server completes, for objects without a name.',
    generation: 'Generation counts the changes of what is wanted of the object. Read-only.',
    labels: 'Labels are short values by name, by which objects are selected.',
    managedFields: 'ManagedFields says which manager has set which fields. The server keeps it for server-side apply.',
    name: 'Name of the object, one of its kind and namespace. It can not change.',
    namespace: 'Namespace that holds the object; empty for kinds that belong to the cluster.',
    ownerReferences: 'OwnerReferences name the objects without which this one is to go. One of them may be its controller.',
    resourceVersion:
      'ResourceVersion stands for the state of the object; a write that gives an older one is refused. Read-only and opaque.',
    selfLink: 'SelfLink is no longer set.',
    uid: 'UID is different for every object that has ever been, also of the same name. Read-only.',
  },
  'meta.v1.OwnerReference': {
    apiVersion: 'API version of the owner.',
    blockOwnerDeletion: 'An owner that is deleted in the foreground waits for this object.',
    controller: 'The owner is the controller of this object.',
    kind: 'Kind of the owner.',
    name: 'Name of the owner.',
    uid: 'UID of the owner.',
  },
  'meta.v1.ManagedFieldsEntry': {
    apiVersion: 'Version in which the fields are named.',
    fieldsType: 'Form of the fields; always FieldsV1.',
    fieldsV1: 'The fields as a tree of names.',
    manager: 'Who has set the fields.',
    operation: 'How: Apply or Update.',
    subresource: 'By which subresource.',
    time: 'When it last changed the fields.',
  },
  'meta.v1.ListMeta': {
    continue: 'Token for the next part of a list that was asked for with a limit; empty at the end.',
    remainingItemCount: 'How many objects follow this part of the list; absent where nobody has counted.',
    resourceVersion: 'State of the server that the list shows; a watch goes on from there.',
    selfLink: 'SelfLink is no longer set.',
  },
};

/** A schema with what is known of its fields. */
export function withDescriptions(definition: string, schema: JsonObject, version: 'v2' | 'v3'): JsonObject {
  const properties = schema['properties'];
  if (!Object.hasOwn(DESCRIPTIONS, definition) || properties === undefined || !isJsonObject(properties)) return schema;
  const known = DESCRIPTIONS[definition] as { readonly [field: string]: string };
  const described = Object.entries(properties).map(([name, property]) => {
    if (!isJsonObject(property) || !Object.hasOwn(known, name)) return [name, property] as const;
    const description = known[name] as string;
    // In version 3 nothing may stand beside a reference.
    const isReference = version === 'v3' && Object.hasOwn(property, '$ref');
    return [name, isReference ? { description, allOf: [property] } : { description, ...property }] as const;
  });
  return { ...schema, properties: Object.fromEntries(described) };
}
