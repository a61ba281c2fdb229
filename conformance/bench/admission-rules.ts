import { compileBundle } from '../../engine/bundle/compile.ts';
import type { AdmissionProgram, AdmissionRequest, JsonObject } from '../../engine/rules/admission/decision.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import { POLICY_EXPRESSIONS } from './cel-expressions.ts';

export interface RuleSetOptions {
  readonly count: number;
  /** Every rule takes its containers from a variable of its own, and has a message expression. */
  readonly variables?: boolean;
  /** Of so many rules only every n-th is about pods. */
  readonly aboutPods?: number;
}

/** Rules over the expressions of the CEL benchmark, every one compiled for itself as in a real bundle. */
export function ruleSet({ count, variables = false, aboutPods = 1 }: RuleSetOptions): AdmissionProgram {
  const text = Array.from({ length: count }, (_, i) =>
    rule(i, i % aboutPods === 0 ? 'pods' : RESOURCES[i % RESOURCES.length]!, variables),
  ).join('\n---\n');
  const { documents } = parseYaml({ name: 'rules.yaml', text });
  const bundle = compileBundle(documents);
  if (bundle.program === undefined) throw new Error(bundle.diagnostics.map(({ message, path }) => `${path}: ${message}`).join('\n'));
  return bundle.program.admission;
}

const RESOURCES = ['widgets', 'gadgets', 'gizmos', 'things', 'parts', 'items'];

function rule(index: number, resource: string, variables: boolean): string {
  const { expression } = POLICY_EXPRESSIONS[index % POLICY_EXPRESSIONS.length]!;
  const withVariable = expression.replaceAll('object.spec.containers', 'variables.containers');
  return JSON.stringify({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: `policy-${index}` },
    spec: {
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: [resource === 'pods' ? '' : 'example.com'],
            apiVersions: ['v1'],
            resources: [resource],
            operations: ['CREATE', 'UPDATE'],
          },
        ],
      },
      ...(variables ? { variables: [{ name: 'containers', expression: 'object.spec.containers' }] } : {}),
      validations: [
        variables
          ? { expression: withVariable, messageExpression: "'not as it should be: ' + string(object.metadata.name)" }
          : { expression },
      ],
    },
  }).concat(
    '\n---\n',
    JSON.stringify({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: `binding-${index}` },
      spec: { policyName: `policy-${index}`, validationActions: ['Deny'] },
    }),
  );
}

/** The request an API server sends about the creation of a pod. */
export function podRequest(pod: JsonObject): AdmissionRequest {
  const kind = { group: '', version: 'v1', kind: 'Pod' };
  const resource = { group: '', version: 'v1', resource: 'pods' };
  return {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind,
    resource,
    requestKind: kind,
    requestResource: resource,
    name: 'web-1',
    namespace: 'shop',
    operation: 'CREATE',
    userInfo: { username: 'deployer', groups: ['system:authenticated'] },
    object: pod,
    oldObject: null,
    dryRun: false,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
  };
}
