import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAuthority, issueServerCertificate, type KeyedCertificate } from '../../../runtimes/host/certificates.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { freePorts } from '../../cluster/ports.ts';
import { type RunningProcess, startProcess, waitUntilReady } from '../../cluster/process.ts';
import { servedRules } from './rules.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const DEADLINE_MS = 60_000;

/** `fairlead serve` as a process of its own, over a folder of rules and certificate files. */
export interface ServedRules {
  readonly url: string;
  /** PEM of the authority that signs its certificates. */
  readonly ca: string;
  /** Writes another version of the rules; settles at once, the server takes it when it sees it. */
  swapRules(version: string): void;
  /** Signs and writes another certificate. */
  swapCertificate(): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The end of its log. */
  tail(): string;
}

/** Files, a `kubectl proxy` for facts, and the server, not started yet. Everything lives in the cluster's folder. */
export async function prepareServer(cluster: Cluster): Promise<ServedRules & { close(): Promise<void> }> {
  const folder = join(cluster.folder, 'webhook');
  const rulesFolder = join(folder, 'rules');
  mkdirSync(rulesFolder, { recursive: true });
  const authority = createAuthority(Date.now());
  const files = { rules: join(rulesFolder, 'rules.json'), cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const [port, healthPort, proxyPort] = await freePorts(3);
  const proxyFlags = [`--kubeconfig=${cluster.kubeconfig}`, 'proxy', `--port=${proxyPort}`];
  const proxy = startProcess('kubectl proxy', await cluster.kubectl(), proxyFlags, join(folder, 'proxy.log'), folder);
  await waitUntilReady(proxy, () => isOk(`http://127.0.0.1:${proxyPort}/readyz`), { deadlineMs: DEADLINE_MS });
  let running: RunningProcess | undefined;

  const swapRules = (version: string): void =>
    replaceFile(files.rules, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: servedRules(version) }));
  const swapCertificate = (): void => {
    const pair: KeyedCertificate = issueServerCertificate(authority, ['127.0.0.1'], Date.now());
    replaceFile(files.key, pair.key);
    replaceFile(files.cert, pair.cert);
  };
  swapRules('v0');
  swapCertificate();
  const stop = async (): Promise<void> => {
    await running?.stop();
    running = undefined;
  };
  return {
    url: `https://127.0.0.1:${port}`,
    ca: authority.cert,
    swapRules,
    swapCertificate,
    async start() {
      const served = ['serve', rulesFolder, '--cert', files.cert, '--key', files.key, '--host', '127.0.0.1', '--port', String(port)];
      const more = [
        '--health-port',
        String(healthPort),
        '--kube-api',
        `http://127.0.0.1:${proxyPort}`,
        '--drain-delay',
        '0',
        '--log',
        'text',
      ];
      const args = ['--import', 'tsx', join('runtimes', 'cli', 'bin.ts'), ...served, ...more];
      running = startProcess('fairlead serve', process.execPath, args, join(folder, 'serve.log'), ROOT);
      await waitUntilReady(running, () => isOk(`http://127.0.0.1:${healthPort}/readyz`), { deadlineMs: DEADLINE_MS });
    },
    stop,
    tail: () => running?.tail() ?? '',
    async close() {
      await stop();
      await proxy.stop();
    },
  };
}

/** Watchers must never see half a file. */
function replaceFile(file: string, content: string): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

async function isOk(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
}
