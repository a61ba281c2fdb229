import {
  type FieldError,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooLong,
  fieldTooMany,
  fieldTypeInvalid,
} from '../field-error.ts';
import { isJsonObject, type Json } from '../json.ts';

/** A violation of a schema, before it is known what it counts as a field error. */
export interface Violation {
  readonly kind: 'required' | 'enum' | 'tooLong' | 'tooMany' | 'type' | 'invalid' | 'composite';
  /** As the validator knows it: `spec.replicas`, `.spec` where it is missing at the root. */
  readonly path: string;
  readonly message: string;
  readonly value: Json;
  readonly limit?: number;
  readonly allowed?: readonly Json[];
}

/**
 * What a schema says of a value. `matches` counts what fits, by which the alternatives of `anyOf` and `oneOf` are compared when
 * none fits. Kubernetes: kube-openapi pkg/validation/validate/result.go.
 */
export class ValidationResult {
  readonly violations: Violation[] = [];
  matches = 0;
  #messages: Set<string> | undefined;

  /** Each message once. */
  add(violation: Violation): void {
    this.#messages ??= new Set(this.violations.map(({ message }) => message));
    if (this.#messages.has(violation.message)) return;
    this.#messages.add(violation.message);
    this.violations.push(violation);
  }

  merge(other: ValidationResult): void {
    for (const violation of other.violations) this.add(violation);
    this.matches += other.matches;
  }

  get isValid(): boolean {
    return this.violations.length === 0;
  }
}

/**
 * Violations as field errors; `root` is where the validated value stands, `` for the object itself. Kubernetes:
 * apiextensions-apiserver pkg/apiserver/validation/validation.go kubeOpenAPIResultToFieldErrors.
 */
export function toFieldErrors(violations: readonly Violation[], root: string): FieldError[] {
  return violations.map((violation) => toFieldError(violation, root));
}

function toFieldError({ kind, path, message, value, limit = -1, allowed = [] }: Violation, root: string): FieldError {
  const own = path.startsWith('.') ? path.slice(1) : path;
  const field = own === '' ? root : root === '' ? own : `${root}.${own}`;
  const place = field === '' ? '<nil>' : field;
  switch (kind) {
    case 'required':
      return fieldRequired(place);
    case 'enum':
      return fieldNotSupported(place, value, allowed.map(enumText));
    case 'tooLong':
      return fieldTooLong(place, limit);
    case 'tooMany':
      return fieldTooMany(place, Number(value), limit);
    case 'type':
      return fieldTypeInvalid(place, value, message);
    case 'invalid':
      return fieldInvalid(place, value, message);
    case 'composite':
      return fieldInvalid(root === '' ? '<nil>' : root, '', message);
  }
}

function enumText(value: Json): string {
  return typeof value === 'string' ? value : isJsonObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value);
}
