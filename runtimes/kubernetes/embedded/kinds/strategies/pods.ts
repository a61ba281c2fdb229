import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../../../../engine/object/json.ts';
import { metadataOf } from '../../../../../engine/object/metadata.ts';
import { formatTime } from '../../../../../engine/object/time.ts';
import { type FieldError, fieldForbidden } from '../../field-error.ts';
import { fieldOf, withField } from '../../verbs/object-fields.ts';
import { withMetadata } from '../../verbs/object-metadata.ts';
import type { Strategy } from '../definition.ts';
import { dnsSubdomainErrors } from '../names.ts';
import { podSpecErrors } from '../pod-spec.ts';
import { qosClass } from '../qos-class.ts';

const DEFAULT_GRACE = 30;

function specOf(object: JsonObject): JsonObject {
  const spec = ownValue(object, 'spec');
  return isJsonObject(spec) ? spec : {};
}

/** How long a pod stays on a node that is gone, where it does not say. Kubernetes: admission plugin DefaultTolerationSeconds. */
function withDefaultTolerations(object: JsonObject): JsonObject {
  const spec = specOf(object);
  const tolerations = Array.isArray(spec['tolerations']) ? (spec['tolerations'] as readonly Json[]).filter(isJsonObject) : [];
  const tolerates = (key: string): boolean =>
    tolerations.some((each) => ['', key].includes(String(each['key'] ?? '')) && ['', 'NoExecute'].includes(String(each['effect'] ?? '')));
  const added = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
    .filter((key) => !tolerates(key))
    .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }));
  return added.length === 0 ? object : { ...object, spec: { ...spec, tolerations: [...tolerations, ...added] } };
}

const MUTABLE = new Set(['activeDeadlineSeconds', 'tolerations', 'terminationGracePeriodSeconds', 'schedulingGates']);

const UPDATE_RULE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** The spec without what an update may change. */
function fixedPart(spec: JsonObject): JsonObject {
  const fixed: { [field: string]: Json } = {};
  for (const [field, value] of Object.entries(spec)) {
    if (MUTABLE.has(field)) continue;
    const isContainers = (field === 'containers' || field === 'initContainers') && Array.isArray(value);
    fixed[field] = isContainers
      ? (value as readonly Json[]).map((each) => (isJsonObject(each) ? withField(each, 'image', undefined) : each))
      : value;
  }
  return fixed;
}

function withoutTime(toleration: Json): Json {
  return isJsonObject(toleration) ? withField(toleration, 'tolerationSeconds', undefined) : toleration;
}

function updateErrors(object: JsonObject, old: JsonObject): readonly FieldError[] {
  const errors = [...podSpecErrors(specOf(object), 'spec')];
  if (!jsonEqual(fixedPart(specOf(object)), fixedPart(specOf(old)))) errors.push(fieldForbidden('spec', UPDATE_RULE));
  const before = specOf(old)['tolerations'];
  const after = specOf(object)['tolerations'];
  const kept = Array.isArray(after) ? (after as readonly Json[]) : [];
  if (
    Array.isArray(before) &&
    !(before as readonly Json[]).every((each) => kept.some((other) => jsonEqual(withoutTime(each), withoutTime(other))))
  ) {
    errors.push(fieldForbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  }
  return errors;
}

/** Kubernetes: pkg/registry/core/pod/strategy.go applySchedulingGatedCondition. */
function gatedCondition(now: number): JsonObject {
  return {
    type: 'PodScheduled',
    status: 'False',
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
    lastProbeTime: null,
    lastTransitionTime: formatTime(now),
  };
}

/** Kubernetes: pkg/registry/core/pod/strategy.go. */
export const podStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  returnsDeleted: true,
  generation: 'spec',
  prepareForCreate(sent, { now }) {
    const object = withDefaultTolerations(sent);
    const gates = specOf(object)['schedulingGates'];
    const isGated = Array.isArray(gates) && gates.length > 0;
    const status = { phase: 'Pending', qosClass: qosClass(specOf(object)) };
    return { ...object, status: isGated ? { ...status, conditions: [gatedCondition(now)] } : status };
  },
  prepareForUpdate: withDefaultTolerations,
  validate: (object) => podSpecErrors(specOf(object), 'spec'),
  validateUpdate: updateErrors,
  prepareForStatusUpdate(object, old) {
    const kept = withMetadata(object, { ownerReferences: metadataOf(old)['ownerReferences'] });
    const status = ownValue(object, 'status');
    const qos = fieldOf(old, 'status', 'qosClass');
    return {
      ...old,
      metadata: metadataOf(kept),
      status: { ...(isJsonObject(status) ? status : {}), ...(qos === undefined ? {} : { qosClass: qos }) },
    };
  },
  prepareForSubresource: {
    binding: (object) => object,
    ephemeralcontainers: (object, old) => ({
      ...old,
      metadata: metadataOf(object),
      spec: withField(specOf(old), 'ephemeralContainers', specOf(object)['ephemeralContainers']),
    }),
    resize: (object, old) => ({ ...old, metadata: metadataOf(object), spec: resized(specOf(object), specOf(old)) }),
  },
  gracePeriod(object, requested) {
    const own = specOf(object)['terminationGracePeriodSeconds'];
    const phase = fieldOf(object, 'status', 'phase');
    // Nobody is there who would end it.
    if ((specOf(object)['nodeName'] ?? '') === '' || phase === 'Failed' || phase === 'Succeeded') return 0;
    return requested ?? (typeof own === 'number' ? own : DEFAULT_GRACE);
  },
};

/** The old spec with the resources of the new one's containers. */
function resized(spec: JsonObject, old: JsonObject): JsonObject {
  const wanted = new Map<Json | undefined, Json | undefined>();
  const containers = ownValue(spec, 'containers');
  if (Array.isArray(containers))
    for (const each of containers as readonly Json[]) if (isJsonObject(each)) wanted.set(each['name'], each['resources']);
  const present = ownValue(old, 'containers');
  if (!Array.isArray(present)) return old;
  return {
    ...old,
    containers: (present as readonly Json[]).map((each) =>
      isJsonObject(each) && wanted.has(each['name']) ? withField(each, 'resources', wanted.get(each['name'])) : each,
    ),
  };
}
