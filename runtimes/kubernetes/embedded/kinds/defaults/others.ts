import { isJsonObject, type JsonObject } from '../../../../../engine/object/json.ts';
import { type Defaulter, fill, fillText, inside } from './default-values.ts';

/** A part of the spec, made where it is missing. */
function part(spec: JsonObject, field: string, change: Defaulter): JsonObject {
  return inside(fill(spec, { [field]: {} }), field, change);
}

const deployment: Defaulter = (object) =>
  inside(object, 'spec', (spec) =>
    part(fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 }), 'strategy', (strategy) => {
      const typed = fillText(strategy, { type: 'RollingUpdate' });
      return typed['type'] === 'RollingUpdate'
        ? part(typed, 'rollingUpdate', (rolling) => fill(rolling, { maxUnavailable: '25%', maxSurge: '25%' }))
        : typed;
    }),
  );

/** Not a default but what the conversion to apps/v1 writes, and so it counts as the client's. */
const withTemplateGeneration: Defaulter = (object) =>
  inside(object, 'metadata', (metadata) =>
    part(metadata, 'annotations', (annotations) => fill(annotations, { 'deprecated.daemonset.template.generation': '0' })),
  );

const daemonSet: Defaulter = (object) =>
  inside(withTemplateGeneration(object), 'spec', (spec) =>
    part(fill(spec, { revisionHistoryLimit: 10 }), 'updateStrategy', (strategy) => {
      const typed = fillText(strategy, { type: 'RollingUpdate' });
      return typed['type'] === 'RollingUpdate'
        ? part(typed, 'rollingUpdate', (rolling) => fill(rolling, { maxUnavailable: 1, maxSurge: 0 }))
        : typed;
    }),
  );

const statefulSet: Defaulter = (object) =>
  inside(object, 'spec', (spec) => {
    const filled = fill(fillText(spec, { podManagementPolicy: 'OrderedReady' }), { replicas: 1, revisionHistoryLimit: 10 });
    const updating = part(filled, 'updateStrategy', (strategy) => {
      const typed = (strategy['type'] ?? '') === '' ? fill({ ...strategy, type: 'RollingUpdate' }, { rollingUpdate: {} }) : strategy;
      return typed['type'] === 'RollingUpdate'
        ? inside(typed, 'rollingUpdate', (rolling) => fill(rolling, { partition: 0, maxUnavailable: 1 }))
        : typed;
    });
    return part(updating, 'persistentVolumeClaimRetentionPolicy', (policy) =>
      fillText(policy, { whenDeleted: 'Retain', whenScaled: 'Retain' }),
    );
  });

const job: Defaulter = (object) => {
  const filled = inside(object, 'spec', (spec) => {
    const alone = (spec['completions'] ?? null) === null && (spec['parallelism'] ?? null) === null;
    return fill(spec, {
      ...(alone ? { completions: 1 } : {}),
      parallelism: 1,
      backoffLimit: (spec['backoffLimitPerIndex'] ?? null) === null ? 6 : 2 ** 31 - 1,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: (spec['podFailurePolicy'] ?? null) === null ? 'TerminatingOrFailed' : 'Failed',
      manualSelector: false,
    });
  });
  const template = isJsonObject(filled['spec']) ? filled['spec']['template'] : undefined;
  const metadata = isJsonObject(template) ? template['metadata'] : undefined;
  const labels = isJsonObject(metadata) ? metadata['labels'] : undefined;
  return inside(filled, 'metadata', (own) => fill(own, { labels }));
};

const cronJob: Defaulter = (object) =>
  inside(object, 'spec', (spec) =>
    fill(fillText(spec, { concurrencyPolicy: 'Allow' }), { suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 }),
  );

const networkPolicy: Defaulter = (object) =>
  inside(object, 'spec', (spec) => {
    const { policyTypes, egress } = spec;
    if (Array.isArray(policyTypes) && policyTypes.length > 0) return spec;
    return { ...spec, policyTypes: Array.isArray(egress) && egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'] };
  });

const CPU_AT_80 = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];

const SCALE_UP: JsonObject = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const SCALE_DOWN: JsonObject = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

const autoscaler: Defaulter = (object) =>
  inside(object, 'spec', (spec) => {
    const metrics = Array.isArray(spec['metrics']) && spec['metrics'].length === 0 ? null : spec['metrics'];
    const filled = fill({ ...spec, metrics: metrics ?? null }, { minReplicas: 1, metrics: CPU_AT_80 });
    return inside(filled, 'behavior', (behavior) =>
      part(
        part(behavior, 'scaleUp', (rules) => fill(rules, SCALE_UP)),
        'scaleDown',
        (rules) => fill(rules, SCALE_DOWN),
      ),
    );
  });

const webhook: Defaulter = (object) =>
  fill(object, { failurePolicy: 'Fail', matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, timeoutSeconds: 10 });

const policySpec: Defaulter = (object) => fill(object, { failurePolicy: 'Fail' });
const roleBinding: Defaulter = (object) =>
  inside(object, 'roleRef', (reference) => fillText(reference, { apiGroup: 'rbac.authorization.k8s.io' }));

/** Defaults of the other groups, by type. Kubernetes: pkg/apis/<group>/<version>/defaults.go. */
export const OTHER_DEFAULTS: ReadonlyMap<string, Defaulter> = new Map<string, Defaulter>([
  ['apps.v1.Deployment', deployment],
  ['apps.v1.DaemonSet', daemonSet],
  ['apps.v1.StatefulSet', statefulSet],
  ['apps.v1.ReplicaSet', (object) => inside(object, 'spec', (spec) => fill(spec, { replicas: 1 }))],
  ['batch.v1.Job', job],
  ['batch.v1.CronJob', cronJob],
  ['batch.v1.PodFailurePolicyOnPodConditionsPattern', (object) => fillText(object, { status: 'True' })],
  ['networking.v1.NetworkPolicy', networkPolicy],
  ['networking.v1.NetworkPolicyPort', (object) => fillText(object, { protocol: 'TCP' })],
  ['networking.v1.IngressClassParametersReference', (object) => fillText(object, { scope: 'Cluster' })],
  ['autoscaling.v2.HorizontalPodAutoscaler', autoscaler],
  ['autoscaling.v1.HorizontalPodAutoscaler', (object) => inside(object, 'spec', (spec) => fill(spec, { minReplicas: 1 }))],
  ['storage.v1.StorageClass', (object) => fillText(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' })],
  [
    'storage.v1.CSIDriverSpec',
    (object) =>
      fill(object, {
        attachRequired: true,
        podInfoOnMount: false,
        storageCapacity: false,
        fsGroupPolicy: 'ReadWriteOnceWithFSType',
        volumeLifecycleModes: ['Persistent'],
        requiresRepublish: false,
        seLinuxMount: false,
      }),
  ],
  ['scheduling.v1.PriorityClass', (object) => fillText(object, { preemptionPolicy: 'PreemptLowerPriority' })],
  ['admissionregistration.v1.ValidatingWebhook', webhook],
  ['admissionregistration.v1.MutatingWebhook', (object) => fill(webhook(object), { reinvocationPolicy: 'Never' })],
  ['admissionregistration.v1.RuleWithOperations', (object) => fillText(object, { scope: '*' })],
  ['admissionregistration.v1.NamedRuleWithOperations', (object) => fillText(object, { scope: '*' })],
  ['admissionregistration.v1.ServiceReference', (object) => fill(object, { port: 443 })],
  ['admissionregistration.v1.ValidatingAdmissionPolicySpec', policySpec],
  ['admissionregistration.v1.MutatingAdmissionPolicySpec', policySpec],
  [
    'admissionregistration.v1.MatchResources',
    (object) => fill(object, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} }),
  ],
  ['discovery.v1.EndpointPort', (object) => fill(object, { name: '', protocol: 'TCP' })],
  ['rbac.v1.ClusterRoleBinding', roleBinding],
  ['rbac.v1.RoleBinding', roleBinding],
  [
    'rbac.v1.Subject',
    (object) => (object['kind'] === 'ServiceAccount' ? object : fillText(object, { apiGroup: 'rbac.authorization.k8s.io' })),
  ],
]);
