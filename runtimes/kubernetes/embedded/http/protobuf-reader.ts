/** Why bytes are no protobuf. */
export class ProtobufError extends Error {}

/** Reads the fields of one protobuf message. Every read is bounded by the message. */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Number and wire type of the next field, undefined at the end. */
  next(): { readonly field: number; readonly wire: number } | undefined {
    if (this.#at >= this.#end) return undefined;
    const key = Number(this.varint());
    return { field: key >>> 3, wire: key & 7 };
  }

  /** As the unsigned number that is written. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.#at >= this.#end) throw new ProtobufError('a number is cut off');
      const byte = this.#bytes[this.#at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ProtobufError('a number is too long');
  }

  double(): number {
    const start = this.#take(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + start, 8).getFloat64(0, true);
  }

  bytes(): Uint8Array {
    const length = Number(this.varint());
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  text(): string {
    return Buffer.from(this.bytes()).toString('utf8');
  }

  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 1) this.#take(8);
    else if (wire === 2) this.bytes();
    else if (wire === 5) this.#take(4);
    else throw new ProtobufError(`wire type ${wire} is not used by Kubernetes`);
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw new ProtobufError('a field is cut off');
    this.#at = start + length;
    return start;
  }
}
