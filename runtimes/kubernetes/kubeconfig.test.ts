import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../host/clock.ts';
import { writeProgram } from '../host/program-file.fixture.ts';
import { findConnection } from './connect.ts';
import type { Connection } from './connection.ts';
import { inClusterConnection, inClusterServer } from './in-cluster.ts';
import { connectionOf, kubeconfigFiles, readKubeconfig } from './kubeconfig.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-kubeconfig-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** One context `dev` of cluster `c` and user `u`. */
const config = (cluster: string, user: string, context = ''): string => `
apiVersion: v1
kind: Config
current-context: dev
clusters: [{name: c, cluster: {${cluster}}}]
users: [{name: u, user: {${user}}}]
contexts: [{name: dev, context: {cluster: c, user: u${context}}}]
`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function read(text: string, context?: string, clock = manualClock()): Promise<Connection> {
  return connectionOf(await readKubeconfig([write('config', text)]), context, clock);
}

describe('a kubeconfig', () => {
  it('says where the server is, whom to believe and who asks', async () => {
    const connection = await read(
      config(
        `server: "https://x:6443", tls-server-name: kube, certificate-authority-data: ${base64('CA')}`,
        `client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}, token: secret`,
        ', namespace: shop',
      ),
    );
    expect(connection).toMatchObject({
      server: 'https://x:6443',
      tls: { ca: 'CA', serverName: 'kube' },
      namespace: 'shop',
      origin: `context dev of ${join(folder, 'config')}`,
    });
    expect(await connection.credentials.current()).toEqual({ authorization: 'Bearer secret', cert: 'CERT', key: 'KEY' });
    expect(connection.credentials.refresh()).toBe(false);
  });

  it('may be JSON, and may name nobody', async () => {
    const text = JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:8001' } }],
      contexts: [{ name: 'dev', context: { cluster: 'c', user: '' } }],
      'current-context': 'dev',
    });
    const connection = await read(text);
    expect(connection.tls).toEqual({});
    expect(await connection.credentials.current()).toEqual({});
  });

  it('names files beside it', async () => {
    write('pki/ca.crt', 'CA');
    write('pki/client.crt', 'CERT');
    write('pki/client.key', 'KEY');
    write('token', 'one\n');
    const clock = manualClock();
    const connection = await read(
      config(
        'server: "https://x", certificate-authority: pki/ca.crt',
        'client-certificate: pki/client.crt, client-key: pki/client.key, tokenFile: token',
      ),
      undefined,
      clock,
    );
    expect(connection.tls.ca).toBe('CA');
    expect(await connection.credentials.current()).toEqual({ authorization: 'Bearer one', cert: 'CERT', key: 'KEY' });
    write('token', 'two');
    expect((await connection.credentials.current()).authorization).toBe('Bearer one');
    clock.advance(60_001);
    expect((await connection.credentials.current()).authorization).toBe('Bearer two');
    write('token', 'three');
    expect(connection.credentials.refresh()).toBe(true);
    expect((await connection.credentials.current()).authorization).toBe('Bearer three');
    rmSync(join(folder, 'token'));
    connection.credentials.refresh();
    await expect(connection.credentials.current()).rejects.toThrow(/the token file .*token cannot be read: ENOENT/);
    write('token', ' ');
    await expect(connection.credentials.current()).rejects.toThrow(/the token file .* is empty/);
  });

  it('may ask by name and password, as somebody else, and believe anybody', async () => {
    const connection = await read(
      config(
        'server: "https://x", insecure-skip-tls-verify: true',
        'username: ann, password: pw, as: bob, as-groups: [g], as-uid: "7", as-user-extra: {a: [b]}',
      ),
    );
    expect(connection).toMatchObject({
      tls: { insecure: true },
      impersonate: { user: 'bob', groups: ['g'], uid: '7', extra: { a: ['b'] } },
    });
    expect(await connection.credentials.current()).toEqual({ authorization: `Basic ${base64('ann:pw')}` });
  });

  it('is merged from files: of what several define, the first counts', async () => {
    write('ca', 'SECOND');
    const first = write('first', 'clusters: [{name: c, cluster: {server: "https://first"}}]\n');
    const second = write('deep/second', `${config('server: "https://second", certificate-authority: ../ca', 'token: t')}`);
    const third = write('third', `${config('server: "https://third"', 'token: other')}contexts: []\n`.replace(/contexts: \[\]\n/, ''));
    const merged = await readKubeconfig([first, second, third]);
    const connection = connectionOf(merged, undefined, manualClock());
    expect(connection).toMatchObject({ server: 'https://first', tls: {} });
    expect(await connection.credentials.current()).toEqual({ authorization: 'Bearer t' });
    expect(connectionOf(await readKubeconfig([second, first]), 'dev', manualClock()).tls).toEqual({ ca: 'SECOND' });
  });

  it.each<readonly [string, string, string | undefined, RegExp]>([
    ['no such context', config('server: "https://x"', 'token: t'), 'prod', /there is no context "prod" in .*config; there are: dev/],
    ['no current context', 'contexts: [{name: a, context: {}}]', undefined, /has no current-context: name one of a/],
    [
      'no such cluster',
      'current-context: a\ncontexts: [{name: a, context: {cluster: x}}]',
      undefined,
      /context a of .* names cluster "x", which is not there: \(none\)/,
    ],
    [
      'no such user',
      `${config('server: "https://x"', 'token: t').replace('name: u,', 'name: v,')}`,
      undefined,
      /names user "u", which is not there: v/,
    ],
    ['no server', config('', 'token: t'), undefined, /the cluster of context dev of .* has no server/],
    ['a proxy', config('server: "https://x", proxy-url: "http://p"', ''), undefined, /has a proxy-url, which is not supported/],
    [
      'two minds about trust',
      config(`server: "https://x", insecure-skip-tls-verify: true, certificate-authority-data: ${base64('x')}`, ''),
      undefined,
      /both insecure-skip-tls-verify and a certificate-authority/,
    ],
    [
      'a file that is missing',
      config('server: "https://x", certificate-authority: nowhere.crt', ''),
      undefined,
      /nowhere\.crt: no such file/,
    ],
    ['no kubeconfig', '- a\n- b\n', undefined, /config: is not a kubeconfig/],
    ['another kind of file', 'kind: Pod\n', undefined, /config: is not a kubeconfig/],
    ['broken YAML', 'a: [', undefined, /config: is not a kubeconfig: /],
  ])('says what is wrong with it: %s', async (_, text, context, message) => {
    await expect(read(text, context)).rejects.toThrow(message);
  });
});

describe('kubeconfigs are looked for', () => {
  const cwd = '/';
  it('where they are named, in KUBECONFIG, and at home', () => {
    const a = write('a', '');
    const b = write('b', '');
    const home = write('.kube/config', '');
    expect(kubeconfigFiles({ file: 'x', environment: { KUBECONFIG: a }, cwd })).toEqual(['/x']);
    const listed = [a, join(folder, 'missing'), b, a].join(delimiter);
    expect(kubeconfigFiles({ environment: { KUBECONFIG: listed, HOME: folder }, cwd })).toEqual([a, b]);
    expect(kubeconfigFiles({ environment: { KUBECONFIG: '', HOME: folder }, cwd })).toEqual([home]);
    expect(kubeconfigFiles({ environment: { HOME: '/nowhere' }, cwd })).toEqual([]);
    expect(kubeconfigFiles({ environment: {}, cwd })).toEqual([]);
  });

  it('and then the pod', async () => {
    const environment = { HOME: folder, KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
    await expect(findConnection({ environment })).rejects.toThrow(/the service account is not mounted .*set automountServiceAccountToken/);
    expect(await findConnection({ environment: { HOME: folder } })).toBeUndefined();
    expect((await findConnection({ environment, server: 'http://127.0.0.1:8001' }))?.server).toBe('http://127.0.0.1:8001');
    write('.kube/config', config('server: "https://x"', 'token: t'));
    expect((await findConnection({ environment, impersonate: { user: 'bob' } }))!).toMatchObject({
      server: 'https://x',
      impersonate: { user: 'bob' },
    });
  });
});

describe('a pod', () => {
  it.each([
    [{}, undefined],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, undefined],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }, 'https://10.0.0.1:443'],
    [{ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }, 'https://[fd00::1]:443'],
  ])('knows its server by %j', (environment, server) => expect(inClusterServer(environment)).toBe(server));

  it('asks as its service account', async () => {
    write('token', 't1\n');
    write('ca.crt', 'CA');
    write('namespace', 'shop');
    const connection = await inClusterConnection('https://10.0.0.1:443', manualClock(), folder);
    expect(connection).toMatchObject({ tls: { ca: 'CA' }, namespace: 'shop' });
    expect(await connection.credentials.current()).toEqual({ authorization: 'Bearer t1' });
  });
});

describe('a program that gets credentials', () => {
  /** Writes what it was told to a file, and answers what the file `answer` holds. */
  function plugin(answer: object): string {
    write('answer', JSON.stringify(answer));
    write('calls', '');
    writeProgram(
      join(folder, 'get-token'),
      `#!/bin/sh\necho "$1 $KUBERNETES_EXEC_INFO" >> ${join(folder, 'calls')}\ncat ${join(folder, 'answer')}\n`,
    );
    return 'exec: {apiVersion: client.authentication.k8s.io/v1, command: ./get-token, args: [now], provideClusterInfo: true}';
  }
  const credential = (status: object) => ({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status });
  const calls = async (): Promise<string[]> => {
    const { readFileSync } = await import('node:fs');
    return readFileSync(join(folder, 'calls'), 'utf8').split('\n').filter(Boolean);
  };

  it('is asked until its credentials end, and once more when the server refuses them', async () => {
    const clock = manualClock(Date.UTC(2026, 0, 1));
    const user = plugin(credential({ token: 'first', expirationTimestamp: '2026-01-01T01:00:00Z' }));
    const { credentials } = await read(config('server: "https://x"', user), undefined, clock);
    expect(await Promise.all([credentials.current(), credentials.current()])).toEqual([
      { authorization: 'Bearer first' },
      { authorization: 'Bearer first' },
    ]);
    clock.advance(59 * 60_000);
    await credentials.current();
    expect(await calls()).toHaveLength(1);
    expect(JSON.parse((await calls())[0]!.slice('now '.length))).toMatchObject({
      kind: 'ExecCredential',
      spec: { cluster: { server: 'https://x' } },
    });
    write('answer', JSON.stringify(credential({ token: 'second' })));
    clock.advance(60_000);
    expect(await credentials.current()).toEqual({ authorization: 'Bearer second' });
    clock.advance(1e9);
    await credentials.current();
    expect(await calls()).toHaveLength(2);
    expect(credentials.refresh()).toBe(true);
    await credentials.current();
    expect(await calls()).toHaveLength(3);
  });

  it('may answer a certificate', async () => {
    const { credentials } = await read(
      config('server: "https://x"', plugin(credential({ clientCertificateData: 'CERT', clientKeyData: 'KEY' }))),
    );
    expect(await credentials.current()).toEqual({ cert: 'CERT', key: 'KEY' });
  });

  it.each<readonly [string, (user: string) => string, RegExp]>([
    ['nothing', (user) => user, /the program ".*get-token" gave no credentials for user u: it answered no credentials/],
    ['that is missing', (user) => user.replace('./get-token', './nowhere'), /gave no credentials for user u: spawn .*ENOENT/],
  ])('says what went wrong: %s', async (_, change, message) => {
    const { credentials } = await read(config('server: "https://x"', change(plugin(credential({})))));
    await expect(credentials.current()).rejects.toThrow(message);
  });

  it('says what a program says that fails', async () => {
    const user = plugin({});
    write('get-token', '#!/bin/sh\necho "log in first" >&2\nexit 1\n');
    const { credentials } = await read(config('server: "https://x"', user));
    await expect(credentials.current()).rejects.toThrow('gave no credentials for user u: log in first');
  });

  it('is not one of those that kubectl gave up', async () => {
    const { credentials } = await read(config('server: "https://x"', 'auth-provider: {name: gcp}'));
    await expect(credentials.current()).rejects.toThrow('auth-provider "gcp" is not supported');
  });
});

describe('an identity provider', () => {
  it('gives a token that lasts', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600 })}.x`;
    const { credentials } = await read(config('server: "https://x"', `auth-provider: {name: oidc, config: {id-token: ${token}}}`));
    expect(await credentials.current()).toEqual({ authorization: `Bearer ${token}` });
  });
});
