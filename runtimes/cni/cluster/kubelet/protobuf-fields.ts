/** One field of a message: a number, or bytes that are a text or another message. */
export interface Field {
  readonly number: number;
  /** Undefined for numbers, which are passed over. */
  readonly bytes: Buffer | undefined;
}

/** The fields of a message in their order. Throws where the bytes are none. Protocol Buffers: "Encoding". */
export function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const skip = (count: number): void => {
    if (at + count > message.length) throw new Error('a message ends within a field');
    at += count;
  };
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at];
      if (byte === undefined || shift > 63) throw new Error('a message ends within a number');
      at++;
      // Lengths and field numbers are small; what is larger is only passed over.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    switch (key % 8) {
      case 0:
        varint();
        fields.push({ number, bytes: undefined });
        break;
      case 1:
        skip(8);
        break;
      case 2: {
        const length = varint();
        const from = at;
        skip(length);
        fields.push({ number, bytes: message.subarray(from, at) });
        break;
      }
      case 5:
        skip(4);
        break;
      default:
        throw new Error(`a message has a field of type ${key % 8}`);
    }
  }
  return fields;
}

/** Bytes of all fields of a number: messages of a list. */
export const messagesOf = (fields: readonly Field[], number: number): readonly Buffer[] =>
  fields.flatMap((field) => (field.number === number && field.bytes !== undefined ? [field.bytes] : []));

export const textsOfField = (fields: readonly Field[], number: number): readonly string[] =>
  messagesOf(fields, number).map((bytes) => bytes.toString('utf8'));

/** The last one counts. */
export const textOfField = (fields: readonly Field[], number: number): string => textsOfField(fields, number).at(-1) ?? '';
