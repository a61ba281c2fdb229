import type { AdmissionRequest, JsonObject } from '../../../../engine/rules/admission/decision.ts';
import type { AdmissionAttributes } from '../hooks.ts';

/** A write as an AdmissionReview describes it. Kubernetes: apiserver pkg/admission/plugin/webhook/request/admissionreview.go. */
export function admissionRequest(attributes: AdmissionAttributes, uid: string): AdmissionRequest {
  const { type, subresource, kind, name, namespace, operation, object, old, requester, dryRun, options } = attributes;
  const resource = { group: type.group, version: type.version, resource: type.resource };
  return {
    uid,
    kind,
    resource,
    ...(subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource }),
    requestKind: kind,
    requestResource: resource,
    name,
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: requester,
    object: object as JsonObject | null,
    oldObject: old,
    dryRun,
    options,
  };
}
