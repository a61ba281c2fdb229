import { isJsonObject, type Json, ownText, ownValue } from '../../object/json.ts';
import { EffectError, type Steps } from '../effect.ts';
import { listNft, nft } from '../effects/nft.ts';
import type { OwnedThing, OwnerTag } from '../operation.ts';
import { readOwnerTag } from '../owner-tag.ts';
import { listedSets } from '../packet-filter/listing.ts';
import { chainWith, type Foundation, foundationCommands, ownerComment } from '../packet-filter/table.ts';

/*
 * Ports of bridges that may send from one MAC address only. One rule looks both up in sets, however many ports there are; a port is two
 * elements. Official plugin: pkg/link/spoofcheck.go, with three chains for each port.
 */

/** Family and name of the table of checked ports. */
export const MAC_CHECK_TABLE = 'bridge fairlead';
const IN_TABLE = MAC_CHECK_TABLE;
/** Names of interfaces that are looked at. */
const PORTS = 'mac-checked-ports';
/** Which addresses each of them may have. */
const ADDRESSES = 'mac-checked-addresses';

const FOUNDATION: Foundation = {
  marker: 'mac-check-1',
  commands: [
    `add set ${IN_TABLE} ${PORTS} { type ifname ; }`,
    `add set ${IN_TABLE} ${ADDRESSES} { type ifname . ether_addr ; }`,
    ...chainWith(
      'mac-check',
      'type filter hook prerouting priority -300',
      [`iifname @${PORTS} iifname . ether saddr != @${ADDRESSES} drop`],
      IN_TABLE,
    ),
  ],
};

/** From now on frames that come in by the port with another address as their source are dropped. May be run again. */
export function* checkSpoofing(port: string, mac: string, owner: OwnerTag): Steps<void> {
  const comment = ownerComment(owner.text);
  const additions = [
    // It fails where the foundation is not there.
    `flush chain ${IN_TABLE} ${FOUNDATION.marker}`,
    `add element ${IN_TABLE} ${ADDRESSES} { "${port}" . ${mac} ${comment} }`,
    `add element ${IN_TABLE} ${PORTS} { "${port}" ${comment} }`,
  ];
  try {
    yield* nft(additions);
  } catch (error) {
    if (!isMissing(error)) throw error;
    yield* nft([...foundationCommands(FOUNDATION, IN_TABLE), ...additions]);
  }
}

/** Forgets a port; nothing happens where it is not known. */
export function* forgetSpoofing(port: string, mac: string): Steps<void> {
  const removals = [`delete element ${IN_TABLE} ${PORTS} { "${port}" }`, `delete element ${IN_TABLE} ${ADDRESSES} { "${port}" . ${mac} }`];
  try {
    yield* nft(removals);
  } catch (error) {
    if (!isMissing(error)) throw error;
    for (const removal of removals) yield* nft([removal], ['missing']);
  }
}

/** What is missing, in words. */
export function* missingSpoofCheck(port: string, mac: string): Steps<readonly string[]> {
  const sets = listedSets(yield* listNft('table', ...IN_TABLE.split(' ')));
  const isChecked = sets.get(PORTS)?.includes(port) && sets.get(ADDRESSES)?.includes(`${port} . ${mac}`);
  return isChecked ? [] : [`port ${port} may send from other MAC addresses than ${mac}`];
}

/** Elements of the sets that carry a tag of ours. */
export function* ownedSpoofChecks(): Steps<readonly OwnedThing[]> {
  const rows = yield* listNft('table', ...IN_TABLE.split(' '));
  return rows
    .map(({ set }) => set)
    .filter((set) => ownText(set, 'name') === ADDRESSES)
    .flatMap((set) => elementsOf(set))
    .flatMap((element): readonly OwnedThing[] => {
      const tag = ownText(element, 'comment');
      const [port, mac] = concatOf(element);
      if (readOwnerTag(tag) === undefined || port === undefined || mac === undefined) return [];
      return [{ tag, what: `check of port ${port}`, remove: () => forgetSpoofing(port, mac) }];
    });
}

const elementsOf = (set: Json | undefined): readonly Json[] => {
  const elements = isJsonObject(set) ? ownValue(set, 'elem') : undefined;
  return Array.isArray(elements)
    ? (elements as readonly Json[]).flatMap((each) => (isJsonObject(each) ? (ownValue(each, 'elem') ?? []) : []))
    : [];
};

function concatOf(element: Json): readonly (string | undefined)[] {
  const value = isJsonObject(element) ? ownValue(element, 'val') : undefined;
  const parts = isJsonObject(value) ? ownValue(value, 'concat') : undefined;
  return Array.isArray(parts) ? (parts as readonly Json[]).map((part) => (typeof part === 'string' ? part : undefined)) : [];
}

const isMissing = (error: unknown): boolean => error instanceof EffectError && error.code === 'missing';
