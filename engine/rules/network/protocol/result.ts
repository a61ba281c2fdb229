import type { ResultInterface, ResultRoute } from '../../../step/operation.ts';

/** Versions of the CNI specification that are spoken, oldest first. */
export const CNI_VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
export type CniVersion = (typeof CNI_VERSIONS)[number];

/** A result in the form of CNI 1.1.0, in which all work is done. Lists may be empty. */
export interface CniResult {
  readonly interfaces: readonly ResultInterface[];
  readonly ips: readonly ResultIp[];
  readonly routes: readonly ResultRoute[];
  readonly dns: CniDns;
}

export interface ResultIp {
  /** CIDR. */
  readonly address: string;
  readonly gateway?: string;
  /** Index into {@link CniResult.interfaces}. */
  readonly interface?: number;
}

export interface CniDns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}
