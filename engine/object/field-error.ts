import { goQuote } from '../cel/go-quote.ts';
import { goFloat } from './go-format.ts';
import { goMapJson } from './go-json.ts';
import type { Json } from './json.ts';

/** Why a field of an object is not as it must be. Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go. */
export interface FieldError {
  readonly type:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueDuplicate'
    | 'FieldValueNotFound'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueTypeInvalid'
    | 'InternalError';
  /** `spec.containers[0].name`. */
  readonly field: string;
  /** The message without the field: `Required value: …`. */
  readonly body: string;
}

/** A value as Go prints it within messages: strings quoted, structures as JSON. */
function show(value: Json | undefined): string {
  if (value === undefined) return 'null';
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : goFloat(value);
  return typeof value === 'bigint' ? String(value) : goMapJson(value);
}

const withDetail = (head: string, detail: string): string => (detail === '' ? head : `${head}: ${detail}`);

export function fieldInvalid(field: string, value: Json | undefined, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, body: withDetail(`Invalid value: ${show(value)}`, detail) };
}

export function fieldTypeInvalid(field: string, value: Json | undefined, detail: string): FieldError {
  return { type: 'FieldValueTypeInvalid', field, body: withDetail(`Invalid value: ${show(value)}`, detail) };
}

/** Without showing the value, which is long or secret. */
export function fieldInvalidOmitted(field: string, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, body: withDetail('Invalid value', detail) };
}

export function fieldRequired(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, body: withDetail('Required value', detail) };
}

export function fieldDuplicate(field: string, value: Json): FieldError {
  return { type: 'FieldValueDuplicate', field, body: `Duplicate value: ${show(value)}` };
}

export function fieldNotFound(field: string, value: Json): FieldError {
  return { type: 'FieldValueNotFound', field, body: `Not found: ${show(value)}` };
}

/** `supported` is told in the order given. */
export function fieldNotSupported(field: string, value: Json, supported: readonly string[]): FieldError {
  const list = supported.length === 0 ? '' : `supported values: ${supported.map(goQuote).join(', ')}`;
  return { type: 'FieldValueNotSupported', field, body: withDetail(`Unsupported value: ${show(value)}`, list) };
}

export function fieldForbidden(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, body: withDetail('Forbidden', detail) };
}

export function fieldTooLong(field: string, limit: number): FieldError {
  return { type: 'FieldValueTooLong', field, body: `Too long: may not be more than ${limit} bytes` };
}

export function fieldTooMany(field: string, count: number, limit: number): FieldError {
  return { type: 'FieldValueTooMany', field, body: `Too many: ${count}: must have at most ${limit} ${limit === 1 ? 'item' : 'items'}` };
}

/** All of them in one line, each once. */
export function describeFieldErrors(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(({ field, body }) => `${field}: ${body}`))];
  return texts.length === 1 ? (texts[0] as string) : `[${texts.join(', ')}]`;
}
