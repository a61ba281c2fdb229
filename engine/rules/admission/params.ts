import type { AdmissionRequest, JsonObject } from './decision.ts';
import type { FactReader } from './fact-reader.ts';
import type { ParamRef, Policy, PolicyBinding } from './policy.ts';

/** The parameter objects to evaluate a policy with, one after the other; `null` stands for `params == null`. */
export type Params =
  | { readonly ok: true; readonly values: readonly (JsonObject | null)[] }
  /** `ofPolicy`: the policy's own configuration is at fault, not the binding's. */
  | { readonly ok: false; readonly error: string; readonly ofPolicy: boolean };

const NONE: Params = { ok: true, values: [null] };

/**
 * Finds the parameter objects of a binding. An empty list: there are none, and the binding says to go on without.
 * Kubernetes: apiserver pkg/admission/plugin/policy/generic/policy_dispatcher.go CollectParams.
 */
export function collectParams(policy: Policy, binding: PolicyBinding, request: AdmissionRequest, facts: FactReader): Params {
  const { paramKind } = policy;
  if (paramKind === undefined) return policy.inlineParams === undefined ? NONE : { ok: true, values: [policy.inlineParams] };
  const { paramRef } = binding;
  if (facts.serves(paramKind.apiVersion, paramKind.kind) === false) {
    const error = `failed to find resource referenced by paramKind: '${formatKind(paramKind)}'`;
    return { ok: false, error, ofPolicy: true };
  }
  if (paramRef === undefined) return NONE;
  const scope = policy.paramScope ?? facts.scope(paramKind.apiVersion, paramKind.kind);
  if (scope === 'Cluster' && paramRef.namespace) {
    return configurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  }
  const namespace = scope === 'Cluster' ? undefined : paramRef.namespace || request.namespace || undefined;
  if (scope === 'Namespaced' && namespace === undefined) {
    return configurationError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  }
  const values = lookUp(paramKind, paramRef, namespace, scope === undefined, facts);
  if (values.length === 0 && paramRef.notFound === 'Deny') {
    return configurationError('no params found for policy binding with `Deny` parameterNotFoundAction');
  }
  return { ok: true, values };
}

function lookUp(
  paramKind: { readonly apiVersion: string; readonly kind: string },
  paramRef: ParamRef,
  namespace: string | undefined,
  scopeUnknown: boolean,
  facts: FactReader,
): JsonObject[] {
  const place = namespace === undefined ? {} : { namespace };
  if (paramRef.name !== undefined) {
    let found = facts.object({ ...paramKind, ...place, name: paramRef.name });
    // Of a custom kind nobody told us about, the object may be cluster-scoped.
    if (found === null && scopeUnknown && namespace !== undefined && !paramRef.namespace) {
      found = facts.object({ ...paramKind, name: paramRef.name });
    }
    return found === null ? [] : [typed(found, paramKind)];
  }
  const query = { ...paramKind, ...place, ...(paramRef.selectorText ? { labelSelector: paramRef.selectorText } : {}) };
  const selector = paramRef.selector;
  return facts
    .list(query)
    .filter((object) => selector === undefined || selector(labelsOf(object)))
    .map((object) => typed(object, paramKind));
}

function typed(object: JsonObject, paramKind: { readonly apiVersion: string; readonly kind: string }): JsonObject {
  return Object.hasOwn(object, 'kind') && Object.hasOwn(object, 'apiVersion') ? object : { ...paramKind, ...object };
}

function configurationError(error: string): Params {
  return { ok: false, error, ofPolicy: false };
}

/** `apps/v1, Kind=Deployment`, as Go prints a GroupVersionKind. */
function formatKind(kind: { readonly apiVersion: string; readonly kind: string }): string {
  return `${kind.apiVersion.includes('/') ? kind.apiVersion : `/${kind.apiVersion}`}, Kind=${kind.kind}`;
}

/** `metadata.labels` of an object, whatever the object looks like. */
export function labelsOf(object: JsonObject | null | undefined): JsonObject | undefined {
  return member(member(object, 'metadata'), 'labels');
}

function member(value: JsonObject | null | undefined, field: string): JsonObject | undefined {
  if (value === null || value === undefined || !Object.hasOwn(value, field)) return undefined;
  const found = value[field];
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as JsonObject) : undefined;
}
