import type { EnvironmentOptions } from '../environment.ts';
import type { Library } from '../function.ts';
import { AUTHORIZER_LIBRARY, AUTHORIZER_SELECTORS_LIBRARY } from '../libraries/authorizer.ts';
import { CIDR_LIBRARY } from '../libraries/cidr.ts';
import { TWO_VARIABLE_COMPREHENSIONS_LIBRARY } from '../libraries/comprehensions.ts';
import { FORMAT_LIBRARY } from '../libraries/format.ts';
import { IP_LIBRARY } from '../libraries/ip.ts';
import { KUBERNETES_LISTS_LIBRARY, KUBERNETES_LISTS_LIBRARY_V0 } from '../libraries/kubernetes-lists.ts';
import { LISTS_LIBRARY } from '../libraries/lists.ts';
import { QUANTITY_LIBRARY } from '../libraries/quantity.ts';
import { REGEX_LIBRARY } from '../libraries/regex.ts';
import { SEMVER_LIBRARY } from '../libraries/semver.ts';
import { SETS_LIBRARY } from '../libraries/sets.ts';
import { OPTIONALS } from '../libraries/standard/optionals.ts';
import { STRINGS_LIBRARY } from '../libraries/strings.ts';
import { URL_LIBRARY } from '../libraries/url.ts';

/** What one version of Kubernetes enables, in the form of environment options. */
export interface KubernetesFeatures
  extends Required<Pick<EnvironmentOptions, 'libraries' | 'crossTypeComparisons' | 'literalValidators' | 'homogeneousLiterals'>> {
  readonly libraries: readonly Library[];
}

/** The newest minor version this table knows. */
export const NEWEST_MINOR = 37;

interface Feature {
  /** Minor versions of Kubernetes 1: from, and the one where it went away. 0: always. */
  readonly introduced: number;
  readonly removed?: number;
  readonly libraries: readonly Library[];
}

/**
 * Libraries by the version that brought them, in Kubernetes' order. Strings came in version 0 before 1.29; what Kubernetes
 * 1.29 and later has is a superset of it. Kubernetes: apiserver pkg/cel/environment/base.go baseOpts.
 */
const FEATURES: readonly Feature[] = [
  { introduced: 0, libraries: [URL_LIBRARY, REGEX_LIBRARY] },
  { introduced: 0, removed: 37, libraries: [KUBERNETES_LISTS_LIBRARY_V0] },
  { introduced: 27, libraries: [AUTHORIZER_LIBRARY] },
  { introduced: 28, libraries: [OPTIONALS, QUANTITY_LIBRARY] },
  { introduced: 0, libraries: [STRINGS_LIBRARY] },
  { introduced: 29, libraries: [SETS_LIBRARY] },
  { introduced: 30, libraries: [IP_LIBRARY, CIDR_LIBRARY] },
  { introduced: 31, libraries: [FORMAT_LIBRARY] },
  { introduced: 31, libraries: [AUTHORIZER_SELECTORS_LIBRARY] },
  { introduced: 32, libraries: [TWO_VARIABLE_COMPREHENSIONS_LIBRARY] },
  { introduced: 33, libraries: [SEMVER_LIBRARY] },
  { introduced: 34, libraries: [LISTS_LIBRARY] },
  { introduced: 37, libraries: [KUBERNETES_LISTS_LIBRARY] },
];

const CROSS_TYPE_COMPARISONS_SINCE = 28;
const LITERAL_VALIDATORS_SINCE = 29;

const byMinor = new Map<number, KubernetesFeatures>();

/**
 * The dialect of one version of Kubernetes, `1.30` (default: the newest known; a newer version means the newest known).
 * The same object for the same version. Throws a RangeError for text that is no version of Kubernetes 1.
 */
export function kubernetesFeatures(version = `1.${NEWEST_MINOR}`): KubernetesFeatures {
  const match = /^v?1\.(\d+)(?:\.\d+)?$/.exec(version);
  if (!match) throw new RangeError(`not a version of Kubernetes: ${JSON.stringify(version)}`);
  const minor = Math.min(Number(match[1]), NEWEST_MINOR);
  let features = byMinor.get(minor);
  if (!features) {
    features = {
      libraries: FEATURES.filter(({ introduced, removed }) => introduced <= minor && (removed === undefined || minor < removed)).flatMap(
        (feature) => feature.libraries,
      ),
      crossTypeComparisons: minor >= CROSS_TYPE_COMPARISONS_SINCE,
      literalValidators: minor >= LITERAL_VALIDATORS_SINCE,
      homogeneousLiterals: true,
    };
    byMinor.set(minor, features);
  }
  return features;
}

/** The libraries of one version of Kubernetes; see {@link kubernetesFeatures}. */
export function kubernetesLibraries(version?: string): readonly Library[] {
  return kubernetesFeatures(version).libraries;
}
