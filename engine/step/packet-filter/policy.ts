import type { JsonObject } from '../../object/json.ts';
import { EffectError, type Steps } from '../effect.ts';
import { listNft, nft } from '../effects/nft.ts';
import type { OwnedThing } from '../operation.ts';
import { readOwnerTag } from '../owner-tag.ts';
import { type ListedRule, listedChains, listedRules, listedSets } from './listing.ts';
import { markerPrefix, POLICY_PREFIX, type PolicyRules, type PolicySet, podChain, setPrefix } from './policy-rules.ts';
import { chainWith, type Foundation, foundationCommands, ownerComment, verdictMap } from './table.ts';

/*
 * Network policies in nftables, in a table of their own, so that all of them can be listed without the rest. A packet that begins a
 * connection finds the chain of its pod by one look-up: there is none for a pod that no policy selects. The pod's chain asks the
 * policies that select it, and drops. What a pod sends and what it is sent are asked one after the other, in two base chains, because an
 * `accept` ends only its own.
 *
 * Only what is forwarded is asked: the node itself always reaches its pods, and they reach it. Kubernetes: "Traffic to and from the node
 * where a Pod is running is always allowed".
 */

/** Family and name of the table of policies. */
export const POLICY_TABLE = 'inet fairlead-policies';
const IN_TABLE = POLICY_TABLE;
const TABLE: readonly string[] = IN_TABLE.split(' ');

/** One policy is changed after the other: they share the chains of pods. */
export const POLICY_LOCK = 'network-policies';

const FOUNDATION: Foundation = {
  marker: 'policies-1',
  commands: (['egress', 'ingress'] as const).flatMap((direction, index) => {
    const field = direction === 'ingress' ? 'daddr' : 'saddr';
    return [
      verdictMap(`${direction}4`, 'ipv4_addr', IN_TABLE),
      verdictMap(`${direction}6`, 'ipv6_addr', IN_TABLE),
      ...chainWith(
        direction,
        `type filter hook forward priority ${index}`,
        [
          'ct state established,related accept',
          // Neighbours on one bridge find each other by these, and are not connections.
          'icmpv6 type { 130-137, 143 } accept',
          `ip ${field} vmap @${direction}4`,
          `ip6 ${field} vmap @${direction}6`,
        ],
        IN_TABLE,
      ),
    ];
  }),
};

/** Times that a policy is tried again when something else has changed the table in between. */
const MAX_ROUNDS = 3;

/** What is remembered of a policy, so that it can be changed without asking what is there. */
export type KnownPolicy = {
  readonly marker: string;
  /** Elements by the name of their set. */
  readonly sets: { readonly [name: string]: readonly string[] };
  readonly pods: readonly string[];
};

export const knownPolicy = ({ marker, sets, pods }: PolicyRules): KnownPolicy => ({
  marker,
  sets: Object.fromEntries(sets.map(({ name, elements }) => [name, elements])),
  pods: pods.map(({ text }) => text),
});

/**
 * Makes a policy what it should be, from whatever it was before, in one transaction. Where only what it allows has changed since it was `known`,
 * the table is not listed for that: a cluster's pods come and go, and each is the peer of many. Hold {@link POLICY_LOCK}.
 */
export function* ensurePolicy(policy: PolicyRules, tag: string, known?: KnownPolicy): Steps<void> {
  if (known !== undefined && isOnlyAllowance(policy, known) && (yield* allowAnew(policy, tag, known))) return;
  if (yield* isThere(policy.marker)) return;
  yield* changeTable((rows) => changes(rows, policy, tag));
}

/** Removes a policy; pods that no other selects are free again. Nothing happens where there is none. Hold {@link POLICY_LOCK}. */
export const removePolicy = (chain: string): Steps<void> => changeTable((rows) => removals(rows, chain));

/** What is not as it should be, one line each. */
export function* checkPolicy(policy: PolicyRules): Steps<readonly string[]> {
  const rows = yield* listNft('table', ...TABLE);
  const chains = listedChains(rows);
  if (!chains.includes(FOUNDATION.marker)) return ['nftables has no table of network policies'];
  if (!chains.includes(policy.marker)) return [`nftables does not have the policy as it should be in the chain ${policy.chain}`];
  const jumps = new Set(jumpsTo(rows, policy.chain).map(({ chain }) => chain));
  return policy.pods.filter((pod) => !jumps.has(podChain(policy.direction, pod))).map(({ text }) => `the policy does not isolate ${text}`);
}

/** Policies in the table, whoever owns them. */
export function* ownedPolicies(): Steps<readonly OwnedThing[]> {
  const rules = listedRules(yield* listNft('table', ...TABLE));
  const tags = new Map<string, string>();
  for (const { chain, comment } of rules) {
    if (chain.startsWith(POLICY_PREFIX) && comment !== undefined && readOwnerTag(comment) !== undefined) tags.set(chain, comment);
  }
  return [...tags].map(([chain, tag]) => ({ tag, what: `network policy ${chain} of nftables`, remove: () => removePolicy(chain) }));
}

/** Whether it is the same policy for the same pods, and allows something else. */
const isOnlyAllowance = ({ chain, marker, pods }: PolicyRules, known: KnownPolicy): boolean =>
  known.marker.startsWith(markerPrefix(chain)) && known.marker !== marker && known.pods.join() === pods.map(({ text }) => text).join();

/** False where the policy is not as it was known; then nothing has changed. */
function* allowAnew({ chain, marker, rules, sets }: PolicyRules, tag: string, known: KnownPolicy): Steps<boolean> {
  const wanted = new Set(sets.map(({ name }) => name));
  const note = ownerComment(tag);
  try {
    yield* nft([
      // Where this is gone, somebody else was here.
      deleteChain(known.marker),
      ...sets.flatMap((set) => setChanges(set, Object.hasOwn(known.sets, set.name) ? known.sets[set.name] : undefined)),
      `flush chain ${IN_TABLE} ${chain}`,
      ...[...rules, 'return'].map((rule) => `add rule ${IN_TABLE} ${chain} ${rule} ${note}`),
      ...Object.keys(known.sets)
        .filter((name) => !wanted.has(name))
        .map((name) => `delete set ${IN_TABLE} ${name}`),
      `add chain ${IN_TABLE} ${marker}`,
    ]);
    return true;
  } catch (error) {
    if (error instanceof EffectError && ['missing', 'exists', 'busy'].includes(error.code)) return false;
    throw error;
  }
}

/** Asked by a command that changes nothing, because a list costs as much as the table has elements. */
function* isThere(marker: string): Steps<boolean> {
  try {
    yield* nft([`flush chain ${IN_TABLE} ${marker}`]);
    return true;
  } catch (error) {
    if (error instanceof EffectError && error.code === 'missing') return false;
    throw error;
  }
}

function* changeTable(commandsFor: (rows: readonly JsonObject[]) => readonly string[]): Steps<void> {
  for (let round = 1; ; round++) {
    const commands = commandsFor(yield* listNft('table', ...TABLE));
    if (commands.length === 0) return;
    try {
      return yield* nft(commands);
    } catch (error) {
      if (!(error instanceof EffectError) || !['missing', 'exists', 'busy'].includes(error.code) || round === MAX_ROUNDS) throw error;
    }
  }
}

function changes(rows: readonly JsonObject[], policy: PolicyRules, tag: string): readonly string[] {
  const { chain, marker, direction, pods } = policy;
  const chains = new Set(listedChains(rows));
  const note = ownerComment(tag);
  const commands = chains.has(FOUNDATION.marker) ? [] : [...foundationCommands(FOUNDATION, IN_TABLE)];
  const sets = listedSets(rows);
  commands.push(`add chain ${IN_TABLE} ${chain}`, ...policy.sets.flatMap((set) => setChanges(set, sets.get(set.name))));
  commands.push(`flush chain ${IN_TABLE} ${chain}`);
  commands.push(...[...policy.rules, 'return'].map((rule) => `add rule ${IN_TABLE} ${chain} ${rule} ${note}`));
  const wanted = new Set(policy.sets.map(({ name }) => name));
  commands.push(...staleSets(sets, chain, wanted));

  const isolated = new Set(pods.map((pod) => podChain(direction, pod)));
  const jumps = jumpsTo(rows, chain);
  for (const pod of pods) {
    const own = podChain(direction, pod);
    if (jumps.some((jump) => jump.chain === own)) continue;
    if (!chains.has(own)) commands.push(...podCommands(direction, pod));
    commands.push(`insert rule ${IN_TABLE} ${own} jump ${chain} ${note}`);
  }
  commands.push(
    ...release(
      rows,
      jumps.filter((jump) => !isolated.has(jump.chain)),
    ),
  );
  commands.push(...[...chains].filter((name) => name.startsWith(markerPrefix(chain))).map(deleteChain), `add chain ${IN_TABLE} ${marker}`);
  return commands;
}

function removals(rows: readonly JsonObject[], chain: string): readonly string[] {
  const chains = listedChains(rows);
  if (!chains.includes(chain)) return [];
  return [
    ...release(rows, jumpsTo(rows, chain)),
    ...flushAndDelete(chain),
    ...staleSets(listedSets(rows), chain, new Set()),
    ...chains.filter((name) => name.startsWith(markerPrefix(chain))).map(deleteChain),
  ];
}

/** A pod always reaches itself, also by way of a service or a port of the host. */
function podCommands(direction: PolicyRules['direction'], pod: PolicyRules['pods'][number]): readonly string[] {
  const chain = podChain(direction, pod);
  const self = `${pod.family === 4 ? 'ip' : 'ip6'} ${direction === 'ingress' ? 'saddr' : 'daddr'} ${pod.text} accept`;
  return [
    ...chainWith(chain, '', [self, 'drop'], IN_TABLE),
    `add element ${IN_TABLE} ${direction}${pod.family} { ${pod.text} : goto ${chain} }`,
  ];
}

/** Takes jumps out of the chains of pods, and the chains that have no other. */
function release(rows: readonly JsonObject[], jumps: readonly ListedRule[]): readonly string[] {
  const rules = listedRules(rows);
  return jumps.flatMap(({ chain, handle, target }) => {
    const isLast = !rules.some((rule) => rule.chain === chain && rule.target !== undefined && rule.target !== target);
    if (!isLast) return [`delete rule ${IN_TABLE} ${chain} handle ${handle}`];
    const [direction, ...rest] = chain.split('-');
    const address = rest.join('-').replaceAll('_', ':');
    return [`delete element ${IN_TABLE} ${direction}${address.includes(':') ? 6 : 4} { ${address} }`, ...flushAndDelete(chain)];
  });
}

function setChanges({ name, family, isInterval, elements }: PolicySet, present: readonly string[] | undefined): readonly string[] {
  const words = `${IN_TABLE} ${name}`;
  const type = `type ipv${family}_addr ;${isInterval ? ' flags interval ; auto-merge ;' : ''}`;
  if (present === undefined) return [`add set ${words} { ${type} }`, ...elementCommands('add', words, elements)];
  if (isInterval) return [`flush set ${words}`, ...elementCommands('add', words, elements)];
  const [before, after] = [new Set(present), new Set(elements)];
  return [
    ...elementCommands(
      'delete',
      words,
      present.filter((element) => !after.has(element)),
    ),
    ...elementCommands(
      'add',
      words,
      elements.filter((element) => !before.has(element)),
    ),
  ];
}

const elementCommands = (verb: 'add' | 'delete', words: string, elements: readonly string[]): readonly string[] =>
  elements.length === 0 ? [] : [`${verb} element ${words} { ${elements.join(', ')} }`];

const staleSets = (sets: ReadonlyMap<string, unknown>, chain: string, wanted: ReadonlySet<string>): readonly string[] =>
  [...sets.keys()]
    .filter((name) => name.startsWith(`${setPrefix(chain)}-`) && !wanted.has(name))
    .map((name) => `delete set ${IN_TABLE} ${name}`);

const jumpsTo = (rows: readonly JsonObject[], chain: string): readonly ListedRule[] =>
  listedRules(rows).filter(({ target }) => target === chain);

const deleteChain = (chain: string): string => `delete chain ${IN_TABLE} ${chain}`;
const flushAndDelete = (chain: string): readonly string[] => [`flush chain ${IN_TABLE} ${chain}`, deleteChain(chain)];
