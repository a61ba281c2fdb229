import { isJsonObject, type Json, type JsonObject, ownValue } from '../../engine/object/json.ts';
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
  const namespace = text(metadata, 'namespace');
  return {
    apiVersion: text(object, 'apiVersion'),
    kind: text(object, 'kind'),
    ...(namespace === '' ? {} : { namespace }),
    name: text(metadata, 'name'),
  };
}

function text(value: Json | undefined, key: string): string {
  const found = value !== undefined && isJsonObject(value) ? ownValue(value, key) : undefined;
  return typeof found === 'string' ? found : '';
}
