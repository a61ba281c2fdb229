import type { ContractCase } from '../case.ts';
import { accessCases } from './access.ts';
import { admissionCases } from './admission.ts';
import { createReadCases } from './create-read.ts';
import { customResourceCases } from './custom-resources.ts';
import { listWatchCases } from './list-watch.ts';
import { patchCases } from './patch.ts';
import { servingCases } from './serving.ts';
import { updateDeleteCases } from './update-delete.ts';

/** Every case of the contract, subject by subject. */
export const allCases: readonly ContractCase[] = [
  ...createReadCases,
  ...updateDeleteCases,
  ...listWatchCases,
  ...patchCases,
  ...customResourceCases,
  ...servingCases,
  ...accessCases,
  ...admissionCases,
];
