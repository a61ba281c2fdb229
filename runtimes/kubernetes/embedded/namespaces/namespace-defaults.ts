import { jsonEqual } from '../../../../engine/object/json.ts';
import type { Controller } from '../control-loop/control-loop.ts';
import { isDeleted, type KubernetesObject, servedKind, typed, untyped } from '../control-loop/kind.ts';
import { reasonOf } from '../control-loop/write.ts';
import type { Registry } from '../registry.ts';
import { CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS } from './kinds.ts';

export const DEFAULT_SERVICE_ACCOUNT = 'default';
export const ROOT_CA_CONFIG_MAP = 'kube-root-ca.crt';

const DESCRIPTION = {
  'kubernetes.io/description':
    'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
};

/**
 * Keeps a service account `default` in every namespace, which pods run as unless they say otherwise.
 * Kubernetes: pkg/controller/serviceaccount/serviceaccounts_controller.go.
 */
export function defaultServiceAccounts(registry: Registry): Controller {
  return namespaceDefault(registry, 'service-account-controller', '/serviceaccounts', DEFAULT_SERVICE_ACCOUNT, async (namespace) => {
    const resource = servedKind(registry, SERVICE_ACCOUNTS);
    if (resource === undefined || registry.get(resource, { namespace, name: DEFAULT_SERVICE_ACCOUNT }) !== undefined) return;
    const metadata = { name: DEFAULT_SERVICE_ACCOUNT, namespace };
    await registry.create(resource, untyped({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }));
  });
}

/**
 * Keeps the authorities of the server's certificate in every namespace. Kubernetes: pkg/controller/certificates/rootcacertpublisher.
 * @param authority certificates in PEM.
 */
export function rootAuthorityPublisher(registry: Registry, authority: string): Controller {
  return namespaceDefault(registry, 'root-ca-certificate-publisher-controller', '/configmaps', ROOT_CA_CONFIG_MAP, async (namespace) => {
    const resource = servedKind(registry, CONFIG_MAPS);
    if (resource === undefined) return;
    const data = { 'ca.crt': authority };
    const found = registry.get(resource, { namespace, name: ROOT_CA_CONFIG_MAP });
    if (found === undefined) {
      const metadata = { name: ROOT_CA_CONFIG_MAP, namespace, annotations: DESCRIPTION };
      await registry.create(resource, untyped({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }));
    } else if (!jsonEqual(found['data'], data)) await registry.update(resource, { ...found, data });
  });
}

/** Calls `keep` with every living namespace, and again when the object `name` of `resource` in it changes. */
function namespaceDefault(
  registry: Registry,
  controller: string,
  resource: string,
  name: string,
  keep: (namespace: string) => Promise<void>,
): Controller {
  return {
    name: controller,
    watches: ['/namespaces', resource],
    *initial() {
      const namespaces = servedKind(registry, NAMESPACES);
      for (const object of namespaces === undefined ? [] : registry.list(namespaces)) yield typed<KubernetesObject>(object).metadata.name;
    },
    *keys(event) {
      const { metadata } = typed<KubernetesObject>(event.object);
      if (event.resource === '/namespaces') {
        if (event.type === 'ADDED') yield metadata.name;
      } else if (metadata.name === name && event.type !== 'ADDED' && metadata.namespace !== undefined) yield metadata.namespace;
    },
    async sync(namespace) {
      const namespaces = servedKind(registry, NAMESPACES);
      const found = namespaces === undefined ? undefined : registry.get(namespaces, { name: namespace });
      if (found === undefined || isDeleted(typed(found))) return undefined;
      try {
        await keep(namespace);
      } catch (error) {
        // Somebody else has just made it, or the namespace goes.
        const reason = reasonOf(error);
        if (reason !== 'AlreadyExists' && reason !== 'NotFound' && reason !== 'Forbidden') throw error;
      }
      return undefined;
    },
  };
}
