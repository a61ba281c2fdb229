import { formatMicroTime } from '../../../../engine/object/time.ts';
import type { Clock, Timer } from '../../../host/clock.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { isTrue, setCondition } from '../control-loop/condition.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import { groupResource, nameOfKey, typed } from '../control-loop/kind.ts';
import { create, type NewObject, perform, update, updateStatus, type Write } from '../control-loop/write.ts';
import type { Registry } from '../registry.ts';
import { type IntOrString, LEASES, NODES, type Node } from './kinds.ts';

/** A node that the cluster starts with. */
export interface SimulatedNode {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Default: 8 cores, 32 Gi of memory, 100 Gi of storage, 110 pods. */
  readonly capacity?: Readonly<Record<string, IntOrString>>;
}

const CAPACITY = { cpu: '8', memory: '32Gi', 'ephemeral-storage': '100Gi', pods: '110' };
/** Kubernetes: pkg/apis/core/types.go NamespaceNodeLease. */
const LEASE_NAMESPACE = 'kube-node-lease';
/** A node that nobody keeps alive itself, made by a person: the simulation makes it ready too. */
const SIMULATED = 'simulation.fairlead.dev/node';

/** The object of a node. */
export function nodeObject({ name, labels, capacity = CAPACITY }: SimulatedNode): NewObject {
  const hostname = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
  return { metadata: { name, labels: { ...hostname, ...labels }, annotations: { [SIMULATED]: JSON.stringify(capacity) } }, spec: {} };
}

const CONDITIONS = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
] as const;

/** Makes a simulated node ready; nothing to write once it is. */
function readyNode(node: Node, index: number, now: number): readonly Write[] {
  if (node.metadata.annotations?.[SIMULATED] === undefined || isTrue(node.status?.conditions, 'Ready')) return [];
  let conditions = node.status?.conditions;
  for (const [type, status, reason, message] of CONDITIONS) conditions = setCondition(conditions, { type, status, reason, message }, now);
  const capacity = capacityOf(node);
  const status = {
    ...node.status,
    capacity: { ...capacity, ...node.status?.capacity },
    allocatable: { ...capacity, ...node.status?.allocatable },
    conditions,
    addresses: node.status?.addresses ?? [
      { type: 'InternalIP', address: `10.10.${Math.floor(index / 254) % 256}.${(index % 254) + 1}` },
      { type: 'Hostname', address: node.metadata.name },
    ],
    nodeInfo: {
      machineID: node.metadata.name,
      systemUUID: node.metadata.uid,
      bootID: node.metadata.uid,
      kernelVersion: 'simulated',
      osImage: 'simulated',
      containerRuntimeVersion: 'simulated://1.0.0',
      kubeletVersion: 'v1.37.2',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
  };
  return [updateStatus(NODES, { ...node, status } as Node)];
}

function capacityOf({ metadata }: Node): Readonly<Record<string, IntOrString>> {
  try {
    const parsed: unknown = JSON.parse(metadata.annotations?.[SIMULATED] ?? '');
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...CAPACITY, ...parsed };
  } catch {
    // Written by hand, as `true` or nothing.
  }
  return CAPACITY;
}

/** Keeps simulated nodes ready. */
export function nodeKeeper(registry: Registry, view: ClusterView): Controller {
  const name = 'kubelet';
  return {
    name,
    watches: [groupResource(NODES)],
    *initial() {
      for (const node of view.list(NODES)) yield node.metadata.name;
    },
    *keys({ type, object }) {
      if (type !== 'DELETED') yield typed(object).metadata.name;
    },
    async sync(key) {
      const node = view.get(NODES, nameOfKey(key));
      if (node === undefined) return undefined;
      const index = view.list(NODES).findIndex(({ metadata }) => metadata.name === key);
      await perform(registry, readyNode(node, index, view.now()), name);
      return undefined;
    },
  };
}

/** Milliseconds between renewals, and for how long a renewal counts. Kubernetes: pkg/kubelet/nodelease. */
const RENEWAL = 10_000;
const LEASE_SECONDS = 40;

/** Renews the leases of simulated nodes, as kubelets do. Answers how to stop. */
export function renewLeases(
  registry: Registry,
  view: ClusterView,
  clock: Clock,
  onError: (node: string, error: unknown) => void,
): () => void {
  let timer: Timer | undefined;
  let stopped = false;
  const renewAll = async (): Promise<void> => {
    for (const node of view.list(NODES)) {
      if (stopped) return;
      if (node.metadata.annotations?.[SIMULATED] === undefined) continue;
      try {
        await perform(registry, renewal(node, view), 'kubelet');
      } catch (error) {
        onError(node.metadata.name, error);
      }
    }
    if (!stopped) timer = clock.after(RENEWAL, () => void renewAll());
  };
  void renewAll();
  return () => {
    stopped = true;
    timer?.cancel();
  };
}

function renewal(node: Node, view: ClusterView): readonly Write[] {
  const { name, uid } = node.metadata;
  const renewTime = formatMicroTime(view.now());
  const found = view.get(LEASES, { namespace: LEASE_NAMESPACE, name });
  if (found !== undefined) return [update(LEASES, { ...found, spec: { ...found.spec, renewTime } } as Node)];
  const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime };
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid }];
  return [create(LEASES, { metadata: { name, namespace: LEASE_NAMESPACE, ownerReferences }, spec })];
}
