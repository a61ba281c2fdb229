import type { Json, JsonObject } from '../../../engine/object/json.ts';
import type { FieldError } from './field-error.ts';
import { describeFieldErrors } from './field-error.ts';

/** One of the reasons in a Status's details. */
export interface StatusCause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** The resource or kind an error is about: `pods`, or `deployments` of `apps`. */
export interface Qualified {
  readonly group: string;
  readonly resource: string;
}

/**
 * A request that fails, as the `Status` that answers it. Words and codes are those of Kubernetes, which clients compare.
 * Kubernetes: staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go.
 */
export class StatusError extends Error {
  constructor(
    readonly code: number,
    /** Absent where Kubernetes gives none. */
    readonly reason: string | undefined,
    message: string,
    readonly details?: StatusDetails,
    /** Of the Status itself: a list that expired says there where to go on. */
    readonly metadata: JsonObject = {},
  ) {
    super(message);
    this.name = 'StatusError';
  }

  /** The body of the answer. */
  toStatus(): JsonObject {
    const { details } = this;
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.metadata,
      status: 'Failure',
      message: this.message,
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(details === undefined ? {} : { details: withoutEmpty(details as { readonly [key: string]: Json }) }),
      code: this.code,
    };
  }
}

function withoutEmpty(details: { readonly [key: string]: Json }): JsonObject {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined && value !== ''));
}

/** `deployments.apps`, `pods`. */
function qualifiedName({ group, resource }: Qualified): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function about({ group, resource }: Qualified, name: string): StatusDetails {
  return { name, group, kind: resource };
}

export function notFound(resource: Qualified, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualifiedName(resource)} "${name}" not found`, about(resource, name));
}

/** A path behind which there is nothing at all. */
export function noSuchPath(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(resource: Qualified, name: string): StatusError {
  return new StatusError(409, 'AlreadyExists', `${qualifiedName(resource)} "${name}" already exists`, about(resource, name));
}

export function generatedNameExists(resource: Qualified, name: string): StatusError {
  const message = `${qualifiedName(resource)} "${name}" already exists, the server was not able to generate a unique name for the object`;
  return new StatusError(409, 'AlreadyExists', message, about(resource, name));
}

export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized');
}

/** `name` is `` where the request names no object. */
export function forbidden(resource: Qualified, name: string, why: string, causes?: readonly StatusCause[]): StatusError {
  const what = `${qualifiedName(resource)}${name === '' ? '' : ` "${name}"`}`;
  return new StatusError(403, 'Forbidden', `${what} is forbidden: ${why}`, { ...about(resource, name), ...(causes ? { causes } : {}) });
}

export function conflict(resource: Qualified, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualifiedName(resource)} "${name}": ${why}`;
  return new StatusError(409, 'Conflict', message, about(resource, name));
}

/** The object was changed after the version that a write is based on. */
export function outdated(resource: Qualified, name: string): StatusError {
  return conflict(resource, name, 'the object has been modified; please apply your changes to the latest version and try again');
}

/** Fields that other managers of server-side apply own. */
export function applyConflict(causes: readonly StatusCause[], message: string): StatusError {
  return new StatusError(409, 'Conflict', message, { causes });
}

export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message);
}

/** Of a watch: what lies between is no longer known. */
export function tooOld(requested: number, compacted: number): StatusError {
  return expired(`too old resource version: ${requested} (${compacted})`);
}

/** A version that the server has not reached. */
export function tooLarge(requested: number, current: number): StatusError {
  return new StatusError(504, 'Timeout', `Too large resource version: ${requested}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

export function invalid(group: string, kind: string, name: string, errors: readonly FieldError[]): StatusError {
  const causes = errors.map(({ type, body, field }) => ({ reason: type, message: body, field }));
  const what = `${group === '' ? kind : `${kind}.${group}`} "${name}"`;
  const text = errors.length === 0 ? '' : `: ${describeFieldErrors(errors)}`;
  return new StatusError(422, 'Invalid', `${what} is invalid${text}`, { name, group, kind, causes });
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

export function tooManyRequests(message: string, retryAfterSeconds: number, causes?: readonly StatusCause[]): StatusError {
  return new StatusError(429, 'TooManyRequests', message, {
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
    ...(causes ? { causes } : {}),
  });
}

export function methodNotAllowed(): StatusError {
  return new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** A verb that a resource does not have: `patch`, `create`. */
export function verbNotSupported(resource: Qualified, action: string): StatusError {
  const message = `${action} is not supported on resources of kind "${qualifiedName(resource)}"`;
  return new StatusError(405, 'MethodNotAllowed', message, { group: resource.group, kind: resource.resource });
}

export function notAcceptable(accepted: readonly string[]): StatusError {
  return new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new StatusError(415, 'UnsupportedMediaType', message);
}

export function requestTooLarge(why: string): StatusError {
  return new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: ${why}`);
}

export function serviceUnavailable(message: string): StatusError {
  return new StatusError(503, 'ServiceUnavailable', message);
}

export function internalError(message: string): StatusError {
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}
