import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../../engine/object/json.ts';
import { metadataOf } from '../../../../../engine/object/metadata.ts';
import { fieldOf, withField } from '../../verbs/object-fields.ts';
import { withMetadata } from '../../verbs/object-metadata.ts';

/** What autoscaling/v1 has no fields for, as JSON. */
const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';

function isCpuUtilization(metric: Json): boolean {
  return (
    isJsonObject(metric) &&
    fieldOf(metric, 'resource', 'name') === 'cpu' &&
    typeof fieldOf(metric, 'resource', 'target', 'averageUtilization') === 'number'
  );
}

function listOf(object: JsonObject, field: string): readonly Json[] {
  const list = ownValue(object, field);
  return Array.isArray(list) ? (list as readonly Json[]) : [];
}

function annotationsOf(object: JsonObject): { readonly [key: string]: Json } {
  const annotations = ownValue(metadataOf(object), 'annotations');
  return isJsonObject(annotations) ? annotations : {};
}

function parsed(text: Json | undefined): Json | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    // Anybody can write an annotation.
    return undefined;
  }
}

function withAnnotations(object: JsonObject, changes: { readonly [key: string]: string | undefined }): JsonObject {
  const annotations: { [key: string]: Json } = { ...annotationsOf(object) };
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) delete annotations[key];
    else annotations[key] = value;
  }
  return withMetadata(object, { annotations: Object.keys(annotations).length === 0 ? undefined : annotations });
}

/** autoscaling/v1 knows one metric. Kubernetes: pkg/apis/autoscaling/v1/conversion.go. */
export const AUTOSCALER_CONVERSION = {
  fromStored(object: JsonObject): JsonObject {
    const spec = isJsonObject(object['spec']) ? object['spec'] : {};
    const status = isJsonObject(object['status']) ? object['status'] : {};
    const metrics = listOf(spec, 'metrics');
    const cpu = metrics.find(isCpuUtilization);
    const others = metrics.filter((metric) => metric !== cpu);
    const current = listOf(status, 'currentMetrics').find(
      (metric) => isJsonObject(metric) && fieldOf(metric, 'resource', 'name') === 'cpu',
    );
    const { metrics: _, behavior, ...rest } = spec;
    const { currentMetrics: __, conditions: ___, ...restOfStatus } = status;
    const target = isJsonObject(cpu) ? fieldOf(cpu, 'resource', 'target', 'averageUtilization') : undefined;
    const now = isJsonObject(current) ? fieldOf(current, 'resource', 'current', 'averageUtilization') : undefined;
    return withAnnotations(
      {
        ...object,
        spec: withField(rest, 'targetCPUUtilizationPercentage', target),
        status: withField(restOfStatus, 'currentCPUUtilizationPercentage', now),
      },
      {
        [METRICS]: others.length === 0 ? undefined : JSON.stringify(others),
        [BEHAVIOR]: behavior === undefined ? undefined : JSON.stringify(behavior),
      },
    );
  },

  toStored(object: JsonObject): JsonObject {
    const spec = isJsonObject(object['spec']) ? object['spec'] : {};
    const status = isJsonObject(object['status']) ? object['status'] : {};
    const annotations = annotationsOf(object);
    const { targetCPUUtilizationPercentage: target, ...rest } = spec;
    const { currentCPUUtilizationPercentage: now, ...restOfStatus } = status;
    const others = parsed(annotations[METRICS]);
    const behavior = parsed(annotations[BEHAVIOR]);
    const metrics: Json[] = [
      ...(typeof target === 'number'
        ? [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } } }]
        : []),
      ...(Array.isArray(others) ? (others as readonly Json[]) : []),
    ];
    return withAnnotations(
      {
        ...object,
        spec: { ...rest, ...(metrics.length === 0 ? {} : { metrics }), ...(isJsonObject(behavior) ? { behavior } : {}) },
        status: {
          ...restOfStatus,
          ...(typeof now === 'number'
            ? { currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: now } } }] }
            : {}),
        },
      },
      { [METRICS]: undefined, [BEHAVIOR]: undefined },
    );
  },
};
