import type { PeerCertificate } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../../host/clock.ts';
import { untyped } from '../control-loop/kind.ts';
import { memoryRegistry, served } from '../control-loop/memory-registry.fixture.ts';
import type { Authorize, RequestAttributes } from '../hooks.ts';
import { authenticationReviews } from './authentication-reviews.ts';
import { firstOf } from './authenticators.ts';
import { bearerTokenOf, staticTokens } from './bearer-token.ts';
import { clientCertificates } from './client-certificate.ts';
import { withImpersonation } from './impersonation.ts';
import { tokenSigner } from './service-account-token.ts';
import { DEFAULT_ISSUER, serviceAccounts } from './service-accounts.ts';

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe('bearerTokenOf', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer  abc ', 'abc'],
    ['Basic abc', undefined],
    ['Bearer', undefined],
    ['Bearer a b', undefined],
    [undefined, undefined],
  ])('of %j is %j', (header, token) => {
    expect(bearerTokenOf(header)).toBe(token);
  });
});

describe('firstOf', () => {
  const tokens = staticTokens(new Map([['secret', { username: 'jane', groups: ['team'] }]]));
  const authenticate = firstOf([clientCertificates, tokens], { anonymous: true });

  it('knows users by tokens', async () => {
    expect(await authenticate(bearer('secret'))).toEqual({ username: 'jane', groups: ['team', 'system:authenticated'] });
  });

  it('knows users by certificates', async () => {
    const clientCertificate = { subject: { CN: 'joe', O: ['a', 'b'] } } as unknown as PeerCertificate;
    expect(await authenticate({ headers: {}, clientCertificate })).toEqual({ username: 'joe', groups: ['a', 'b', 'system:authenticated'] });
  });

  it('takes nobody for anonymous who brings something', async () => {
    expect(await authenticate({ headers: {} })).toEqual({ username: 'system:anonymous', groups: ['system:unauthenticated'] });
    expect(await authenticate(bearer('wrong'))).toBeUndefined();
    expect(await firstOf([tokens], { anonymous: false })({ headers: {} })).toBeUndefined();
  });
});

describe('withImpersonation', () => {
  const asked: RequestAttributes[] = [];
  const authorize: Authorize = async (attributes) => {
    asked.push(attributes);
    return attributes.resource?.name === 'forbidden' ? { allowed: false, reason: '' } : { allowed: true };
  };
  const authenticate = withImpersonation(async () => ({ username: 'boss', groups: ['system:authenticated'] }), authorize);

  it('acts as another user, with the groups of the request', async () => {
    const headers = {
      'impersonate-user': 'jane',
      'impersonate-group': 'a, b',
      'impersonate-uid': '7',
      'impersonate-extra-scopes%2fx': 'y',
    };
    expect(await authenticate({ headers })).toEqual({
      username: 'jane',
      groups: ['a', 'b', 'system:authenticated'],
      uid: '7',
      extra: { 'scopes/x': ['y'] },
    });
    expect(asked.map(({ verb, resource }) => `${verb} ${resource?.resource} ${resource?.subresource} ${resource?.name}`)).toEqual([
      'impersonate users  jane',
      'impersonate groups  a',
      'impersonate groups  b',
      'impersonate uids  7',
      'impersonate userextras scopes/x y',
    ]);
  });

  it('adds the groups of a service account', async () => {
    expect(await authenticate({ headers: { 'impersonate-user': 'system:serviceaccount:a:robot' } })).toEqual({
      username: 'system:serviceaccount:a:robot',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'],
    });
  });

  it('refuses what is not allowed, in the words of the API server', async () => {
    await expect(authenticate({ headers: { 'impersonate-user': 'forbidden' } })).rejects.toThrow(
      'users "forbidden" is forbidden: User "boss" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
    await expect(authenticate({ headers: { 'impersonate-group': 'a' } })).rejects.toThrow(
      'requested impersonation without impersonating a user',
    );
  });

  it('leaves requests alone that impersonate nobody', async () => {
    expect(await authenticate({ headers: {} })).toEqual({ username: 'boss', groups: ['system:authenticated'] });
  });
});

async function accounts() {
  const clock = manualClock(Date.parse('2026-01-01T00:00:00Z'));
  const type = served('v1', 'serviceaccounts', 'ServiceAccount');
  const pods = served('v1', 'pods', 'Pod');
  const registry = memoryRegistry({ resources: [type, pods], now: clock.now });
  await registry.create(type, untyped({ metadata: { name: 'robot', namespace: 'a' } }));
  await registry.create(pods, untyped({ metadata: { name: 'p', namespace: 'a' } }));
  let ids = 0;
  const service = serviceAccounts({ registry, clock, signer: tokenSigner(), uuid: () => `id-${++ids}` });
  const request = async (spec: object = {}) => {
    const object = untyped({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
    const answer = await service.requestToken({
      object,
      namespace: 'a',
      name: 'robot',
      requester: { username: 'x', groups: [] },
      dryRun: false,
      warn: () => {},
    });
    return answer as unknown as { readonly status: { readonly token: string; readonly expirationTimestamp: string } };
  };
  return { clock, registry, type, pods, service, request };
}

describe('serviceAccounts', () => {
  it('issue tokens whose bearers they know', async () => {
    const { service, request } = await accounts();
    const { status } = await request();
    expect(status.expirationTimestamp).toBe('2026-01-01T01:00:00Z');
    expect(await service.authenticate(bearer(status.token))).toEqual({
      username: 'system:serviceaccount:a:robot',
      uid: 'uid-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': ['JTI=id-1'] },
    });
  });

  it('refuse a token after its time', async () => {
    const { clock, service, request } = await accounts();
    const { status } = await request({ expirationSeconds: 600 });
    clock.advance(599_000);
    expect(await service.authenticate(bearer(status.token))).toBeDefined();
    clock.advance(1_000);
    expect(await service.authenticate(bearer(status.token))).toBeUndefined();
  });

  it('refuse a token once its account or its pod is gone, or another of that name', async () => {
    const { registry, type, pods, service, request } = await accounts();
    const bound = await request({ boundObjectRef: { kind: 'Pod', name: 'p' } });
    const plain = await request();
    expect((await service.authenticate(bearer(bound.status.token)))?.extra).toMatchObject({
      'authentication.kubernetes.io/pod-name': ['p'],
    });
    await registry.delete(pods, { namespace: 'a', name: 'p' });
    expect(await service.authenticate(bearer(bound.status.token))).toBeUndefined();
    await registry.delete(type, { namespace: 'a', name: 'robot' });
    await registry.create(type, untyped({ metadata: { name: 'robot', namespace: 'a' } }));
    expect(await service.authenticate(bearer(plain.status.token))).toBeUndefined();
  });

  it('refuse tokens that are for others, forged, or of another key', async () => {
    const { service, request } = await accounts();
    const other = await request({ audiences: ['vault'] });
    expect(await service.authenticate(bearer(other.status.token))).toBeUndefined();
    expect(service.bearerOf(other.status.token, ['vault'])?.audiences).toEqual(['vault']);
    const { token } = (await request()).status;
    const [head, body, signature] = token.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'system:admin' })).toString('base64url');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const wrong of [`${head}.${forged}.${signature}`, `${none}.${body}.`, tokenSigner().sign(claims), 'a.b.c', ''])
      expect(service.bearerOf(wrong, [DEFAULT_ISSUER])).toBeUndefined();
  });

  it.each([
    [{ expirationSeconds: 60 }, 'less than 10 minutes'],
    [{ boundObjectRef: { kind: 'Pod', name: 'nobody' } }, 'pods "nobody" not found'],
    [{ boundObjectRef: { kind: 'ConfigMap', name: 'x' } }, 'cannot bind token'],
    [{ boundObjectRef: { kind: 'Pod', name: 'p', uid: 'other' } }, 'does not match the UID in record'],
  ])('refuse the request %j', async (spec, message) => {
    const { request } = await accounts();
    await expect(request(spec)).rejects.toThrow(message);
  });
});

describe('authenticationReviews', () => {
  const review = async (path: string, spec: object) => {
    const { clock, service, request } = await accounts();
    const token = (await request()).status.token;
    const tokens = staticTokens(new Map([['secret', { username: 'jane', groups: ['team'] }]]));
    const reviews = authenticationReviews({ authenticate: tokens, accounts: service, now: clock.now });
    const given = JSON.parse(JSON.stringify(spec).replace('TOKEN', token));
    const requester = { username: 'me', groups: ['g'] };
    const answer = await reviews.get(path)!({
      object: untyped({ spec: given }),
      namespace: '',
      name: '',
      requester,
      dryRun: false,
      warn: () => {},
    });
    return answer['status'];
  };

  it.each([
    [{ token: 'TOKEN' }, { authenticated: true, user: { username: 'system:serviceaccount:a:robot' }, audiences: [DEFAULT_ISSUER] }],
    [{ token: 'secret' }, { authenticated: true, user: { username: 'jane', groups: ['team'] } }],
    [{ token: 'wrong' }, { user: {}, error: 'invalid bearer token' }],
    [{ token: 'TOKEN', audiences: ['vault'] }, { error: 'invalid bearer token' }],
  ])('of %j say %j', async (spec, status) => {
    expect(await review('authentication.k8s.io/tokenreviews', spec)).toMatchObject(status);
  });

  it('say who one is', async () => {
    expect(await review('authentication.k8s.io/selfsubjectreviews', {})).toEqual({ userInfo: { username: 'me', groups: ['g'] } });
  });
});
