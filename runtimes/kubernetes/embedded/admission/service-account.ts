import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';
import { type AdmissionPlugin, isAbout } from './chain.ts';

const DEFAULT = 'default';

/**
 * Lets pods run as the service account `default` unless they say otherwise. No tokens are mounted, as nothing runs that could read
 * them. Kubernetes: plugin/pkg/admission/serviceaccount/admission.go.
 */
export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  mutate(attributes) {
    const { object, operation } = attributes;
    if (object === null || operation !== 'CREATE' || !isAbout(attributes, '', 'pods')) return object;
    const spec: JsonObject = isJsonObject(object['spec']) ? object['spec'] : {};
    const name = spec['serviceAccountName'] || spec['serviceAccount'] || DEFAULT;
    if (spec['serviceAccountName'] === name && spec['serviceAccount'] === name) return object;
    return { ...object, spec: { ...spec, serviceAccountName: name, serviceAccount: name } };
  },
};
