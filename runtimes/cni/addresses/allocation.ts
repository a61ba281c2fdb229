import { addressToNumber, familyOf, formatIpAddress, type IpAddress, parseIpOrCidr } from '../../../engine/object/ip-address.ts';
import { countOf, type Range, type RangeSet, rangeOf } from '../../../engine/rules/network/address-ranges.ts';
import type { AddressAnswer, AddressRequest } from '../../../engine/rules/network/program.ts';
import type { FailureCode } from '../../../engine/step/effect.ts';
import type { LineLog } from '../../host/log.ts';
import { failure, guarded } from './failure.ts';
import { nameOf, type Reservation, type Reservations } from './reservations.ts';

/** One request on its way: an address of each set, or none at all. */
export class Allocation {
  readonly #reservations: Reservations;
  readonly #request: AddressRequest;
  readonly #log: LineLog;
  readonly #taken: Reservation[] = [];

  constructor(reservations: Reservations, request: AddressRequest, log: LineLog) {
    this.#reservations = reservations;
    this.#request = request;
    this.#log = log;
  }

  /** Throws an {@link EffectError}, and then what was taken is given back. */
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

/** Whether an address of the set is left. */
export const hasFree = (reservations: Reservations, set: RangeSet): boolean =>
  set.ranges.some((range) => nextFree(reservations, range, range.start, range.end) !== undefined);

export const exhaustedMessage = (set: RangeSet): string =>
  `no IP addresses available in range set: ${set.text} (all ${countOf(set)} are taken)`;

const answerOf = (range: Range, address: bigint): AddressAnswer['ips'][number] => ({
  address: `${nameOf(range.family, address)}/${range.bits}`,
  gateway: range.gatewayText,
});

function requestedAddresses(requested: readonly string[]): IpAddress[] {
  const addresses = new Map<string, IpAddress>();
  for (const text of requested) {
    const prefix = parseIpOrCidr(text);
    if (prefix === undefined) throw failure('invalid', `requested IP address ${JSON.stringify(text)} is not an address`);
    addresses.set(formatIpAddress(prefix.address), prefix.address);
  }
  return [...addresses.values()];
}
