import type { JsonObject } from '../../../../engine/object/json.ts';
import { formatApiVersion } from '../../../../engine/object/type-table.ts';
import { manualClock } from '../../../host/clock.ts';
import { type Kind, type KubernetesObject, kind, typed, untyped } from '../control-loop/kind.ts';
import { memoryRegistry, served } from '../control-loop/memory-registry.fixture.ts';
import {
  CONTROLLER_REVISIONS,
  CRON_JOBS,
  DAEMON_SETS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  ENDPOINTS,
  HORIZONTAL_POD_AUTOSCALERS,
  JOBS,
  LEASES,
  PERSISTENT_VOLUME_CLAIMS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  SERVICES,
  STATEFUL_SETS,
} from './kinds.ts';
import { type SimulationOptions, startSimulation } from './simulation.ts';

const EVENTS = kind('', 'v1', 'events', 'Event');

const NAMESPACED: readonly Kind[] = [
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  DEPLOYMENTS,
  STATEFUL_SETS,
  DAEMON_SETS,
  CONTROLLER_REVISIONS,
  JOBS,
  CRON_JOBS,
  SERVICES,
  ENDPOINTS,
  ENDPOINT_SLICES,
  PERSISTENT_VOLUME_CLAIMS,
  POD_DISRUPTION_BUDGETS,
  HORIZONTAL_POD_AUTOSCALERS,
  LEASES,
  EVENTS,
];

/** A cluster in memory whose time stands still until it is told to go on. */
export async function simulatedCluster(options: Omit<SimulationOptions, 'registry' | 'clock'> = {}) {
  const clock = manualClock(Date.parse('2026-01-01T00:00:00Z'));
  const resources = [
    ...NAMESPACED.map((kind) => served(formatApiVersion(kind.group, kind.version), kind.resource, kind.kind)),
    served('v1', 'nodes', 'Node', false),
    served('v1', 'persistentvolumes', 'PersistentVolume', false),
    served('storage.k8s.io/v1', 'storageclasses', 'StorageClass', false),
  ];
  const registry = memoryRegistry({ resources, now: clock.now });
  const errors: string[] = [];
  const simulation = startSimulation({
    registry,
    clock,
    leases: false,
    onError: (controller, key, error) => errors.push(`${controller} ${key}: ${error}`),
    ...options,
  });
  await simulation.idle();
  const resource = (kind: Kind) => registry.find(kind.group, kind.version, kind.resource)!;
  const namespace = (kind: Kind) => (resource(kind).namespaced ? { namespace: 'a' } : {});
  return {
    clock,
    registry,
    simulation,
    /** Syncs that failed. */
    errors,
    async create<T extends KubernetesObject>(kind: Kind<T>, name: string, content: object, metadata: object = {}): Promise<T> {
      const object = {
        apiVersion: formatApiVersion(kind.group, kind.version),
        kind: kind.kind,
        metadata: { name, ...namespace(kind), ...metadata },
        ...content,
      };
      return typed<T>(await registry.create(resource(kind), untyped(object)));
    },
    get<T extends KubernetesObject>(kind: Kind<T>, name: string): T | undefined {
      const found = registry.get(resource(kind), { ...namespace(kind), name });
      return found === undefined ? undefined : typed<T>(found);
    },
    list: <T extends KubernetesObject>(kind: Kind<T>): readonly T[] => registry.list(resource(kind)).map((object) => typed<T>(object)),
    change: (kind: Kind, name: string, change: (object: JsonObject) => JsonObject) =>
      registry.modify(resource(kind), { ...namespace(kind), name }, change),
    changeSpec: (kind: Kind, name: string, spec: object) =>
      registry.modify(resource(kind), { ...namespace(kind), name }, (object) => ({
        ...object,
        spec: { ...(object['spec'] as JsonObject), ...spec },
      })),
    remove: (kind: Kind, name: string, gracePeriodSeconds?: number) =>
      registry.delete(
        resource(kind),
        { ...namespace(kind), name },
        { propagationPolicy: 'Background', ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) },
      ),
    /** Lets time pass in steps, each until nothing happens any more. */
    async pass(milliseconds: number, step = 1_000) {
      for (let passed = 0; passed < milliseconds; passed += step) {
        clock.advance(Math.min(step, milliseconds - passed));
        await simulation.idle();
      }
    },
  };
}

/** A pod template with the labels. */
export const podTemplate = (
  labels: Readonly<Record<string, string>>,
  image = 'web:1',
  annotations: Readonly<Record<string, string>> = {},
) => ({
  metadata: { labels, annotations },
  spec: { containers: [{ name: 'web', image }] },
});
