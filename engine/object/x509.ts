/** When a certificate is valid, in milliseconds since 1970. */
export interface CertificateValidity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Reads the validity of the first certificate in a PEM text (RFC 7468, RFC 5280); undefined where there is none, or it is malformed.
 * Nothing is verified.
 */
export function certificateValidity(pem: string): CertificateValidity | undefined {
  const parts = signedParts(pem);
  const validity = parts?.fields[VALIDITY];
  if (parts === undefined || validity === undefined) return undefined;
  const { bytes } = parts;
  const from = elementAt(bytes, validity.start);
  const to = from && elementAt(bytes, from.end);
  const notBefore = from && timeOf(bytes, from);
  const notAfter = to && timeOf(bytes, to);
  return notBefore === undefined || notAfter === undefined ? undefined : { notBefore, notAfter };
}

/** Whom a certificate is for. */
export interface CertificateNames {
  /** The last of its subject; empty where it has none. */
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  /** Four octets as `10.0.0.1`, sixteen as eight groups without an abbreviation. */
  readonly ipAddresses: readonly string[];
}

/** Reads the names of the first certificate in a PEM text (RFC 5280 4.1.2.6 and 4.2.1.6); undefined as of {@link certificateValidity}. */
export function certificateNames(pem: string): CertificateNames | undefined {
  const parts = signedParts(pem);
  const subject = parts?.fields[SUBJECT];
  if (parts === undefined || subject === undefined) return undefined;
  const { bytes, fields } = parts;
  let commonName = '';
  for (const names of elementsIn(bytes, subject)) {
    for (const attribute of elementsIn(bytes, names)) {
      const [type, value] = elementsIn(bytes, attribute);
      if (type !== undefined && value !== undefined && isIdentifier(bytes, type, COMMON_NAME)) commonName = textOf(bytes, value);
    }
  }
  const dnsNames: string[] = [];
  const ipAddresses: string[] = [];
  for (const name of alternativeNames(bytes, fields)) {
    if (name.tag === 0x82) dnsNames.push(textOf(bytes, name));
    else if (name.tag === 0x87) ipAddresses.push(addressText(bytes.subarray(name.start, name.end)));
  }
  return { commonName, dnsNames, ipAddresses };
}

function alternativeNames(bytes: Uint8Array, fields: readonly Element[]): readonly Element[] {
  const wrapped = fields.find(({ tag }) => tag === 0xa3);
  const list = wrapped && elementAt(bytes, wrapped.start);
  for (const extension of list === undefined ? [] : elementsIn(bytes, list)) {
    const [type, ...rest] = elementsIn(bytes, extension);
    // A flag may stand between: whether the extension is critical.
    const value = rest.at(-1);
    if (type === undefined || value === undefined || !isIdentifier(bytes, type, ALTERNATIVE_NAMES)) continue;
    const names = elementAt(bytes, value.start);
    return names === undefined ? [] : elementsIn(bytes, names);
  }
  return [];
}

/** Fields of what is signed, without its version: serial number, signature, issuer, validity, subject, key, and others with tags. */
const VALIDITY = 3;
const SUBJECT = 4;
/** 2.5.4.3 and 2.5.29.17, as DER has them. */
const COMMON_NAME = [0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES = [0x55, 0x1d, 0x11];

function signedParts(pem: string): { readonly bytes: Uint8Array; readonly fields: readonly Element[] } | undefined {
  const body = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,65536})-----END CERTIFICATE-----/.exec(pem)?.[1];
  if (body === undefined) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(body.replace(/\s/g, '')), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
  const certificate = elementAt(bytes, 0);
  const signed = certificate && elementAt(bytes, certificate.start);
  if (signed === undefined) return undefined;
  const fields = elementsIn(bytes, signed);
  return { bytes, fields: fields[0]?.tag === 0xa0 ? fields.slice(1) : fields };
}

/** The elements that make up the content of one; those before the first that does not fit. */
function elementsIn(bytes: Uint8Array, { start, end }: Element): readonly Element[] {
  const found: Element[] = [];
  for (let at = start; at < end; ) {
    const next = elementAt(bytes, at);
    if (next === undefined || next.end > end) break;
    found.push(next);
    at = next.end;
  }
  return found;
}

function isIdentifier(bytes: Uint8Array, { tag, start, end }: Element, octets: readonly number[]): boolean {
  return tag === 0x06 && end - start === octets.length && octets.every((octet, i) => bytes[start + i] === octet);
}

const textOf = (bytes: Uint8Array, { start, end }: Element): string => new TextDecoder('utf-8').decode(bytes.subarray(start, end));

function addressText(octets: Uint8Array): string {
  if (octets.length !== 16) return [...octets].join('.');
  return Array.from({ length: 8 }, (_, i) => ((octets[2 * i]! << 8) | octets[2 * i + 1]!).toString(16)).join(':');
}

interface Element {
  readonly tag: number;
  /** Offsets of the content. */
  readonly start: number;
  readonly end: number;
}

/** The DER element at an offset (X.690), undefined where it does not fit. */
function elementAt(bytes: Uint8Array, at: number): Element | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  let start = at + 2;
  let length = first;
  if (first & 0x80) {
    const octets = first & 0x7f;
    if (octets === 0 || octets > 4) return undefined;
    length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + (bytes[start + i] ?? 0);
    start += octets;
  }
  return start + length > bytes.length ? undefined : { tag, start, end: start + length };
}

/** UTCTime or GeneralizedTime, both of them in UTC with seconds. */
function timeOf(bytes: Uint8Array, { tag, start, end }: Element): number | undefined {
  const text = String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 20)));
  const match =
    tag === 0x17 ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text) : /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [number, number, number, number, number, number];
  const full = tag === 0x17 ? (year >= 50 ? 1900 + year : 2000 + year) : year;
  return Date.UTC(full, month - 1, day, hour, minute, second);
}
