import { sha256 } from '../../text/digest.ts';
import { EffectError, type Steps } from '../effect.ts';
import { iptablesRestore, iptablesSave } from '../effects/iptables.ts';
import type { OwnedThing, OwnerTag } from '../operation.ts';
import { readOwnerTag } from '../owner-tag.ts';

/*
 * The same pattern as in nftables where only iptables is there: a chain for each owner, and rules that jump to it, which have the owner's
 * tag as a comment. One `iptables-save` says what is there, one `iptables-restore` changes it, all or none.
 *
 * Between the two others may change the table. So shared chains are made by `-N`, which fails where there is one by now, and are never
 * declared, which would flush them; what was deleted by then fails, too; and then it is begun anew.
 */

export type IptablesTable = 'nat' | 'filter';

/** What all owners stand on: made once, never flushed. */
export interface IptablesFoundation {
  readonly table: IptablesTable;
  readonly chains: readonly string[];
  /** Rules exactly as `iptables-save` prints them. */
  readonly rules: readonly { readonly in: string; readonly rule: string; readonly first?: boolean }[];
}

export interface IptablesChain {
  /** At most 28 characters. */
  readonly chain: string;
  readonly rules: readonly string[];
  /** Rules that jump to it; `match` is what they ask before. */
  readonly entries: readonly { readonly in: string; readonly match: string; readonly first?: boolean }[];
}

const MAX_ROUNDS = 5;

/** Name of an owner's chain: what it is for, and 16 digits that follow from the owner and a seed. */
export const iptablesChainName = (prefix: string, owner: OwnerTag, seed: string): string =>
  prefix + sha256(`${owner.id}\0${seed}`).slice(0, 16);

/**
 * Makes chains and the rules that lead to them, in one change of the table. Chains of the same names are replaced. `stale` says which
 * chains of others are in the way and may go; it throws where one may not.
 */
export function* ensureIptables(
  family: 4 | 6,
  foundation: IptablesFoundation,
  chains: readonly IptablesChain[],
  tag: string,
  stale: (table: SavedTable) => readonly string[] = () => [],
): Steps<void> {
  if (chains.length === 0) return;
  yield* changeTable(family, foundation.table, (table) => {
    const present = new Set(table.chains);
    const removed = [...new Set([...stale(table), ...chains.map(({ chain }) => chain)])];
    return [
      ...foundation.chains.filter((chain) => !present.has(chain)).map((chain) => `-N ${chain}`),
      ...foundation.rules
        .filter((each) => !table.rules.includes(`-A ${each.in} ${each.rule}`))
        .map((each) => `${each.first === true ? '-I' : '-A'} ${each.in} ${each.rule}`),
      ...removals(table, removed),
      ...chains.flatMap(({ chain, rules, entries }) => [
        `-N ${chain}`,
        ...rules.map((rule) => `-A ${chain} ${rule}`),
        ...entries.map(
          (entry) =>
            `${entry.first === true ? '-I' : '-A'} ${entry.in} ${entry.match}${entry.match && ' '}-m comment --comment "${tag}" -j ${chain}`,
        ),
      ]),
    ];
  });
}

/** Removes chains and the rules that lead to them; nothing happens where there are none. */
export const removeIptables = (family: 4 | 6, table: IptablesTable, chains: readonly string[]): Steps<void> =>
  changeTable(family, table, (saved) => removals(saved, chains));

/** What is not there, one line each. */
export function* checkIptables(family: 4 | 6, foundation: IptablesFoundation, chains: readonly IptablesChain[]): Steps<readonly string[]> {
  if (chains.length === 0) return [];
  const table = readTable(yield* iptablesSave(family, foundation.table));
  const program = family === 4 ? 'iptables' : 'ip6tables';
  return [
    ...foundation.rules
      .filter((each) => !table.rules.includes(`-A ${each.in} ${each.rule}`))
      .map((each) => `${program} has no rule -A ${each.in} ${each.rule}`),
    ...chains.flatMap(({ chain, rules, entries }) => {
      const found = table.rules.filter((rule) => rule.startsWith(`-A ${chain} `)).length;
      const leading = jumpsTo(table, chain).length;
      return [
        ...(found === rules.length ? [] : [`the chain ${chain} of ${program} has ${found} rules instead of ${rules.length}`]),
        ...(leading === entries.length ? [] : [`${leading} rules of ${program} lead to the chain ${chain} instead of ${entries.length}`]),
      ];
    }),
  ];
}

/** Chains whose names begin with `prefix`, with the tags of the rules that lead to them; none where there is no iptables. */
export function* ownedIptables(table: IptablesTable, prefix: string): Steps<readonly OwnedThing[]> {
  const things: OwnedThing[] = [];
  for (const family of [4, 6] as const) {
    const saved = yield* savedIfAny(family, table);
    const tags = new Map(
      saved.rules.flatMap((rule) => {
        const chain = targetOf(rule);
        const tag = commentOf(rule);
        return chain?.startsWith(prefix) && tag !== undefined && readOwnerTag(tag) !== undefined ? [[chain, tag] as const] : [];
      }),
    );
    const what = (chain: string): string => `chain ${chain} of ${family === 4 ? 'iptables' : 'ip6tables'}`;
    things.push(...[...tags].map(([chain, tag]) => ({ tag, what: what(chain), remove: () => removeIptables(family, table, [chain]) })));
  }
  return things;
}

/** A table as `iptables-save` prints it. */
export interface SavedTable {
  readonly chains: readonly string[];
  /** `-A CHAIN ...` */
  readonly rules: readonly string[];
}

export function readTable(text: string): SavedTable {
  const lines = text.split('\n');
  return {
    chains: lines.flatMap((line) => /^:(\S+) /.exec(line)?.[1] ?? []),
    rules: lines.filter((line) => line.startsWith('-A ')),
  };
}

export const targetOf = (rule: string): string | undefined => / -[jg] (\S+)/.exec(rule)?.[1];
export const commentOf = (rule: string): string | undefined =>
  / --comment (?:"([^"]*)"|(\S+))/
    .exec(rule)
    ?.slice(1)
    .find((text) => text !== undefined);

/** A table; an empty one where there is no iptables. */
export function* savedIfAny(family: 4 | 6, table: IptablesTable): Steps<SavedTable> {
  try {
    return readTable(yield* iptablesSave(family, table));
  } catch (error) {
    if (error instanceof EffectError && (error.code === 'program' || error.code === 'unsupported')) return readTable('');
    throw error;
  }
}

function* changeTable(family: 4 | 6, table: IptablesTable, commandsFor: (table: SavedTable) => readonly string[]): Steps<void> {
  for (let round = 1; ; round++) {
    const commands = commandsFor(readTable(yield* iptablesSave(family, table)));
    if (commands.length === 0) return;
    try {
      return yield* iptablesRestore(family, `*${table}\n${commands.join('\n')}\nCOMMIT\n`);
    } catch (error) {
      if (!(error instanceof EffectError) || error.code === 'program' || error.code === 'denied' || round === MAX_ROUNDS) throw error;
    }
  }
}

function removals(table: SavedTable, chains: readonly string[]): readonly string[] {
  const present = chains.filter((chain) => table.chains.includes(chain));
  return [
    ...present.flatMap((chain) => jumpsTo(table, chain).map((rule) => rule.replace(/^-A /, '-D '))),
    ...present.flatMap((chain) => [`-F ${chain}`, `-X ${chain}`]),
  ];
}

const jumpsTo = (table: SavedTable, chain: string): readonly string[] => table.rules.filter((rule) => targetOf(rule) === chain);
