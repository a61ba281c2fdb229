import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { metadataOf, metadataText } from '../../../../engine/object/metadata.ts';
import { parseApiVersion } from '../../../../engine/object/type-table.ts';
import { conditionIs, fieldOf } from '../verbs/object-fields.ts';
import { isBeingDeleted } from '../verbs/object-metadata.ts';
import { humanDuration } from './age.ts';
import {
  ageAt,
  type Cell,
  containersAt,
  countAt,
  flagAt,
  labelsText,
  mapsAt,
  numberAt,
  numberOf,
  selectorText,
  textAt,
} from './cell-values.ts';
import { firstFew } from './core-cells.ts';
import { metricTargets } from './metric-targets.ts';

type Cells = { readonly [column: string]: Cell };

const TEMPLATE = 'spec.template.spec.containers';
const wide: Cells = { Containers: containersAt(TEMPLATE, 'name'), Images: containersAt(TEMPLATE, 'image') };
const selector: Cell = (object) => selectorText(fieldOf(object, 'spec', 'selector'));

const readyOfDesired: Cell = (object) =>
  `${numberOf(fieldOf(object, 'status', 'readyReplicas'))}/${numberOf(fieldOf(object, 'spec', 'replicas'))}`;

const JOB_STATES = [
  ['Complete', 'Complete'],
  ['Failed', 'Failed'],
] as const;

const jobStatus: Cell = (job) => {
  for (const [condition, text] of JOB_STATES) if (conditionIs(job, condition)) return text;
  if (isBeingDeleted(job)) return 'Terminating';
  for (const condition of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet']) if (conditionIs(job, condition)) return condition;
  return 'Running';
};

const jobCompletions: Cell = (job) => {
  const succeeded = numberOf(fieldOf(job, 'status', 'succeeded'));
  const completions = fieldOf(job, 'spec', 'completions');
  if (typeof completions === 'number') return `${succeeded}/${completions}`;
  const parallelism = numberOf(fieldOf(job, 'spec', 'parallelism'));
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
};

const jobDuration: Cell = (job, now) => {
  const start = fieldOf(job, 'status', 'startTime');
  if (typeof start !== 'string') return '';
  const end = fieldOf(job, 'status', 'completionTime');
  return humanDuration((typeof end === 'string' ? Date.parse(end) : now) - Date.parse(start));
};

const CRON = 'spec.jobTemplate.spec.template.spec.containers';

function withDefaultMark(annotation: string): Cell {
  return (object) => {
    const marked = fieldOf(object, 'metadata', 'annotations', annotation) === 'true';
    return marked ? `${metadataText(object, 'name')} (default)` : metadataText(object, 'name');
  };
}

const ingressAddress: Cell = (ingress) => {
  const all = mapsAt(ingress, 'status.loadBalancer.ingress').map((each) => String(each['ip'] || each['hostname'] || ''));
  return [...new Set(all.filter((text) => text !== ''))].sort().join(',');
};

const ingressHosts: Cell = (ingress) => {
  const hosts = mapsAt(ingress, 'spec.rules').map((rule) => String(ownValue(rule, 'host') ?? ''));
  const named = hosts.filter((host) => host !== '');
  return named.length === 0 ? '*' : named.slice(0, 3).join(',') + (named.length > 3 ? ` + ${named.length - 3} more...` : '');
};

const ingressClassParameters: Cell = (object) => {
  const parameters = fieldOf(object, 'spec', 'parameters');
  if (!isJsonObject(parameters)) return '<none>';
  const group = parameters['apiGroup'];
  return `${String(parameters['kind'])}${typeof group === 'string' ? `.${group}` : ''}/${String(parameters['name'])}`;
};

const revisionController: Cell = (revision) => {
  const references = ownValue(metadataOf(revision), 'ownerReferences');
  const owner = Array.isArray(references)
    ? (references as readonly Json[]).find((each): each is JsonObject => isJsonObject(each) && each['controller'] === true)
    : undefined;
  if (owner === undefined) return '<none>';
  const { group } = parseApiVersion(String(owner['apiVersion']));
  return `${`${String(owner['kind'])}${group === '' ? '' : `.${group}`}`.toLowerCase()}/${String(owner['name'])}`;
};

function subjects(kind: string): Cell {
  return (binding) =>
    mapsAt(binding, 'subjects')
      .filter((subject) => subject['kind'] === kind)
      .map((subject) =>
        kind === 'ServiceAccount' ? `${String(subject['namespace'] ?? '')}/${String(subject['name'])}` : String(subject['name']),
      )
      .join(', ');
}

const bindingCells: Cells = {
  Role: (binding) => `${String(fieldOf(binding, 'roleRef', 'kind'))}/${String(fieldOf(binding, 'roleRef', 'name'))}`,
  Users: subjects('User'),
  Groups: subjects('Group'),
  ServiceAccounts: subjects('ServiceAccount'),
};

const paramKind: Cell = (policy) => {
  const kind = fieldOf(policy, 'spec', 'paramKind');
  return isJsonObject(kind) ? `${String(kind['apiVersion'])}/${String(kind['kind'])}` : '<unset>';
};

const paramReference: Cell = (binding) => {
  const reference = fieldOf(binding, 'spec', 'paramRef');
  if (!isJsonObject(reference)) return '<unset>';
  const name = reference['name'] ?? '';
  if (name !== '') return `${String(reference['namespace'] || '*')}/${String(name)}`;
  return reference['selector'] === undefined ? '<unset>' : selectorText(reference['selector']);
};
const policyBinding: Cells = { PolicyName: textAt('spec.policyName'), ParamRef: paramReference };

const slicePorts: Cell = (slice) => {
  const ports = mapsAt(slice, 'ports').map((port) => String(port['port'] ?? '*'));
  return ports.length === 0 ? '<unset>' : firstFew(ports, 3);
};

const sliceEndpoints: Cell = (slice) => {
  const all = mapsAt(slice, 'endpoints').flatMap((endpoint) =>
    Array.isArray(endpoint['addresses']) ? endpoint['addresses'].map(String) : [],
  );
  return all.length === 0 ? '<unset>' : firstFew(all, 3);
};

const csrCondition: Cell = (request) => {
  const conditions = mapsAt(request, 'status.conditions').map((condition) => condition['type']);
  const states = ['Approved', 'Denied'].filter((type) => conditions.includes(type));
  const status = states.length === 0 ? ['Pending'] : states;
  if (conditions.includes('Failed')) status.push('Failed');
  if ((fieldOf(request, 'status', 'certificate') ?? '') !== '') status.push('Issued');
  return status.join(',');
};

const serviceOf: Cell = (apiService) => {
  const service = fieldOf(apiService, 'spec', 'service');
  return isJsonObject(service) ? `${String(service['namespace'])}/${String(service['name'])}` : 'Local';
};

const availability: Cell = (apiService) => {
  const condition = mapsAt(apiService, 'status.conditions').find((each) => each['type'] === 'Available');
  if (condition === undefined) return 'Unknown';
  return condition['status'] === 'True' ? 'True' : `${String(condition['status'])} (${String(condition['reason'] ?? '')})`;
};

function listText(path: string, missing: string): Cell {
  return (object) => {
    const list = fieldOf(object, ...path.split('.'));
    return Array.isArray(list) && list.length > 0 ? list.map(String).join(',') : missing;
  };
}

function limited(...path: readonly string[]): Cell {
  return (object) => fieldOf(object, 'spec', 'limited', ...path) ?? '<none>';
}

const autoscaler: Cells = {
  Reference: (object) =>
    `${String(fieldOf(object, 'spec', 'scaleTargetRef', 'kind'))}/${String(fieldOf(object, 'spec', 'scaleTargetRef', 'name'))}`,
  Targets: metricTargets,
  MinPods: textAt('spec.minReplicas', '<unset>'),
  MaxPods: numberAt('spec.maxReplicas'),
  Replicas: numberAt('status.currentReplicas'),
};

/** Cells of the other groups, by `group/resource` and column. Kubernetes: pkg/printers/internalversion/printers.go. */
export const OTHER_CELLS: { readonly [resource: string]: Cells } = {
  'apps/deployments': {
    ...wide,
    Ready: readyOfDesired,
    'Up-to-date': numberAt('status.updatedReplicas'),
    Available: numberAt('status.availableReplicas'),
    Selector: selector,
  },
  'apps/replicasets': {
    ...wide,
    Desired: numberAt('spec.replicas'),
    Current: numberAt('status.replicas'),
    Ready: numberAt('status.readyReplicas'),
    Selector: selector,
  },
  'apps/daemonsets': {
    ...wide,
    Desired: numberAt('status.desiredNumberScheduled'),
    Current: numberAt('status.currentNumberScheduled'),
    Ready: numberAt('status.numberReady'),
    'Up-to-date': numberAt('status.updatedNumberScheduled'),
    Available: numberAt('status.numberAvailable'),
    'Node Selector': (object) => labelsText(fieldOf(object, 'spec', 'template', 'spec', 'nodeSelector')),
    Selector: selector,
  },
  'apps/statefulsets': { ...wide, Ready: readyOfDesired },
  'apps/controllerrevisions': { Controller: revisionController, Revision: numberAt('revision') },
  'batch/jobs': { ...wide, Status: jobStatus, Completions: jobCompletions, Duration: jobDuration, Selector: selector },
  'batch/cronjobs': {
    Schedule: textAt('spec.schedule'),
    Timezone: textAt('spec.timeZone', '<none>'),
    Suspend: (object) => (fieldOf(object, 'spec', 'suspend') === true ? 'True' : 'False'),
    Active: countAt('status.active'),
    'Last Schedule': ageAt('status.lastScheduleTime', '<none>'),
    Containers: containersAt(CRON, 'name'),
    Images: containersAt(CRON, 'image'),
    Selector: (object) => selectorText(fieldOf(object, 'spec', 'jobTemplate', 'spec', 'selector')),
  },
  'autoscaling/horizontalpodautoscalers': autoscaler,
  'networking.k8s.io/ingresses': {
    Class: textAt('spec.ingressClassName', '<none>'),
    Hosts: ingressHosts,
    Address: ingressAddress,
    Ports: (ingress) => (mapsAt(ingress, 'spec.tls').length > 0 ? '80, 443' : '80'),
  },
  'networking.k8s.io/ingressclasses': {
    Name: withDefaultMark('ingressclass.kubernetes.io/is-default-class'),
    Controller: textAt('spec.controller'),
    Parameters: ingressClassParameters,
  },
  'networking.k8s.io/networkpolicies': { 'Pod-Selector': (object) => selectorText(fieldOf(object, 'spec', 'podSelector')) },
  'networking.k8s.io/servicecidrs': { CIDRs: listText('spec.cidrs', '') },
  'networking.k8s.io/ipaddresses': {
    ParentRef: (object) => {
      const parent = fieldOf(object, 'spec', 'parentRef');
      if (!isJsonObject(parent)) return '<none>';
      const { group = '', resource = '', namespace = '', name = '' } = parent as { readonly [field: string]: Json };
      const what = `${String(resource)}${group === '' ? '' : `.${String(group)}`}`.toLowerCase();
      return `${what}${namespace === '' ? '' : `/${String(namespace)}`}/${String(name)}`;
    },
  },
  'policy/poddisruptionbudgets': {
    'Min Available': textAt('spec.minAvailable', 'N/A'),
    'Max Unavailable': textAt('spec.maxUnavailable', 'N/A'),
    'Allowed Disruptions': numberAt('status.disruptionsAllowed'),
  },
  'rbac.authorization.k8s.io/rolebindings': bindingCells,
  'rbac.authorization.k8s.io/clusterrolebindings': bindingCells,
  'storage.k8s.io/storageclasses': {
    Name: withDefaultMark('storageclass.kubernetes.io/is-default-class'),
    Provisioner: textAt('provisioner'),
    ReclaimPolicy: textAt('reclaimPolicy', 'Delete'),
    VolumeBindingMode: textAt('volumeBindingMode', '<unset>'),
    AllowVolumeExpansion: flagAt('allowVolumeExpansion'),
  },
  'storage.k8s.io/csidrivers': {
    AttachRequired: flagAt('spec.attachRequired', true),
    PodInfoOnMount: flagAt('spec.podInfoOnMount'),
    StorageCapacity: flagAt('spec.storageCapacity'),
    TokenRequests: (object) => {
      const requests = mapsAt(object, 'spec.tokenRequests');
      return requests.length === 0 ? '<unset>' : requests.map((each) => String(each['audience'] ?? '')).join(',');
    },
    RequiresRepublish: flagAt('spec.requiresRepublish'),
    Modes: listText('spec.volumeLifecycleModes', '<none>'),
  },
  'storage.k8s.io/csinodes': { Drivers: countAt('spec.drivers') },
  'storage.k8s.io/volumeattachments': {
    Attacher: textAt('spec.attacher'),
    PV: textAt('spec.source.persistentVolumeName'),
    Node: textAt('spec.nodeName'),
    Attached: flagAt('status.attached'),
  },
  'storage.k8s.io/volumeattributesclasses': {
    Name: withDefaultMark('storageclass.kubernetes.io/is-default-class'),
    DriverName: textAt('driverName'),
  },
  'certificates.k8s.io/certificatesigningrequests': {
    SignerName: textAt('spec.signerName', '<none>'),
    Requestor: textAt('spec.username'),
    RequestedDuration: (request) => {
      const seconds = fieldOf(request, 'spec', 'expirationSeconds');
      return typeof seconds === 'number' ? humanDuration(seconds * 1000) : '<none>';
    },
    Condition: csrCondition,
  },
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': { Webhooks: countAt('webhooks') },
  'admissionregistration.k8s.io/validatingwebhookconfigurations': { Webhooks: countAt('webhooks') },
  'admissionregistration.k8s.io/mutatingadmissionpolicies': { Mutations: countAt('spec.mutations'), ParamKind: paramKind },
  'admissionregistration.k8s.io/validatingadmissionpolicies': { Validations: countAt('spec.validations'), ParamKind: paramKind },
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': policyBinding,
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': policyBinding,
  'apiextensions.k8s.io/customresourcedefinitions': {
    Scope: textAt('spec.scope'),
    Versions: (object) =>
      mapsAt(object, 'spec.versions')
        .map((version) => String(version['name']))
        .join(','),
    Group: textAt('spec.group'),
    Kind: textAt('spec.names.kind'),
    ShortNames: listText('spec.names.shortNames', ''),
    Established: (object) => conditionIs(object, 'Established'),
  },
  'apiregistration.k8s.io/apiservices': { Service: serviceOf, Available: availability },
  'scheduling.k8s.io/priorityclasses': {
    Value: numberAt('value'),
    'Global-Default': flagAt('globalDefault'),
    PreemptionPolicy: textAt('preemptionPolicy'),
  },
  'coordination.k8s.io/leases': { Holder: textAt('spec.holderIdentity') },
  'node.k8s.io/runtimeclasses': { Handler: textAt('handler') },
  'discovery.k8s.io/endpointslices': { AddressType: textAt('addressType'), Ports: slicePorts, Endpoints: sliceEndpoints },
  'flowcontrol.apiserver.k8s.io/flowschemas': {
    PriorityLevel: textAt('spec.priorityLevelConfiguration.name'),
    MatchingPrecedence: numberAt('spec.matchingPrecedence'),
    DistinguisherMethod: textAt('spec.distinguisherMethod.type', '<none>'),
    MissingPL: (object) => String(mapsAt(object, 'status.conditions').find((each) => each['type'] === 'Dangling')?.['status'] ?? '?'),
  },
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': {
    Type: textAt('spec.type'),
    NominalConcurrencyShares: limited('nominalConcurrencyShares'),
    Queues: limited('limitResponse', 'queuing', 'queues'),
    HandSize: limited('limitResponse', 'queuing', 'handSize'),
    QueueLengthLimit: limited('limitResponse', 'queuing', 'queueLengthLimit'),
  },
  'resource.k8s.io/resourceslices': { Node: textAt('spec.nodeName'), Driver: textAt('spec.driver'), Pool: textAt('spec.pool.name') },
  'resource.k8s.io/resourceclaims': {
    State: (claim) => {
      const states: string[] = [];
      if (isBeingDeleted(claim)) states.push('deleted');
      if (fieldOf(claim, 'status', 'allocation') === undefined) states.push('pending');
      else {
        states.push('allocated');
        if (mapsAt(claim, 'status.reservedFor').length > 0) states.push('reserved');
      }
      return states.join(',');
    },
  },
};
