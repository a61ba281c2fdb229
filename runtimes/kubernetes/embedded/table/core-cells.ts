import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { metadataOf } from '../../../../engine/object/metadata.ts';
import { fieldOf } from '../verbs/object-fields.ts';
import { isBeingDeleted } from '../verbs/object-metadata.ts';
import { age } from './age.ts';
import { type Cell, containersAt, countAt, labelsText, mapsAt, numberAt, numberOf, textAt } from './cell-values.ts';

type Cells = { readonly [column: string]: Cell };

const ACCESS_MODES: ReadonlyMap<Json, string> = new Map<Json, string>([
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
]);

function accessModes(modes: Json | undefined): string {
  if (!Array.isArray(modes)) return '';
  return [...ACCESS_MODES].flatMap(([mode, short]) => ((modes as readonly Json[]).includes(mode) ? [short] : [])).join(',');
}

const phase: Cell = (object) => (isBeingDeleted(object) ? 'Terminating' : String(fieldOf(object, 'status', 'phase') ?? ''));

function addresses(list: readonly JsonObject[]): string {
  const all = list.map((each) => String(each['ip'] || each['hostname'] || '')).filter((text) => text !== '');
  return [...new Set(all)].sort().join(',');
}

const externalAddress: Cell = (service) => {
  const own = fieldOf(service, 'spec', 'externalIPs');
  const external = Array.isArray(own) ? own.map(String) : [];
  switch (fieldOf(service, 'spec', 'type')) {
    case 'ExternalName':
      return String(fieldOf(service, 'spec', 'externalName') ?? '');
    case 'LoadBalancer': {
      const balancer = addresses(mapsAt(service, 'status.loadBalancer.ingress'));
      return [...(balancer === '' ? [] : [balancer]), ...external].join(',') || '<pending>';
    }
    default:
      return external.join(',') || '<none>';
  }
};

const servicePorts: Cell = (service) =>
  mapsAt(service, 'spec.ports')
    .map((port) => {
      const nodePort = numberOf(port['nodePort']);
      return `${String(port['port'])}${nodePort > 0 ? `:${nodePort}` : ''}/${String(port['protocol'] ?? '')}`;
    })
    .join(',') || '<none>';

const ROLE_PREFIX = 'node-role.kubernetes.io/';

const nodeRoles: Cell = (node) => {
  const labels = ownValue(metadataOf(node), 'labels');
  if (!isJsonObject(labels)) return '<none>';
  const roles = Object.entries(labels).flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) return [key.slice(ROLE_PREFIX.length)];
    return key === 'kubernetes.io/role' && value !== '' ? [String(value)] : [];
  });
  return [...new Set(roles)].sort().join(',') || '<none>';
};

const nodeStatus: Cell = (node) => {
  const ready = mapsAt(node, 'status.conditions').find((condition) => condition['type'] === 'Ready');
  const status = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady';
  return fieldOf(node, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status;
};

function nodeAddress(type: string): Cell {
  return (node) => String(mapsAt(node, 'status.addresses').find((each) => each['type'] === type)?.['address'] ?? '<none>');
}

const kernel: Cell = (node) => {
  const version = fieldOf(node, 'status', 'nodeInfo', 'kernelVersion') || '<unknown>';
  const architecture = fieldOf(node, 'status', 'nodeInfo', 'architecture') || '';
  return architecture === '' ? String(version) : `${String(version)} (${String(architecture)})`;
};

const MOST_ENDPOINTS = 3;

const endpointsText: Cell = (object) => {
  const all: string[] = [];
  for (const subset of mapsAt(object, 'subsets')) {
    const ports = mapsAt(subset, 'ports');
    const hosts = mapsAt(subset, 'addresses').map((address) => String(address['ip']));
    if (ports.length === 0) all.push(...hosts);
    for (const port of ports) for (const host of hosts) all.push(`${host.includes(':') ? `[${host}]` : host}:${String(port['port'])}`);
  }
  return firstFew(all, MOST_ENDPOINTS);
};

/** `a,b,c + 2 more...` */
export function firstFew(texts: readonly string[], most: number): string {
  if (texts.length === 0) return '<none>';
  const shown = texts.slice(0, most).join(',');
  return texts.length > most ? `${shown} + ${texts.length - most} more...` : shown;
}

function eventAge(object: JsonObject, which: 'first' | 'last', now: number): string {
  const time = (...path: string[]): string => {
    const value = fieldOf(object, ...path);
    return typeof value === 'string' ? value : '';
  };
  const first = time('firstTimestamp') || time('deprecatedFirstTimestamp') || time('eventTime');
  const last = time('series', 'lastObservedTime') || time('lastTimestamp') || time('deprecatedLastTimestamp') || first;
  return age(which === 'first' ? first : last, now);
}

const eventObject: Cell = (event) => {
  const involved = event['involvedObject'] ?? event['regarding'];
  if (!isJsonObject(involved)) return '';
  const kind = String(involved['kind'] ?? '').toLowerCase();
  return (involved['name'] ?? '') === '' ? kind : `${kind}/${String(involved['name'])}`;
};

const eventSource: Cell = (event) => {
  const source = event['source'] ?? event['deprecatedSource'];
  const component = isJsonObject(source) ? source['component'] : undefined;
  const host = isJsonObject(source) ? source['host'] : undefined;
  const parts = [component || event['reportingComponent'] || event['reportingController'], host || event['reportingInstance']];
  return parts.filter((part) => typeof part === 'string' && part !== '').join(', ');
};

const quota =
  (wantLimits: boolean): Cell =>
  (object) => {
    const hard = fieldOf(object, 'status', 'hard');
    if (!isJsonObject(hard)) return '';
    return Object.keys(hard)
      .sort()
      .filter((name) => name.startsWith('limits.') === wantLimits)
      .map((name) => `${name}: ${String(fieldOf(object, 'status', 'used', name) ?? '0')}/${String(hard[name])}`)
      .join(', ');
  };

/** Kubernetes: pkg/printers/internalversion/printers.go. */
export const EVENT_CELLS: Cells = {
  'Last Seen': (event, now) => eventAge(event, 'last', now),
  'First Seen': (event, now) => eventAge(event, 'first', now),
  Type: textAt('type'),
  Reason: textAt('reason'),
  Object: eventObject,
  Subobject: (event) => {
    const involved = event['involvedObject'] ?? event['regarding'];
    return isJsonObject(involved) ? String(involved['fieldPath'] ?? '') : '';
  },
  Source: eventSource,
  Message: (event) => String(event['message'] ?? event['note'] ?? '').trim(),
  Count: (event) => {
    const series = fieldOf(event, 'series', 'count');
    return typeof series === 'number' ? series : numberOf(event['count'] ?? event['deprecatedCount']) || 1;
  },
};

/** Cells of the core group, by `group/resource` and column. */
export const CORE_CELLS: { readonly [resource: string]: Cells } = {
  '/configmaps': { Data: countAt('data', 'binaryData') },
  '/endpoints': { Endpoints: endpointsText },
  '/namespaces': { Status: textAt('status.phase') },
  '/nodes': {
    Status: nodeStatus,
    Roles: nodeRoles,
    Version: textAt('status.nodeInfo.kubeletVersion'),
    'Internal-IP': nodeAddress('InternalIP'),
    'External-IP': nodeAddress('ExternalIP'),
    'OS-Image': textAt('status.nodeInfo.osImage', '<unknown>'),
    'Kernel-Version': kernel,
    'Container-Runtime': textAt('status.nodeInfo.containerRuntimeVersion', '<unknown>'),
  },
  '/persistentvolumeclaims': {
    Status: phase,
    Volume: textAt('spec.volumeName'),
    Capacity: (claim) => ((fieldOf(claim, 'spec', 'volumeName') ?? '') === '' ? '' : textAt('status.capacity.storage')(claim, 0)),
    'Access Modes': (claim) =>
      (fieldOf(claim, 'spec', 'volumeName') ?? '') === '' ? '' : accessModes(fieldOf(claim, 'status', 'accessModes')),
    StorageClass: textAt('spec.storageClassName'),
    VolumeAttributesClass: textAt('spec.volumeAttributesClassName', '<unset>'),
    VolumeMode: textAt('spec.volumeMode', '<unset>'),
  },
  '/persistentvolumes': {
    Capacity: textAt('spec.capacity.storage', '0'),
    'Access Modes': (volume) => accessModes(fieldOf(volume, 'spec', 'accessModes')),
    'Reclaim Policy': textAt('spec.persistentVolumeReclaimPolicy'),
    Status: phase,
    Claim: (volume) => {
      const claim = fieldOf(volume, 'spec', 'claimRef');
      return isJsonObject(claim) ? `${String(claim['namespace'] ?? '')}/${String(claim['name'] ?? '')}` : '';
    },
    StorageClass: textAt('spec.storageClassName'),
    VolumeAttributesClass: textAt('spec.volumeAttributesClassName', '<unset>'),
    Reason: textAt('status.reason'),
    VolumeMode: textAt('spec.volumeMode', '<unset>'),
  },
  '/podtemplates': {
    Containers: containersAt('template.spec.containers', 'name'),
    Images: containersAt('template.spec.containers', 'image'),
    'Pod Labels': (object) => labelsText(fieldOf(object, 'template', 'metadata', 'labels')),
  },
  '/replicationcontrollers': {
    Desired: numberAt('spec.replicas'),
    Current: numberAt('status.replicas'),
    Ready: numberAt('status.readyReplicas'),
    Containers: containersAt('spec.template.spec.containers', 'name'),
    Images: containersAt('spec.template.spec.containers', 'image'),
    Selector: (object) => labelsText(fieldOf(object, 'spec', 'selector')),
  },
  '/resourcequotas': { Request: quota(false), Limit: quota(true) },
  '/secrets': { Type: textAt('type'), Data: countAt('data') },
  '/services': {
    Type: textAt('spec.type'),
    'Cluster-IP': (service) => {
      const all = fieldOf(service, 'spec', 'clusterIPs');
      return Array.isArray(all) && all.length > 0 ? String(all[0]) : '<none>';
    },
    'External-IP': externalAddress,
    'Port(s)': servicePorts,
    Selector: (service) => labelsText(fieldOf(service, 'spec', 'selector')),
  },
};
