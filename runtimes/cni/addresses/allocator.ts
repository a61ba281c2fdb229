import { isAbsolute, join, normalize } from 'node:path';
import { countOf, type RangeSet, rangeOf, readRanges } from '../../../engine/rules/network/address-ranges.ts';
import type { AddressAnswer, AddressRequest } from '../../../engine/rules/network/program.ts';
import { isNetworkName } from '../../../engine/rules/network/protocol/invocation.ts';
import type { ValidAttachment } from '../../../engine/rules/network/protocol/network-config.ts';
import type { EffectError } from '../../../engine/step/effect.ts';
import type { LineLog } from '../../host/log.ts';
import { Allocation, exhaustedMessage, hasFree } from './allocation.ts';
import { failure, failureOf, guarded } from './failure.ts';
import { openReservationFiles, type ReservationFiles } from './reservation-files.ts';
import { type Holder, Reservations } from './reservations.ts';

/** Default of host-local, and so ours. */
export const DEFAULT_DATA_DIR = '/var/lib/cni/networks';

/** A folder of reservations. */
export type Pool = Pick<AddressRequest, 'network' | 'dataDir'>;
export type Attachment = Pick<AddressRequest, 'network' | 'dataDir' | 'containerId' | 'ifName'>;

/**
 * Gives addresses to containers, as host-local does and in its folders, so that either can go on where the other ended. Everything that fails
 * is an {@link EffectError}; what was taken before in the same call is given back.
 */
export interface AddressAllocator {
  /** An address of each set. What the attachment holds already it is given again. */
  allocate(request: AddressRequest): Promise<AddressAnswer>;
  /** Frees all that an attachment holds in the network, and answers it. */
  release(attachment: Attachment): Promise<readonly string[]>;
  /** What is not as `allocate` left it, in words. */
  check(request: AddressRequest): Promise<readonly string[]>;
  /** Why no more addresses can be given; undefined where one is left in each set. Takes none. */
  exhausted(request: Omit<AddressRequest, 'containerId' | 'ifName' | 'requested'>): Promise<string | undefined>;
  /** How much of each set is given away. Takes none. */
  usage(request: Omit<AddressRequest, 'containerId' | 'ifName' | 'requested'>): Promise<readonly AddressUsage[]>;
  /** Frees what is held by none of these attachments, and answers it. Goes on after a failure; failures are answered in words. */
  collect(
    pool: Pool,
    valid: readonly ValidAttachment[],
  ): Promise<{ readonly released: readonly string[]; readonly failures: readonly string[] }>;
}

/** A set of ranges, and how many of its addresses there are and are reserved. */
export interface AddressUsage {
  /** `10.1.0.1-10.1.0.254`. */
  readonly ranges: string;
  readonly total: bigint;
  readonly taken: bigint;
}

export interface AddressAllocatorOptions {
  readonly log: LineLog;
  /** Milliseconds since 1970. Default: the machine's clock. */
  readonly now?: () => number;
  /** Default: the disk. */
  readonly open?: (folder: string) => ReservationFiles;
  /** Lets others have their turn. Default: the next turn of the event loop. */
  readonly pause?: () => Promise<void>;
}

/** Networks whose reservations are kept in memory; beyond them, those that were not used for longest are read again when they are. */
const MAX_NETWORKS = 256;

export function createAddressAllocator(options: AddressAllocatorOptions): AddressAllocator {
  const { log, now = Date.now, open = openReservationFiles, pause = () => new Promise<void>((resolve) => setImmediate(resolve)) } = options;
  const networks = new Map<string, Promise<Reservations>>();

  /** Only this waits; all that is done with reservations is done at once, so that no two calls meet in the midst of it. */
  async function reservationsOf(pool: Pool): Promise<Reservations> {
    const folder = folderOf(pool);
    let loading = networks.get(folder);
    if (loading === undefined) {
      loading = load(folder);
      loading.catch(() => networks.delete(folder));
    } else networks.delete(folder);
    networks.set(folder, loading);
    for (const oldest of networks.keys()) {
      if (networks.size <= MAX_NETWORKS) break;
      networks.delete(oldest);
    }
    return loading;
  }

  async function load(folder: string): Promise<Reservations> {
    try {
      return await Reservations.load(open(folder), now, pause);
    } catch (error) {
      throw failureOf(error, `read the reservations in ${folder}`);
    }
  }

  return {
    async allocate(request) {
      const sets = setsOf(request);
      const reservations = await reservationsOf(request);
      return new Allocation(reservations, request, log).allocate(sets);
    },

    async release(attachment) {
      const reservations = await reservationsOf(attachment);
      return guarded(`release the addresses of ${attachment.containerId}`, () => {
        reservations.refresh();
        let held = reservations.heldBy(attachment);
        if (held.length === 0) {
          reservations.refresh(true);
          held = reservations.heldBy(attachment);
        }
        return held.flatMap((reservation) => (reservations.free(reservation) ? [reservation.text] : []));
      });
    },

    async check(request) {
      const sets = setsOf(request);
      const reservations = await reservationsOf(request);
      return guarded(`check the addresses of ${request.containerId}`, () => {
        reservations.refresh();
        const held = reservations.heldBy(request);
        return sets.flatMap((set) =>
          held.some(({ family, address }) => rangeOf(set, family, address) !== undefined)
            ? []
            : [`no address of ${set.text} is reserved for container ${request.containerId}, interface ${request.ifName}`],
        );
      });
    },

    async exhausted(request) {
      const sets = setsOf(request);
      const reservations = await reservationsOf(request);
      return guarded(`look for free addresses of ${request.network}`, () => {
        reservations.refresh();
        for (const set of sets) {
          if (hasFree(reservations, set)) continue;
          reservations.refresh(true);
          if (!hasFree(reservations, set)) return exhaustedMessage(set);
        }
        return undefined;
      });
    },

    async usage(request) {
      const sets = setsOf(request);
      const reservations = await reservationsOf(request);
      return guarded(`count the addresses of ${request.network}`, () => {
        reservations.refresh();
        const all = [...reservations.holders()].flatMap((holder) => holder.reservations);
        return sets.map((set) => ({
          ranges: set.text,
          total: countOf(set),
          taken: BigInt(all.filter(({ family, address }) => rangeOf(set, family, address) !== undefined).length),
        }));
      });
    },

    async collect(pool, valid) {
      const reservations = await reservationsOf(pool);
      return guarded(`collect addresses of ${pool.network}`, () => {
        reservations.refresh(true);
        return collect(reservations, valid, now() - WRITING);
      });
    },
  };
}

/** Milliseconds for which a file may not say yet whose it is: host-local makes it first and writes it then. */
const WRITING = 60_000;

function collect(
  reservations: Reservations,
  valid: readonly ValidAttachment[],
  since: number,
): { readonly released: readonly string[]; readonly failures: readonly string[] } {
  const keys = new Set(valid.map(({ containerId, ifName }) => `${containerId}/${ifName}`));
  const containers = new Set(valid.map(({ containerId }) => containerId));
  const isValid = ({ containerId, ifName }: Holder): boolean =>
    ifName === undefined ? containers.has(containerId) : keys.has(`${containerId}/${ifName}`);
  const released: string[] = [];
  const failures: string[] = [];
  for (const { holder, reservations: held } of [...reservations.holders()]) {
    if (holder !== undefined && isValid(holder)) continue;
    for (const reservation of held) {
      try {
        const isFreed = holder === undefined ? reservations.freeNameless(reservation, since) : reservations.free(reservation);
        if (isFreed) released.push(reservation.text);
      } catch (error) {
        failures.push(`${reservation.text}: ${(error as Error).message}`);
      }
    }
  }
  return { released, failures };
}

function folderOf({ network, dataDir = DEFAULT_DATA_DIR }: Pool): string {
  if (!isNetworkName(network)) throw failure('invalid', `${JSON.stringify(network)} is no name of a network`);
  if (!isAbsolute(dataDir) || dataDir.includes('\0'))
    throw failure('invalid', `dataDir ${JSON.stringify(dataDir)} is not an absolute path`);
  return join(normalize(dataDir), network);
}

function setsOf({ ranges }: Pick<AddressRequest, 'ranges'>): readonly RangeSet[] {
  const read = readRanges(ranges);
  if (!read.ok) throw failure('invalid', read.message);
  return read.sets;
}
