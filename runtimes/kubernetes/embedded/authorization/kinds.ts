import { type KubernetesObject, kind } from '../control-loop/kind.ts';

/** Kubernetes: staging/src/k8s.io/api/rbac/v1/types.go. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export interface Subject {
  readonly kind: string;
  readonly apiGroup?: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface RoleRef {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}

export interface Role extends KubernetesObject {
  readonly rules?: readonly PolicyRule[] | null;
}

export interface ClusterRole extends Role {
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly object[] };
}

export interface RoleBinding extends KubernetesObject {
  readonly subjects?: readonly Subject[];
  readonly roleRef: RoleRef;
}

const GROUP = 'rbac.authorization.k8s.io';

export const ROLES = kind<Role>(GROUP, 'v1', 'roles', 'Role');
export const CLUSTER_ROLES = kind<ClusterRole>(GROUP, 'v1', 'clusterroles', 'ClusterRole');
export const ROLE_BINDINGS = kind<RoleBinding>(GROUP, 'v1', 'rolebindings', 'RoleBinding');
export const CLUSTER_ROLE_BINDINGS = kind<RoleBinding>(GROUP, 'v1', 'clusterrolebindings', 'ClusterRoleBinding');
