import { type JsonObject, ownText, ownValue } from '../../engine/object/json.ts';
import type { ObjectReference } from '../../engine/rules/reconcile/program.ts';

/** What people call an object: `Deployment shop/web`, `Node worker-1`. */
export function referenceLabel({ kind, namespace, name }: Pick<ObjectReference, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace === undefined || namespace === '' ? '' : `${namespace}/`}${name}`;
}

/** {@link referenceLabel} of an object. */
export function objectLabel(object: JsonObject): string {
  return referenceLabel(referenceOf(object));
}

/** Where an object says it is; fields that are no text are empty. */
export function referenceOf(object: JsonObject): ObjectReference {
  const metadata = ownValue(object, 'metadata');
  const namespace = ownText(metadata, 'namespace');
  return {
    apiVersion: ownText(object, 'apiVersion'),
    kind: ownText(object, 'kind'),
    ...(namespace === '' ? {} : { namespace }),
    name: ownText(metadata, 'name'),
  };
}
