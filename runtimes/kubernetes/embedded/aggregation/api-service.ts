import type { Condition } from '../control-loop/condition.ts';
import { type KubernetesObject, kind } from '../control-loop/kind.ts';

/** Kubernetes: staging/src/k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/types.go. */
export interface ApiService extends KubernetesObject {
  readonly spec: {
    readonly group?: string;
    readonly version?: string;
    /** Absent where this server answers itself. */
    readonly service?: { readonly namespace: string; readonly name: string; readonly port?: number } | null;
    readonly caBundle?: string;
    readonly insecureSkipTLSVerify?: boolean;
    readonly groupPriorityMinimum?: number;
    readonly versionPriority?: number;
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export const API_SERVICES = kind<ApiService>('apiregistration.k8s.io', 'v1', 'apiservices', 'APIService');

/** `/apis/metrics.k8s.io/v1beta1`. */
export const apiPathOf = ({ spec }: ApiService): string => (spec.group ? `/apis/${spec.group}/${spec.version}` : `/api/${spec.version}`);
