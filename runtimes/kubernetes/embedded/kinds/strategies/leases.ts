import { isJsonObject, type JsonObject } from '../../../../../engine/object/json.ts';
import { type FieldError, fieldForbidden, fieldInvalid } from '../../field-error.ts';
import type { Strategy } from '../definition.ts';
import { dnsSubdomainErrors } from '../names.ts';

/** Kubernetes: pkg/apis/coordination/validation/validation.go ValidateLeaseSpec. */
function leaseErrors(object: JsonObject): readonly FieldError[] {
  const spec = isJsonObject(object['spec']) ? object['spec'] : {};
  const errors: FieldError[] = [];
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = spec;
  if (typeof duration === 'number' && duration <= 0) {
    errors.push(fieldInvalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  }
  if (typeof transitions === 'number' && transitions < 0) {
    errors.push(fieldInvalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
  }
  if ((spec['preferredHolder'] ?? '') !== '' && (spec['strategy'] ?? '') === '') {
    errors.push(fieldForbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  }
  return errors;
}

/** Written by whoever holds them. */
export const leaseStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  createOnUpdate: true,
  unconditionalUpdate: false,
  validate: leaseErrors,
  validateUpdate: leaseErrors,
};
