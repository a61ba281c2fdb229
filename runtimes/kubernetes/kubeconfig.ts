import { existsSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';
import { readText } from '../../engine/text/read.ts';
import type { Clock } from '../host/clock.ts';
import { FileError, readTextFile } from '../host/text-files.ts';
import { ConnectionError } from './api-error.ts';
import {
  type Connection,
  type Credential,
  type Credentials,
  fixedCredentials,
  type Impersonation,
  type ServerTrust,
} from './connection.ts';
import { fileCredentials } from './credential-files.ts';
import { pluginCredentials } from './plugin-credentials.ts';

/** A kubeconfig, merged from its files. Kubernetes: staging/src/k8s.io/client-go/tools/clientcmd/api/v1/types.go. */
export interface Kubeconfig {
  /** The files it was read from, in their order. */
  readonly files: readonly string[];
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
  readonly contexts: ReadonlyMap<string, Entry>;
}

/** An entry and the folder that its relative paths start from. */
interface Entry {
  readonly value: JsonObject;
  readonly folder: string;
}

export interface KubeconfigSearch {
  /** Given by name; must exist. */
  readonly file?: string | undefined;
  /** `KUBECONFIG` and `HOME` are read. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where relative paths on the command line start. */
  readonly cwd: string;
}

/**
 * The files that kubectl would read: the one that is named, else those of `KUBECONFIG` that exist, else `~/.kube/config` if it
 * does. Empty where there is none.
 */
export function kubeconfigFiles({ file, environment, cwd }: KubeconfigSearch): readonly string[] {
  if (file !== undefined) return [resolve(cwd, file)];
  const listed = environment['KUBECONFIG'];
  if (listed) {
    const paths = listed.split(delimiter).filter((path) => path !== '');
    return [...new Set(paths.map((path) => resolve(cwd, path)))].filter((path) => existsSync(path));
  }
  const home = environment['HOME'] || environment['USERPROFILE'];
  const usual = home ? join(home, '.kube', 'config') : undefined;
  return usual !== undefined && existsSync(usual) ? [usual] : [];
}

/** Reads and merges files: of what several define, the first counts. Rejects with a `FileError` for one that can't be read. */
export async function readKubeconfig(files: readonly string[]): Promise<Kubeconfig> {
  let currentContext = '';
  const clusters = new Map<string, Entry>();
  const users = new Map<string, Entry>();
  const contexts = new Map<string, Entry>();
  for (const file of files) {
    const { documents, diagnostics } = await readText(readTextFile(file, file), { format: 'yaml' });
    const [broken] = diagnostics.filter(({ severity }) => severity === 'error');
    if (broken !== undefined) throw new FileError(file, `is not a kubeconfig: ${broken.message}`);
    const value = documents[0]?.value;
    // An empty file is an empty kubeconfig.
    if (value === undefined || value === null) continue;
    if (!isJsonObject(value) || (value['kind'] !== undefined && value['kind'] !== 'Config'))
      throw new FileError(file, 'is not a kubeconfig');
    currentContext ||= textOf(value['current-context']);
    const collect = (into: Map<string, Entry>, list: Json | undefined, key: string): void => {
      if (!Array.isArray(list)) return;
      for (const item of list as readonly Json[]) {
        if (!isJsonObject(item)) continue;
        const name = textOf(item['name']);
        const entry = item[key];
        if (!into.has(name)) into.set(name, { value: isJsonObject(entry) ? entry : {}, folder: dirname(file) });
      }
    };
    collect(clusters, value['clusters'], 'cluster');
    collect(users, value['users'], 'user');
    collect(contexts, value['contexts'], 'context');
  }
  return { files, currentContext, clusters, users, contexts };
}

/**
 * How a context of a kubeconfig reaches its server. Throws a {@link ConnectionError} that says what to change where there is
 * no such context, or something in it is missing or not supported.
 */
export function connectionOf(kubeconfig: Kubeconfig, wanted: string | undefined, clock: Clock): Connection {
  const where = kubeconfig.files.join(', ');
  const name = wanted ?? kubeconfig.currentContext;
  if (name === '') throw new ConnectionError(`${where} has no current-context: name one of ${namesOf(kubeconfig.contexts)}`);
  const context = kubeconfig.contexts.get(name);
  if (context === undefined)
    throw new ConnectionError(`there is no context ${JSON.stringify(name)} in ${where}; there are: ${namesOf(kubeconfig.contexts)}`);
  const origin = `context ${name} of ${where}`;
  const part = (entries: ReadonlyMap<string, Entry>, kind: string): Entry => {
    const entry = textOf(context.value[kind]);
    const found = entries.get(entry);
    if (found === undefined)
      throw new ConnectionError(`${origin} names ${kind} ${JSON.stringify(entry)}, which is not there: ${namesOf(entries)}`);
    return found;
  };
  const cluster = part(kubeconfig.clusters, 'cluster');
  const user = textOf(context.value['user']) === '' ? { value: {}, folder: '' } : part(kubeconfig.users, 'user');
  const server = textOf(cluster.value['server']);
  if (server === '') throw new ConnectionError(`the cluster of ${origin} has no server`);
  if (textOf(cluster.value['proxy-url']) !== '')
    throw new ConnectionError(
      `the cluster of ${origin} has a proxy-url, which is not supported: reach the server without it, or by \`kubectl proxy\``,
    );
  const impersonate = impersonationOf(user.value);
  const namespace = textOf(context.value['namespace']);
  return {
    server,
    tls: trustOf(cluster, origin),
    credentials: credentialsOf(textOf(context.value['user']), user, server, cluster, clock),
    origin,
    ...(impersonate === undefined ? {} : { impersonate }),
    ...(namespace === '' ? {} : { namespace }),
  };
}

function trustOf(cluster: Entry, origin: string): ServerTrust {
  const insecure = cluster.value['insecure-skip-tls-verify'] === true;
  const serverName = textOf(cluster.value['tls-server-name']);
  const ca = pemOf(cluster, 'certificate-authority');
  if (insecure && ca !== undefined)
    throw new ConnectionError(
      `the cluster of ${origin} has both insecure-skip-tls-verify and a certificate-authority: leave one of them out`,
    );
  return {
    ...(insecure ? { insecure } : {}),
    ...(serverName === '' ? {} : { serverName }),
    ...(ca === undefined ? {} : { ca }),
  };
}

function credentialsOf(name: string, user: Entry, server: string, cluster: Entry, clock: Clock): Credentials {
  const { value } = user;
  const exec = value['exec'];
  const authProvider = value['auth-provider'];
  const token = textOf(value['token']);
  const tokenFile = pathOf(user, 'tokenFile');
  if (isJsonObject(exec)) return pluginCredentials({ name, exec: prepareExec(exec, user, server, cluster) }, clock);
  if (isJsonObject(authProvider) && token === '') {
    const { config } = authProvider;
    // It is changed in place when a token is refreshed, so it gets its own.
    return pluginCredentials({ name, authProvider: { ...authProvider, config: isJsonObject(config) ? { ...config } : {} } }, clock);
  }
  const username = textOf(value['username']);
  const authorization =
    token !== ''
      ? `Bearer ${token}`
      : username === ''
        ? ''
        : `Basic ${Buffer.from(`${username}:${textOf(value['password'])}`).toString('base64')}`;
  const certData = dataOf(user, 'client-certificate');
  const keyData = dataOf(user, 'client-key');
  const base: Credential = {
    ...(authorization === '' ? {} : { authorization }),
    ...(certData === undefined ? {} : { cert: certData }),
    ...(keyData === undefined ? {} : { key: keyData }),
  };
  const certFile = certData === undefined ? pathOf(user, 'client-certificate') : undefined;
  const keyFile = keyData === undefined ? pathOf(user, 'client-key') : undefined;
  if (tokenFile === undefined && certFile === undefined && keyFile === undefined) return fixedCredentials(base);
  return fileCredentials({ tokenFile, certFile, keyFile }, clock, base);
}

/** The command as an absolute path where it is one relative to its kubeconfig, and what plugins are told of the cluster. */
function prepareExec(exec: JsonObject, user: Entry, server: string, cluster: Entry): JsonObject {
  const command = textOf(exec['command']);
  const ca = pemOf(cluster, 'certificate-authority');
  const info = {
    apiVersion: textOf(exec['apiVersion']),
    kind: 'ExecCredential',
    spec: {
      interactive: process.stdin.isTTY === true,
      ...(exec['provideClusterInfo'] === true
        ? { cluster: { server, ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }) } }
        : {}),
    },
  };
  const environment = Array.isArray(exec['env']) ? (exec['env'] as readonly Json[]) : [];
  return {
    ...exec,
    command: command.includes('/') && !isAbsolute(command) ? resolve(user.folder, command) : command,
    args: Array.isArray(exec['args']) ? exec['args'] : [],
    env: [...environment, { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }],
  };
}

function impersonationOf(user: JsonObject): Impersonation | undefined {
  const as = textOf(user['as']);
  if (as === '') return undefined;
  const uid = textOf(user['as-uid']);
  const groups = stringsOf(user['as-groups']);
  const extra = isJsonObject(user['as-user-extra']) ? user['as-user-extra'] : {};
  return {
    user: as,
    ...(uid === '' ? {} : { uid }),
    groups,
    extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, stringsOf(values)])),
  };
}

/** Inline data, else what is in the file. */
function pemOf(entry: Entry, field: string): string | undefined {
  const path = pathOf(entry, field);
  return dataOf(entry, field) ?? (path === undefined ? undefined : readTextFile(path, path).text);
}

function dataOf({ value }: Entry, field: string): string | undefined {
  const data = textOf(value[`${field}-data`]);
  return data === '' ? undefined : Buffer.from(data, 'base64').toString('utf8');
}

function pathOf({ value, folder }: Entry, field: string): string | undefined {
  const path = textOf(value[field]);
  return path === '' ? undefined : resolve(folder, path);
}

function namesOf(entries: ReadonlyMap<string, unknown>): string {
  return entries.size === 0 ? '(none)' : [...entries.keys()].slice(0, 50).join(', ');
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function stringsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item: Json): item is string => typeof item === 'string') : [];
}
