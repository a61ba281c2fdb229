import type { Condition } from '../control-loop/condition.ts';
import { type KubernetesObject, kind } from '../control-loop/kind.ts';

export interface Namespace extends KubernetesObject {
  readonly spec?: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] };
}

export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

export const NAMESPACES = kind<Namespace>('', 'v1', 'namespaces', 'Namespace');
export const SERVICE_ACCOUNTS = kind<KubernetesObject>('', 'v1', 'serviceaccounts', 'ServiceAccount');
export const CONFIG_MAPS = kind<ConfigMap>('', 'v1', 'configmaps', 'ConfigMap');
