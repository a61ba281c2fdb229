import type { JsonObject } from '../../engine/object/json.ts';
import type { FieldDemand } from '../../engine/object/projection.ts';

/** What a rule reads of pods: five fields. */
export const FIVE_FIELDS: FieldDemand = {
  spec: { nodeName: true, containers: { '*': { image: true } } },
  status: { phase: true, podIP: true, conditions: { '*': { type: true, status: true } } },
};

/** Pods as an API server of Kubernetes 1.37 sends them, with one or two containers: 3 to 4 KB of JSON. Not two are the same. */
export function podAt(index: number): JsonObject {
  const names = index % 3 === 0 ? ['web', 'proxy'] : ['web'];
  const app = `checkout-${index % 100}`;
  const hex = (salt: number): string => ((index + 1) * 2654435761 * salt).toString(16).replace('.', '').slice(0, 12).padStart(12, '0');
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: `${app}-6f7d8c9b5d-${index.toString(36).padStart(5, '0')}`,
      generateName: `${app}-6f7d8c9b5d-`,
      namespace: `team-${index % 50}`,
      uid: `1f0f5bfa-2b6a-4a1c-9d3c-${hex(1)}`,
      resourceVersion: String(100_000 + index),
      creationTimestamp: '2026-01-01T10:00:00Z',
      labels: { app, 'pod-template-hash': '6f7d8c9b5d' },
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${app}-6f7d8c9b5d`,
          uid: `c9a1c5c6-0000-4f5e-8a43-${(index % 300).toString(16).padStart(12, '0')}`,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: [managed('kube-controller-manager', names)],
    },
    spec: {
      containers: names.map((name) => container(name, index)),
      volumes: [
        {
          name: 'kube-api-access-x2x4z',
          projected: {
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            ],
            defaultMode: 420,
          },
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'checkout',
      serviceAccount: 'checkout',
      nodeName: `node-${index % 200}.example.com`,
      securityContext: {},
      schedulerName: 'default-scheduler',
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: {
      phase: index % 7 === 0 ? 'Pending' : 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
        type,
        status: index % 7 === 0 ? 'False' : 'True',
        lastProbeTime: null,
        lastTransitionTime: '2026-01-01T10:00:05Z',
      })),
      hostIP: `10.0.${index % 200}.5`,
      podIP: `10.1.${index % 250}.${index % 249}`,
      podIPs: [{ ip: `10.1.${index % 250}.${index % 249}` }],
      startTime: '2026-01-01T10:00:01Z',
      qosClass: 'Burstable',
      containerStatuses: names.map((name) => ({
        name,
        state: { running: { startedAt: '2026-01-01T10:00:04Z' } },
        lastState: {},
        ready: true,
        restartCount: index % 3,
        image: imageOf(name, index),
        imageID: `registry.example.com/shop/${name}@sha256:${hex(3)}${hex(5)}${hex(7)}${hex(11)}${hex(13)}0000`,
        containerID: `containerd://${hex(17)}${hex(19)}${hex(23)}${hex(29)}${hex(31)}0000`,
        started: true,
      })),
    },
  };
}

function imageOf(name: string, index: number): string {
  return `registry.example.com/shop/${name}:1.${index % 50}.0`;
}

function container(name: string, index: number): JsonObject {
  return {
    name,
    image: imageOf(name, index),
    ports: [{ containerPort: 8080, protocol: 'TCP', name: 'http' }],
    env: [{ name: 'LOG_LEVEL', value: 'info' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    volumeMounts: [{ name: 'kube-api-access-x2x4z', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
  };
}

function managed(manager: string, names: readonly string[]): JsonObject {
  const containers = Object.fromEntries(
    names.map((name) => [`k:{"name":"${name}"}`, { '.': {}, 'f:image': {}, 'f:name': {}, 'f:env': {} }]),
  );
  return {
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-01T10:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } }, 'f:spec': { 'f:containers': containers, 'f:restartPolicy': {} } },
  };
}
