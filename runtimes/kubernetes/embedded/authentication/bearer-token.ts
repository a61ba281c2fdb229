import { createHash } from 'node:crypto';
import type { Authenticate } from '../hooks.ts';
import type { Requester } from '../registry.ts';

/** The token of an `Authorization: Bearer` header; undefined where there is none. */
export function bearerTokenOf(header: string | undefined): string | undefined {
  const match = /^Bearer +(\S+)$/i.exec(header?.trim() ?? '');
  return match?.[1];
}

const digest = (token: string): string => createHash('sha256').update(token).digest('base64');

/** Knows users by tokens that were fixed beforehand. Only digests are kept, so that looking one up says nothing by its time. */
export function staticTokens(users: ReadonlyMap<string, Requester>): Authenticate {
  const byDigest = new Map([...users].map(([token, user]) => [digest(token), user]));
  return async ({ headers }) => {
    const token = bearerTokenOf(headers.authorization);
    return token === undefined ? undefined : byDigest.get(digest(token));
  };
}
