import type { EnvironmentOptions } from '../environment.ts';
import { CURRENT_KUBERNETES_VERSION, type KubernetesVersion, kubernetesLibraries } from '../libraries/kubernetes.ts';

/** What one version of Kubernetes enables, in the form of environment options. */
export type KubernetesFeatures = Required<
  Pick<EnvironmentOptions, 'libraries' | 'crossTypeComparisons' | 'literalValidators' | 'homogeneousLiterals'>
>;

const CROSS_TYPE_COMPARISONS_SINCE = 28;
const LITERAL_VALIDATORS_SINCE = 29;

const byMinor = new Map<number, KubernetesFeatures>();

/**
 * The dialect of one version of Kubernetes, `1.30` or `v1.30.4` (default: the newest known; a newer version means the newest
 * known). The same object for the same minor version, so that environments made of it share their tables. Throws a RangeError for
 * text that is no version of Kubernetes 1. Kubernetes: apiserver pkg/cel/environment/base.go baseOpts.
 */
export function kubernetesFeatures(version: string = CURRENT_KUBERNETES_VERSION): KubernetesFeatures {
  const minor = Math.min(minorOf(version), minorOf(CURRENT_KUBERNETES_VERSION));
  let features = byMinor.get(minor);
  if (!features) {
    features = {
      libraries: kubernetesLibraries(`1.${minor}` as KubernetesVersion),
      crossTypeComparisons: minor >= CROSS_TYPE_COMPARISONS_SINCE,
      literalValidators: minor >= LITERAL_VALIDATORS_SINCE,
      homogeneousLiterals: true,
    };
    byMinor.set(minor, features);
  }
  return features;
}

function minorOf(version: string): number {
  const match = /^v?1\.(\d+)(?:\.\d+)?$/.exec(version);
  if (!match) throw new RangeError(`not a version of Kubernetes: ${JSON.stringify(version)}`);
  return Number(match[1]);
}
