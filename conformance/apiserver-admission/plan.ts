import type { JsonObject } from '../../engine/rules/admission/decision.ts';
import type { Impersonation } from '../../runtimes/kubernetes/connection.ts';
import type { ApiRequest } from '../cluster/client.ts';
import { type AdmissionCase, type Draft, RESOURCES, type RequestDraft, resourcePath } from './case.ts';

/** A case with all names filled in: documents to load and requests to send. */
export interface PlannedCase {
  readonly name: string;
  readonly namespace: JsonObject & { readonly metadata: { readonly name: string } };
  /** Policies and bindings, in order. */
  readonly documents: readonly JsonObject[];
  /** To be created for real before anything is sent; with their namespaces. */
  readonly objects: readonly JsonObject[];
  readonly requests: readonly PlannedRequest[];
}

export interface PlannedRequest {
  /** `<case>: <request>`, unique. */
  readonly name: string;
  /** Marks the request in `userInfo.extra`, so that a recording webhook can tell which one it sees. */
  readonly mark: string;
  readonly send: ApiRequest;
  readonly draft: RequestDraft;
}

const ADMIN: Impersonation = { user: 'admin', groups: ['system:masters'] };
const API_VERSION = 'admissionregistration.k8s.io/v1';

/** Name of the extra attribute that holds {@link PlannedRequest.mark}. */
export const MARK = 'conformance-request';

/** Fills in names, namespaces and what keeps cases apart. Names depend on the position in the list. */
export function plan(cases: readonly AdmissionCase[]): PlannedCase[] {
  return cases.map((each, index) => planCase(each, index));
}

function planCase(each: AdmissionCase, index: number): PlannedCase {
  const id = `c${index}`;
  const label = { case: id };
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: id, labels: { ...each.namespace?.labels, ...label }, annotations: { ...each.namespace?.annotations } },
  };
  const documents: JsonObject[] = [];
  each.policies.forEach((policy, position) => {
    const name = `${id}-p${position}`;
    const isolation = each.clusterScoped ? 'objectSelector' : 'namespaceSelector';
    const constraints = (policy.spec['matchConstraints'] ?? {}) as Draft;
    const selector = (constraints[isolation] ?? {}) as Draft;
    const matchLabels = { ...(selector['matchLabels'] as Draft | undefined), ...label };
    const matchConstraints = { ...constraints, [isolation]: { ...selector, matchLabels } };
    documents.push(document(policy.kind, name, { ...policy.spec, matchConstraints }, id));
    policy.bindings.forEach((binding, at) => {
      documents.push(document(`${policy.kind}Binding`, `${name}-b${at}`, { policyName: name, ...binding }, id));
    });
  });
  const objects: JsonObject[] = (each.objects ?? []).map((object) => complete(object, id));
  const requests = each.requests.map((request, position) => planRequest(each, request, index, position, objects));
  return { name: each.name, namespace, documents, objects, requests };
}

function document(kind: string, name: string, spec: Draft, namespace: string): JsonObject {
  return fill({ apiVersion: API_VERSION, kind, metadata: { name }, spec }, namespace) as JsonObject;
}

function complete(object: Draft, namespace: string): JsonObject {
  const filled = fill(object, namespace) as Draft & { metadata?: Draft };
  const resource = Object.values(RESOURCES).find((each) => each.kind === filled['kind'] && each.apiVersion === filled['apiVersion']);
  const scope = resource?.namespaced === false ? {} : { namespace };
  return { ...filled, metadata: { ...scope, ...filled.metadata } } as JsonObject;
}

function planRequest(each: AdmissionCase, request: RequestDraft, index: number, position: number, objects: JsonObject[]): PlannedRequest {
  const id = `c${index}`;
  const resource = RESOURCES[request.resource]!;
  const given = (request.object ?? request.stored ?? {}) as { metadata?: Draft };
  const generated = given.metadata !== undefined && 'generateName' in given.metadata;
  const fallback = resource.namespaced ? `x${position}` : `${id}-x${position}`;
  const name = generated ? undefined : String(fill(given.metadata?.['name'] ?? fallback, id));
  const identify = (object: Draft): JsonObject => {
    const metadata = (object['metadata'] ?? {}) as Draft;
    const labels = each.clusterScoped ? { labels: { ...(metadata['labels'] as Draft | undefined), case: id } } : {};
    const identity = { ...(name === undefined ? {} : { name }), ...(resource.namespaced ? { namespace: id } : {}) };
    return fill(
      { apiVersion: resource.apiVersion, kind: resource.kind, ...object, metadata: { ...metadata, ...labels, ...identity } },
      id,
    ) as JsonObject;
  };
  if (request.stored) objects.push(identify(request.stored));
  const mark = `${index}-${position}`;
  const isAmbiguous = each.requests.some((other) => other !== request && other.name === request.name);
  const as = request.as ?? ADMIN;
  const method = { create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE', connect: 'POST' }[request.verb];
  const collection = request.verb === 'create' && request.subresource === undefined;
  const path = resourcePath(resource, id, collection ? undefined : name) + (request.subresource ? `/${request.subresource}` : '');
  const body = request.verb === 'patch' ? fill(request.object, id) : request.object && identify(request.object);
  return {
    name: `${each.name}: ${isAmbiguous ? `${request.name} ${request.resource}` : request.name}`,
    mark,
    draft: request,
    send: {
      method,
      path,
      query: { ...(request.verb === 'connect' ? {} : { dryRun: 'All' }), ...request.query },
      ...(body === undefined ? {} : { body }),
      ...(request.verb === 'patch' ? { contentType: 'application/merge-patch+json' } : {}),
      impersonate: { ...as, extra: { ...as.extra, [MARK]: [mark] } },
    },
  };
}

/** Puts the namespace in the place of `$NS` in all strings. */
function fill(value: unknown, namespace: string): unknown {
  if (typeof value === 'string') return value.replaceAll('$NS', namespace);
  if (Array.isArray(value)) return value.map((item) => fill(item, namespace));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, namespace)]));
}
