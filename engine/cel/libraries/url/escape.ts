import { goQuote } from '../../go-quote.ts';

/** The part of a URL that a string stands in; each has its own unreserved characters. Go: net/url encoding. */
export type UrlPart = 'path' | 'host' | 'zone' | 'userinfo' | 'query' | 'fragment';

const UNRESERVED = /[A-Za-z0-9\-_.~]/;
const ALLOWED: Readonly<Record<UrlPart, string>> = {
  path: '$&+,/:;=@',
  host: '!$&\'()*+,;=:[]<>"',
  zone: '!$&\'()*+,;=:[]<>"',
  userinfo: '$&+,;=',
  query: '',
  fragment: '$&+,/:;=?@!()*',
};

const decoder = new TextDecoder('utf-8');
const encoder = new TextEncoder();

/** An ASCII character that neither host nor zone may have as it is. */
const NO_HOST_CHARACTER = /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"\u0080-\uffff]/;

const mustEscape = (char: string, part: UrlPart): boolean => !UNRESERVED.test(char) && !ALLOWED[part].includes(char);

/** Percent-encodes what may not stand in that part. */
export function escapeUrlPart(text: string, part: UrlPart): string {
  return escapeUrlBytes(encoder.encode(text), part);
}

/** The same over bytes: an escape in a URL may stand for bytes that are no text. */
export function escapeUrlBytes(bytes: Uint8Array, part: UrlPart): string {
  let out = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    out += byte < 0x80 && !mustEscape(char, part) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

export type Unescaped = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly error: string };

/** Decodes percent-escapes, checking what the part allows; the error is Go's text. */
export function unescapeUrlPart(text: string, part: UrlPart): Unescaped {
  if (!text.includes('%') && !(part === 'query' && text.includes('+'))) {
    const refused = part === 'host' || part === 'zone' ? NO_HOST_CHARACTER.exec(text) : null;
    if (refused) return { ok: false, error: `invalid character ${goQuote(refused[0])} in host name` };
    return { ok: true, bytes: encoder.encode(text) };
  }
  const bytes: number[] = [];
  for (let i = 0; i < text.length; ) {
    const char = text[i] as string;
    if (char === '%') {
      const triplet = text.slice(i, i + 3);
      const value = /^%[0-9a-fA-F]{2}$/.test(triplet) ? Number.parseInt(triplet.slice(1), 16) : undefined;
      const refused =
        value === undefined ||
        (part === 'host' && value < 0x80 && triplet !== '%25') ||
        (part === 'zone' && triplet !== '%25' && value !== 0x20 && (value >= 0x80 || mustEscape(String.fromCharCode(value), 'host')));
      if (refused) return { ok: false, error: `invalid URL escape ${goQuote(triplet)}` };
      bytes.push(value);
      i += 3;
      continue;
    }
    const code = text.codePointAt(i) as number;
    if ((part === 'host' || part === 'zone') && code < 0x80 && mustEscape(char, part)) {
      return { ok: false, error: `invalid character ${goQuote(char)} in host name` };
    }
    if (char === '+' && part === 'query') bytes.push(0x20);
    else if (code < 0x80) bytes.push(code);
    else bytes.push(...encoder.encode(String.fromCodePoint(code)));
    i += code > 0xffff ? 2 : 1;
  }
  return { ok: true, bytes: Uint8Array.from(bytes) };
}

/** The text of unescaped bytes; what is no UTF-8 becomes U+FFFD. */
export const urlText = (bytes: Uint8Array): string => decoder.decode(bytes);
