import type { AdmissionRequest, JsonObject, Operation, UserInfo } from '../../engine/rules/admission/decision.ts';

export type ReviewVersion = 'v1' | 'v1beta1';

/** A well-formed AdmissionReview. */
export interface Review {
  readonly version: ReviewVersion;
  readonly request: AdmissionRequest;
}

/** The body is not an AdmissionReview that can be answered; the HTTP status must not be 2xx. */
export class InvalidReview extends Error {
  override readonly name = 'InvalidReview';
}

/** No object that an API server stores is nested nearly as deeply; beyond it recursion over the object could exhaust the stack. */
export const MAX_DEPTH = 512;

/**
 * Checks the parsed body of a webhook call and returns its request, sharing its objects. Throws {@link InvalidReview}.
 *
 * Kubernetes: staging/src/k8s.io/api/admission/v1/types.go; v1beta1 has the same fields.
 */
export function readReview(body: unknown): Review {
  const review = asObject(body, 'the body');
  const apiVersion = field(review, 'apiVersion');
  const kind = field(review, 'kind');
  if (kind !== 'AdmissionReview') throw new InvalidReview(`kind must be "AdmissionReview", found ${shown(kind)}`);
  const version = apiVersion === 'admission.k8s.io/v1' ? 'v1' : apiVersion === 'admission.k8s.io/v1beta1' ? 'v1beta1' : undefined;
  if (version === undefined) {
    throw new InvalidReview(`apiVersion must be "admission.k8s.io/v1" or "admission.k8s.io/v1beta1", found ${shown(apiVersion)}`);
  }
  const request = asObject(field(review, 'request'), 'request');
  const uid = field(request, 'uid');
  if (typeof uid !== 'string' || uid === '' || uid.length > 256) throw new InvalidReview('request.uid must be a non-empty string');
  const operation = field(request, 'operation');
  if (!isOperation(operation))
    throw new InvalidReview(`request.operation must be CREATE, UPDATE, DELETE or CONNECT, found ${shown(operation)}`);
  checkGroupVersion(field(request, 'kind'), 'request.kind', 'kind');
  checkGroupVersion(field(request, 'resource'), 'request.resource', 'resource');
  if (present(request, 'requestKind')) checkGroupVersion(field(request, 'requestKind'), 'request.requestKind', 'kind');
  if (present(request, 'requestResource')) checkGroupVersion(field(request, 'requestResource'), 'request.requestResource', 'resource');
  checkOptional(request, 'name', 'string');
  checkOptional(request, 'namespace', 'string');
  checkOptional(request, 'subResource', 'string');
  checkOptional(request, 'requestSubResource', 'string');
  checkOptional(request, 'dryRun', 'boolean');
  checkUser(request);
  checkContent(request, 'object');
  checkContent(request, 'oldObject');
  checkContent(request, 'options');
  // Every field that the type promises was checked above.
  return { version, request: request as unknown as AdmissionRequest };
}

type Plain = { readonly [key: string]: unknown };

function field(object: Plain, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function present(object: Plain, key: string): boolean {
  const value = field(object, key);
  return value !== undefined && value !== null;
}

function asObject(value: unknown, what: string): Plain {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidReview(`${what} must be an object, found ${shown(value)}`);
  return value as Plain;
}

function isOperation(value: unknown): value is Operation {
  return value === 'CREATE' || value === 'UPDATE' || value === 'DELETE' || value === 'CONNECT';
}

function checkGroupVersion(value: unknown, path: string, last: 'kind' | 'resource'): void {
  const object = asObject(value, path);
  for (const key of ['group', 'version', last]) {
    if (typeof field(object, key) !== 'string') throw new InvalidReview(`${path}.${key} must be a string`);
  }
}

function checkOptional(object: Plain, key: string, type: 'string' | 'boolean'): void {
  if (present(object, key) && typeof object[key] !== type) throw new InvalidReview(`request.${key} must be a ${type}`);
}

function checkUser(request: Plain): void {
  const user: Plain & UserInfo = asObject(field(request, 'userInfo'), 'request.userInfo');
  for (const key of ['username', 'uid'])
    if (present(user, key) && typeof user[key] !== 'string') throw new InvalidReview(`request.userInfo.${key} must be a string`);
  if (present(user, 'groups') && !isStrings(user['groups'])) throw new InvalidReview('request.userInfo.groups must be a list of strings');
  if (present(user, 'extra')) {
    const extra = asObject(user['extra'], 'request.userInfo.extra');
    for (const key in extra) if (!isStrings(extra[key])) throw new InvalidReview('request.userInfo.extra must hold lists of strings');
  }
}

function isStrings(value: unknown): value is readonly string[] {
  if (!Array.isArray(value)) return false;
  for (const item of value) if (typeof item !== 'string') return false;
  return true;
}

function checkContent(request: Plain, key: 'object' | 'oldObject' | 'options'): void {
  if (!present(request, key)) return;
  const object = asObject(request[key], `request.${key}`) as JsonObject;
  if (isDeeper(object, MAX_DEPTH)) throw new InvalidReview(`request.${key} is nested more than ${MAX_DEPTH} levels deep`);
}

function isDeeper(value: object, rest: number): boolean {
  if (rest === 0) return true;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === 'object' && item !== null && isDeeper(item, rest - 1)) return true;
    }
    return false;
  }
  for (const key in value) {
    const item = (value as Plain)[key];
    if (typeof item === 'object' && item !== null && isDeeper(item, rest - 1)) return true;
  }
  return false;
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
