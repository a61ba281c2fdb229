/** How one API server is reached, and who asks: everything a request needs besides its path. */
export interface Connection {
  /** `https://host:port`, with the path below which the API lies if there is one; `http://` for a proxy on this machine. */
  readonly server: string;
  readonly tls: ServerTrust;
  readonly credentials: Credentials;
  readonly impersonate?: Impersonation;
  /** The namespace that is meant where none is named. */
  readonly namespace?: string;
  /** Where this comes from, for messages: `context kind-dev of ~/.kube/config`. */
  readonly origin: string;
}

/** Which certificate the server must show. */
export interface ServerTrust {
  /** PEM of the authorities that are believed; Node's own when absent. */
  readonly ca?: string;
  /** Name that the certificate must have, where it differs from the URL's host. */
  readonly serverName?: string;
  /** Believes whatever certificate the server shows. */
  readonly insecure?: boolean;
}

/** What one request shows of who asks. */
export interface Credential {
  /** Value of the `Authorization` header. */
  readonly authorization?: string;
  /** PEM of a client certificate. */
  readonly cert?: string;
  /** PEM of its key. */
  readonly key?: string;
}

/** Credentials that may change in time. They are never logged. */
export interface Credentials {
  /** For the next request. Rejects, saying what to do, where there are none to be had. */
  current(): Promise<Credential>;
  /** Called after a 401: forgets what is remembered. True where {@link current} may then answer something else. */
  refresh(): boolean;
}

/** Who a request is made as, where that is not who asks. Kubernetes: `Impersonate-*` headers. */
export interface Impersonation {
  readonly user: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Credentials that stay as they are. */
export function fixedCredentials(credential: Credential): Credentials {
  const current = Promise.resolve(credential);
  return { current: () => current, refresh: () => false };
}

/** Header names and values of an impersonation, a header per value. */
export function impersonationHeaders(as: Impersonation): readonly (readonly [string, string])[] {
  const headers: [string, string][] = [['Impersonate-User', as.user]];
  if (as.uid !== undefined) headers.push(['Impersonate-Uid', as.uid]);
  for (const group of as.groups ?? []) headers.push(['Impersonate-Group', group]);
  for (const [key, values] of Object.entries(as.extra ?? {}))
    for (const value of values) headers.push([`Impersonate-Extra-${encodeURIComponent(key)}`, value]);
  return headers;
}
