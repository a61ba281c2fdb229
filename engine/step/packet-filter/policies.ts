import { EffectError, type Steps } from '../effect.ts';
import { listNft, nft } from '../effects/nft.ts';
import type { OwnedThing, OwnerTag, Recollection } from '../operation.ts';
import { readOwnerTag } from '../owner-tag.ts';
import { listedRules, listedTables } from './listing.ts';
import { isIsolatingPods, type Policies } from './policy-shape.ts';
import { policyTable } from './policy-table.ts';
import { asListed, asMade, EMPTY_TABLE, type PresentTable, type TableContent, tableChanges, tableProblems } from './table-content.ts';

/*
 * Network policies are one table, and whatever changes of them is one transaction: a pod that is isolated before and after is isolated at
 * every moment in between.
 */

const FAMILY = 'inet';
const PREFIX = 'fairlead-policies-';
/** An empty chain, whose number rises with each change: where it is not the one that was made, somebody else was here. */
const GENERATION = 'generation-';

const nameOf = ({ id }: OwnerTag): string => `${PREFIX}${id}`;
const tableOf = (owner: OwnerTag): string => `${FAMILY} ${nameOf(owner)}`;

/** Times that it is tried again when something else has changed the table in between. */
const MAX_ROUNDS = 3;

/** What {@link ensurePolicies} recollects. */
interface Made {
  readonly content: TableContent;
  readonly generation: number;
}

/**
 * Makes the policies of an owner what they should be, from whatever they were before. What was made before is recollected, so that only what
 * differs has to be told to the kernel; where nothing differs, or somebody else has changed the table, it is listed.
 */
export function* ensurePolicies(args: Policies, owner: OwnerTag, recollection: Recollection | undefined): Steps<void> {
  const before = recollection?.take() as Made | undefined;
  if (!isIsolatingPods(args)) return yield* removePolicies(owner);
  const content = policyTable(args, owner);
  const generation = (before && (yield* changeMade(before, content, owner))) ?? (yield* changeListed(content, owner));
  recollection?.keep({ content, generation } satisfies Made);
}

/** Removes all policies of an owner: its pods are free. Nothing happens where there are none. */
export function* removePolicies(owner: OwnerTag): Steps<void> {
  if (listedTables(yield* listNft('tables', FAMILY)).includes(nameOf(owner))) yield* nft([`delete table ${tableOf(owner)}`], ['missing']);
}

/** What is not as it should be, one line each. */
export function* checkPolicies(args: Policies, owner: OwnerTag): Steps<readonly string[]> {
  const rows = yield* listNft('table', FAMILY, nameOf(owner));
  if (!isIsolatingPods(args))
    return rows.length === 0 ? [] : [`nftables has network policies in the table ${tableOf(owner)}, though nobody is isolated`];
  if (rows.length === 0) return ['nftables has no table of network policies'];
  return tableProblems(asListed(rows), policyTable(args, owner)).map((problem) => `${problem} in the table ${tableOf(owner)} of nftables`);
}

/** Tables of policies, whoever owns them. */
export function* ownedPolicies(): Steps<readonly OwnedThing[]> {
  const things: OwnedThing[] = [];
  for (const name of listedTables(yield* listNft('tables', FAMILY))) {
    if (!name.startsWith(PREFIX)) continue;
    const rules = listedRules(yield* listNft('table', FAMILY, name));
    const tag = rules.find(({ comment }) => comment !== undefined && readOwnerTag(comment) !== undefined)?.comment;
    if (tag === undefined) continue;
    things.push({
      tag,
      what: `network policies in the table ${FAMILY} ${name} of nftables`,
      remove: () => nft([`delete table ${FAMILY} ${name}`], ['missing']),
    });
  }
  return things;
}

/** Changes what was made before; undefined where nothing differs, or the table is not as it was made: then nothing is changed. */
function* changeMade({ content, generation }: Made, wanted: TableContent, owner: OwnerTag): Steps<number | undefined> {
  const table = tableOf(owner);
  const changes = tableChanges(table, asMade(content), wanted, GENERATION);
  if (changes.length === 0) return undefined;
  try {
    yield* nft([`delete chain ${table} ${GENERATION}${generation}`, ...changes, `add chain ${table} ${GENERATION}${generation + 1}`]);
    return generation + 1;
  } catch (error) {
    if (isDisturbed(error)) return undefined;
    throw error;
  }
}

function* changeListed(wanted: TableContent, owner: OwnerTag): Steps<number> {
  const table = tableOf(owner);
  for (let round = 1; ; round++) {
    const rows = yield* listNft('table', FAMILY, nameOf(owner));
    const present = rows.length === 0 ? EMPTY_TABLE : asListed(rows);
    const generations = generationsIn(present);
    const changes = tableChanges(table, present, wanted, GENERATION);
    const [only] = generations;
    if (changes.length === 0 && generations.length === 1) return only as number;
    const next = Math.max(0, ...generations) + 1;
    try {
      yield* nft([
        ...(rows.length === 0 ? [`add table ${table}`] : []),
        ...generations.map((each) => `delete chain ${table} ${GENERATION}${each}`),
        ...changes,
        `add chain ${table} ${GENERATION}${next}`,
      ]);
      return next;
    } catch (error) {
      if (!isDisturbed(error) || round === MAX_ROUNDS) throw error;
    }
  }
}

const generationsIn = ({ chains }: PresentTable): readonly number[] =>
  [...chains.keys()].flatMap((name) => (/^generation-\d{1,15}$/.test(name) ? [Number(name.slice(GENERATION.length))] : []));

const isDisturbed = (error: unknown): boolean => error instanceof EffectError && ['missing', 'exists', 'busy'].includes(error.code);
