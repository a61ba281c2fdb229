/** For tests: reviews, and programs written by hand. */
import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import type { AdmissionDecision, AdmissionProgram, AdmissionRequest } from '../../engine/rules/admission/decision.ts';

/** A complete AdmissionReview of a pod as an API server sends it, with fields of the request replaced. */
export function reviewOf(request: object = {}, apiVersion = 'admission.k8s.io/v1') {
  return {
    kind: 'AdmissionReview',
    apiVersion,
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      requestResource: { group: '', version: 'v1', resource: 'pods' },
      name: 'web',
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: { username: 'ann', groups: ['system:authenticated'], extra: { scopes: ['a'] } },
      object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' } },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      ...request,
    },
  };
}

/** A decision that allows, with parts replaced. */
export function decisionOf(decision: Partial<AdmissionDecision> = {}): AdmissionDecision {
  return { allowed: true, patch: [], object: null, warnings: [], auditAnnotations: {}, outcomes: [], ...decision };
}

/** A bundle whose program is one function. */
export function bundleOf(
  admit: (
    request: AdmissionRequest,
    ...rest: [facts: Parameters<AdmissionProgram['admit']>[1], options: Parameters<AdmissionProgram['admit']>[2]]
  ) => AdmissionDecision | ReturnType<AdmissionProgram['admit']>,
): CompiledBundle {
  const admission: AdmissionProgram = {
    rules: [{ kind: 'AdmissionRule', name: 'by-hand' }],
    admit(request, facts, options) {
      const answer = admit(request, facts, options);
      return 'kind' in answer ? answer : { kind: 'decision', decision: answer };
    },
  };
  return { name: 'by-hand', version: '1', diagnostics: [], program: { admission, reconcile: { rules: [] }, network: { rules: [] } } };
}
