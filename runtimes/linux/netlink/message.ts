/*
 * Messages of rtnetlink: a header, the fixed part of what it is about, and attributes, which may hold attributes. Everything begins at a
 * multiple of 4. Linux: netlink(7), rtnetlink(7), linux/rtnetlink.h. Only little-endian machines are spoken to.
 */

/** Types of messages. linux/rtnetlink.h: `RTM_`. */
export const RTM = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  newAddress: 20,
  delAddress: 21,
  getAddress: 22,
  newRoute: 24,
  delRoute: 25,
  getRoute: 26,
} as const;

/** Flags of a request, and of one whose answer is all that is waited for. linux/netlink.h: `NLM_F_`. */
export const FLAGS = { request: 0x5, question: 0x1, dump: 0x305, replace: 0x100, exclusive: 0x200, create: 0x400 } as const;

/** Header of a message. */
const HEADER = 16;
/** Of an attribute. */
const ATTRIBUTE = 4;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** Flags of answers. */
const DUMP_INTERRUPTED = 0x10;
const HAS_ATTRIBUTES = 0x200;
/** Message of an extended acknowledgement. */
const ACK_MESSAGE = 1;

/** A place in a message that only the one who sends it can fill: with the index that a register holds, or a descriptor of a namespace. */
export interface Patch {
  readonly at: number;
  readonly what: 'register' | 'place';
  readonly of: number;
}

/** A message to send. */
export interface Request {
  readonly bytes: Buffer;
  readonly patches: readonly Patch[];
  /** Register that keeps the index of the link that is answered; then that is not acknowledged. */
  readonly keep?: number;
}

/** Writes one message. */
export class MessageWriter {
  #bytes = Buffer.alloc(256);
  #length = HEADER;
  readonly #patches: Patch[] = [];

  constructor(type: number, flags: number) {
    this.#bytes.writeUInt16LE(type, 4);
    this.#bytes.writeUInt16LE(flags, 6);
  }

  u8(...values: readonly number[]): this {
    this.#reserve(values.length);
    for (const value of values) this.#bytes[this.#length++] = value;
    return this;
  }

  u16(value: number): this {
    this.#reserve(2);
    this.#length = this.#bytes.writeUInt16LE(value, this.#length);
    return this;
  }

  u32(value: number | Omit<Patch, 'at'>): this {
    this.#reserve(4);
    if (typeof value !== 'number') this.#patches.push({ ...value, at: this.#length });
    this.#length = this.#bytes.writeUInt32LE(typeof value === 'number' ? value : 0, this.#length);
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** An attribute whose value `write` writes. */
  attribute(type: number, write: () => void): this {
    this.#reserve(ATTRIBUTE);
    const begin = this.#length;
    this.#length += ATTRIBUTE;
    write();
    this.#bytes.writeUInt16LE(this.#length - begin, begin);
    this.#bytes.writeUInt16LE(type, begin + 2);
    this.#reserve(3);
    // What was reserved is zero.
    this.#length = aligned(this.#length);
    return this;
  }

  text(type: number, text: string): this {
    return this.attribute(type, () => this.raw(Buffer.from(text, 'latin1')));
  }

  /** Text that ends with a zero. */
  name(type: number, text: string): this {
    return this.text(type, `${text}\0`);
  }

  number(type: number, value: number | Omit<Patch, 'at'>): this {
    return this.attribute(type, () => this.u32(value));
  }

  request(keep?: number): Request {
    this.#bytes.writeUInt32LE(this.#length, 0);
    const bytes = this.#bytes.subarray(0, this.#length);
    return { bytes, patches: this.#patches, ...(keep !== undefined && { keep }) };
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = Buffer.alloc(2 * (this.#length + bytes));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** What a register holds. */
export const register = (of: number): Omit<Patch, 'at'> => ({ what: 'register', of });
/** Descriptor of the namespace of a place. */
export const namespaceOf = (of: number): Omit<Patch, 'at'> => ({ what: 'place', of });

const aligned = (length: number): number => (length + 3) & ~3;

/** What was answered to one message. */
export interface Answer {
  /** 0 where it was done. */
  readonly errno: number;
  /** What the kernel says of a failure; empty where it says no more than the errno. */
  readonly text: string;
  /** Somebody changed what was shown while it was, so that some of it may be missing. */
  readonly isInterrupted: boolean;
  /** Messages without their headers, by type. */
  readonly messages: readonly { readonly type: number; readonly body: Buffer }[];
}

export function readAnswer(bytes: Buffer): Answer {
  const messages: { readonly type: number; readonly body: Buffer }[] = [];
  let [errno, text, isInterrupted] = [0, '', false];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER || at + length > bytes.length) break;
    const type = bytes.readUInt16LE(at + 4);
    const flags = bytes.readUInt16LE(at + 6);
    const body = bytes.subarray(at + HEADER, at + length);
    if ((flags & DUMP_INTERRUPTED) !== 0) isInterrupted = true;
    if (type === NLMSG_ERROR) {
      errno = Math.abs(body.readInt32LE(0));
      // The header of what was asked comes before the attributes, and no more of it.
      if ((flags & HAS_ATTRIBUTES) !== 0) text = textOf(readAttributes(body.subarray(4 + HEADER)).get(ACK_MESSAGE));
    } else if (type === NLMSG_DONE) errno = body.length < 4 ? 0 : Math.abs(body.readInt32LE(0));
    else if (type >= 16) messages.push({ type, body });
    at += aligned(length);
  }
  return { errno, text, isInterrupted, messages };
}

/** Attributes by type; of several of one type the last. */
export function readAttributes(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + ATTRIBUTE <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < ATTRIBUTE || at + length > bytes.length) break;
    // The two highest bits say how the value is to be understood.
    attributes.set(bytes.readUInt16LE(at + 2) & 0x3fff, bytes.subarray(at + ATTRIBUTE, at + length));
    at += aligned(length);
  }
  return attributes;
}

/** Text of an attribute, without the zero that may end it. */
export function textOf(value: Buffer | undefined): string {
  if (value === undefined) return '';
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end === -1 ? value.length : end);
}
