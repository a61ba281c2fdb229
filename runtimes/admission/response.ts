import type { AdmissionDecision } from '../../engine/rules/admission/decision.ts';
import { stringifyJson } from '../host/json-body.ts';
import { webhookAnnotations } from './audit-annotations.ts';
import type { Review } from './review.ts';
import { budgetWarnings } from './warnings.ts';

/** Whether the caller may be given a patch: only a mutating webhook may. */
export type PatchPolicy = 'patch' | 'no-patch';

const PREFIX = {
  v1: '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":',
  v1beta1: '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1","response":{"uid":',
} as const;

/**
 * The body of the answer to a review, as the API server will accept it.
 *
 * A patch, and its type, is there only when the request is allowed, has an object, something changed, and the caller may
 * be given one. A denial has a message in every case: without one the user would read "without explanation".
 *
 * Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/request/admissionreview.go.
 */
export function writeResponse(review: Review, decision: AdmissionDecision, patches: PatchPolicy): string {
  const { allowed, status, patch } = decision;
  let text = `${PREFIX[review.version]}${JSON.stringify(review.request.uid)},"allowed":${allowed}`;
  if (!allowed) {
    const message = status?.message || 'the request was denied by a rule that gave no message';
    // The API server raises codes below 400 itself, but 200 would read as a mistake in logs of proxies.
    const code = status !== undefined && status.code >= 400 && status.code <= 599 ? status.code : 403;
    text += `,"status":{"status":"Failure","message":${JSON.stringify(message)},"reason":${JSON.stringify(status?.reason || 'Forbidden')},"code":${code}}`;
  } else if (patches === 'patch' && patch.length > 0 && isPatchable(review)) {
    text += `,"patch":"${Buffer.from(stringifyJson(patch)).toString('base64')}","patchType":"JSONPatch"`;
  }
  const warnings = budgetWarnings(decision.warnings);
  if (warnings.length > 0) text += `,"warnings":${JSON.stringify(warnings)}`;
  for (const _ in decision.auditAnnotations) {
    text += `,"auditAnnotations":${JSON.stringify(webhookAnnotations(decision.auditAnnotations))}`;
    break;
  }
  return `${text}}}`;
}

/** A patch of a request without an object would give the user a 500. */
function isPatchable(review: Review): boolean {
  const { object } = review.request;
  return object !== null && object !== undefined;
}
