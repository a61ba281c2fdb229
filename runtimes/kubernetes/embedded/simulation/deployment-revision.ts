import { jsonEqual } from '../../../../engine/object/json.ts';
import { untyped } from '../control-loop/kind.ts';
import type { Deployment, PodTemplate, ReplicaSet } from './kinds.ts';

export const TEMPLATE_HASH_LABEL = 'pod-template-hash';
export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/** What a deployment's replica sets don't take over. Kubernetes: pkg/controller/deployment/util/deployment_util.go annotationsToSkip. */
const OWN_ANNOTATIONS = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);

export const revisionOf = ({ metadata }: ReplicaSet | Deployment): number => {
  const revision = Number(metadata.annotations?.[REVISION] ?? 0);
  return Number.isSafeInteger(revision) ? revision : 0;
};

function withoutHash(template: PodTemplate): PodTemplate {
  const { [TEMPLATE_HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** The replica set of the deployment's template; the oldest, where by accident there are several. */
export function findNewReplicaSet(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const template = untyped(withoutHash(deployment.spec.template));
  return byAge(replicaSets).find((replicaSet) => jsonEqual(untyped(withoutHash(replicaSet.spec.template)), template));
}

/** Oldest first. */
export function byAge(replicaSets: readonly ReplicaSet[]): readonly ReplicaSet[] {
  return [...replicaSets].sort(
    (a, b) =>
      Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) || (a.metadata.name < b.metadata.name ? -1 : 1),
  );
}

/** The annotations of a deployment's newest replica set, given those it has. */
export function newReplicaSetAnnotations(
  deployment: Deployment,
  revision: number,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const after: Record<string, string> = { ...before };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!OWN_ANNOTATIONS.has(key)) after[key] = value;
  const old = Number(before[REVISION] ?? 0);
  if (old < revision) {
    after[REVISION] = String(revision);
    if (old > 0)
      after[REVISION_HISTORY] = [before[REVISION_HISTORY], String(old)].filter((text) => text !== undefined && text !== '').join(',');
  }
  return after;
}
