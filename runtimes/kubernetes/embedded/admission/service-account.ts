import { isJsonObject, type Json, type JsonObject } from '../../../../engine/object/json.ts';
import { type KubernetesObject, kind, servedKind, typed } from '../control-loop/kind.ts';
import { DEFAULT_SERVICE_ACCOUNT, ROOT_CA_CONFIG_MAP } from '../namespaces/namespace-defaults.ts';
import type { Registry } from '../registry.ts';
import { type AdmissionPlugin, isAbout, refusal } from './chain.ts';

interface ServiceAccount extends KubernetesObject {
  readonly automountServiceAccountToken?: boolean;
  readonly imagePullSecrets?: readonly JsonObject[];
}

const SERVICE_ACCOUNTS = kind<ServiceAccount>('', 'v1', 'serviceaccounts', 'ServiceAccount');

/** Pods of a file on a node, which a kubelet shows here. */
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
const VOLUME_PREFIX = 'kube-api-access-';
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const SUFFIX_LENGTH = 5;

/**
 * Lets pods run as the service account `default` unless they say otherwise, mounts its token and the authorities of the server, and
 * refuses pods whose service account is not there. That of the name `default` may be missing: a controller makes it, and an API
 * server waits for that, but this one may run without controllers. Kubernetes: plugin/pkg/admission/serviceaccount/admission.go.
 */
export function serviceAccount(registry: Registry, randomText: (length: number) => string): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    mutate(attributes) {
      const { object, operation, namespace } = attributes;
      if (object === null || operation !== 'CREATE' || !isAbout(attributes, '', 'pods')) return object;
      if (isMirror(object)) return object;
      const spec = specOf(object);
      const name = String(spec['serviceAccountName'] || spec['serviceAccount'] || DEFAULT_SERVICE_ACCOUNT);
      const resource = servedKind(registry, SERVICE_ACCOUNTS);
      const found = resource === undefined ? undefined : registry.get(resource, { namespace, name });
      if (found === undefined && name !== DEFAULT_SERVICE_ACCOUNT) {
        throw refusal(attributes, `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`);
      }
      const account: Partial<ServiceAccount> = found === undefined ? {} : typed<ServiceAccount>(found);
      const named = { ...spec, serviceAccountName: name, serviceAccount: name };
      const mounts = spec['automountServiceAccountToken'] ?? account.automountServiceAccountToken ?? true;
      const mounted = mounts === true ? withToken(named, randomText) : named;
      return { ...object, spec: withPullSecrets(mounted, account.imagePullSecrets ?? []) };
    },
  };
}

function isMirror({ metadata }: JsonObject): boolean {
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined;
  return isJsonObject(annotations) && Object.hasOwn(annotations, MIRROR_ANNOTATION);
}

function specOf(object: JsonObject): JsonObject {
  return isJsonObject(object['spec']) ? object['spec'] : {};
}

const listOf = (spec: JsonObject, field: string): readonly Json[] => (Array.isArray(spec[field]) ? (spec[field] as readonly Json[]) : []);

function withPullSecrets(spec: JsonObject, secrets: readonly JsonObject[]): JsonObject {
  if (secrets.length === 0 || listOf(spec, 'imagePullSecrets').length > 0) return spec;
  return { ...spec, imagePullSecrets: secrets.map(({ name = '' }) => ({ name })) };
}

/** Mounts the token in all containers that mount nothing else in its place. */
function withToken(spec: JsonObject, randomText: (length: number) => string): JsonObject {
  const volumes = listOf(spec, 'volumes');
  const present = volumes.map(nameOf).find((name) => name.startsWith(VOLUME_PREFIX));
  const name = present ?? VOLUME_PREFIX + randomText(SUFFIX_LENGTH);
  let used = false;
  const mounted: { [field: string]: Json } = {};
  for (const field of ['initContainers', 'containers']) {
    const containers = listOf(spec, field);
    if (containers.length === 0) continue;
    mounted[field] = containers.map((container) => {
      if (!isJsonObject(container)) return container;
      const mounts = listOf(container, 'volumeMounts');
      if (mounts.some((mount) => isJsonObject(mount) && mount['mountPath'] === MOUNT_PATH)) return container;
      used = true;
      return { ...container, volumeMounts: [...mounts, { name, readOnly: true, mountPath: MOUNT_PATH }] };
    });
  }
  if (!used) return spec;
  return { ...spec, ...mounted, ...(present === undefined ? { volumes: [...volumes, tokenVolume(name)] } : {}) };
}

const nameOf = (named: Json): string => (isJsonObject(named) && typeof named['name'] === 'string' ? named['name'] : '');

/** Seconds. An hour, and some more by which kubelets know such tokens. */
const TOKEN_LIFETIME = 3607;
/** 0644: everybody may read. */
const READABLE = 0o644;

function tokenVolume(name: string): JsonObject {
  const sources = [
    { serviceAccountToken: { path: 'token', expirationSeconds: TOKEN_LIFETIME } },
    { configMap: { name: ROOT_CA_CONFIG_MAP, items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
  ];
  return { name, projected: { defaultMode: READABLE, sources } };
}
