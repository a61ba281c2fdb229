import type { Effect } from '../../../engine/step/effect.ts';
import type { AddressInfo, LinkRow, RouteRow } from '../../../engine/step/effects/show.ts';
import { asTyped, batchLine } from '../batch-words.ts';
import { classifyErrno } from '../failure.ts';
import { askAddresses, decodeAddress, FAMILY } from './addresses.ts';
import { errnoName, kernelFailure } from './kernel-failure.ts';
import { askLink, askLinkByIndex, askLinks, decodeLink, type LinkFound, linkKind, linkNames } from './links.ts';
import { type Answer, type Request, RTM, readAnswer } from './message.ts';
import type { NetlinkPlace, Talk } from './place.ts';
import { askRoutes, decodeRoute } from './routes.ts';
import { readOptions } from './words.ts';

/** Questions until an answer is taken that somebody has interrupted. */
const MAX_DUMPS = 5;

type Rows = readonly object[];

/** Rows of a `show`; undefined where the words, or what there is, are not known. Throws, and rejects with, {@link EffectError}. */
export function showByNetlink(
  place: NetlinkPlace,
  { program, words, family }: Pick<Extract<Effect, { kind: 'show' }>, 'program' | 'words' | 'family'>,
): Promise<Rows | undefined> | undefined {
  if (program !== 'ip' || family !== undefined) return undefined;
  batchLine(program, { words });
  const [object, verb, ...rest] = words;
  if (verb !== 'show') return undefined;
  if (object === 'address') {
    const options = readOptions(rest, ['dev', 'type', 'master']);
    const dev = options?.get('dev');
    if (options === undefined || (dev !== undefined && options.size > 1)) return undefined;
    return dev === undefined ? showLinks(place, options.get('type'), options.get('master'), words) : showLink(place, dev, words);
  }
  const options = object === 'route' ? readOptions(rest, ['table', 'dev', 'root']) : undefined;
  const root = options?.get('root');
  if (options?.get('table') !== 'all' || (root !== '0.0.0.0/0' && root !== '::/0')) return undefined;
  return showRoutes(place, root === '::/0' ? FAMILY.inet6 : FAMILY.inet, options.get('dev'), words);
}

const ask = (place: NetlinkPlace, ...requests: readonly Request[]): Promise<Talk> => place.talk(requests, { isRepeatable: true });

async function showLink(place: NetlinkPlace, name: string, words: readonly string[]): Promise<Rows | undefined> {
  for (let attempt = 1; ; attempt++) {
    const { errno, answers } = await ask(place, askLink(name, 0), askAddresses(0));
    const [link, addresses] = answers.map(readAnswer);
    if (link !== undefined && classifyErrno(errnoName(link.errno)) === 'missing') return [];
    if (link === undefined || link.errno !== 0 || addresses === undefined || addresses.errno !== 0) {
      // The link may have gone in between.
      if (addresses !== undefined && attempt < MAX_DUMPS) continue;
      throw kernelFailure(link?.errno || addresses?.errno || errno, link?.text ?? '', asTyped('ip', words));
    }
    if (addresses.isInterrupted && attempt < MAX_DUMPS) continue;
    const body = link.messages.find(({ type }) => type === RTM.newLink)?.body;
    const found = body && decodeLink(body);
    if (found === undefined) return undefined;
    return rowsOf(place, [found], addresses);
  }
}

async function showLinks(
  place: NetlinkPlace,
  kind: string | undefined,
  master: string | undefined,
  words: readonly string[],
): Promise<Rows | undefined> {
  for (let attempt = 1; ; attempt++) {
    const { errno, answers } = await ask(place, askLinks(kind), askAddresses());
    const [links, addresses] = answers.map(readAnswer);
    if (links === undefined || links.errno !== 0 || addresses === undefined || addresses.errno !== 0)
      throw kernelFailure(links?.errno || addresses?.errno || errno, '', asTyped('ip', words));
    if ((links.isInterrupted || addresses.isInterrupted) && attempt < MAX_DUMPS) continue;
    const found: LinkFound[] = [];
    for (const { type, body } of links.messages) {
      if (type !== RTM.newLink || (kind !== undefined && linkKind(body) !== kind)) continue;
      const link = decodeLink(body);
      if (link === undefined) return undefined;
      found.push(link);
    }
    const rows = await rowsOf(place, found, addresses);
    return master === undefined ? rows : rows.filter((row) => row.master === master);
  }
}

/** Links with their addresses, and the names of what they are parts of. */
async function rowsOf(place: NetlinkPlace, found: readonly LinkFound[], addresses: Answer): Promise<readonly LinkRow[]> {
  const names = await namesOf(place, found);
  const infos = new Map<number, AddressInfo[]>(found.map(({ row }) => [row.ifindex, []]));
  for (const { type, body } of addresses.messages) {
    const address = type === RTM.newAddress ? decodeAddress(body) : undefined;
    if (address !== undefined) infos.get(address.index)?.push(address.info);
  }
  return found.map(({ row, master }) => ({
    ...row,
    ...(master !== undefined && { master: names.get(master) ?? `if${master}` }),
    addr_info: infos.get(row.ifindex) ?? [],
  }));
}

async function namesOf(place: NetlinkPlace, found: readonly LinkFound[]): Promise<ReadonlyMap<number, string>> {
  const names = new Map(found.map(({ row }) => [row.ifindex, row.ifname]));
  const unknown = new Set(found.flatMap(({ master }) => (master === undefined || names.has(master) ? [] : [master])));
  // One by one: each may have gone.
  for (const index of unknown) {
    const { answers } = await ask(place, askLinkByIndex(index));
    const name = answers[0] && linkNames(readAnswer(answers[0])).get(index);
    if (name !== undefined) names.set(index, name);
  }
  return names;
}

async function showRoutes(
  place: NetlinkPlace,
  family: number,
  dev: string | undefined,
  words: readonly string[],
): Promise<Rows | undefined> {
  for (let attempt = 1; ; attempt++) {
    const { errno, answers } = await ask(place, askLinks(), askRoutes(family));
    const [links, routes] = answers.map(readAnswer);
    // A kernel without a family has no routes of it.
    if (routes !== undefined && errnoName(routes.errno) === 'EOPNOTSUPP') return [];
    if (links === undefined || links.errno !== 0 || routes === undefined || routes.errno !== 0)
      throw kernelFailure(links?.errno || routes?.errno || errno, '', asTyped('ip', words));
    if ((links.isInterrupted || routes.isInterrupted) && attempt < MAX_DUMPS) continue;
    const names = linkNames(links);
    const rows: RouteRow[] = [];
    for (const { type, body } of routes.messages) {
      const row = type === RTM.newRoute ? decodeRoute(body, names) : 'none';
      if (row === undefined) return undefined;
      if (row !== 'none' && (dev === undefined || row.dev === dev || row.nexthops?.some((hop) => hop.dev === dev))) rows.push(row);
    }
    return rows;
  }
}
