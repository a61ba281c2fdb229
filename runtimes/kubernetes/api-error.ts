import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';

/** One reason among several. Kubernetes: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go, StatusCause. */
export interface StatusCause {
  /** `FieldValueInvalid`, `FieldManagerConflict`, `ResourceVersionTooLarge`, ... */
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** What a Status says beyond its message. */
export interface StatusDetails {
  readonly name: string;
  readonly group: string;
  readonly kind: string;
  readonly causes: readonly StatusCause[];
}

/** What was asked, for whoever has to allow it. */
export interface AskedFor {
  /** `list`, `create`, ... */
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

/** The API server's refusal. The message is its own. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status. */
  readonly status: number;
  /** `NotFound`, `AlreadyExists`, `Conflict`, `Expired`, ...; `` where the server names none. */
  readonly reason: string;
  readonly details: StatusDetails;
  /** From `Retry-After` or the Status; undefined where the server says nothing. */
  readonly retryAfterSeconds: number | undefined;
  /** What a person can do about it, where the message does not say. */
  readonly advice: string | undefined;

  constructor(status: number, message: string, more: Partial<Pick<ApiError, 'reason' | 'details' | 'retryAfterSeconds' | 'advice'>> = {}) {
    super(message);
    this.status = status;
    this.reason = more.reason ?? '';
    this.details = more.details ?? { name: '', group: '', kind: '', causes: [] };
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.advice = more.advice;
  }

  /** Whether a cause has this reason. */
  hasCause(reason: string): boolean {
    return this.details.causes.some((cause) => cause.reason === reason);
  }
}

/** The server was not reached, or what came is not an answer. The message says what to do where that is known. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** Node's code, such as `ECONNREFUSED`; `` where there is none. */
  readonly code: string;
  constructor(message: string, code = '', options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Longest message that is taken from a server; characters. */
const LONGEST_MESSAGE = 4096;
const MOST_CAUSES = 100;

/** Reads a Status, or whatever a proxy answered in its place. */
export function apiErrorOf(status: number, body: unknown, retryAfter?: string, advice?: string): ApiError {
  const object: JsonObject = isJsonObject(body) ? body : {};
  const message = text(object['message']) || `the API server answered ${status}`;
  const details: JsonObject = isJsonObject(object['details']) ? object['details'] : {};
  const causes = Array.isArray(details['causes']) ? (details['causes'] as readonly Json[]) : [];
  const seconds = retryAfterOf(retryAfter) ?? positive(details['retryAfterSeconds']);
  return new ApiError(status, message.slice(0, LONGEST_MESSAGE), {
    reason: text(object['reason']),
    details: {
      name: text(details['name']),
      group: text(details['group']),
      kind: text(details['kind']),
      causes: causes
        .slice(0, MOST_CAUSES)
        .flatMap((cause) =>
          isJsonObject(cause)
            ? [{ reason: text(cause['reason']), message: text(cause['message']).slice(0, LONGEST_MESSAGE), field: text(cause['field']) }]
            : [],
        ),
    },
    retryAfterSeconds: seconds,
    advice,
  });
}

/** The Status of an event of type ERROR. */
export function apiErrorOfStatus(status: JsonObject): ApiError {
  const code = status['code'];
  return apiErrorOf(typeof code === 'number' ? code : 500, status);
}

/** Seconds of a `Retry-After` header; dates are not understood, Kubernetes sends none. */
function retryAfterOf(header: string | undefined): number | undefined {
  return header !== undefined && /^[0-9]{1,9}$/.test(header) ? Number(header) : undefined;
}

function positive(value: Json | undefined): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** `deployments.apps/scale`, `pods`. */
function resourceText({ group, resource, subresource }: AskedFor): string {
  return `${resource}${group === '' ? '' : `.${group}`}${subresource === '' ? '' : `/${subresource}`}`;
}

/** How to allow what a server forbade with 403. */
export function permissionAdvice(asked: AskedFor): string {
  const resource = `${asked.resource}${asked.subresource === '' ? '' : `/${asked.subresource}`}`;
  const where =
    asked.namespace === '' ? 'by a ClusterRole and ClusterRoleBinding' : `by a Role and RoleBinding in namespace ${asked.namespace}`;
  return (
    `verb ${asked.verb} on ${resourceText(asked)} is missing: allow it ${where} with the rule ` +
    `{apiGroups: ["${asked.group}"], resources: ["${resource}"], verbs: ["${asked.verb}"]}`
  );
}

/** An error with its advice, in words for a person. */
export function failureText(error: unknown): string {
  if (error instanceof ApiError && error.advice !== undefined) return `${error.message} (${error.advice})`;
  return error instanceof Error ? error.message : String(error);
}
