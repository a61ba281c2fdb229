import type { Program } from '../../cel/program.ts';
import type { CelValue } from '../../cel/values.ts';
import { isNamespaceKind } from './activation.ts';
import type { AdmissionRequest } from './decision.ts';
import type { FactReader } from './fact-reader.ts';
import { labelsOf } from './params.ts';
import type { MatchCriteria, Policy, PolicyBinding } from './policy.ts';
import {
  type EquivalentResources,
  matchName,
  matchShape,
  type RequestShape,
  type ShapeMatch,
  type ShapeVerdict,
} from './resource-match.ts';
import { FastVariables } from './variables.ts';

/** A policy that may concern requests of one shape. */
export interface Candidate {
  readonly policy: Policy;
  readonly verdict: ShapeVerdict;
  /** Set when names and selectors have no say: the policy matches every request of the shape. */
  readonly always: ShapeMatch | undefined;
  readonly bindings: readonly CandidateBinding[];
  /** One per policy, shared by all its candidates: an evaluation is never interrupted by another. */
  readonly variables: FastVariables;
  /** Set when one run of each validation decides for every request of the shape: the common case, kept short. */
  readonly quick: QuickCandidate | undefined;
}

/**
 * A policy that matches every request of the shape as it is, with one binding that narrows nothing and no parameter objects.
 */
export interface QuickCandidate {
  /** The validations of the policy. */
  readonly programs: readonly Program[];
  readonly hasConditions: boolean;
  readonly hasVariables: boolean;
  /** An expression reads `request`. */
  readonly usesRequest: boolean;
  /** An expression reads what has to be filled in: the namespace, the authorizer. */
  readonly usesMore: boolean;
  readonly params: CelValue;
}

export interface CandidateBinding {
  readonly binding: PolicyBinding;
  /** Undefined: the binding narrows nothing. */
  readonly verdict: ShapeVerdict | undefined;
}

const MAX_SHAPES = 4096;

/** Finds the policies that may concern a request. */
export interface PolicyIndex {
  /** In document order. */
  candidates(request: AdmissionRequest): readonly Candidate[];
}

/**
 * An index over policies by request shape (group, version, resource, subresource, operation, scope). The list for a shape is
 * made when it is first asked for; a cluster has a few hundred shapes, and the number kept is bounded.
 */
export function policyIndex(policies: readonly Policy[], equivalents: EquivalentResources): PolicyIndex {
  const byShape = new Map<string, readonly Candidate[]>();
  const entries = policies.map((policy) => ({ policy, variables: new FastVariables(policy.variables) }));
  return {
    candidates(request) {
      const { resource, kind } = request;
      const subresource = request.subResource ?? '';
      const namespaced = Boolean(request.namespace);
      const key = `${request.operation} ${resource.group}/${resource.version}/${resource.resource}/${subresource} ${kind.group}/${kind.version}/${kind.kind} ${namespaced}`;
      let found = byShape.get(key);
      if (found === undefined) {
        const shape: RequestShape = { resource, kind, subresource, operation: request.operation, namespaced };
        found = entries.flatMap(({ policy, variables }) => candidate(policy, variables, shape, equivalents) ?? []);
        if (byShape.size >= MAX_SHAPES) byShape.clear();
        byShape.set(key, found);
      }
      return found;
    },
  };
}

function candidate(policy: Policy, variables: FastVariables, shape: RequestShape, equivalents: EquivalentResources): Candidate | undefined {
  const verdict = matchShape(policy.match, shape, equivalents);
  if (verdict === undefined) return undefined;
  const bindings = policy.bindings.flatMap((binding): CandidateBinding[] => {
    if (binding.match === undefined) return [{ binding, verdict: undefined }];
    const bindingVerdict = matchShape(binding.match, shape, equivalents);
    return bindingVerdict === undefined ? [] : [{ binding, verdict: bindingVerdict }];
  });
  // A faulty policy speaks up before its bindings are looked at, but only if it has one: the others are not even loaded.
  if (policy.bindings.length === 0 || (bindings.length === 0 && policy.configurationError === undefined)) return undefined;
  const first = verdict.matches[0]!;
  const unconditional =
    verdict.excluded === undefined &&
    first.names === undefined &&
    policy.match.namespaceSelector === undefined &&
    policy.match.objectSelector === undefined &&
    policy.match.namespaceName === undefined &&
    policy.namespace === undefined;
  const always = unconditional ? first : undefined;
  return { policy, verdict, always, bindings, variables, quick: quickCandidate(policy, always, bindings, shape) };
}

function quickCandidate(
  policy: Policy,
  always: ShapeMatch | undefined,
  bindings: readonly CandidateBinding[],
  shape: RequestShape,
): QuickCandidate | undefined {
  if (always === undefined || always.kind !== shape.kind || always.resource !== shape.resource) return undefined;
  if (bindings.length !== 1 || bindings[0]!.verdict !== undefined || policy.configurationError !== undefined) return undefined;
  if (policy.paramKind !== undefined || policy.needsExactEvaluation || policy.probeMessages || policy.auditAnnotations.length > 0)
    return undefined;
  const { uses } = policy;
  return {
    programs: policy.validations.map((validation) => validation.expression.program),
    hasConditions: policy.matchConditions.length > 0,
    hasVariables: policy.variables.list.length > 0,
    usesRequest: uses.request,
    usesMore: uses.namespaceObject || uses.authorizer || uses.host,
    params: (policy.inlineParams ?? null) as CelValue,
  };
}

export type RequestMatch =
  | { readonly kind: 'match'; readonly match: ShapeMatch }
  | { readonly kind: 'skip'; readonly why: string }
  | { readonly kind: 'error'; readonly message: string };

/**
 * Names and selectors of a policy or a binding, for one request whose shape matches. May throw NEEDS_FACTS.
 * Kubernetes: apiserver pkg/admission/plugin/policy/matching/matching.go.
 */
export function matchRequest(criteria: MatchCriteria, verdict: ShapeVerdict, request: AdmissionRequest, facts: FactReader): RequestMatch {
  const match = matchName(verdict, request.name ?? '');
  if (match === undefined) return { kind: 'skip', why: 'resourceNames' };
  const { objectSelector, namespaceSelector, namespaceName } = criteria;
  if (namespaceName !== undefined && !namespaceName(request.namespace ?? '')) return { kind: 'skip', why: 'namespace' };
  if (objectSelector !== undefined) {
    // Either object may match: taking a label away is no way around a policy.
    const matches = (object: AdmissionRequest['object']) => object !== null && object !== undefined && objectSelector(labelsOf(object));
    if (!matches(request.object) && !matches(request.oldObject)) return { kind: 'skip', why: 'objectSelector' };
  }
  if (namespaceSelector !== undefined) {
    const labels = namespaceLabels(request, facts);
    if (labels === 'not-found') return { kind: 'error', message: `namespaces ${JSON.stringify(request.namespace)} not found` };
    if (labels !== 'cluster-scoped' && !namespaceSelector(labels)) return { kind: 'skip', why: 'namespaceSelector' };
  }
  return { kind: 'match', match };
}

/** Kubernetes: apiserver pkg/admission/plugin/webhook/predicates/namespace/matcher.go. */
function namespaceLabels(request: AdmissionRequest, facts: FactReader): ReturnType<typeof labelsOf> | 'not-found' | 'cluster-scoped' {
  const { resource } = request.resource;
  if (!request.namespace && resource !== 'namespaces') return 'cluster-scoped';
  const writes = request.operation === 'CREATE' || request.operation === 'UPDATE';
  // Nobody else knows the labels a namespace is about to have.
  if (resource === 'namespaces' && !request.subResource && writes) return labelsOf(request.object);
  const name = request.namespace || (isNamespaceKind(request.kind) ? (request.name ?? '') : '');
  const namespace = facts.namespace(name);
  return namespace === null ? 'not-found' : labelsOf(namespace);
}
