import { type CompileBundleOptions, compileBundle } from '../../bundle/compile.ts';
import { parseYaml } from '../../text/yaml.ts';
import type { AdmissionDecision, AdmissionFacts, AdmissionProgram, AdmissionRequest, AdmitOptions, JsonObject } from './decision.ts';
import { recordedFacts } from './recorded-facts.ts';

/** What is wrong with the documents of a text: `severity path: message`. */
export function problemsOf(text: string, options?: CompileBundleOptions): readonly string[] {
  const { documents, diagnostics } = parseYaml({ name: 'rules.yaml', text });
  const bundle = compileBundle(documents, { ...options, diagnostics });
  return bundle.diagnostics.map(({ severity, path, message }) => `${severity} ${path}: ${message}`);
}

/** Compiles documents that have nothing wrong with them. */
export function programOf(text: string, options?: CompileBundleOptions): AdmissionProgram {
  const { documents, diagnostics } = parseYaml({ name: 'rules.yaml', text });
  const bundle = compileBundle(documents, { ...options, diagnostics });
  const [first] = bundle.diagnostics.filter(({ severity }) => severity === 'error');
  if (bundle.program === undefined) throw new Error(`${first?.path}: ${first?.message}`);
  return bundle.program.admission;
}

/** The creation of a pod by `alice` in the namespace `shop`. */
export function podRequest(pod: JsonObject = {}, overrides: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, ...pod };
  return {
    uid: 'u',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    name: 'web',
    namespace: 'shop',
    operation: 'CREATE',
    userInfo: { username: 'alice', groups: ['system:authenticated'] },
    object,
    oldObject: null,
    ...overrides,
  };
}

/** Decides with facts that are complete. */
export function decide(
  program: AdmissionProgram,
  request: AdmissionRequest,
  facts: AdmissionFacts = recordedFacts([]),
  options: AdmitOptions = { phase: 'all' },
): AdmissionDecision {
  const answer = program.admit(request, facts, options);
  if (answer.kind === 'needs') throw new Error(`a fact is missing: ${JSON.stringify(answer.needs)}`);
  return answer.decision;
}

/** A ValidatingAdmissionPolicy about pods, from the rest of its spec. */
export function validatingPolicy(spec: string, name = 'p'): string {
  return `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: ${name} }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], resources: [pods], operations: ["*"] }]
${indent(spec)}
`;
}

/** A binding, from the rest of its spec. Default: it denies. */
export function binding(spec = 'validationActions: [Deny]', name = 'b', policy = 'p'): string {
  return `
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: ${name} }
spec:
  policyName: ${policy}
${indent(spec)}
`;
}

/** A MutatingAdmissionPolicy about pods and its binding, from the rest of its spec. */
export function mutatingPolicy(spec: string, name = 'p'): string {
  return `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: { name: ${name} }
spec:
  reinvocationPolicy: Never
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], resources: [pods, configmaps], operations: [CREATE, UPDATE] }]
${indent(spec)}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: { name: b-${name} }
spec: { policyName: ${name} }
`;
}

/** An AdmissionRule about pods, from the rest of its spec. */
export function rule(spec: string, name = 'r'): string {
  return `
apiVersion: fairlead.dev/v1alpha1
kind: AdmissionRule
metadata: { name: ${name} }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], resources: [pods], operations: ["*"] }]
${indent(spec)}
`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
