/** Paths and small objects that many cases write. */
export const CONFIG_MAPS = '/api/v1/namespaces/$(ns)/configmaps';
export const SECRETS = '/api/v1/namespaces/$(ns)/secrets';
export const PODS = '/api/v1/namespaces/$(ns)/pods';
export const SERVICES = '/api/v1/namespaces/$(ns)/services';
export const DEPLOYMENTS = '/apis/apps/v1/namespaces/$(ns)/deployments';
export const NAMESPACES = '/api/v1/namespaces';

export interface Metadata {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly unknown[];
  readonly resourceVersion?: string;
  readonly uid?: string;
}

export function configMap(name: string, data: Readonly<Record<string, string>> = {}, metadata: Metadata = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

const container = { name: 'main', image: 'example.test/app:1' };

export function pod(name: string, spec: object = {}, metadata: Metadata = {}): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: { containers: [container], ...spec } };
}

export function deployment(name: string, spec: object = {}, metadata: Metadata = {}): object {
  const template = { metadata: { labels: { app: name } }, spec: { containers: [container] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, ...metadata },
    spec: { selector: { matchLabels: { app: name } }, template, ...spec },
  };
}

/** An owner whose UID an earlier step has kept. */
export function ownedBy(apiVersion: string, kind: string, name: string, uid: string, more: object = {}): Metadata {
  return { ownerReferences: [{ apiVersion, kind, name, uid, ...more }] };
}
