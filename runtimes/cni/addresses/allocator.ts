import { isAbsolute, join, normalize } from 'node:path';
import { addressToNumber, familyOf, formatIpAddress, type IpAddress, parseIpOrCidr } from '../../../engine/object/ip-address.ts';
import type { AddressAnswer, AddressRequest } from '../../../engine/rules/network/program.ts';
import { isNetworkName } from '../../../engine/rules/network/protocol/invocation.ts';
import type { ValidAttachment } from '../../../engine/rules/network/protocol/network-config.ts';
import { EffectError, type FailureCode } from '../../../engine/step/effect.ts';
import { classifyErrno } from '../../linux/failure.ts';
import { countOf, type Range, type RangeSet, rangeOf, readRanges } from './ranges.ts';
import { openReservationFiles, type ReservationFiles } from './reservation-files.ts';
import { type Holder, nameOf, type Reservation, Reservations } from './reservations.ts';

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
  readonly log: (line: string, fields?: Readonly<Record<string, unknown>>) => void;
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

/** One request on its way. */
class Allocation {
  readonly #reservations: Reservations;
  readonly #request: AddressRequest;
  readonly #log: AddressAllocatorOptions['log'];
  readonly #taken: Reservation[] = [];

  constructor(reservations: Reservations, request: AddressRequest, log: AddressAllocatorOptions['log']) {
    this.#reservations = reservations;
    this.#request = request;
    this.#log = log;
  }

  allocate(sets: readonly RangeSet[]): AddressAnswer {
    const wanted = requestedAddresses(this.#request.requested);
    try {
      return guarded(`reserve an address for ${this.#request.containerId}`, () => {
        this.#reservations.refresh();
        const held = this.#reservations.heldBy(this.#request);
        const ips = sets.map((set, index) => {
          const at = wanted.findIndex((address) => rangeOf(set, familyOf(address), addressToNumber(address)) !== undefined);
          const [address] = at === -1 ? [] : wanted.splice(at, 1);
          return this.#allocateOf(set, index, held, address);
        });
        if (wanted.length > 0) {
          const list = wanted.map((address) => formatIpAddress(address)).join(' ');
          throw failure('invalid', `failed to allocate all requested IPs: ${list}`);
        }
        return { ips };
      });
    } catch (error) {
      this.#giveBack();
      throw error;
    }
  }

  #allocateOf(set: RangeSet, index: number, held: readonly Reservation[], wanted: IpAddress | undefined): AddressAnswer['ips'][number] {
    for (const { family, address, text } of held) {
      const range = rangeOf(set, family, address);
      if (range === undefined) continue;
      // Asked again after it was interrupted; for another address it would be a second one, which the specification does not allow.
      if (wanted !== undefined && addressToNumber(wanted) !== address)
        this.#refuse(index, 'exists', `${text} has been allocated to ${this.#request.containerId}, duplicate allocation is not allowed`);
      return answerOf(range, address);
    }
    return wanted === undefined ? this.#takeNext(set, index) : this.#takeWanted(set, index, wanted);
  }

  #takeWanted(set: RangeSet, index: number, wanted: IpAddress): AddressAnswer['ips'][number] {
    const address = addressToNumber(wanted);
    const range = rangeOf(set, familyOf(wanted), address) as Range;
    if (address === range.gateway) this.#refuse(index, 'invalid', `requested ip ${formatIpAddress(wanted)} is subnet's gateway`);
    if (!this.#take(range, address))
      this.#refuse(index, 'exists', `requested IP address ${formatIpAddress(wanted)} is not available in range set ${set.text}`);
    this.#remember(index, range, address);
    return answerOf(range, address);
  }

  #takeNext(set: RangeSet, index: number): AddressAnswer['ips'][number] {
    const last = this.#reservations.lastReserved(index);
    for (let attempt = 0; attempt < 2; attempt++) {
      for (const { range, from, to } of searchOrder(set, last)) {
        for (let address = nextFree(this.#reservations, range, from, to); address !== undefined; ) {
          if (this.#take(range, address)) {
            this.#remember(index, range, address);
            return answerOf(range, address);
          }
          address = nextFree(this.#reservations, range, address + 1n, to);
        }
      }
      // Before it is said that nothing is left: maybe somebody else released something.
      this.#reservations.refresh(true);
    }
    return this.#refuse(index, 'full', exhaustedMessage(set));
  }

  #take(range: Range, address: bigint): boolean {
    if (this.#reservations.isTaken(range.family, address)) return false;
    if (!this.#reservations.take(range.family, address, this.#request)) return false;
    this.#taken.push({ family: range.family, address, text: nameOf(range.family, address) });
    return true;
  }

  #remember(index: number, range: Range, address: bigint): void {
    try {
      this.#reservations.setLastReserved(index, range.family, address);
    } catch (error) {
      // It only means that the search begins elsewhere; the address is reserved.
      this.#log('the last reserved address could not be kept', { network: this.#request.network, error: String(error) });
    }
  }

  #giveBack(): void {
    for (const reservation of this.#taken) {
      try {
        this.#reservations.free(reservation);
      } catch (error) {
        this.#log('an address could not be given back', {
          network: this.#request.network,
          address: reservation.text,
          error: String(error),
        });
      }
    }
  }

  #refuse(index: number, code: FailureCode, message: string): never {
    throw failure(code, `failed to allocate for range ${index}: ${message}`);
  }
}

/** Parts of a set in the order in which they are searched: from behind the address that was given last, round to it. */
function searchOrder(
  set: RangeSet,
  last: IpAddress | undefined,
): readonly { readonly range: Range; readonly from: bigint; readonly to: bigint }[] {
  const whole = set.ranges.map((range) => ({ range, from: range.start, to: range.end }));
  if (last === undefined) return whole;
  const address = addressToNumber(last);
  const start = rangeOf(set, familyOf(last), address);
  if (start === undefined) return whole;
  const at = set.ranges.indexOf(start);
  return [
    { range: start, from: address + 1n, to: start.end },
    ...whole.slice(at + 1),
    ...whole.slice(0, at),
    { range: start, from: start.start, to: address },
  ];
}

function nextFree(reservations: Reservations, range: Range, from: bigint, to: bigint): bigint | undefined {
  const address = reservations.nextFree(range.family, from, to);
  return address === range.gateway ? reservations.nextFree(range.family, address + 1n, to) : address;
}

const hasFree = (reservations: Reservations, set: RangeSet): boolean =>
  set.ranges.some((range) => nextFree(reservations, range, range.start, range.end) !== undefined);

const exhaustedMessage = (set: RangeSet): string => `no IP addresses available in range set: ${set.text} (all ${countOf(set)} are taken)`;

const answerOf = (range: Range, address: bigint): AddressAnswer['ips'][number] => ({
  address: `${nameOf(range.family, address)}/${range.bits}`,
  gateway: range.gatewayText,
});

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

function requestedAddresses(requested: readonly string[]): IpAddress[] {
  const addresses = new Map<string, IpAddress>();
  for (const text of requested) {
    const prefix = parseIpOrCidr(text);
    if (prefix === undefined) throw failure('invalid', `requested IP address ${JSON.stringify(text)} is not an address`);
    addresses.set(formatIpAddress(prefix.address), prefix.address);
  }
  return [...addresses.values()];
}

const failure = (code: FailureCode, message: string): EffectError => new EffectError(code, message, 'allocate addresses');

/** Runs what touches the disk; the system's errors become failures. */
function guarded<T>(tried: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw failureOf(error, tried);
  }
}

function failureOf(error: unknown, tried: string): EffectError {
  if (error instanceof EffectError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new EffectError(classifyErrno(code), message, tried);
}
