import {
  addressFromNumber,
  addressToNumber,
  familyOf,
  formatIpAddress,
  type IpAddress,
  type IpFamily,
  parseIp,
} from '../../../engine/object/ip-address.ts';
import { AddressSet } from './address-set.ts';
import type { ReservationFiles } from './reservation-files.ts';

/** Who holds an address. */
export interface Holder {
  readonly containerId: string;
  /** Undefined in files of host-local before it knew of interfaces; such a reservation is of all of them. */
  readonly ifName: string | undefined;
}

export interface Reservation {
  readonly family: IpFamily;
  readonly address: bigint;
  /** As a file's name. */
  readonly text: string;
}

interface Known extends Reservation {
  /** Text of the file without white space around: who holds it. Empty where it can't be read, or is not written yet. */
  readonly key: string;
}

/** host-local: backend/disk/backend.go. */
const LINE_BREAK = '\r\n';
const LAST = 'last_reserved_ip.';
/** Milliseconds after which a change has another time than the one before; the kernel's ticks are of 1 to 10. */
const TICK = 50;
/** Reservations that are read before others get a turn. */
const READ_AT_ONCE = 256;

/**
 * The reservations of one network: the folder, in the layout of host-local, and an index of it in memory. The files are the truth; host-local may
 * work in the same folder at the same time. A name is taken by who makes its file, so no address is given twice whatever the index believes; that
 * the index believes the right thing is looked after by {@link Reservations.refresh}.
 */
export class Reservations {
  readonly #files: ReservationFiles;
  readonly #taken: Readonly<Record<IpFamily, AddressSet>> = { 4: new AddressSet(4), 6: new AddressSet(6) };
  readonly #byName = new Map<string, Known>();
  readonly #byKey = new Map<string, Set<Known>>();
  readonly #now: () => number;
  /** The folder's state that the index is of. */
  #stamp = -1n;
  /** No change can have been missed: the folder was read when its last change was long enough ago to be told from another. */
  #isSettled = false;

  private constructor(files: ReservationFiles, now: () => number) {
    this.#files = files;
    this.#now = now;
  }

  /** Reads the folder. Others get their turn in between. `now` in milliseconds since 1970. */
  static async load(files: ReservationFiles, now: () => number, pause: () => Promise<void>): Promise<Reservations> {
    const reservations = new Reservations(files, now);
    const stamp = files.stamp();
    const names = files.list();
    for (let index = 0; index < names.length; index++) {
      reservations.#learn(names[index] as string);
      if (index % READ_AT_ONCE === READ_AT_ONCE - 1) await pause();
    }
    reservations.#stamp = stamp;
    return reservations;
  }

  /** How many addresses are taken. */
  get size(): number {
    return this.#byName.size;
  }

  /**
   * Brings the index up to date where somebody else has changed the folder since. A change in the same tick of the kernel as one of ours can't
   * be seen; `thorough` finds those too.
   */
  refresh(thorough = false): void {
    const stamp = this.#files.stamp();
    if (stamp === this.#stamp && (!thorough || this.#isSettled)) return;
    const settled = this.#now() - Number(stamp / 1_000_000n) > TICK;
    const names = new Set(this.#files.list());
    for (const known of [...this.#byName.values()]) if (!names.has(known.text) || known.key === '') this.#forget(known);
    for (const name of names) if (!this.#byName.has(name)) this.#learn(name);
    this.#stamp = stamp;
    this.#isSettled = settled;
  }

  isTaken(family: IpFamily, address: bigint): boolean {
    return this.#taken[family].has(address);
  }

  nextFree(family: IpFamily, from: bigint, to: bigint): bigint | undefined {
    return this.#taken[family].nextFree(from, to);
  }

  /** What a container's interface holds, as the files say now. */
  heldBy(holder: Holder): readonly Reservation[] {
    const exact = this.#confirmed(keyOf(holder));
    return exact.length > 0 || holder.ifName === undefined ? exact : this.#confirmed(keyOf({ ...holder, ifName: undefined }));
  }

  /** All holders with what they hold. The holder is undefined where a file does not say. */
  *holders(): IterableIterator<{ readonly holder: Holder | undefined; readonly reservations: readonly Reservation[] }> {
    for (const [key, reservations] of this.#byKey) yield { holder: holderOf(key), reservations: [...reservations] };
  }

  /** Frees what a file is of that does not say whose it is; false where it does by now, or was written after `since`. */
  freeNameless(reservation: Reservation, since: number): boolean {
    const known = this.#byName.get(reservation.text);
    const modified = this.#files.modified(reservation.text);
    if (known === undefined || known.key !== '' || modified === undefined || modified > since) return false;
    return this.free(reservation);
  }

  /** Takes an address; false where somebody else has. Throws the system's error, and then nothing is taken. */
  take(family: IpFamily, address: bigint, holder: Holder): boolean {
    const text = nameOf(family, address);
    const key = keyOf(holder);
    const isFollowed = this.#files.stamp() === this.#stamp;
    if (!this.#files.create(text, key)) {
      // Somebody else made it since.
      this.#learn(text);
      this.#taken[family].add(address);
      return false;
    }
    this.#enter({ family, address, text, key });
    if (isFollowed) this.#follow();
    return true;
  }

  /** Frees an address; false where by now it is somebody else's. Throws the system's error. */
  free(reservation: Reservation): boolean {
    const known = this.#byName.get(reservation.text);
    if (known === undefined || !this.#confirm(known)) return false;
    const isFollowed = this.#files.stamp() === this.#stamp;
    this.#files.remove(known.text);
    this.#forget(known);
    if (isFollowed) this.#follow();
    return true;
  }

  /** The address that was given last of the set of this number; the search goes on behind it. */
  lastReserved(set: number): IpAddress | undefined {
    return parseIp(this.#files.read(`${LAST}${set}`) ?? '');
  }

  /** Throws the system's error. */
  setLastReserved(set: number, family: IpFamily, address: bigint): void {
    const name = `${LAST}${set}`;
    const isFollowed = this.#files.stamp() === this.#stamp;
    this.#files.write(name, nameOf(family, address));
    if (isFollowed) this.#follow();
  }

  /** The folder has changed, and the index knows. */
  #follow(): void {
    const stamp = this.#files.stamp();
    if (stamp !== this.#stamp) this.#isSettled = false;
    this.#stamp = stamp;
  }

  #confirmed(key: string): readonly Reservation[] {
    return [...(this.#byKey.get(key) ?? [])].filter((known) => this.#confirm(known));
  }

  /** Whether the file still says what the index believes; if not, the index learns. */
  #confirm(known: Known): boolean {
    if ((this.#files.read(known.text) ?? '').trim() === known.key) return true;
    this.#forget(known);
    this.#learn(known.text);
    return false;
  }

  #learn(name: string): void {
    const address = parseIp(name);
    if (address === undefined) return;
    const text = this.#files.read(name);
    const family = familyOf(address);
    // A name in another form than host-local's is the same address, and taken.
    const known = { family, address: addressToNumber(address), text: name, key: text?.trim() ?? '' };
    if (text === undefined && !this.#files.list().includes(name)) return;
    this.#enter(known);
  }

  #enter(known: Known): void {
    const before = this.#byName.get(known.text);
    if (before !== undefined) this.#forget(before);
    this.#byName.set(known.text, known);
    this.#taken[known.family].add(known.address);
    const held = this.#byKey.get(known.key);
    if (held === undefined) this.#byKey.set(known.key, new Set([known]));
    else held.add(known);
  }

  #forget(known: Known): void {
    this.#byName.delete(known.text);
    this.#taken[known.family].delete(known.address);
    const held = this.#byKey.get(known.key);
    held?.delete(known);
    if (held?.size === 0) this.#byKey.delete(known.key);
  }
}

export function nameOf(family: IpFamily, address: bigint): string {
  const found = addressFromNumber(address, family);
  if (found === undefined) throw new RangeError(`no address of family ${family} has the number ${address}`);
  return formatIpAddress(found);
}

const keyOf = ({ containerId, ifName }: Holder): string => (ifName === undefined ? containerId : `${containerId}${LINE_BREAK}${ifName}`);

function holderOf(key: string): Holder | undefined {
  if (key === '') return undefined;
  const at = key.indexOf(LINE_BREAK);
  return at === -1 ? { containerId: key, ifName: undefined } : { containerId: key.slice(0, at), ifName: key.slice(at + LINE_BREAK.length) };
}
