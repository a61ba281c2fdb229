import type { DifferentialCase } from '../case.ts';
import { bridgeCases } from './bridge.ts';
import {
  bandwidthCases,
  dummyCases,
  firewallCases,
  hostDeviceCases,
  ipvlanCases,
  macvlanCases,
  portMapCases,
  ptpCases,
  tapCases,
  tuningCases,
  vlanCases,
} from './others.ts';

export const allCases: readonly DifferentialCase[] = [
  ...bridgeCases,
  ...ptpCases,
  ...portMapCases,
  ...bandwidthCases,
  ...firewallCases,
  ...tuningCases,
  ...hostDeviceCases,
  ...macvlanCases,
  ...ipvlanCases,
  ...vlanCases,
  ...dummyCases,
  ...tapCases,
];
