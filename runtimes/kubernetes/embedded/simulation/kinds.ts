import type { Json, JsonObject } from '../../../../engine/object/json.ts';
import type { Condition } from '../control-loop/condition.ts';
import { type KubernetesObject, kind } from '../control-loop/kind.ts';

/** Fields that the simulation reads; objects have more, and keep it. */

export type IntOrString = number | string;

export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly Json[];
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly restartPolicy?: string;
  readonly resources?: {
    readonly requests?: Readonly<Record<string, IntOrString>>;
    readonly limits?: Readonly<Record<string, IntOrString>>;
  };
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly hostPort?: number;
    readonly protocol?: string;
  }[];
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  readonly matchFields?: readonly NodeSelectorRequirement[];
}

export interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly nodeName?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms?: readonly NodeSelectorTerm[] };
    };
  };
  readonly tolerations?: readonly Toleration[];
  readonly schedulerName?: string;
  readonly schedulingGates?: readonly Json[];
  readonly restartPolicy?: string;
  readonly overhead?: Readonly<Record<string, IntOrString>>;
  readonly hostNetwork?: boolean;
  readonly hostname?: string;
  readonly subdomain?: string;
  readonly volumes?: readonly { readonly name: string; readonly persistentVolumeClaim?: { readonly claimName: string } }[];
  readonly terminationGracePeriodSeconds?: number;
}

export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
  readonly spec: PodSpec;
}

export interface Pod extends KubernetesObject {
  readonly spec: PodSpec;
  readonly status?: PodStatus;
}

export interface PodStatus {
  readonly phase?: string;
  readonly conditions?: readonly Condition[];
  readonly podIP?: string;
  readonly startTime?: string;
  readonly containerStatuses?: readonly Json[];
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

export interface Node extends KubernetesObject {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly Taint[]; readonly podCIDR?: string };
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, IntOrString>>;
    readonly capacity?: Readonly<Record<string, IntOrString>>;
    readonly conditions?: readonly Condition[];
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
  };
}

interface ReplicaStatus {
  readonly replicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

export interface ReplicaSet extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly selector?: Selector;
    readonly template: PodTemplate;
  };
  readonly status?: ReplicaStatus & { readonly fullyLabeledReplicas?: number; readonly terminatingReplicas?: number };
}

export interface ReplicationController extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly selector?: Readonly<Record<string, string>>;
    readonly template?: PodTemplate;
  };
  readonly status?: ReplicaSet['status'];
}

export interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly paused?: boolean;
    readonly progressDeadlineSeconds?: number;
    readonly revisionHistoryLimit?: number;
    readonly selector?: Selector;
    readonly strategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly maxSurge?: IntOrString; readonly maxUnavailable?: IntOrString };
    };
    readonly template: PodTemplate;
  };
  readonly status?: ReplicaStatus & {
    readonly updatedReplicas?: number;
    readonly unavailableReplicas?: number;
    readonly terminatingReplicas?: number;
    readonly collisionCount?: number;
  };
}

export interface StatefulSet extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly selector?: Selector;
    readonly serviceName?: string;
    readonly podManagementPolicy?: string;
    readonly revisionHistoryLimit?: number;
    readonly ordinals?: { readonly start?: number };
    readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly partition?: number } };
    readonly template: PodTemplate;
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string }; readonly spec: JsonObject }[];
  };
  readonly status?: ReplicaStatus & {
    readonly currentReplicas?: number;
    readonly updatedReplicas?: number;
    readonly currentRevision?: string;
    readonly updateRevision?: string;
    readonly collisionCount?: number;
  };
}

export interface DaemonSet extends KubernetesObject {
  readonly spec: {
    readonly minReadySeconds?: number;
    readonly revisionHistoryLimit?: number;
    readonly selector?: Selector;
    readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly maxUnavailable?: IntOrString } };
    readonly template: PodTemplate;
  };
  readonly status?: JsonObject;
}

export interface ControllerRevision extends KubernetesObject {
  readonly revision: number;
  readonly data: JsonObject;
}

export interface Job extends KubernetesObject {
  readonly spec: {
    readonly parallelism?: number;
    readonly completions?: number;
    readonly backoffLimit?: number;
    readonly activeDeadlineSeconds?: number;
    readonly ttlSecondsAfterFinished?: number;
    readonly suspend?: boolean;
    readonly completionMode?: string;
    readonly successPolicy?: { readonly rules: readonly { readonly succeededIndexes?: string; readonly succeededCount?: number }[] };
    readonly manualSelector?: boolean;
    readonly selector?: Selector;
    readonly template: PodTemplate;
  };
  readonly status?: JobStatus;
}

export interface JobStatus {
  readonly active?: number;
  readonly ready?: number;
  readonly terminating?: number;
  readonly succeeded?: number;
  readonly failed?: number;
  readonly startTime?: string;
  readonly completionTime?: string;
  readonly completedIndexes?: string;
  readonly uncountedTerminatedPods?: JsonObject;
  readonly conditions?: readonly Condition[];
}

export interface CronJob extends KubernetesObject {
  readonly spec: {
    readonly schedule: string;
    readonly timeZone?: string;
    readonly suspend?: boolean;
    readonly concurrencyPolicy?: string;
    readonly startingDeadlineSeconds?: number;
    readonly successfulJobsHistoryLimit?: number;
    readonly failedJobsHistoryLimit?: number;
    readonly jobTemplate: { readonly metadata?: PodTemplate['metadata']; readonly spec: Job['spec'] };
  };
  readonly status?: {
    readonly active?: readonly JsonObject[];
    readonly lastScheduleTime?: string;
    readonly lastSuccessfulTime?: string;
  };
}

export interface ServicePort {
  readonly name?: string;
  readonly protocol?: string;
  readonly appProtocol?: string;
  readonly port: number;
  readonly targetPort?: IntOrString;
}

export interface Service extends KubernetesObject {
  readonly spec: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly ServicePort[];
    readonly type?: string;
    readonly clusterIP?: string;
    readonly publishNotReadyAddresses?: boolean;
  };
}

export interface EndpointSlice extends KubernetesObject {
  readonly addressType: string;
  readonly endpoints: readonly JsonObject[] | null;
  readonly ports: readonly JsonObject[] | null;
}

export interface Endpoints extends KubernetesObject {
  readonly subsets?: readonly JsonObject[];
}

export interface PersistentVolumeClaim extends KubernetesObject {
  readonly spec: {
    readonly accessModes?: readonly string[];
    readonly storageClassName?: string;
    readonly volumeName?: string;
    readonly volumeMode?: string;
    readonly selector?: Selector;
    readonly resources?: { readonly requests?: Readonly<Record<string, IntOrString>> };
  };
  readonly status?: { readonly phase?: string; readonly accessModes?: readonly string[]; readonly capacity?: JsonObject };
}

export interface PersistentVolume extends KubernetesObject {
  readonly spec: {
    readonly accessModes?: readonly string[];
    readonly storageClassName?: string;
    readonly volumeMode?: string;
    readonly capacity?: Readonly<Record<string, IntOrString>>;
    readonly persistentVolumeReclaimPolicy?: string;
    readonly claimRef?: { readonly namespace?: string; readonly name?: string; readonly uid?: string };
  };
  readonly status?: { readonly phase?: string };
}

export interface StorageClass extends KubernetesObject {
  readonly provisioner: string;
  readonly reclaimPolicy?: string;
  readonly volumeBindingMode?: string;
}

export interface PodDisruptionBudget extends KubernetesObject {
  readonly spec: { readonly minAvailable?: IntOrString; readonly maxUnavailable?: IntOrString; readonly selector?: Selector };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly disruptedPods?: Readonly<Record<string, string>>;
    readonly disruptionsAllowed?: number;
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly expectedPods?: number;
    readonly conditions?: readonly Condition[];
  };
}

export interface HorizontalPodAutoscaler extends KubernetesObject {
  readonly spec: {
    readonly scaleTargetRef: { readonly apiVersion?: string; readonly kind: string; readonly name: string };
    readonly minReplicas?: number;
    readonly maxReplicas: number;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly currentReplicas?: number;
    readonly desiredReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
}

export interface Lease extends KubernetesObject {
  readonly spec?: JsonObject;
}

export const PODS = kind<Pod>('', 'v1', 'pods', 'Pod');
export const NODES = kind<Node>('', 'v1', 'nodes', 'Node');
export const REPLICATION_CONTROLLERS = kind<ReplicationController>('', 'v1', 'replicationcontrollers', 'ReplicationController');
export const SERVICES = kind<Service>('', 'v1', 'services', 'Service');
export const ENDPOINTS = kind<Endpoints>('', 'v1', 'endpoints', 'Endpoints');
export const PERSISTENT_VOLUME_CLAIMS = kind<PersistentVolumeClaim>('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim');
export const PERSISTENT_VOLUMES = kind<PersistentVolume>('', 'v1', 'persistentvolumes', 'PersistentVolume');
export const REPLICA_SETS = kind<ReplicaSet>('apps', 'v1', 'replicasets', 'ReplicaSet');
export const DEPLOYMENTS = kind<Deployment>('apps', 'v1', 'deployments', 'Deployment');
export const STATEFUL_SETS = kind<StatefulSet>('apps', 'v1', 'statefulsets', 'StatefulSet');
export const DAEMON_SETS = kind<DaemonSet>('apps', 'v1', 'daemonsets', 'DaemonSet');
export const CONTROLLER_REVISIONS = kind<ControllerRevision>('apps', 'v1', 'controllerrevisions', 'ControllerRevision');
export const JOBS = kind<Job>('batch', 'v1', 'jobs', 'Job');
export const CRON_JOBS = kind<CronJob>('batch', 'v1', 'cronjobs', 'CronJob');
export const ENDPOINT_SLICES = kind<EndpointSlice>('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice');
export const STORAGE_CLASSES = kind<StorageClass>('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass');
export const POD_DISRUPTION_BUDGETS = kind<PodDisruptionBudget>('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget');
export const HORIZONTAL_POD_AUTOSCALERS = kind<HorizontalPodAutoscaler>(
  'autoscaling',
  'v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
);
export const LEASES = kind<Lease>('coordination.k8s.io', 'v1', 'leases', 'Lease');
