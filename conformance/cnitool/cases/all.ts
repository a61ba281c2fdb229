import type { CniCase } from '../case.ts';
import { addressCases, checkCases, deletionCases, requestCases } from './attachments.ts';
import { badInputCases } from './bad-input.ts';
import { bandwidthCases } from './bandwidth.ts';
import { chainCases } from './chains.ts';
import { faultCases } from './faults.ts';
import { hostPortCases } from './host-ports.ts';
import { lostStateCases } from './lost-state.ts';
import { collectionCases, parallelCases } from './parallel.ts';
import { podNetworkCases } from './pod-network.ts';
import { reachCases } from './reach.ts';
import { versionCases } from './versions.ts';

export const allCases: readonly CniCase[] = [
  ...versionCases,
  ...reachCases,
  ...hostPortCases,
  ...bandwidthCases,
  ...requestCases,
  ...deletionCases,
  ...checkCases,
  ...addressCases,
  ...chainCases,
  ...podNetworkCases,
  ...badInputCases,
  ...parallelCases,
  ...collectionCases,
  ...faultCases,
  ...lostStateCases,
];
