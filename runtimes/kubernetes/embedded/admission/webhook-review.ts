import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';
import type { PatchOperation } from '../../../../engine/object/json-patch.ts';
import type { AdmissionRequest } from '../../../../engine/rules/admission/decision.ts';
import { parseJsonBody } from '../../../host/json-body.ts';
import { StatusError } from '../status-error.ts';

/** What a webhook said. */
export interface WebhookAnswer {
  readonly allowed: boolean;
  /** Why not. */
  readonly status: JsonObject;
  readonly patch: readonly PatchOperation[];
  readonly warnings: readonly string[];
}

const VERSIONS = new Set(['v1', 'v1beta1']);

/** The review to send, in the first version that the webhook and this server know. Throws an Error where there is none. */
export function reviewOf(request: AdmissionRequest, versions: readonly string[] = ['v1']): JsonObject {
  const version = versions.find((each) => VERSIONS.has(each));
  if (version === undefined) throw new Error('webhook does not accept known AdmissionReview versions (v1, v1beta1)');
  return { kind: 'AdmissionReview', apiVersion: `admission.k8s.io/${version}`, request: request as unknown as JsonObject };
}

/** Reads the answer to a review. Throws an Error where it is none. Kubernetes: webhook/request/admissionreview.go VerifyAdmissionResponse. */
export function readAnswer(review: JsonObject, body: unknown, mutating: boolean): WebhookAnswer {
  const { apiVersion, kind, response } = isJsonObject(body) ? body : ({} as JsonObject);
  if (!isJsonObject(response)) throw new Error('webhook response was absent');
  const request = review['request'] as JsonObject;
  const isOld = review['apiVersion'] === 'admission.k8s.io/v1beta1';
  if (!isOld) {
    if (apiVersion !== review['apiVersion'] || kind !== 'AdmissionReview')
      throw new Error(
        `expected webhook response of ${String(review['apiVersion'])}, Kind=AdmissionReview, got ${String(apiVersion)}, Kind=${String(kind)}`,
      );
    if (response['uid'] !== request['uid'])
      throw new Error(`expected response.uid=${JSON.stringify(request['uid'])}, got ${JSON.stringify(response['uid'] ?? '')}`);
  }
  const { patch, patchType, warnings, status } = response;
  const hasPatch = typeof patch === 'string' && patch !== '';
  if (!mutating && !isOld) {
    if (hasPatch) throw new Error('validating webhook may not return response.patch');
    if (patchType !== undefined && patchType !== null) throw new Error('validating webhook may not return response.patchType');
  }
  if (mutating && !isOld) {
    if (patchType === '') throw new Error('webhook returned invalid response.patchType of ""');
    if (hasPatch && typeof patchType !== 'string') throw new Error('webhook returned response.patch but not response.patchType');
    if (!hasPatch && typeof patchType === 'string') throw new Error('webhook returned response.patchType but not response.patch');
    if (typeof patchType === 'string' && patchType !== 'JSONPatch')
      throw new Error(`webhook returned response.patchType of ${JSON.stringify(patchType)}, which is not supported`);
  }
  return {
    allowed: response['allowed'] === true,
    status: isJsonObject(status) ? status : {},
    patch: mutating && hasPatch ? readPatch(patch) : [],
    warnings: Array.isArray(warnings) ? warnings.filter((each): each is string => typeof each === 'string') : [],
  };
}

function readPatch(text: string): readonly PatchOperation[] {
  let patch: unknown;
  try {
    patch = parseJsonBody(Buffer.from(text, 'base64'));
  } catch {
    throw new Error('received undecodable patch in webhook response: it is no JSON');
  }
  if (!Array.isArray(patch) || !patch.every(isJsonObject))
    throw new Error('received undecodable patch in webhook response: it is no list of operations');
  return patch as unknown as readonly PatchOperation[];
}

/** The refusal of a request that a webhook denies. Kubernetes: webhook/errors/statuserror.go ToStatusErr. */
export function denial(webhook: string, { message, reason, code }: JsonObject): StatusError {
  const by = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const why = typeof message === 'string' && message !== '' ? message : typeof reason === 'string' && reason !== '' ? reason : undefined;
  const text = why === undefined ? `${by} without explanation` : `${by}: ${why}`;
  // A webhook may say anything; HTTP has no other codes for what went wrong.
  const status = typeof code === 'number' && Number.isInteger(code) && code >= 400 && code <= 599 ? code : 400;
  return new StatusError(status, typeof reason === 'string' && reason !== '' ? reason : undefined, text);
}
