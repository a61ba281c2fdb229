import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../../../engine/object/json.ts';

/** What a token of a service account says. Times are seconds since the epoch. */
export interface ServiceAccountClaims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly iss: string;
  readonly jti: string;
  readonly sub: string;
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly serviceaccount: ObjectIdentity;
    readonly pod?: ObjectIdentity;
    readonly secret?: ObjectIdentity;
    readonly node?: ObjectIdentity;
  };
}

export interface ObjectIdentity {
  readonly name: string;
  readonly uid: string;
}

/** Longer texts are no tokens of ours. */
const MAX_LENGTH = 16 * 1024;

/** Signs and verifies tokens with one key: ES256, as RFC 7518 describes it. */
export interface TokenSigner {
  sign(claims: ServiceAccountClaims): string;
  /** Undefined where the text is no token that this key has signed. Does not look at times or audiences. */
  verify(token: string): ServiceAccountClaims | undefined;
  /** The public key, as RFC 7517 describes it. */
  readonly jwk: JsonObject;
}

/** @param privateKey a P-256 key; default: a new one, with which the tokens of an earlier run are worthless. */
export function tokenSigner(privateKey: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey): TokenSigner {
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const kid = createHash('sha256').update(spki).digest('base64url');
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const header = encode({ alg: 'ES256', kid });
  return {
    sign(claims) {
      const content = `${header}.${encode(claims)}`;
      const signature = sign('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${content}.${signature.toString('base64url')}`;
    },
    verify(token) {
      if (token.length > MAX_LENGTH) return undefined;
      const parts = token.split('.');
      if (parts.length !== 3) return undefined;
      const [head, body, signature] = parts as [string, string, string];
      const named = decode(head);
      // The algorithm is ours to choose: what a token says about it only tells whether it can be ours.
      if (named?.['alg'] !== 'ES256' || named['kid'] !== kid) return undefined;
      const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
      if (!verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) return undefined;
      return decode(body) as unknown as ServiceAccountClaims | undefined;
    },
    jwk: { kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid, x, y },
  };
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function decode(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
