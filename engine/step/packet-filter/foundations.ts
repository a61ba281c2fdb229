import type { Steps } from '../effect.ts';
import { iptablesSave } from '../effects/iptables.ts';
import { listNft, nft } from '../effects/nft.ts';
import { MAC_CHECK_TABLE } from '../network/mac-spoof-check.ts';
import { type IptablesTable, readTable, removeIptables, type SavedTable, savedIfAny, targetOf } from './iptables.ts';
import { listedChains, listedRules } from './listing.ts';
import { IN_TABLE } from './table.ts';

/** What of ours is in the packet filter when nobody owns anything in it any more. */
export interface Foundation {
  /** `table inet fairlead of nftables`. */
  readonly what: string;
  /** Why it must stay; undefined where nothing is in the way. */
  readonly reason: string | undefined;
  /** Removes it; succeeds where it is gone. */
  remove(): Steps<void>;
}

const NFT_TABLES = [IN_TABLE, MAC_CHECK_TABLE];
const IPTABLES_TABLES: readonly IptablesTable[] = ['nat', 'filter'];

/** Tables of nftables that attachments stand on. Throws where there is no nftables. */
export function* nftFoundations(): Steps<readonly Foundation[]> {
  const found: Foundation[] = [];
  for (const table of NFT_TABLES) {
    const rows = yield* listNft('table', ...table.split(' '));
    if (rows.length === 0) continue;
    const rules = listedRules(rows);
    // A chain for the administrator is told by the marker that was made with it.
    const admin = listedChains(rows).flatMap((chain) => /^forwarding-\d+-(.+)$/.exec(chain)?.[1] ?? []);
    const kept = admin.filter((chain) => rules.some((rule) => rule.chain === chain));
    found.push({
      what: `table ${table} of nftables`,
      reason: kept.length === 0 ? undefined : reasonFor(kept),
      remove: () => nft([`delete table ${table}`], ['missing']),
    });
  }
  return found;
}

/** Chains of iptables that attachments stand on; none where there is no iptables. */
export function* iptablesFoundations(): Steps<readonly Foundation[]> {
  const found: Foundation[] = [];
  for (const family of [4, 6] as const) {
    for (const table of IPTABLES_TABLES) {
      const saved = yield* savedIfAny(family, table);
      const ours = saved.chains.filter((chain) => chain.startsWith('FAIRLEAD-'));
      if (ours.length === 0) continue;
      const program = family === 4 ? 'iptables' : 'ip6tables';
      found.push({
        what: `chains ${ours.join(', ')} of ${program}`,
        reason: undefined,
        *remove(): Steps<void> {
          const now = readTable(yield* iptablesSave(family, table));
          yield* removeIptables(family, table, [...ours, ...emptyChainsOnlyOf(ours, now)]);
        },
      });
    }
  }
  return found;
}

/** Chains that only ours lead to and that hold nothing: the administrator's, who has not used it. */
function emptyChainsOnlyOf(ours: readonly string[], { chains, rules }: SavedTable): readonly string[] {
  return chains.filter((chain) => {
    const leading = rules.filter((rule) => targetOf(rule) === chain);
    const isOnlyOurs = leading.length > 0 && leading.every((rule) => ours.some((own) => rule.startsWith(`-A ${own} `)));
    return isOnlyOurs && !ours.includes(chain) && !rules.some((rule) => rule.startsWith(`-A ${chain} `));
  });
}

const reasonFor = (chains: readonly string[]): string => `the administrator has rules in its chain ${chains.join(', ')}`;
