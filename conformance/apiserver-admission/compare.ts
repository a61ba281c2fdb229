import type { AdmissionDecision, AdmissionStatus, JsonObject } from '../../engine/rules/admission/decision.ts';
import { stringifyJson } from '../../runtimes/host/json-body.ts';
import type { LiveAnswer } from './live.ts';

/** A denial or an error as the API server tells it. */
export interface LiveVerdict {
  readonly kind: 'allowed' | 'denied' | 'failed';
  readonly status?: AdmissionStatus;
}

/** In front of a ValidatingAdmissionPolicy's text: `configmaps "x" is forbidden: `. */
const FORBIDDEN_PREFIX = /^[a-z0-9.-]+ "[^"]*" is forbidden: /;
const POLICY_DENIAL = /^(ValidatingAdmissionPolicy '[^']*'|policy '[^']*')( with binding '[^']*')? denied request: /;

/** `failed`: neither a policy nor a success, such as an object that no longer decodes after a mutation. */
export function verdictOf(answer: LiveAnswer): LiveVerdict {
  if (answer.response.status <= 299) return { kind: 'allowed' };
  const { message = '', reason = '', code = 0 } = answer.response.body as Partial<AdmissionStatus>;
  const status = { message: message.replace(FORBIDDEN_PREFIX, ''), reason, code };
  if (POLICY_DENIAL.test(status.message)) return { kind: 'denied', status };
  // A connection that was let through ends at the node that is not there.
  return { kind: answer.request.draft.verb === 'connect' ? 'allowed' : 'failed', status };
}

/** Differences between the API server's verdict and ours, in words; none when they are equal. The mutated object is compared elsewhere. */
export function compareVerdicts(answer: LiveAnswer, decision: AdmissionDecision, anyOrder: boolean): string[] {
  const live = verdictOf(answer);
  const differences: string[] = [];
  if (live.kind !== 'failed' && (live.kind === 'allowed') !== decision.allowed) {
    const words = (allowed: boolean, status: AdmissionStatus | undefined): string => (allowed ? 'allowed' : `denied: ${describe(status)}`);
    return [`the API server: ${words(live.kind === 'allowed', live.status)}\nours: ${words(decision.allowed, decision.status)}`];
  }
  if (live.kind !== 'allowed' && !decision.allowed && !sameStatus(live.status!, decision, anyOrder)) {
    differences.push(`status of the API server: ${describe(live.status)}\nours: ${describe(decision.status)}`);
  }
  differences.push(...compareLists('warnings', answer.response.warnings.filter(isOfPolicy), decision.warnings.filter(fitsHeader)));
  differences.push(...compareAnnotations(answer, decision));
  return differences;
}

function describe(status: AdmissionStatus | undefined): string {
  return status === undefined ? 'no status' : `${status.code} ${status.reason} ${JSON.stringify(status.message)}`;
}

/** The API server has warnings of its own, on deprecated fields and the like. */
function isOfPolicy(warning: string): boolean {
  return warning.startsWith('Validation failed for ');
}

/** The API server drops a warning that does not fit a header. Kubernetes: apimachinery pkg/util/net NewWarningHeader. */
function fitsHeader(warning: string): boolean {
  return !/\p{Cc}/u.test(warning);
}

/** Names made from `generateName` are different in every request. */
function withoutGenerated(text: string): string {
  return text.replace(/\bgenerated-[a-z0-9]{5}\b/g, 'generated-*');
}

/** The API server names one denial, and which one of several bindings and parameters is left to chance: then any of ours will do. */
function sameStatus(live: AdmissionStatus, decision: AdmissionDecision, anyOrder: boolean): boolean {
  const ours = decision.status!;
  if (withoutGenerated(live.message) === withoutGenerated(ours.message)) return live.reason === ours.reason && live.code === ours.code;
  if (!anyOrder) return false;
  return decision.outcomes.some((each) => {
    if (each.result !== 'deny' && each.result !== 'error') return false;
    const who = each.ruleKind === 'MutatingAdmissionPolicy' ? 'policy' : each.ruleKind;
    return live.message === `${who} '${each.rule}' with binding '${each.binding}' denied request: ${each.message}`;
  });
}

/** Order says nothing: policies are evaluated in any order. */
function compareLists(what: string, live: readonly string[], ours: readonly string[]): string[] {
  const [left, right] = [[...live].sort(), [...ours].sort()].map((list) => JSON.stringify(list));
  return left === right ? [] : [`${what} of the API server: ${left}\nours: ${right}`];
}

/** Keys that the API server writes whatever the policies are. */
const OTHER_ANNOTATIONS =
  /^(authorization\.k8s\.io|pod-security\.kubernetes\.io|mutation\.policy\.admission|apiserver\.latency\.k8s\.io)\//;
const FAILURE = 'validation.policy.admission.k8s.io/validation_failure';

function compareAnnotations(answer: LiveAnswer, decision: AdmissionDecision): string[] {
  const live = Object.entries(answer.annotations).filter(([key]) => !OTHER_ANNOTATIONS.test(key));
  return compareLists('audit annotations', live.map(canonical), Object.entries(decision.auditAnnotations).map(canonical));
}

/** The failures of an annotation come in any order too. */
function canonical([key, value]: readonly [string, string]): string {
  if (key !== FAILURE) return `${key}=${value}`;
  const failures = (JSON.parse(value) as readonly unknown[]).map((each) => JSON.stringify(each)).sort();
  return `${key}=[${failures.join(',')}]`;
}

/** Fields that say when and how an object was written, not what is in it. */
const SERVER_FIELDS = [
  'uid',
  'creationTimestamp',
  'resourceVersion',
  'managedFields',
  'generation',
  'namespace',
  'selfLink',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

/** An object without what the API server writes by itself, keys in order: equal texts mean equal objects. */
export function canonicalObject(object: JsonObject): string {
  const { metadata = {}, status: _, ...rest } = object as JsonObject & { metadata?: JsonObject };
  const kept = Object.entries(metadata).filter(([key]) => !SERVER_FIELDS.includes(key));
  const text = stringifyJson(sorted({ ...rest, metadata: Object.fromEntries(kept) }));
  // The token volume of a pod and the labels of a job are drawn anew for every request.
  return text
    .replace(/\bkube-api-access-[a-z0-9]{5}\b/g, 'kube-api-access-*')
    .replace(/"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"/g, '"uuid"');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
