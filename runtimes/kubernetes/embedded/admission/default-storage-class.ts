import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';
import { type KubernetesObject, kind, servedKind, typed } from '../control-loop/kind.ts';
import type { Registry } from '../registry.ts';
import { type AdmissionPlugin, isAbout } from './chain.ts';

const STORAGE_CLASSES = kind('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass');
const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class';

/** Gives claims without a class the default one: the newest, where several say so. Kubernetes: plugin/pkg/admission/storage/storageclass/setdefault. */
export function defaultStorageClass(registry: Registry): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    mutate(attributes) {
      const { object, operation } = attributes;
      if (object === null || operation !== 'CREATE' || !isAbout(attributes, '', 'persistentvolumeclaims')) return object;
      const spec: JsonObject = isJsonObject(object['spec']) ? object['spec'] : {};
      if (spec['storageClassName'] !== undefined) return object;
      const resource = servedKind(registry, STORAGE_CLASSES);
      const classes = resource === undefined ? [] : registry.list(resource).map((each) => typed<KubernetesObject>(each));
      const found = classes
        .filter(({ metadata }) => metadata.annotations?.[IS_DEFAULT] === 'true')
        .sort((a, b) => Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp))[0];
      return found === undefined ? object : { ...object, spec: { ...spec, storageClassName: found.metadata.name } };
    },
  };
}
