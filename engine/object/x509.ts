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
  let at = signed.start;
  // version (explicit, optional), serialNumber, signature, issuer; then validity.
  const first = elementAt(bytes, at);
  if (first?.tag === 0xa0) at = first.end;
  for (let skipped = 0; skipped < 3; skipped++) {
    const element = elementAt(bytes, at);
    if (element === undefined) return undefined;
    at = element.end;
  }
  const validity = elementAt(bytes, at);
  const from = validity && elementAt(bytes, validity.start);
  const to = from && elementAt(bytes, from.end);
  const notBefore = from && timeOf(bytes, from);
  const notAfter = to && timeOf(bytes, to);
  return notBefore === undefined || notAfter === undefined ? undefined : { notBefore, notAfter };
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
