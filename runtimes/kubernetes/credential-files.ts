import { readFile } from 'node:fs/promises';
import type { Clock } from '../host/clock.ts';
import { ConnectionError } from './api-error.ts';
import type { Credential, Credentials } from './connection.ts';

/** Kubelets and certificate agents replace files well before what is in them ends: they are read again after this many milliseconds. */
const FILE_AGE = 60_000;

export interface CredentialFiles {
  readonly tokenFile?: string | undefined;
  /** PEM. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** Credentials in files, which are read again every minute and after a 401. `base` is what does not come from files. */
export function fileCredentials(files: CredentialFiles, clock: Clock, base: Credential = {}): Credentials {
  let known: { readonly credential: Promise<Credential>; readonly readAt: number } | undefined;

  async function read(): Promise<Credential> {
    const [token, cert, key] = await Promise.all([
      readPart('token file', files.tokenFile),
      readPart('client certificate', files.certFile),
      readPart('client key', files.keyFile),
    ]);
    if (token?.trim() === '') throw new ConnectionError(`the token file ${files.tokenFile} is empty`);
    return {
      ...base,
      ...(token === undefined ? {} : { authorization: `Bearer ${token.trim()}` }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
  }

  return {
    current() {
      const now = clock.elapsed();
      if (known === undefined || now - known.readAt > FILE_AGE) {
        const reading = { credential: read(), readAt: now };
        known = reading;
        reading.credential.catch(() => {
          if (known === reading) known = undefined;
        });
      }
      return known.credential;
    },
    refresh() {
      known = undefined;
      return true;
    },
  };
}

async function readPart(what: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConnectionError(`the ${what} ${path} cannot be read: ${error.code ?? error.message}`, error.code);
  });
}
