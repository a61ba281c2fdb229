import { expect, test } from 'vitest';
import type { AdmissionFacts, AdmissionRequest } from '../rules/admission/decision.ts';
import { parseYaml } from '../text/yaml.ts';
import { compileBundle } from './compile.ts';

const facts: AdmissionFacts = {
  namespace: (name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
  object: () => null,
  list: () => [],
  authorize: () => ({ allowed: false, reason: '' }),
};

function request(object: object, overrides: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    uid: '1',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    operation: 'CREATE',
    name: 'p',
    namespace: 'default',
    userInfo: { username: 'a' },
    object: object as never,
    oldObject: null,
    ...overrides,
  };
}

test('a rule', () => {
  const text = `
apiVersion: fairlead.dev/v1alpha1
kind: AdmissionRule
metadata: {name: no-latest}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}
  variables:
  - {name: latest, expression: "object.spec.containers.filter(c, c.image.endsWith(':latest'))"}
  validations:
  - {expression: "variables.latest.size() == 0", messageExpression: "'image ' + variables.latest[0].image + ' is not allowed'"}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}
  validations:
  - {expression: "!object.spec.?hostNetwork.orValue(false)"}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b}
spec: {policyName: p, validationActions: [Deny]}
`;
  const { documents } = parseYaml({ name: 'x.yaml', text });
  const bundle = compileBundle(documents);
  expect(bundle.diagnostics).toEqual([]);
  const { admission } = bundle.program!;
  expect(admission.admit(request({ spec: { containers: [{ image: 'a:1' }] } }), facts, { phase: 'all' })).toMatchObject({
    kind: 'decision',
    decision: { allowed: true },
  });
  expect(
    admission.admit(request({ spec: { hostNetwork: true, containers: [{ image: 'a:latest' }] } }), facts, { phase: 'all' }),
  ).toMatchObject({
    decision: {
      allowed: false,
      status: { message: "AdmissionRule 'no-latest' denied request: image a:latest is not allowed", code: 422, reason: 'Invalid' },
    },
  });
  expect(admission.admit(request({ spec: { hostNetwork: true, containers: [{ image: 'a:1' }] } }), facts, { phase: 'all' })).toMatchObject({
    decision: {
      status: {
        message:
          "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: !object.spec.?hostNetwork.orValue(false)",
      },
    },
  });
});
