import type { Library } from '../function.ts';
import { AUTHORIZER_LIBRARY, AUTHORIZER_SELECTORS_LIBRARY } from './authorizer.ts';
import { CIDR_LIBRARY } from './cidr.ts';
import { TWO_VARIABLE_COMPREHENSIONS_LIBRARY } from './comprehensions.ts';
import { FORMAT_LIBRARY } from './format.ts';
import { IP_LIBRARY } from './ip.ts';
import { KUBERNETES_LISTS_LIBRARY, KUBERNETES_LISTS_LIBRARY_V0 } from './kubernetes-lists.ts';
import { LISTS_LIBRARY } from './lists.ts';
import { QUANTITY_LIBRARY } from './quantity.ts';
import { REGEX_LIBRARY } from './regex.ts';
import { SEMVER_LIBRARY } from './semver.ts';
import { SETS_LIBRARY } from './sets.ts';
import { OPTIONALS } from './standard/optionals.ts';
import { STRINGS_LIBRARY, STRINGS_LIBRARY_V0 } from './strings.ts';
import { URL_LIBRARY } from './url.ts';

/** A library and the Kubernetes versions that enable it: from `introduced` on, before `removed`. */
export interface VersionedLibrary {
  readonly library: Library;
  readonly introducedVersion: KubernetesVersion;
  readonly removedVersion?: KubernetesVersion;
}

/** `major.minor`. */
export type KubernetesVersion = `${number}.${number}`;

/** The version that expressions are compiled for unless another one is asked for. */
export const CURRENT_KUBERNETES_VERSION: KubernetesVersion = '1.37';

/**
 * What Kubernetes enables for every expression, beside the standard library. `JSON_PATCH_LIBRARY` comes on top in expressions of
 * mutating policies. Kubernetes: pkg/cel/environment/base.go baseOpts.
 */
export const KUBERNETES_LIBRARIES: readonly VersionedLibrary[] = [
  { library: URL_LIBRARY, introducedVersion: '1.0' },
  { library: REGEX_LIBRARY, introducedVersion: '1.0' },
  { library: KUBERNETES_LISTS_LIBRARY_V0, introducedVersion: '1.0', removedVersion: '1.37' },
  { library: STRINGS_LIBRARY_V0, introducedVersion: '1.0', removedVersion: '1.29' },
  { library: AUTHORIZER_LIBRARY, introducedVersion: '1.27' },
  { library: OPTIONALS, introducedVersion: '1.28' },
  { library: QUANTITY_LIBRARY, introducedVersion: '1.28' },
  { library: STRINGS_LIBRARY, introducedVersion: '1.29' },
  { library: SETS_LIBRARY, introducedVersion: '1.29' },
  { library: IP_LIBRARY, introducedVersion: '1.30' },
  { library: CIDR_LIBRARY, introducedVersion: '1.30' },
  { library: FORMAT_LIBRARY, introducedVersion: '1.31' },
  { library: AUTHORIZER_SELECTORS_LIBRARY, introducedVersion: '1.31' },
  { library: TWO_VARIABLE_COMPREHENSIONS_LIBRARY, introducedVersion: '1.32' },
  { library: SEMVER_LIBRARY, introducedVersion: '1.33' },
  { library: LISTS_LIBRARY, introducedVersion: '1.34' },
  { library: KUBERNETES_LISTS_LIBRARY, introducedVersion: '1.37' },
];

/** The libraries of one Kubernetes version. */
export function kubernetesLibraries(version: KubernetesVersion = CURRENT_KUBERNETES_VERSION): readonly Library[] {
  const at = ordinal(version);
  return KUBERNETES_LIBRARIES.filter(
    ({ introducedVersion, removedVersion }) =>
      ordinal(introducedVersion) <= at && (removedVersion === undefined || at < ordinal(removedVersion)),
  ).map(({ library }) => library);
}

function ordinal(version: KubernetesVersion): number {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  return major * 1000 + minor;
}
