import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';
import { type KubernetesObject, kind, servedKind, typed, untyped } from '../control-loop/kind.ts';
import { reasonOf } from '../control-loop/write.ts';
import type { Registry } from '../registry.ts';
import { type AdmissionPlugin, isAbout, refusal } from './chain.ts';

interface PriorityClass extends KubernetesObject {
  readonly value: number;
  readonly globalDefault?: boolean;
  readonly preemptionPolicy?: string;
}

const PRIORITY_CLASSES = kind<PriorityClass>('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass');

/** Gives pods the priority of their class. Kubernetes: plugin/pkg/admission/priority/admission.go. */
export function priority(registry: Registry): AdmissionPlugin {
  const classes = (): readonly PriorityClass[] => {
    const resource = servedKind(registry, PRIORITY_CLASSES);
    return resource === undefined ? [] : registry.list(resource).map((object) => typed<PriorityClass>(object));
  };
  return {
    name: 'Priority',
    mutate(attributes) {
      const { object, operation } = attributes;
      if (object === null || operation !== 'CREATE' || !isAbout(attributes, '', 'pods')) return object;
      const spec: JsonObject = isJsonObject(object['spec']) ? object['spec'] : {};
      const name = typeof spec['priorityClassName'] === 'string' ? spec['priorityClassName'] : '';
      const found = name === '' ? defaultOf(classes()) : classes().find(({ metadata }) => metadata.name === name);
      if (name !== '' && found === undefined) throw refusal(attributes, `no PriorityClass with name ${name} was found`);
      const value = found?.value ?? 0;
      if (spec['priority'] !== undefined && spec['priority'] !== value)
        throw refusal(
          attributes,
          `the integer value of priority (${String(spec['priority'])}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
        );
      const preemptionPolicy = found?.preemptionPolicy ?? 'PreemptLowerPriority';
      const className = name === '' && found !== undefined ? { priorityClassName: found.metadata.name } : {};
      return {
        ...object,
        spec: { ...spec, ...className, priority: value, preemptionPolicy: spec['preemptionPolicy'] ?? preemptionPolicy },
      };
    },
    validate(attributes) {
      const { object, operation } = attributes;
      if (object?.['globalDefault'] !== true || !isAbout(attributes, 'scheduling.k8s.io', 'priorityclasses')) return;
      if (operation !== 'CREATE' && operation !== 'UPDATE') return;
      const other = classes().find(({ globalDefault, metadata }) => globalDefault === true && metadata.name !== attributes.name);
      if (other === undefined) return;
      const why = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`;
      throw refusal(attributes, why);
    },
  };
}

/** Of several that say so, the one with the lowest value. */
const defaultOf = (classes: readonly PriorityClass[]): PriorityClass | undefined =>
  classes.filter(({ globalDefault }) => globalDefault === true).sort((a, b) => a.value - b.value)[0];

/** Kubernetes: pkg/apis/scheduling/v1/helpers.go SystemPriorityClasses. */
const SYSTEM_CLASSES = [
  [
    'system-cluster-critical',
    2_000_000_000,
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  ],
  ['system-node-critical', 2_000_001_000, 'Used for system critical pods that must not be moved from their current node.'],
] as const;

/** Makes the classes that every cluster starts with. */
export async function createSystemPriorityClasses(registry: Registry): Promise<void> {
  const resource = servedKind(registry, PRIORITY_CLASSES);
  if (resource === undefined) return;
  for (const [name, value, description] of SYSTEM_CLASSES) {
    const object = {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value,
      description,
      preemptionPolicy: 'PreemptLowerPriority',
    };
    try {
      await registry.create(resource, untyped(object));
    } catch (error) {
      if (reasonOf(error) !== 'AlreadyExists') throw error;
    }
  }
}
