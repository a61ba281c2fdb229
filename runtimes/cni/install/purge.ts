import { existsSync, lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type AttachmentIdentity, attachmentOfSubject } from '../../../engine/rules/network/attachment.ts';
import { isNetworkName } from '../../../engine/rules/network/protocol/invocation.ts';
import { EffectError, runSteps, type Steps } from '../../../engine/step/effect.ts';
import { type Foundation, iptablesFoundations, nftFoundations } from '../../../engine/step/packet-filter/foundations.ts';
import { type Clock, systemClock } from '../../host/clock.ts';
import { errorMessage } from '../../host/error-message.ts';
import { type Log, logAt, silentLog } from '../../host/log.ts';
import { createHost, type Host, type HostOptions } from '../../linux/host.ts';
import type { Performer } from '../../linux/performer.ts';
import { createAddressAllocator, DEFAULT_DATA_DIR, type Pool } from '../addresses/allocator.ts';
import { createDelegate } from '../delegation/delegate.ts';
import { networkEffects } from '../network-effects.ts';
import { openNetworkPerformer } from '../network-performer.ts';
import { createPlugin, type PluginOptions } from '../plugin.ts';
import { createSpool } from '../spool.ts';
import { factsWithoutCluster } from '../verbs/network-facts-source.ts';

/*
 * Leaves a host as it was before networks of ours were on it: without a daemon, as whoever removes it may have removed the daemon first. It
 * takes the journal's folder as a daemon does, so that no other can run.
 */

export interface PurgeOptions {
  readonly socketPath: string;
  readonly stateFolder: string;
  /** Networks whose folders of reservations go when nothing is reserved in them. */
  readonly pools: readonly Pool[];
  /** Detaches the containers that are attached, instead of leaving all as it is. */
  readonly detach: boolean;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Default: this machine. */
  readonly makeHost?: (options: HostOptions) => Host;
  /** Default: the kernel's. */
  readonly bootId?: string;
}

export interface Purged {
  /** Attachments that were in the way: nothing was removed. */
  readonly attachments: readonly AttachmentIdentity[];
  readonly removed: readonly string[];
  /** What could not be removed, in words. The journal stays then, for another attempt. */
  readonly left: readonly string[];
}

/** Attachments that are undone at once. */
const AT_ONCE = 8;

/** Removes everything that was made for networks of this node. Throws `FileError` where a daemon runs. */
export async function purge(options: PurgeOptions): Promise<Purged> {
  const { socketPath, stateFolder, clock = systemClock, log = silentLog, makeHost = createHost } = options;
  const note = logAt(log, 'info');
  const addresses = createAddressAllocator({ log: note });
  const delegate = createDelegate({ clock, log: note });
  const host = makeHost({ clock, custom: networkEffects(addresses, delegate) });
  const removed: string[] = [];
  const left: string[] = [];
  const attempt = async (act: () => Promise<unknown>): Promise<void> => {
    await act().catch((error: unknown) => left.push(errorMessage(error)));
  };
  try {
    const performer = await openNetworkPerformer({ stateFolder, handler: host, clock, bootId: options.bootId, log: note });
    try {
      left.push(...(await performer.recover()).left);
      left.push(...(await performKept(options, { host, performer, addresses, delegate })));
      const attachments = attachmentsOf(performer);
      if (attachments.length > 0 && !options.detach) return { attachments, removed, left };
      // Containers before the node, whose links and sets theirs may use.
      for (const isNode of [false, true]) {
        const ids = [...performer.records()]
          .filter(({ subject }) => (attachmentOfSubject(subject) === undefined) === isNode)
          .map(({ id }) => id);
        await undoAll(ids, (id) => attempt(() => performer.undo(id)));
      }
      if (options.detach) for (const pool of options.pools) await attempt(() => addresses.collect(pool, []));
      const collected = await performer.collect({});
      removed.push(...collected.removed.map(({ what }) => what));
      left.push(...collected.left);
      // What they stand on, when nobody stands on it.
      if (left.length === 0) for (const find of [nftFoundations, iptablesFoundations]) await removeFoundations(host, find, removed, left);
    } finally {
      await performer.close();
    }
  } finally {
    await host.close();
  }
  for (const pool of options.pools) removePool(pool, removed, left);
  if (left.length === 0) removeState(stateFolder, socketPath, removed);
  return { attachments: [], removed, left };
}

/** Each once, though several rules of a chain have a record of it. */
function attachmentsOf(performer: Performer): readonly AttachmentIdentity[] {
  const found = [...performer.records()].flatMap(({ subject }) => attachmentOfSubject(subject) ?? []);
  return [...new Map(found.map((each) => [JSON.stringify(each), each])).values()];
}

/** DELs that came while there was no daemon. */
async function performKept(
  { stateFolder, clock = systemClock, log = silentLog }: PurgeOptions,
  parts: Pick<PluginOptions, 'host' | 'performer' | 'addresses' | 'delegate'>,
): Promise<readonly string[]> {
  const folder = join(stateFolder, 'spool');
  if (!existsSync(folder)) return [];
  const facts = factsWithoutCluster();
  const plugin = createPlugin({ ...parts, program: { rules: [] }, facts, clock, log: logAt(log, 'warn') });
  const spool = createSpool({
    folder,
    handle: (invocation) => plugin.invoke(invocation),
    clock,
    log,
  });
  try {
    const { left } = await spool.perform();
    return left === 0 ? [] : [`${left} DELs that came while there was no daemon`];
  } finally {
    await spool.close();
    await plugin.close();
  }
}

async function undoAll(ids: readonly string[], undo: (id: string) => Promise<void>): Promise<void> {
  const waiting = [...ids];
  const work = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await undo(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function removeFoundations(host: Host, find: () => Steps<readonly Foundation[]>, removed: string[], left: string[]): Promise<void> {
  let found: readonly Foundation[];
  try {
    found = await runSteps(find(), host);
  } catch (error) {
    const isThere = (await host.missing([{ kind: 'nft-family', name: 'inet' }])).length === 0;
    if (isThere || !(error instanceof EffectError)) left.push(errorMessage(error));
    return;
  }
  for (const { what, reason, remove } of found) {
    if (reason !== undefined) {
      left.push(`${what}: ${reason}`);
      continue;
    }
    try {
      await runSteps(remove(), host);
      removed.push(what);
    } catch (error) {
      left.push(`${what}: ${errorMessage(error)}`);
    }
  }
}

/** A folder of reservations, where it holds nothing but what is remembered between them. */
function removePool({ network, dataDir = DEFAULT_DATA_DIR }: Pool, removed: string[], left: string[]): void {
  if (!isNetworkName(network)) return;
  const folder = join(dataDir, network);
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  try {
    const others = readdirSync(folder).filter((name) => !/^(last_reserved_ip\.\d+|lock|\.fairlead-.*)$/.test(name));
    if (others.length > 0) {
      left.push(`${folder}: ${others.length} addresses are reserved there, the first for ${JSON.stringify(others[0])}`);
      return;
    }
    rmSync(folder, { recursive: true });
    removed.push(folder);
    removeIfEmpty(dataDir);
  } catch (error) {
    left.push(`${folder}: ${errorMessage(error)}`);
  }
}

/** What a daemon keeps on disk; then its folders, where they hold nothing else and have our name. */
function removeState(stateFolder: string, socketPath: string, removed: string[]): void {
  const kept = ['journal', 'spool', 'annotations', 'answered', 'answered.new']
    .map((name) => join(stateFolder, name))
    .filter((path) => existsSync(path));
  for (const path of kept) rmSync(path, { recursive: true, force: true });
  if (kept.length > 0) removed.push(stateFolder);
  if (lstatSync(socketPath, { throwIfNoEntry: false })?.isSocket()) rmSync(socketPath, { force: true });
  removeIfEmpty(stateFolder);
  for (const folder of [dirname(stateFolder), dirname(socketPath)]) if (basename(folder) === 'fairlead') removeIfEmpty(folder);
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody else's is in it, or it is not there.
  }
}
