import { create, get, given, subject, update } from '../case.ts';
import { CONFIG_MAPS, configMap, DEPLOYMENTS, deployment, NAMESPACES, PODS, pod, SECRETS, SERVICES } from './objects.ts';

/** POST and GET: what is stored, what is filled in, what is refused. */
export const createReadCases = [
  ...subject('create', {
    'config map': [create(CONFIG_MAPS, configMap('a', { k: 'v' })), get(`${CONFIG_MAPS}/a`)],
    'secret with stringData': [
      create(SECRETS, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'a' },
        stringData: { user: 'me', both: 'wins' },
        data: { both: 'bG9zZXM=' },
      }),
    ],
    'secret of bad base64': [create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data: { x: '%%%' } })],
    'secret of a type with missing keys': [
      create(SECRETS, { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name: 'a' }, data: {} }),
    ],
    'deployment with defaults': [create(DEPLOYMENTS, deployment('a'))],
    'deployment with strategy': [create(DEPLOYMENTS, deployment('a', { replicas: 0, strategy: { type: 'Recreate' }, minReadySeconds: 5 }))],
    'pod with defaults': [create(PODS, pod('a'))],
    'service with defaults': [
      create(SERVICES, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'a' },
        spec: { selector: { app: 'a' }, ports: [{ port: 80 }] },
      }),
    ],
    'headless service': [
      create(SERVICES, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'a' },
        spec: { clusterIP: 'None', selector: { app: 'a' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
      }),
    ],
    'external name': [
      create(SERVICES, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'a' },
        spec: { type: 'ExternalName', externalName: 'db.example.test' },
      }),
    ],
    job: [
      create('/apis/batch/v1/namespaces/$(ns)/jobs', {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'a' },
        spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'example.test/a:1' }] } } },
      }),
    ],
    'cron job': [
      create('/apis/batch/v1/namespaces/$(ns)/cronjobs', {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata: { name: 'a' },
        spec: {
          schedule: '*/5 * * * *',
          jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'example.test/a:1' }] } } } },
        },
      }),
    ],
    'stateful set': [
      create('/apis/apps/v1/namespaces/$(ns)/statefulsets', {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'a' },
        spec: {
          serviceName: 'a',
          selector: { matchLabels: { app: 'a' } },
          template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'example.test/a' }] } },
          volumeClaimTemplates: [
            { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
          ],
        },
      }),
    ],
    'daemon set': [
      create('/apis/apps/v1/namespaces/$(ns)/daemonsets', {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'a' },
        spec: {
          selector: { matchLabels: { app: 'a' } },
          template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'example.test/a:latest' }] } },
        },
      }),
    ],
    ingress: [
      create('/apis/networking.k8s.io/v1/namespaces/$(ns)/ingresses', {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'a' },
        spec: {
          rules: [
            {
              host: 'a.example.test',
              http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'a', port: { number: 80 } } } }] },
            },
          ],
        },
      }),
    ],
    'horizontal pod autoscaler': [
      create('/apis/autoscaling/v2/namespaces/$(ns)/horizontalpodautoscalers', {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'a' },
        spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' } },
      }),
    ],
    'network policy': [
      create('/apis/networking.k8s.io/v1/namespaces/$(ns)/networkpolicies', {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'a' },
        spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
      }),
    ],
    'resource quota': [
      create('/api/v1/namespaces/$(ns)/resourcequotas', {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'a' },
        spec: { hard: { 'requests.nvidia.com/gpu': '0' } },
      }),
    ],
    'persistent volume claim': [
      create('/api/v1/namespaces/$(ns)/persistentvolumeclaims', {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'a' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: '' },
      }),
    ],
    'storage class': [
      create('/apis/storage.k8s.io/v1/storageclasses', {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: '$(ns)' },
        provisioner: 'example.test/none',
      }),
    ],
    'priority class': [
      create('/apis/scheduling.k8s.io/v1/priorityclasses', {
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { name: '$(ns)' },
        value: 100,
      }),
    ],
    'pod disruption budget': [
      create('/apis/policy/v1/namespaces/$(ns)/poddisruptionbudgets', {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'a' },
        spec: { minAvailable: '50%', selector: { matchLabels: { app: 'a' } } },
      }),
    ],
    node: [create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: '$(ns)' } })],
    'service account': [
      create('/api/v1/namespaces/$(ns)/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a' } }),
    ],
    'already exists': [given(create(CONFIG_MAPS, configMap('a'))), create(CONFIG_MAPS, configMap('a', { other: 'x' }))],
    'in a namespace that is not there': [create('/api/v1/namespaces/nowhere/configmaps', configMap('a'))],
    'without a name': [create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} })],
    'without metadata': [create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap' })],
    'with another namespace': [create(CONFIG_MAPS, configMap('a', {}, { namespace: 'other' }))],
    'with another kind': [create(CONFIG_MAPS, pod('a'))],
    'with another group': [create(CONFIG_MAPS, { ...configMap('a'), apiVersion: 'apps/v1' })],
    'without a kind': [create(CONFIG_MAPS, { metadata: { name: 'a' }, data: { a: 'b' } })],
    'with a kind nobody knows': [create(CONFIG_MAPS, { ...configMap('a'), kind: 'Nothing' })],
    'with a resourceVersion': [create(CONFIG_MAPS, configMap('a', {}, { resourceVersion: '17' }))],
    'with a uid': [create(CONFIG_MAPS, configMap('a', {}, { uid: 'mine' }))],
    'with what the server sets': [
      create(CONFIG_MAPS, {
        ...configMap('a'),
        metadata: {
          name: 'a',
          generation: 7,
          creationTimestamp: '2001-01-01T00:00:00Z',
          selfLink: '/x',
          deletionTimestamp: '2001-01-01T00:00:00Z',
        },
      }),
    ],
    'with a status': [create(DEPLOYMENTS, { ...deployment('a'), status: { replicas: 7, conditions: [{ type: 'X', status: 'True' }] } })],
    'to a named path': [create(`${CONFIG_MAPS}/a`, configMap('a'))],
    'a field of the wrong type': [create(CONFIG_MAPS, { ...configMap('a'), data: { a: 1 } })],
    'a list where a map belongs': [create(CONFIG_MAPS, { ...configMap('a'), data: [] })],
    'a string where a number belongs': [create(DEPLOYMENTS, deployment('a', { replicas: 'three' }))],
    'metadata of the wrong type': [create(CONFIG_MAPS, { ...configMap('a'), metadata: { name: 'a', labels: { a: true } } })],
    'config map of an immutable kind': [
      create(CONFIG_MAPS, { ...configMap('a', { k: 'v' }), immutable: true }),
      update(`${CONFIG_MAPS}/a`, { ...configMap('a', { k: 'w' }), immutable: true }),
    ],
    'binaryData and data with the same key': [create(CONFIG_MAPS, { ...configMap('a', { k: 'v' }), binaryData: { k: 'AAA=' } })],
    'config map with a bad key': [create(CONFIG_MAPS, configMap('a', { 'not/a/key': '1', '..': '2' }))],
    'deployment without containers': [
      create(DEPLOYMENTS, deployment('a', { template: { metadata: { labels: { app: 'a' } }, spec: { containers: [] } } })),
    ],
    'deployment with another selector': [create(DEPLOYMENTS, deployment('a', { selector: { matchLabels: { app: 'other' } } }))],
    'deployment with negative replicas': [create(DEPLOYMENTS, deployment('a', { replicas: -1 }))],
    'pod without containers': [create(PODS, pod('a', { containers: [] }))],
    'pod with a bad image and name': [create(PODS, pod('a', { containers: [{ name: 'A_B', image: '' }] }))],
    'pod with more request than limit': [
      create(PODS, pod('a', { containers: [{ name: 'a', image: 'i', resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }] })),
    ],
    'pod with a bad quantity': [
      create(PODS, pod('a', { containers: [{ name: 'a', image: 'i', resources: { requests: { cpu: 'lots' } } }] })),
    ],
    'service without ports': [
      create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { selector: { a: 'b' } } }),
    ],
    'service with a bad port': [
      create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { ports: [{ port: 70000 }] } }),
    ],
    namespace: [
      create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: '$(ns)-b' } }),
      create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: '$(ns)-b' } }),
      create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'Not_a_name' } }),
    ],
  }),
  ...subject('names', {
    generateName: [
      create(
        CONFIG_MAPS,
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'made-' } },
        { keep: { made: '/metadata/name' } },
      ),
      get(`${CONFIG_MAPS}/$(made)`),
    ],
    'generateName and name': [create(CONFIG_MAPS, configMap('given', {}, { generateName: 'made-' }))],
    'a bad generateName': [
      create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'Bad_' } }, { pick: firstCause }),
    ],
    'a long generateName': [
      create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'a'.repeat(300) } }, { pick: firstCause }),
    ],
    'upper case': [create(CONFIG_MAPS, configMap('Upper'))],
    'too long': [create(CONFIG_MAPS, configMap('a'.repeat(254)))],
    'a dot at the end': [create(CONFIG_MAPS, configMap('a.'))],
    'a slash': [create(CONFIG_MAPS, configMap('a/b'))],
    'dots in a config map': [create(CONFIG_MAPS, configMap('a.b-c.d'))],
    'dots in a service': [
      create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a.b' }, spec: { ports: [{ port: 80 }] } }),
      create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata: { name: '1a' }, spec: { ports: [{ port: 80 }] } }),
    ],
    'a colon in a cluster role': [
      create('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: '$(ns):Reader' },
        rules: [],
      }),
    ],
    'bad labels and annotations': [
      create(CONFIG_MAPS, configMap('a', {}, { labels: { 'b@d': 'v', ok: 'not ok', '': 'x' }, annotations: { 'a/b/c': 'v' } })),
    ],
    'a label that is too long': [create(CONFIG_MAPS, configMap('a', {}, { labels: { a: 'x'.repeat(64), ['k'.repeat(64)]: 'v' } }))],
    'bad finalizers': [create(CONFIG_MAPS, configMap('a', {}, { finalizers: ['nodomain', 'a b/c'] }))],
    'bad owner references': [
      create(
        CONFIG_MAPS,
        configMap(
          'a',
          {},
          {
            ownerReferences: [
              { apiVersion: '', kind: '', name: '', uid: '' },
              { apiVersion: 'v1', kind: 'Event', name: 'a', uid: 'b' },
            ],
          },
        ),
      ),
      create(
        CONFIG_MAPS,
        configMap(
          'a',
          {},
          {
            ownerReferences: [
              { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'x', controller: true },
              { apiVersion: 'v1', kind: 'ConfigMap', name: 'b', uid: 'y', controller: true },
            ],
          },
        ),
      ),
    ],
  }),
  ...subject('get', {
    'what is not there': [get(`${CONFIG_MAPS}/none`), get('/apis/apps/v1/namespaces/$(ns)/deployments/none')],
    'in a namespace that is not there': [get('/api/v1/namespaces/nowhere/configmaps/none')],
    'a namespace': [get(`${NAMESPACES}/$(ns)`, { pick: withoutManagers })],
    'at a resourceVersion': [
      given(create(CONFIG_MAPS, configMap('a'), { keep: { rv: '/metadata/resourceVersion' } })),
      get(`${CONFIG_MAPS}/a?resourceVersion=0`, { compare: 'status' }),
      get(`${CONFIG_MAPS}/a?resourceVersion=$(rv)`),
      get(`${CONFIG_MAPS}/a?resourceVersion=99999999999`, { pick: withoutRetryMessage }),
      get(`${CONFIG_MAPS}/a?resourceVersion=abc`),
    ],
    'another version of the same object': [
      given(
        create('/apis/autoscaling/v2/namespaces/$(ns)/horizontalpodautoscalers', {
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          metadata: { name: 'a' },
          spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' } },
        }),
      ),
      get('/apis/autoscaling/v1/namespaces/$(ns)/horizontalpodautoscalers/a', { pick: withoutManagers }),
    ],
    pretty: [given(create(CONFIG_MAPS, configMap('a'))), get(`${CONFIG_MAPS}/a?pretty=true`)],
  }),
];

/** Who wrote the namespace is this suite and a controller, in their own time. */
function withoutManagers(body: unknown): unknown {
  const { metadata, ...rest } = body as { metadata: Record<string, unknown> };
  const { managedFields: _, ...others } = metadata;
  return { ...rest, metadata: others };
}

function withoutRetryMessage(body: unknown): unknown {
  const { reason, code, kind, details } = body as Record<string, unknown>;
  return { reason, code, kind, details };
}

/** A refused name ends in random letters, and messages repeat it. */
function firstCause(body: unknown): unknown {
  const { details, reason, code } = body as { details: { causes: unknown[] }; reason: string; code: number };
  return { cause: details.causes[0], reason, code };
}
