import type { Dialect, Policy } from './policy.ts';

/** Kubernetes: apiserver pkg/admission/plugin/policy/validating/dispatcher.go. */
export const VALIDATING_DIALECT: Dialect = {
  eagerMessages: true,
  namespaceInMatchConditions: false,
  nameAllDenials: false,
  denied: (policy, binding, message) => `ValidatingAdmissionPolicy '${policy.name}' ${withBinding(binding)}denied request: ${message}`,
  warned: (policy, binding, message) =>
    `Validation failed for ValidatingAdmissionPolicy '${policy.name}' ${withBinding(binding).trimEnd()}: ${message}`,
};

const withBinding = (binding: string | undefined) => (binding === undefined ? '' : `with binding '${binding}' `);

/** Kubernetes: apiserver pkg/admission/plugin/policy/generic/policy_dispatcher.go PolicyError. */
export const MUTATING_DIALECT: Dialect = {
  ...VALIDATING_DIALECT,
  denied: (policy, binding, message) =>
    binding === undefined
      ? `policy ${JSON.stringify(policy.name)} denied request: ${message}`
      : `policy '${policy.name}' with binding '${binding}' denied request: ${message}`,
};

export const RULE_DIALECT: Dialect = {
  eagerMessages: false,
  namespaceInMatchConditions: true,
  nameAllDenials: true,
  denied: (policy, _binding, message) => `${policy.kind} '${policy.name}' denied request: ${message}`,
  warned: (policy, _binding, message) => `${policy.kind} '${policy.name}': ${message}`,
};

/** Kyverno: pkg/cel/engine, `Policy <name> failed: <message>`. */
export const KYVERNO_DIALECT: Dialect = {
  ...RULE_DIALECT,
  denied: (policy: Policy, _binding, message) => `Policy ${policy.name} failed: ${message}`,
  warned: (policy: Policy, _binding, message) => `Policy ${policy.name} failed: ${message}`,
};
