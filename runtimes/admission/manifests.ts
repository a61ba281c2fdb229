import type { WebhookAddress } from './webhook-configuration.ts';

export interface ManifestOptions {
  readonly namespace: string;
  /** Of every object; the Service's DNS name follows from it. */
  readonly name: string;
  readonly image: string;
  /** Name of the Secret with `tls.crt` and `tls.key`, as cert-manager writes it. */
  readonly tlsSecret: string;
  /** Name of the ConfigMap with the rule files. */
  readonly rulesConfigMap: string;
  /** Default 2. */
  readonly replicas?: number;
  /** What rules look up beside namespaces: their parameter kinds. */
  readonly lookups?: readonly { readonly apiGroup: string; readonly resource: string }[];
}

const PORT = 8443;
const HEALTH_PORT = 8080;

/** The address of {@link deploymentManifests}' Service. */
export function serviceAddress({ namespace, name }: Pick<ManifestOptions, 'namespace' | 'name'>): WebhookAddress {
  return { kind: 'service', namespace, name };
}

/**
 * What it takes to run the webhook in a cluster: a namespace, an account that may read what rules look up and ask about
 * access, a Deployment spread over nodes that drains before it ends, a Service and a disruption budget. Objects in the
 * order in which they should be applied.
 */
export function deploymentManifests(options: ManifestOptions): readonly object[] {
  const { namespace, name, image, tlsSecret, rulesConfigMap, replicas = 2, lookups = [] } = options;
  const labels = { 'app.kubernetes.io/name': 'fairlead', 'app.kubernetes.io/instance': name };
  const metadata = { name, namespace, labels };
  const read = (apiGroup: string, resource: string) => ({ apiGroups: [apiGroup], resources: [resource], verbs: ['get', 'list'] });
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name, labels },
      rules: [
        read('', 'namespaces'),
        ...lookups.map(({ apiGroup, resource }) => read(apiGroup, resource)),
        { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'https', port: 443, targetPort: 'https', protocol: 'TCP' }] },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata,
      spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas,
        selector: { matchLabels: labels },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: name,
            priorityClassName: 'system-cluster-critical',
            // Five seconds of delay, thirty for the slowest webhook call, and room to spare.
            terminationGracePeriodSeconds: 40,
            securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: 'kubernetes.io/hostname',
                whenUnsatisfiable: 'ScheduleAnyway',
                labelSelector: { matchLabels: labels },
              },
            ],
            containers: [
              {
                name: 'fairlead',
                image,
                args: [
                  'serve',
                  '/rules',
                  '--cert',
                  '/tls/tls.crt',
                  '--key',
                  '/tls/tls.key',
                  '--port',
                  String(PORT),
                  '--health-port',
                  String(HEALTH_PORT),
                ],
                ports: [
                  { name: 'https', containerPort: PORT },
                  { name: 'health', containerPort: HEALTH_PORT },
                ],
                readinessProbe: { httpGet: { path: '/readyz', port: 'health' }, periodSeconds: 2 },
                livenessProbe: { httpGet: { path: '/livez', port: 'health' }, periodSeconds: 10, failureThreshold: 6 },
                resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
                securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
                volumeMounts: [
                  { name: 'rules', mountPath: '/rules', readOnly: true },
                  { name: 'tls', mountPath: '/tls', readOnly: true },
                ],
              },
            ],
            volumes: [
              { name: 'rules', configMap: { name: rulesConfigMap } },
              { name: 'tls', secret: { secretName: tlsSecret } },
            ],
          },
        },
      },
    },
  ];
}
