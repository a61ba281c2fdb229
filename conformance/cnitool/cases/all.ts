import type { CniCase } from '../case.ts';
import { reachCases } from './reach.ts';
import { versionCases } from './versions.ts';

export const allCases: readonly CniCase[] = [...versionCases, ...reachCases];
