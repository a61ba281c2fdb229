import type { JsonObject } from '../../object/json.ts';
import { EffectError, type Steps } from '../effect.ts';
import { listNft, nft } from '../effects/nft.ts';
import type { OwnedThing } from '../operation.ts';
import { readOwnerTag } from '../owner-tag.ts';
import { type ListedElement, listedChains, listedElements, listedRules } from './listing.ts';
import { type Foundation, foundationCommands, IN_TABLE, ownerComment, TABLE } from './table.ts';

/*
 * How an attachment has something in the table of all: a chain of its own, and one entry that leads to it, an element of a verdict map.
 * A packet finds its chain by one look-up, however many there are.
 *
 * An entry's key is an address or a port, and those are given to somebody else while their last owner is still being cleaned up.
 * nft can't delete an element only if it leads to a certain chain. But each chain's name has its owner in it, an entry and its chain
 * come and go in one transaction, and a transaction that deletes what is not there does nothing: so "delete the entry and my chain"
 * leaves the entry alone when it has become another's, whose chain has another name. Nobody has to hold a lock for that.
 */

/** A chain of one owner and the entry that leads to it. */
export interface OwnedChain {
  /** Has the owner's id in it; nobody else has a chain of this name. */
  readonly chain: string;
  /** What follows `add rule inet fairlead <chain>`. */
  readonly rules: readonly string[];
  readonly entry: MapEntry | RuleEntry;
}

export interface MapEntry {
  readonly map: string;
  /** `tcp . 8080` */
  readonly key: string;
  /** What the key is, for messages: `port 8080/tcp`. */
  readonly what: string;
}

/** A rule that jumps: for keys that may overlap, such as networks, of which there are few. */
export interface RuleEntry {
  /** The chain in which the rule stands. */
  readonly in: string;
  /** What the rule asks before it jumps. */
  readonly match: string;
}

/** Whether an element that is in the way is stale, so that it may go together with its chain. `always`: its key is given to one owner only. */
export type StaleTest = 'always' | ((found: ListedElement) => Steps<boolean>);

/** Rounds of an {@link ensureChains} that is disturbed by others at the same time. */
const MAX_ROUNDS = 5;
/** Chains of which it is looked first whether they are there, before they are removed; and which are looked at in one list, not each for itself. */
const MANY = 32;

/**
 * Makes chains and their entries in one transaction, with what they stand on where it is not there yet. Chains of the same names are
 * replaced. An entry of another owner is replaced if `isStale` says so; else throws EffectError `exists`, which names the owner.
 */
export function* ensureChains(foundation: Foundation, chains: readonly OwnedChain[], comment: string, isStale: StaleTest): Steps<void> {
  if (chains.length === 0) return;
  const creation = [`flush chain ${IN_TABLE} ${foundation.marker}`, ...chains.flatMap((chain) => createCommands(chain, comment))];
  let before: readonly string[] = [];
  for (let round = 1; ; round++) {
    try {
      return yield* nft([...before, ...creation]);
    } catch (error) {
      if (!(error instanceof EffectError) || round === MAX_ROUNDS) throw error;
      if (error.code === 'missing') yield* nft(foundationCommands(foundation));
      else if (error.code !== 'exists') throw error;
      before = yield* makeWay(chains, isStale);
    }
  }
}

/** Removes chains and their entries, but no entry that has become another's. Nothing happens where there is nothing. */
export function* removeChains(owned: readonly OwnedChain[]): Steps<void> {
  // nft shows the whole transaction again for each of its commands that fails: of many that are not there, that would be megabytes.
  const chains = owned.length > MANY ? yield* presentOf(owned) : owned;
  if (chains.length === 0) return;
  const jumps = yield* jumpsTo(chains);
  const removals = chains.map((chain) => removalCommands(chain, jumps));
  try {
    return yield* nft(removals.flat());
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  // Nothing is left, as a rule. A failed command of nft costs more than this list of names.
  const present = new Set(listedChains(yield* listNft('chains', 'inet')));
  for (const [index, { chain }] of chains.entries()) {
    if (!present.has(chain) || (yield* succeeds(removals[index] as readonly string[]))) continue;
    // Without its entry, which somebody else took out of the map.
    yield* nft(chainRemoval(chain), ['missing', 'busy']);
  }
}

function* presentOf(chains: readonly OwnedChain[]): Steps<readonly OwnedChain[]> {
  const present = new Set(listedChains(yield* listNft('chains', 'inet')));
  return chains.filter(({ chain }) => present.has(chain));
}

/** What is not there, or has another number of rules than it should. */
export function* checkChains(chains: readonly OwnedChain[]): Steps<readonly string[]> {
  const jumps = yield* jumpsTo(chains);
  const elements = yield* elementsOf(chains);
  const counts = yield* rulesIn(chains);
  const problems: string[] = [];
  for (const { chain, rules, entry } of chains) {
    const found = counts.get(chain) ?? 0;
    if (found !== rules.length) problems.push(`the chain ${chain} of nftables has ${found} rules instead of ${rules.length}`);
    if ('in' in entry) {
      if (!jumps.some(({ target }) => target === chain)) problems.push(`no rule of nftables leads to the chain ${chain}`);
      continue;
    }
    const element = elements.get(entryKey(entry));
    if (element === undefined) problems.push(`nftables has no entry for ${entry.what}`);
    else if (element.chain !== chain) problems.push(`nftables leads ${entry.what} to the chain ${element.chain} instead of ${chain}`);
  }
  return problems;
}

/** How many rules each of these chains has; those that are not there are not in the answer. */
function* rulesIn(chains: readonly OwnedChain[]): Steps<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const count = (rows: readonly JsonObject[]): void => {
    for (const { chain } of listedRules(rows)) counts.set(chain, (counts.get(chain) ?? 0) + 1);
  };
  // For each question nft looks through all names of the table.
  if (chains.length > MANY) count(yield* listNft('table', ...TABLE));
  else for (const { chain } of chains) count(yield* listNft('chain', ...TABLE, chain));
  return counts;
}

/** Everything of ours in the table whose chain's name begins with `prefix`. */
export function* ownedChains(prefix: string): Steps<readonly OwnedThing[]> {
  const rows = yield* listNft('table', ...TABLE);
  const entries = new Map(listedElements(rows).map((element) => [element.chain, element]));
  const tags = new Map<string, string>();
  for (const { chain, target, comment } of listedRules(rows)) {
    if (comment === undefined || readOwnerTag(comment) === undefined) continue;
    const owned = chain.startsWith(prefix) ? chain : target;
    if (owned?.startsWith(prefix)) tags.set(owned, comment);
  }
  return [...tags].map(([chain, tag]) => {
    const entry = entries.get(chain);
    return {
      tag,
      what: `chain ${chain} of nftables`,
      *remove(): Steps<void> {
        if (entry !== undefined) return yield* removeChains([{ chain, rules: [], entry: { ...entry, what: entry.key } }]);
        const parent = listedRules(rows).find(({ target }) => target === chain)?.chain;
        if (parent === undefined) yield* nft(chainRemoval(chain), ['missing', 'busy']);
        else yield* removeChains([{ chain, rules: [], entry: { in: parent, match: '' } }]);
      },
    };
  });
}

/** What must be said first so that these chains can be created: removal of what is of the same owner, or stale. */
function* makeWay(chains: readonly OwnedChain[], isStale: StaleTest): Steps<readonly string[]> {
  const elements = yield* elementsOf(chains);
  const jumps = yield* jumpsTo(chains);
  const commands: string[] = [];
  for (const { chain, entry } of chains) {
    if ('in' in entry) {
      commands.push(...jumps.filter(({ target }) => target === chain).map(deleteRule));
    } else {
      const found = elements.get(entryKey(entry));
      if (found !== undefined && found.chain !== chain && isStale !== 'always' && !(yield* isStale(found))) throw taken(entry, found);
      if (found !== undefined) commands.push(deleteElement(entry));
      if (found !== undefined && found.chain !== chain) commands.push(...chainRemoval(found.chain));
    }
    // `add` before `delete`: it may be there, without an entry, or not.
    commands.push(`add chain ${IN_TABLE} ${chain}`, ...chainRemoval(chain));
  }
  return commands;
}

const taken = (entry: MapEntry, found: ListedElement): EffectError =>
  new EffectError(
    'exists',
    `${entry.what} is taken by ${found.comment ?? 'somebody unknown'}`,
    `nft create element ${IN_TABLE} ${entry.map} { ${entry.key} }`,
  );

/** Elements of the maps that lead to these chains, by {@link entryKey}. */
function* elementsOf(chains: readonly OwnedChain[]): Steps<ReadonlyMap<string, ListedElement>> {
  const maps = new Set(chains.flatMap(({ entry }) => ('map' in entry ? [entry.map] : [])));
  const found = new Map<string, ListedElement>();
  for (const map of maps) for (const element of listedElements(yield* listNft('map', ...TABLE, map))) found.set(entryKey(element), element);
  return found;
}

const entryKey = ({ map, key }: Pick<MapEntry, 'map' | 'key'>): string => `${map} ${key}`;

function* jumpsTo(chains: readonly OwnedChain[]): Steps<readonly Jump[]> {
  const parents = new Set(chains.flatMap(({ entry }) => ('in' in entry ? [entry.in] : [])));
  const names = new Set(chains.map(({ chain }) => chain));
  const found: Jump[] = [];
  for (const parent of parents) {
    for (const { chain, handle, target } of listedRules(yield* listNft('chain', ...TABLE, parent))) {
      if (target !== undefined && names.has(target)) found.push({ chain, handle, target });
    }
  }
  return found;
}

interface Jump {
  readonly chain: string;
  readonly handle: number;
  readonly target: string;
}

function createCommands({ chain, rules, entry }: OwnedChain, comment: string): readonly string[] {
  const note = ownerComment(comment);
  return [
    `create chain ${IN_TABLE} ${chain}`,
    ...rules.map((rule) => `add rule ${IN_TABLE} ${chain} ${rule} ${note}`),
    'in' in entry
      ? `add rule ${IN_TABLE} ${entry.in} ${entry.match} jump ${chain} ${note}`
      : `create element ${IN_TABLE} ${entry.map} { ${entry.key} ${note} : goto ${chain} }`,
  ];
}

function removalCommands({ chain, entry }: OwnedChain, jumps: readonly Jump[]): readonly string[] {
  const entries = 'in' in entry ? jumps.filter(({ target }) => target === chain).map(deleteRule) : [deleteElement(entry)];
  return [...entries, ...chainRemoval(chain)];
}

const deleteRule = ({ chain, handle }: Jump): string => `delete rule ${IN_TABLE} ${chain} handle ${handle}`;
const deleteElement = ({ map, key }: MapEntry): string => `delete element ${IN_TABLE} ${map} { ${key} }`;
const chainRemoval = (chain: string): readonly string[] => [`flush chain ${IN_TABLE} ${chain}`, `delete chain ${IN_TABLE} ${chain}`];

const isMissing = (error: unknown): boolean => error instanceof EffectError && error.code === 'missing';

function* succeeds(commands: readonly string[]): Steps<boolean> {
  try {
    yield* nft(commands);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
