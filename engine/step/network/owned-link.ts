import type { Command, Netns, Steps } from '../effect.ts';
import { command, ip, tolerating } from '../effects/iproute.ts';
import { type LinkRow, links } from '../effects/show.ts';
import type { OwnedThing, OwnerTag } from '../operation.ts';
import { readOwnerTag } from '../owner-tag.ts';

/** Writes the owner's tag on a link. */
export const tagLink = (name: string, owner: OwnerTag): Command => command('link', 'set', 'dev', name, 'alias', owner.text);

/**
 * Whether a link is the owner's. One that was made a moment before a crash has no alias yet; then it is known by the MAC address that it
 * was made with, where that follows from the owner.
 */
export const isOwned = (row: LinkRow, owner: OwnerTag, madeWithMac?: string): boolean =>
  row.ifalias === owner.text || (row.ifalias === undefined && madeWithMac !== undefined && row.address === madeWithMac);

/** Deletes a link; one that is gone is fine. */
export const deleteLink = (netns: Netns, name: string): Steps<void> =>
  ip(netns, tolerating(command('link', 'del', 'dev', name), 'missing', 'namespace'));

/** Links of the host of one type that carry a tag of ours. */
export function* ownedLinks(
  kind: string,
  remove: (name: string) => Steps<void> = (name) => deleteLink(undefined, name),
): Steps<readonly OwnedThing[]> {
  const rows = yield* links(undefined, 'type', kind);
  return rows.flatMap((row) => {
    const tag = row.ifalias;
    if (tag === undefined || readOwnerTag(tag) === undefined) return [];
    return [{ tag, what: `link ${row.ifname}`, remove: () => remove(row.ifname) }];
  });
}
