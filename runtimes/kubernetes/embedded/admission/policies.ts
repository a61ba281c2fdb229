import type { JsonObject } from '../../../../engine/object/json.ts';
import type { AdmissionDecision, AdmissionFacts, AdmissionPhase, AdmissionProgram } from '../../../../engine/rules/admission/decision.ts';
import { isError } from '../../../../engine/text/diagnostic.ts';
import type { AdmissionAttributes } from '../hooks.ts';
import { internalError, invalid, StatusError } from '../status-error.ts';
import { admissionRequest } from './admission-request.ts';
import { type AdmissionPlugin, refusal } from './chain.ts';
import { policyErrors } from './policy-errors.ts';
import type { PolicySet } from './policy-set.ts';

/** Asks MutatingAdmissionPolicies. Kubernetes: apiserver pkg/admission/plugin/policy/mutating. */
export function mutatingPolicies(policies: PolicySet, facts: AdmissionFacts, uuid: () => string): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionPolicy',
    // What they change they have shown to each other already, and webhooks come after them.
    mutate(attributes, { round }) {
      const { mutating, reinvoked } = policies.compiled;
      const program = round === 0 ? mutating : reinvoked;
      if (program === undefined || attributes.object === null) return attributes.object;
      const { object } = decide(program, attributes, facts, 'mutate', uuid);
      return object as JsonObject | null;
    },
  };
}

/** Asks ValidatingAdmissionPolicies. Kubernetes: apiserver pkg/admission/plugin/policy/validating. */
export function validatingPolicies(policies: PolicySet, facts: AdmissionFacts, uuid: () => string): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionPolicy',
    validate(attributes) {
      const { validating } = policies.compiled;
      if (validating !== undefined) decide(validating, attributes, facts, 'validate', uuid);
    },
  };
}

/** Throws where the policies say no. */
function decide(
  program: AdmissionProgram,
  attributes: AdmissionAttributes,
  facts: AdmissionFacts,
  phase: AdmissionPhase,
  uuid: () => string,
): AdmissionDecision {
  const answer = program.admit(admissionRequest(attributes, uuid()), facts, { phase });
  if (answer.kind === 'needs') throw internalError('admission policies need facts that are not there');
  const { decision } = answer;
  for (const warning of decision.warnings) attributes.warn(warning);
  if (decision.status === undefined) return decision;
  const { message, reason, code } = decision.status;
  const error = refusal(attributes, message);
  // A change that fails is no refusal, and is told without saying of what.
  const told = phase === 'mutate' ? message : error.message;
  throw new StatusError(code, reason, told, { ...error.details, causes: [{ message }] });
}

const CHECKED = new Set([
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
]);

/** Refuses policies that do not compile, which is for the validation of their kinds to do. Kubernetes: pkg/apis/admissionregistration/validation. */
export function policyValidation(policies: PolicySet): AdmissionPlugin {
  return {
    name: 'PolicyValidation',
    validate({ type, subresource, operation, object }) {
      if (type.group !== 'admissionregistration.k8s.io' || subresource !== '' || !CHECKED.has(type.resource)) return;
      if (object === null || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
      const errors = policies.diagnose(object).filter(isError);
      if (errors.length === 0) return;
      const { name } = object['metadata'] as { readonly name?: string };
      throw invalid(type.group, type.kind, name ?? '', policyErrors(object, errors));
    },
  };
}
