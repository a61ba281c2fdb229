import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../../engine/object/json.ts';
import { type Defaulter, each, fill, fillText, inside } from './default-values.ts';

/** `latest` and no tag are pulled again each time. */
function pullPolicy(image: Json | undefined): string {
  if (typeof image !== 'string' || image === '') return 'IfNotPresent';
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

const container: Defaulter = (object) =>
  fillText(object, {
    imagePullPolicy: pullPolicy(object['image']),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });

const probe: Defaulter = (object) =>
  // A zero counts as missing here.
  ({
    ...object,
    timeoutSeconds: object['timeoutSeconds'] || 1,
    periodSeconds: object['periodSeconds'] || 10,
    successThreshold: object['successThreshold'] || 1,
    failureThreshold: object['failureThreshold'] || 3,
  });

const SOURCES_KEEP = new Set(['name']);

/** A volume of no kind is an empty folder. */
const volume: Defaulter = (object) => (Object.keys(object).some((key) => !SOURCES_KEEP.has(key)) ? object : { ...object, emptyDir: {} });

const podSpec: Defaulter = (object) => {
  const account = object['serviceAccountName'] || object['serviceAccount'];
  const named =
    typeof account === 'string' && account !== '' ? { ...object, serviceAccountName: account, serviceAccount: account } : object;
  const filled = fill(fillText(named, { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler' }), {
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  });
  if (filled['hostNetwork'] !== true) return filled;
  const hostPorts: Defaulter = (each1) =>
    each(each1, 'ports', (port) => (port['hostPort'] ? port : { ...port, hostPort: port['containerPort'] ?? 0 }));
  return each(each(filled, 'containers', hostPorts), 'initContainers', hostPorts);
};

/** Limits without requests are requests as well; only in pods, and not in templates. */
const requestsFromLimits: Defaulter = (object) =>
  inside(object, 'resources', (resources) => {
    const limits = ownValue(resources, 'limits');
    if (!isJsonObject(limits)) return resources;
    const requests = ownValue(resources, 'requests');
    const filled = fill(isJsonObject(requests) ? requests : {}, limits);
    return filled === requests ? resources : { ...resources, requests: filled };
  });

const pod: Defaulter = (object) =>
  inside(object, 'spec', (spec) =>
    fill(each(each(spec, 'containers', requestsFromLimits), 'initContainers', requestsFromLimits), { enableServiceLinks: true }),
  );

const podStatus: Defaulter = (object) => {
  const ip = ownValue(object, 'podIP');
  const ips = ownValue(object, 'podIPs');
  const first = Array.isArray(ips) ? (ips as readonly Json[])[0] : undefined;
  const firstIp = isJsonObject(first) ? first['ip'] : undefined;
  if (typeof ip === 'string' && ip !== '' && firstIp !== ip) return { ...object, podIPs: [{ ip }] };
  return (ip ?? '') === '' && typeof firstIp === 'string' ? { ...object, podIP: firstIp } : object;
};

const service: Defaulter = (object) =>
  inside(object, 'spec', (spec) => {
    let filled = fillText(spec, { sessionAffinity: 'None', type: 'ClusterIP' });
    if (filled['sessionAffinity'] === 'ClientIP') {
      filled = fill(filled, { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } });
    } else if (Object.hasOwn(filled, 'sessionAffinityConfig')) {
      const { sessionAffinityConfig: _, ...rest } = filled;
      filled = rest;
    }
    filled = each(filled, 'ports', (port) => {
      const named = fillText(port, { protocol: 'TCP' });
      const target = named['targetPort'] ?? '';
      return target === '' || target === 0 ? { ...named, targetPort: named['port'] ?? 0 } : named;
    });
    const type = filled['type'];
    const isOutside = type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && Array.isArray(filled['externalIPs']));
    if (isOutside) filled = fillText(filled, { externalTrafficPolicy: 'Cluster' });
    if (type !== 'ExternalName') filled = fill(filled, { internalTrafficPolicy: 'Cluster' });
    return type === 'LoadBalancer' ? fill(filled, { allocateLoadBalancerNodePorts: true }) : filled;
  });

const replicationController: Defaulter = (object) => {
  const template = isJsonObject(object['spec']) ? object['spec']['template'] : undefined;
  const metadata = isJsonObject(template) ? template['metadata'] : undefined;
  const labels = isJsonObject(metadata) ? metadata['labels'] : undefined;
  const filled = inside(object, 'spec', (spec) => fill(spec, { replicas: 1, selector: labels }));
  return inside(filled, 'metadata', (own) => fill(own, { labels }));
};

const namespace: Defaulter = (object) => {
  const named = inside(object, 'metadata', (metadata) => {
    const { name } = metadata;
    if (typeof name !== 'string' || name === '') return metadata;
    const labels = isJsonObject(metadata['labels']) ? metadata['labels'] : {};
    return labels['kubernetes.io/metadata.name'] === name
      ? metadata
      : { ...metadata, labels: { ...labels, 'kubernetes.io/metadata.name': name } };
  });
  return inside(fill(named, { status: {} }), 'status', (status) => fillText(status, { phase: 'Active' }));
};

const limitRangeItem: Defaulter = (object) => {
  if (object['type'] !== 'Container') return object;
  const map = (field: string): JsonObject => (isJsonObject(object[field]) ? (object[field] as JsonObject) : {});
  const limits = fill(map('default'), map('max'));
  const requests = fill(fill(map('defaultRequest'), limits), map('min'));
  return {
    ...object,
    ...(Object.keys(limits).length > 0 ? { default: limits } : {}),
    ...(Object.keys(requests).length > 0 ? { defaultRequest: requests } : {}),
  };
};

const mode: Defaulter = (object) => fill(object, { defaultMode: 0o644 });
const protocol: Defaulter = (object) => fillText(object, { protocol: 'TCP' });

/** Defaults of the core group, by type. Kubernetes: pkg/apis/core/v1/defaults.go. */
export const CORE_DEFAULTS: ReadonlyMap<string, Defaulter> = new Map<string, Defaulter>([
  ['core.v1.Container', container],
  ['core.v1.EphemeralContainer', container],
  ['core.v1.ContainerPort', protocol],
  ['core.v1.Probe', probe],
  ['core.v1.Volume', volume],
  ['core.v1.PodSpec', podSpec],
  ['core.v1.Pod', pod],
  ['core.v1.PodStatus', podStatus],
  ['core.v1.Service', service],
  ['core.v1.ReplicationController', replicationController],
  ['core.v1.Namespace', namespace],
  ['core.v1.LimitRangeItem', limitRangeItem],
  ['core.v1.EndpointPort', protocol],
  ['core.v1.HTTPGetAction', (object) => fillText(object, { path: '/', scheme: 'HTTP' })],
  ['core.v1.ObjectFieldSelector', (object) => fillText(object, { apiVersion: 'v1' })],
  ['core.v1.SecretVolumeSource', mode],
  ['core.v1.ConfigMapVolumeSource', mode],
  ['core.v1.DownwardAPIVolumeSource', mode],
  ['core.v1.ProjectedVolumeSource', mode],
  ['core.v1.HostPathVolumeSource', (object) => fill(object, { type: '' })],
  ['core.v1.ServiceAccountTokenProjection', (object) => fill(object, { expirationSeconds: 3600 })],
  ['core.v1.Secret', (object) => fillText(object, { type: 'Opaque' })],
  [
    'core.v1.PersistentVolume',
    (object) =>
      inside(
        inside(fill(object, { status: {} }), 'status', (status) => fillText(status, { phase: 'Pending' })),
        'spec',
        (spec) => fillText(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' }),
      ),
  ],
  [
    'core.v1.PersistentVolumeClaim',
    (object) => inside(fill(object, { status: {} }), 'status', (status) => fillText(status, { phase: 'Pending' })),
  ],
  ['core.v1.PersistentVolumeClaimSpec', (object) => fillText(object, { volumeMode: 'Filesystem' })],
  ['core.v1.NodeStatus', (object) => (isJsonObject(object['capacity']) ? fill(object, { allocatable: object['capacity'] }) : object)],
]);
