const encoder = new TextEncoder();

/** The text's bytes with the padding that MD5 and the SHA family share: a one bit, zeros, and the length in bits. */
function padded(text: string, littleEndian: boolean): DataView {
  const bytes = encoder.encode(text);
  const view = new DataView(new ArrayBuffer((((bytes.length + 8) >> 6) + 1) << 6));
  new Uint8Array(view.buffer).set(bytes);
  view.setUint8(bytes.length, 0x80);
  const high = Math.floor(bytes.length / 2 ** 29);
  const low = (bytes.length << 3) >>> 0;
  view.setUint32(view.byteLength - 8, littleEndian ? low : high, littleEndian);
  view.setUint32(view.byteLength - 4, littleEndian ? high : low, littleEndian);
  return view;
}

const wordHex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');

function hex(words: readonly number[], littleEndian: boolean): string {
  const text = words.map(wordHex);
  return (littleEndian ? text.map((word) => word.replace(/(..)(..)(..)(..)/, '$4$3$2$1')) : text).join('');
}

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));
const rotateRight = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

const MD5_SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const MD5_SINES = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);

/** MD5 of the text's UTF-8, in hexadecimal. RFC 1321. */
export function md5(text: string): string {
  const view = padded(text, true);
  let [a0, b0, c0, d0] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
  for (let block = 0; block < view.byteLength; block += 64) {
    let [a, b, c, d] = [a0, b0, c0, d0];
    for (let i = 0; i < 64; i++) {
      const round = i >> 4;
      const mixed = round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d);
      const index = round === 0 ? i : round === 1 ? (5 * i + 1) % 16 : round === 2 ? (3 * i + 5) % 16 : (7 * i) % 16;
      const sum = (a + mixed + (MD5_SINES[i] as number) + view.getUint32(block + index * 4, true)) | 0;
      a = d;
      d = c;
      c = b;
      b = (b + rotateLeft(sum, MD5_SHIFTS[round * 4 + (i & 3)] as number)) | 0;
    }
    a0 = (a0 + a) | 0;
    b0 = (b0 + b) | 0;
    c0 = (c0 + c) | 0;
    d0 = (d0 + d) | 0;
  }
  return hex([a0, b0, c0, d0], true);
}

/** SHA-1 of the text's UTF-8, in hexadecimal. FIPS 180-4. */
export function sha1(text: string): string {
  const view = padded(text, false);
  const state = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0] as [number, number, number, number, number];
  const words = new Int32Array(80);
  for (let block = 0; block < view.byteLength; block += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(block + i * 4);
    for (let i = 16; i < 80; i++) words[i] = rotateLeft(words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!, 1);
    let [a, b, c, d, e] = state;
    for (let i = 0; i < 80; i++) {
      const round = Math.floor(i / 20);
      const mixed = round === 0 ? (b & c) | (~b & d) : round === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
      const constant = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6][round] as number;
      const sum = (rotateLeft(a, 5) + mixed + e + constant + words[i]!) | 0;
      [e, d, c, b, a] = [d, c, rotateLeft(b, 30), a, sum];
    }
    [a, b, c, d, e].forEach((word, index) => {
      state[index] = ((state[index] as number) + word) | 0;
    });
  }
  return hex(state, false);
}

/** The first 32 bits of the fractional part of the roots of the first primes, which SHA-256 is built on. */
function primeRoots(count: number, root: (prime: number) => number): number[] {
  const roots: number[] = [];
  for (let candidate = 2; roots.length < count; candidate++) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) prime = false;
    if (prime) roots.push(((root(candidate) % 1) * 2 ** 32) | 0);
  }
  return roots;
}

const SHA256_STATE = primeRoots(8, Math.sqrt);
const SHA256_CONSTANTS = primeRoots(64, Math.cbrt);

/** SHA-256 of the text's UTF-8, in hexadecimal. FIPS 180-4. */
export function sha256(text: string): string {
  const view = padded(text, false);
  const state = [...SHA256_STATE];
  const words = new Int32Array(64);
  for (let block = 0; block < view.byteLength; block += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(block + i * 4);
    for (let i = 16; i < 64; i++) {
      const early = words[i - 15]!;
      const late = words[i - 2]!;
      const s0 = rotateRight(early, 7) ^ rotateRight(early, 18) ^ (early >>> 3);
      const s1 = rotateRight(late, 17) ^ rotateRight(late, 19) ^ (late >>> 10);
      words[i] = (words[i - 16]! + s0 + words[i - 7]! + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < 64; i++) {
      const s1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
      const first = (h + s1 + ((e & f) ^ (~e & g)) + SHA256_CONSTANTS[i]! + words[i]!) | 0;
      const s0 = rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22);
      const second = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      // One by one: names are made by digests, and until it is compiled an exchange by one line makes an array each time.
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((word, index) => {
      state[index] = ((state[index] as number) + word) | 0;
    });
  }
  return hex(state, false);
}

/** SHA-256 of the text's UTF-8, as bytes. */
export function sha256Bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(sha256(text).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
