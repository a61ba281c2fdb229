import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import { compileBundle } from '../../engine/bundle/compile.ts';
import { parseYaml } from '../../engine/text/yaml.ts';

/** Validations of pods as the field writes them; the pod of the benchmark passes all, so that none is left out. */
const VALIDATIONS: readonly string[] = [
  "object.spec.containers.all(c, !c.image.endsWith(':latest'))",
  "object.spec.containers.all(c, c.image.startsWith('registry.example.com/'))",
  'object.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || !c.securityContext.privileged)',
  'object.spec.containers.all(c, has(c.resources) && has(c.resources.limits) && has(c.resources.requests))',
  "object.spec.containers.all(c, c.resources.limits.?memory.hasValue() && quantity(c.resources.limits.memory).isLessThan(quantity('2Gi')))",
  "'team' in object.metadata.labels",
  "object.metadata.labels['team'].matches('^[a-z]+$')",
  'has(object.metadata.labels) && object.metadata.labels.size() > 2',
  '!has(object.spec.hostNetwork) || !object.spec.hostNetwork',
  '!has(object.spec.hostPID) || !object.spec.hostPID',
  '!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))',
  "object.spec.restartPolicy in ['Always', 'OnFailure']",
  'object.spec.securityContext.?runAsNonRoot.orValue(false) == true',
  "object.spec.containers.all(c, c.securityContext.?capabilities.?drop.orValue([]).exists(d, d == 'ALL'))",
  'object.spec.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.hostPort) || p.hostPort == 0))',
  'object.spec.containers.all(c, has(c.livenessProbe))',
  "object.spec.serviceAccountName != 'default'",
  'object.spec.containers.map(c, c.name).all(n, n.size() < 64)',
  "object.metadata.namespace == request.namespace && request.userInfo.username != ''",
  'object.spec.tolerations.all(t, t.?tolerationSeconds.orValue(0) <= 300)',
];

export const WEBHOOK_RULES = VALIDATIONS.length;

/** One AdmissionRule per validation. */
export function webhookBundle(): CompiledBundle {
  const text = VALIDATIONS.map((expression, index) =>
    [
      'apiVersion: fairlead.dev/v1alpha1',
      'kind: AdmissionRule',
      `metadata: { name: rule-${index} }`,
      'spec:',
      '  matchConstraints:',
      '    resourceRules:',
      "    - { apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE, UPDATE] }",
      '  validations:',
      `  - expression: ${JSON.stringify(expression)}`,
    ].join('\n'),
  ).join('\n---\n');
  const { documents, diagnostics } = parseYaml({ name: 'webhook-rules.yaml', text });
  const bundle = compileBundle(documents, { name: 'webhook-rules', diagnostics });
  if (bundle.program === undefined)
    throw new Error(`the rules of the benchmark do not compile: ${JSON.stringify(bundle.diagnostics.map(({ message }) => message))}`);
  return bundle;
}
