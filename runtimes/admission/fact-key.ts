import type { AuthorizationAttributes, ObjectQuery, ObjectReference } from '../../engine/rules/admission/decision.ts';

/** JSON of the parts, so that no part can be mistaken for another. */
export function referenceKey(reference: ObjectReference): string {
  return JSON.stringify([reference.apiVersion, reference.kind, reference.namespace ?? '', reference.name]);
}

export function queryKey(query: ObjectQuery): string {
  return JSON.stringify([query.apiVersion, query.kind, query.namespace ?? '', query.labelSelector ?? '']);
}

export function attributesKey(attributes: AuthorizationAttributes): string {
  const { user } = attributes;
  return JSON.stringify([
    user.username ?? '',
    user.uid ?? '',
    user.groups ?? [],
    Object.entries(user.extra ?? {}),
    attributes.verb,
    attributes.path ?? '',
    attributes.group ?? '',
    attributes.version ?? '',
    attributes.resource ?? '',
    attributes.subresource ?? '',
    attributes.namespace ?? '',
    attributes.name ?? '',
    attributes.fieldSelector ?? '',
    attributes.labelSelector ?? '',
  ]);
}
