import { type CueScalar, refuse } from './tree.ts';

const MULTIPLIERS: ReadonlyMap<string, bigint> = new Map(
  ['K', 'M', 'G', 'T', 'P'].flatMap((unit, index) => [
    [unit, 1000n ** BigInt(index + 1)],
    [`${unit}i`, 1024n ** BigInt(index + 1)],
  ]),
);

/** A number as CUE writes it: `1_000`, `0xff`, `1.5`, `1e3`, `10Ki`, `1.5M`. `start` is where it stands. */
export function numberValue(text: string, start: number): CueScalar {
  const span = { start, end: start + text.length };
  const plain = text.replaceAll('_', '');
  if (/^0[xob]/.test(plain)) {
    if (!/^0(?:x[0-9A-Fa-f]+|o[0-7]+|b[01]+)$/.test(plain)) refuse(span, 'syntax', `${text} is not a number`);
    return int(BigInt(plain), span);
  }
  const match = /^(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?([KMGTP]i?)?$/.exec(plain);
  if (match === null || /__|_$/.test(text) || (/^0\d/.test(plain) && match[2] === undefined && match[3] === undefined)) {
    return refuse(span, 'syntax', `${text} is not a number`);
  }
  const [, whole = '', fraction, exponent, unit] = match;
  if (unit !== undefined) {
    if (exponent !== undefined) refuse(span, 'syntax', `${text} is not a number`);
    const scale = 10n ** BigInt(fraction?.length ?? 0);
    const scaled = BigInt(`${whole}${fraction ?? ''}`) * MULTIPLIERS.get(unit)!;
    if (scaled % scale !== 0n) refuse(span, 'syntax', `${text} is not a whole number`);
    return int(scaled / scale, span);
  }
  if (fraction === undefined && exponent === undefined) return int(BigInt(whole), span);
  const value = Number(plain);
  if (!Number.isFinite(value)) refuse(span, 'unsupported', `${text} is too large for a 64-bit float`);
  return { kind: 'float', value };
}

const MAX_INT = 2n ** 63n - 1n;

function int(value: bigint, span: { readonly start: number; readonly end: number }): CueScalar {
  if (value > MAX_INT) refuse(span, 'unsupported', 'integers here have at most 64 bits');
  return { kind: 'int', value };
}

const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries({ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '/': '/', '\\': '\\', '"': '"' }),
);

/** The value of a string literal: plain, `#"raw"#`, or `"""` over several lines. `start` is where it stands. */
export function stringValue(text: string, start: number): string {
  const hashes = /^#*/.exec(text)![0].length;
  const multiline = text.startsWith('"""', hashes);
  const quotes = multiline ? 3 : 1;
  const from = hashes + quotes;
  const to = text.length - hashes - quotes;
  if (!multiline) return unescaped(text.slice(from, to), start + from, '#'.repeat(hashes));
  const inner = text.slice(from, to);
  const span = { start, end: start + text.length };
  const body = /^\r?\n([\s\S]*?)(?:^|\n)([ \t]*)$/.exec(inner);
  if (body === null)
    return refuse(span, 'syntax', 'a string over several lines starts on the line after """ and ends on the line before """');
  const indent = body[2]!;
  const lines = body[1]!.replace(/\r$/, '').split(/\r?\n/);
  const stripped = lines.map((line) => {
    if (line.startsWith(indent)) return line.slice(indent.length);
    return line.trim() === '' ? '' : refuse(span, 'syntax', 'every line of a string over several lines is indented as its closing """');
  });
  return unescaped(stripped.join('\n'), start, '#'.repeat(hashes));
}

function unescaped(text: string, start: number, hashes: string): string {
  const mark = `\\${hashes}`;
  let value = '';
  for (let at = 0; at < text.length; ) {
    if (!text.startsWith(mark, at)) {
      value += text[at++];
      continue;
    }
    const after = at + mark.length;
    const span = { start: start + at, end: start + after + 1 };
    const letter = text[after] ?? '';
    if (letter === '(') refuse(span, 'unsupported', 'strings with values put in are not read here', 'write the string out');
    const digits = letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
    if (digits > 0) {
      const hex = text.slice(after + 1, after + 1 + digits);
      const code = new RegExp(`^[0-9A-Fa-f]{${digits}}$`).test(hex) ? Number.parseInt(hex, 16) : Number.NaN;
      if (!(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) refuse(span, 'syntax', 'not the code of a character');
      value += String.fromCodePoint(code);
      at = after + 1 + digits;
      continue;
    }
    const char = ESCAPES.get(letter);
    if (char === undefined) {
      const hint = 'a backslash of a pattern is written \\\\, or the string as #"..."#';
      return refuse(span, 'syntax', `\\${letter} stands for no character`, hint);
    }
    value += char;
    at = after + 1;
  }
  return value;
}
