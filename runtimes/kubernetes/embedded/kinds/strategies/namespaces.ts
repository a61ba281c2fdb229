import type { Json } from '../../../../../engine/object/json.ts';
import { fieldOf, withField } from '../../verbs/object-fields.ts';
import type { Strategy } from '../definition.ts';
import { dnsLabelErrors } from '../names.ts';

/** Holds a namespace until its content is gone. */
const CONTENT_FINALIZER = 'kubernetes';

function contentFinalizers(object: { readonly [key: string]: Json }): readonly Json[] {
  const finalizers = fieldOf(object, 'spec', 'finalizers');
  return Array.isArray(finalizers) ? finalizers : [];
}

/** Kubernetes: pkg/registry/core/namespace/strategy.go, storage/storage.go. */
export const namespaceStrategy: Strategy = {
  nameErrors: dnsLabelErrors,
  initialStatus: { phase: 'Active' },
  prepareForCreate(object) {
    const finalizers = contentFinalizers(object);
    return finalizers.includes(CONTENT_FINALIZER) ? object : { ...object, spec: { finalizers: [...finalizers, CONTENT_FINALIZER] } };
  },
  prepareForUpdate: (object, old) => withField(object, 'spec', old['spec']),
  prepareForSubresource: {
    finalize(object, old) {
      const finalizers = contentFinalizers(object);
      return withField(withField(object, 'status', old['status']), 'spec', finalizers.length === 0 ? {} : { finalizers });
    },
  },
  holdsDeletion: (object) => contentFinalizers(object).length > 0,
  markDeleted: (object) => ({ ...object, status: { ...(object['status'] as { [key: string]: Json } | undefined), phase: 'Terminating' } }),
};
