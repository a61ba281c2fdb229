import type { Steps } from '../effect.ts';
import { checkIptables, ensureIptables, type IptablesChain, type IptablesFoundation, removeIptables, type SavedTable } from './iptables.ts';

/*
 * iptables has a table for each family of IP, and they know nothing of each other: what an operation makes, it makes in both.
 */

/** Chains of one owner for one purpose. */
export interface ChainsByFamily {
  foundation(family: 4 | 6): IptablesFoundation;
  chains(family: 4 | 6): readonly IptablesChain[];
  /** Chains of others that are in the way of these and may go; throws where one may not. */
  stale?(table: SavedTable, chains: readonly IptablesChain[], family: 4 | 6): readonly string[];
}

const FAMILIES = [4, 6] as const;

/** Makes the chains and the rules that lead to them. May be run again. */
export function* ensureByFamily(wanted: ChainsByFamily, tag: string): Steps<void> {
  for (const family of FAMILIES) {
    const chains = wanted.chains(family);
    yield* ensureIptables(family, wanted.foundation(family), chains, tag, (table) => wanted.stale?.(table, chains, family) ?? []);
  }
}

/** What is not there, one line each. */
export function* checkByFamily(wanted: ChainsByFamily): Steps<readonly string[]> {
  const problems: string[] = [];
  for (const family of FAMILIES) problems.push(...(yield* checkIptables(family, wanted.foundation(family), wanted.chains(family))));
  return problems;
}

/** Removes the chains and the rules that lead to them; succeeds where they are gone. */
export function* removeByFamily(wanted: ChainsByFamily): Steps<void> {
  for (const family of FAMILIES) {
    const names = wanted.chains(family).map(({ chain }) => chain);
    if (names.length > 0) yield* removeIptables(family, wanted.foundation(family).table, names);
  }
}
