import type { DifferentialCase } from '../case.ts';
import { bridgeCases } from './bridge.ts';
import { bandwidthCases, firewallCases, hostDeviceCases, macvlanCases, portMapCases, ptpCases, tapCases, tuningCases } from './others.ts';

export const allCases: readonly DifferentialCase[] = [
  ...bridgeCases,
  ...ptpCases,
  ...portMapCases,
  ...bandwidthCases,
  ...firewallCases,
  ...tuningCases,
  ...hostDeviceCases,
  ...macvlanCases,
  ...tapCases,
];
