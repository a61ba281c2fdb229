import type { Json, JsonObject } from '../../../../engine/object/json.ts';
import { servedKind } from '../control-loop/kind.ts';
import { reasonOf } from '../control-loop/write.ts';
import type { Registry } from '../registry.ts';
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES } from './kinds.ts';

/** Kubernetes: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go. Roles of Kubernetes' own components are not among them. */

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** Groups, resources, verbs. */
type RuleRow = readonly [groups: string, resources: string, verbs: readonly string[]];

const words = (text: string): readonly string[] => text.split(' ').map((word) => (word === 'core' ? '' : word));

const rule = ([groups, resources, verbs]: RuleRow): JsonObject => ({ apiGroups: words(groups), resources: words(resources), verbs });

const VIEW: readonly RuleRow[] = [
  ['core', 'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers', READ],
  ['core', 'replicationcontrollers/scale serviceaccounts services services/status', READ],
  ['core', 'bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas', READ],
  ['core', 'resourcequotas/status namespaces', READ],
  ['core events.k8s.io', 'events', READ],
  ['discovery.k8s.io', 'endpointslices', READ],
  ['apps', 'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status', READ],
  ['apps', 'replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status', READ],
  ['autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status', READ],
  ['batch', 'cronjobs cronjobs/status jobs jobs/status', READ],
  ['policy', 'poddisruptionbudgets poddisruptionbudgets/status', READ],
  ['networking.k8s.io', 'ingresses ingresses/status networkpolicies', READ],
  ['resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates', READ],
];

const EDIT: readonly RuleRow[] = [
  ['core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy', READ],
  ['core', 'serviceaccounts', ['impersonate']],
  ['core', 'pods pods/attach pods/exec pods/portforward pods/proxy', WRITE],
  ['core', 'pods/eviction', ['create']],
  ['core', 'configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts', WRITE],
  ['core', 'services services/proxy', WRITE],
  ['core', 'serviceaccounts/token', ['create']],
  ['core events.k8s.io', 'events', WRITE],
  ['apps', 'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets', WRITE],
  ['apps', 'statefulsets/scale', WRITE],
  ['autoscaling', 'horizontalpodautoscalers', WRITE],
  ['batch', 'cronjobs jobs', WRITE],
  ['policy', 'poddisruptionbudgets', WRITE],
  ['networking.k8s.io', 'ingresses networkpolicies', WRITE],
  ['coordination.k8s.io', 'leases', [...READ, ...WRITE]],
  ['resource.k8s.io', 'resourceclaims resourceclaimtemplates', WRITE],
];

const ADMIN: readonly RuleRow[] = [
  ['authorization.k8s.io', 'localsubjectaccessreviews', ['create']],
  ['rbac.authorization.k8s.io', 'rolebindings roles', [...READ, ...WRITE]],
];

const DISCOVERY_PATHS = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/healthz',
  '/livez',
  '/openapi',
  '/openapi/*',
  '/readyz',
  '/version',
  '/version/',
];
const PUBLIC_PATHS = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const MONITORING_PATHS = ['/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/slis', '/readyz', '/readyz/*'];
const ISSUER_PATHS = ['/.well-known/openid-configuration', '/.well-known/openid-configuration/', '/openid/v1/jwks', '/openid/v1/jwks/'];
const paths = (nonResourceURLs: readonly string[]): JsonObject => ({ nonResourceURLs, verbs: ['get'] });

const DEFAULTS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const AGGREGATE = 'rbac.authorization.k8s.io/aggregate-to-';
const meta = (name: string, labels: JsonObject = {}): JsonObject => ({
  name,
  labels: { ...DEFAULTS, ...labels },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
});

const role = (name: string, rules: readonly JsonObject[], labels: JsonObject = {}): JsonObject => ({ metadata: meta(name, labels), rules });

function aggregated(name: string, sources: readonly string[], labels: JsonObject = {}): JsonObject {
  const clusterRoleSelectors = sources.map((source) => ({ matchLabels: { [AGGREGATE + source]: 'true' } }));
  return { metadata: meta(name, labels), aggregationRule: { clusterRoleSelectors }, rules: [] };
}

const binding = (name: string, ...groups: readonly string[]): JsonObject => ({
  metadata: meta(name),
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  subjects: groups.map((group): Json => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group })),
});

const CLUSTER_ROLE_OBJECTS: readonly JsonObject[] = [
  role('cluster-admin', [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ]),
  role('system:aggregate-to-view', VIEW.map(rule), { [`${AGGREGATE}view`]: 'true' }),
  role('system:aggregate-to-edit', EDIT.map(rule), { [`${AGGREGATE}edit`]: 'true' }),
  role('system:aggregate-to-admin', ADMIN.map(rule), { [`${AGGREGATE}admin`]: 'true' }),
  aggregated('view', ['view'], { [`${AGGREGATE}edit`]: 'true' }),
  aggregated('edit', ['edit'], { [`${AGGREGATE}admin`]: 'true' }),
  aggregated('admin', ['admin']),
  role('system:discovery', [paths(DISCOVERY_PATHS)]),
  role('system:public-info-viewer', [paths(PUBLIC_PATHS)]),
  role('system:monitoring', [paths(MONITORING_PATHS)]),
  role('system:service-account-issuer-discovery', [paths(ISSUER_PATHS)]),
  role('system:basic-user', [
    rule(['authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews', ['create']]),
    rule(['authentication.k8s.io', 'selfsubjectreviews', ['create']]),
  ]),
  role('system:auth-delegator', [
    rule(['authentication.k8s.io', 'tokenreviews', ['create']]),
    rule(['authorization.k8s.io', 'subjectaccessreviews', ['create']]),
  ]),
];

const CLUSTER_ROLE_BINDING_OBJECTS: readonly JsonObject[] = [
  binding('cluster-admin', 'system:masters'),
  binding('system:monitoring', 'system:monitoring'),
  binding('system:discovery', 'system:authenticated'),
  binding('system:basic-user', 'system:authenticated'),
  binding('system:public-info-viewer', 'system:authenticated', 'system:unauthenticated'),
  binding('system:service-account-issuer-discovery', 'system:serviceaccounts'),
];

/** Makes the roles and bindings that every cluster starts with. Those that are there stay as they are. */
export async function createBootstrapRoles(registry: Registry): Promise<void> {
  const objects = [
    [CLUSTER_ROLES, CLUSTER_ROLE_OBJECTS],
    [CLUSTER_ROLE_BINDINGS, CLUSTER_ROLE_BINDING_OBJECTS],
  ] as const;
  for (const [kind, list] of objects) {
    const resource = servedKind(registry, kind);
    if (resource === undefined) continue;
    for (const object of list) {
      try {
        await registry.create(resource, { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, ...object });
      } catch (error) {
        if (reasonOf(error) !== 'AlreadyExists') throw error;
      }
    }
  }
}
