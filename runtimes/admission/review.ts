import type {
  AdmissionRequest,
  GroupVersionKind,
  GroupVersionResource,
  Operation,
  UserInfo,
} from '../../engine/rules/admission/decision.ts';

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

/** What stands in the place of an AdmissionReview, before it is checked. */
interface Candidate {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly request?: unknown;
}

type RequestCandidate = { readonly [K in keyof AdmissionRequest]?: unknown };

/**
 * Checks the parsed body of a webhook call and returns its request, sharing its objects. Throws {@link InvalidReview}.
 *
 * The body must come from a JSON parser: its objects inherit nothing but what every object does, so the fields below, none
 * of which is called like a method of every object, can be read without asking whose they are.
 *
 * Kubernetes: staging/src/k8s.io/api/admission/v1/types.go; v1beta1 has the same fields.
 */
export function readReview(body: unknown): Review {
  const { apiVersion, kind, request: candidate } = asObject<Candidate>(body, 'the body');
  if (kind !== 'AdmissionReview') throw new InvalidReview(`kind must be "AdmissionReview", found ${shown(kind)}`);
  const version = apiVersion === 'admission.k8s.io/v1' ? 'v1' : apiVersion === 'admission.k8s.io/v1beta1' ? 'v1beta1' : undefined;
  if (version === undefined) {
    throw new InvalidReview(`apiVersion must be "admission.k8s.io/v1" or "admission.k8s.io/v1beta1", found ${shown(apiVersion)}`);
  }
  const request = asObject<RequestCandidate>(candidate, 'request');
  const { uid, operation } = request;
  if (typeof uid !== 'string' || uid === '' || uid.length > 256) throw new InvalidReview('request.uid must be a non-empty string');
  if (!isOperation(operation))
    throw new InvalidReview(`request.operation must be CREATE, UPDATE, DELETE or CONNECT, found ${shown(operation)}`);
  checkKind(request.kind, 'request.kind');
  checkResource(request.resource, 'request.resource');
  if (isPresent(request.requestKind)) checkKind(request.requestKind, 'request.requestKind');
  if (isPresent(request.requestResource)) checkResource(request.requestResource, 'request.requestResource');
  checkOptional(request.name, 'name', 'string');
  checkOptional(request.namespace, 'namespace', 'string');
  checkOptional(request.subResource, 'subResource', 'string');
  checkOptional(request.requestSubResource, 'requestSubResource', 'string');
  checkOptional(request.dryRun, 'dryRun', 'boolean');
  checkUser(request.userInfo);
  checkContent(request.object, 'request.object');
  checkContent(request.oldObject, 'request.oldObject');
  checkContent(request.options, 'request.options');
  // Every field that the type promises was checked above.
  return { version, request: request as AdmissionRequest };
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function asObject<T extends object>(value: unknown, what: string): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidReview(`${what} must be an object, found ${shown(value)}`);
  return value as T;
}

function isOperation(value: unknown): value is Operation {
  return value === 'CREATE' || value === 'UPDATE' || value === 'DELETE' || value === 'CONNECT';
}

function checkKind(value: unknown, path: string): void {
  const { group, version, kind } = asObject<{ readonly [K in keyof GroupVersionKind]?: unknown }>(value, path);
  checkNames(group, version, path);
  if (typeof kind !== 'string') throw new InvalidReview(`${path}.kind must be a string`);
}

function checkResource(value: unknown, path: string): void {
  const { group, version, resource } = asObject<{ readonly [K in keyof GroupVersionResource]?: unknown }>(value, path);
  checkNames(group, version, path);
  if (typeof resource !== 'string') throw new InvalidReview(`${path}.resource must be a string`);
}

function checkNames(group: unknown, version: unknown, path: string): void {
  if (typeof group !== 'string') throw new InvalidReview(`${path}.group must be a string`);
  if (typeof version !== 'string') throw new InvalidReview(`${path}.version must be a string`);
}

function checkOptional(value: unknown, name: string, type: 'string' | 'boolean'): void {
  if (isPresent(value) && typeof value !== type) throw new InvalidReview(`request.${name} must be a ${type}`);
}

function checkUser(value: unknown): void {
  const { username, uid, groups, extra } = asObject<{ readonly [K in keyof UserInfo]?: unknown }>(value, 'request.userInfo');
  checkOptional(username, 'userInfo.username', 'string');
  checkOptional(uid, 'userInfo.uid', 'string');
  if (isPresent(groups) && !isStrings(groups)) throw new InvalidReview('request.userInfo.groups must be a list of strings');
  if (!isPresent(extra)) return;
  const lists = asObject<{ readonly [key: string]: unknown }>(extra, 'request.userInfo.extra');
  for (const key of Object.keys(lists))
    if (!isStrings(lists[key])) throw new InvalidReview('request.userInfo.extra must hold lists of strings');
}

function isStrings(value: unknown): value is readonly string[] {
  if (!Array.isArray(value)) return false;
  for (const item of value) if (typeof item !== 'string') return false;
  return true;
}

function checkContent(value: unknown, path: string): void {
  if (!isPresent(value)) return;
  if (isDeeper(asObject(value, path), MAX_DEPTH)) throw new InvalidReview(`${path} is nested more than ${MAX_DEPTH} levels deep`);
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
    const item = (value as { readonly [key: string]: unknown })[key];
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
