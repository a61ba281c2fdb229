import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** What a server shows and whom it believes, as PEM texts. */
export interface TlsIdentity {
  /** The server's certificate, then its intermediates. */
  readonly cert: string;
  readonly key: string;
  /** When set, clients must show a certificate that one of these issued. */
  readonly clientCa?: string;
}

/** An identity that may change while servers use it. */
export interface TlsSource {
  current(): TlsIdentity;
  /** Calls back with each new identity, always one that {@link checkTlsIdentity} accepted; returns how to stop. */
  subscribe(listener: (identity: TlsIdentity) => void): () => void;
  close(): void;
}

/** Milliseconds since the epoch at which the server's certificate ends. */
export function certificateExpiry(identity: TlsIdentity): number {
  return Date.parse(new X509Certificate(identity.cert).validTo);
}

/**
 * Throws, saying what is wrong, unless the certificate and key are PEM, belong together and OpenSSL accepts them. The
 * messages name the part, never its content.
 */
export function checkTlsIdentity(identity: TlsIdentity): void {
  const certificate = attempt('the certificate', () => new X509Certificate(identity.cert));
  const key = attempt('the private key', () => createPrivateKey(identity.key));
  if (!certificate.checkPrivateKey(key)) throw new Error('the private key does not belong to the certificate');
  if (identity.clientCa !== undefined) attempt('the client CA', () => new X509Certificate(identity.clientCa!));
  attempt('the TLS identity', () => createSecureContext(secureContextOptions(identity)));
}

/** The options of `tls.createSecureContext` and `server.setSecureContext` for an identity: TLS 1.2 at least. */
export function secureContextOptions(identity: TlsIdentity): {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly minVersion: 'TLSv1.2';
} {
  const { cert, key, clientCa } = identity;
  return { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }), minVersion: 'TLSv1.2' };
}

function attempt<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new Error(`${what} is not usable: ${code === undefined ? (error as Error).message : code}`);
  }
}

/** A source that holds one identity and changes only when told. Throws where {@link checkTlsIdentity} does. */
export function tlsSource(initial: TlsIdentity): TlsSource & { replace(identity: TlsIdentity): void } {
  checkTlsIdentity(initial);
  let identity = initial;
  const listeners = new Set<(identity: TlsIdentity) => void>();
  return {
    current: () => identity,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    replace(next) {
      checkTlsIdentity(next);
      identity = next;
      for (const listener of listeners) listener(next);
    },
    close: () => listeners.clear(),
  };
}
