import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../../../engine/object/json.ts';

/** How a pod fares when its node runs short. Kubernetes: pkg/apis/core/helper/qos/qos.go ComputePodQOS. */
export function qosClass(spec: JsonObject): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  let any = false;
  let guaranteed = true;
  for (const field of ['containers', 'initContainers']) {
    const containers = ownValue(spec, field);
    if (!Array.isArray(containers)) continue;
    for (const container of containers as readonly Json[]) {
      const resources = isJsonObject(container) && isJsonObject(container['resources']) ? container['resources'] : {};
      const limits = compute(resources['limits']);
      const requests = compute(resources['requests']);
      if (Object.keys(limits).length > 0 || Object.keys(requests).length > 0) any = true;
      if (
        Object.keys(limits).length < COMPUTE.length ||
        (Object.keys(requests).length > 0 && !jsonEqual(limits, { ...limits, ...requests }))
      )
        guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

const COMPUTE = ['cpu', 'memory'];

function compute(list: Json | undefined): JsonObject {
  if (!isJsonObject(list)) return {};
  return Object.fromEntries(Object.entries(list).filter(([name, value]) => COMPUTE.includes(name) && value !== '0' && value !== 0));
}
