import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from '../at-exit.ts';
import { isAlive } from '../tools/file-lock.ts';
import { ensureGoTool } from '../tools/go-tool.ts';
import { etcd, kubernetes } from '../tools/kubernetes.ts';
import { type ApiClient, createClient } from './client.ts';
import { freePorts } from './ports.ts';
import { type RunningProcess, startProcess, waitUntilReady } from './process.ts';

export interface ClusterOptions {
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Controllers of kube-controller-manager, as its `--controllers` takes them; it is not started when absent. */
  readonly controllers?: readonly string[];
  /** Starts kube-scheduler. */
  readonly scheduler?: boolean;
  /** Writes audit events of level Metadata (annotations included) for {@link Cluster.auditEvents}. */
  readonly audit?: boolean;
  readonly apiServerFlags?: readonly string[];
}

/** An event of the audit log; only what comparisons read. Kubernetes: staging/src/k8s.io/apiserver/pkg/apis/audit/v1/types.go. */
export interface AuditEvent {
  readonly auditID: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly user?: { readonly username?: string };
  /** What was asked for; absent for what is no object, such as `/apis`. */
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly apiGroup?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A real API server over a real etcd, on loopback, in a folder of its own. */
export interface Cluster {
  readonly version: string;
  readonly url: string;
  /** PEM of the API server's certificate. */
  readonly ca: string;
  /** Removed by {@link stop}. */
  readonly folder: string;
  /** In group system:masters. */
  readonly admin: ApiClient;
  /** Bearer token of {@link admin}. */
  readonly adminToken: string;
  /** User `alice` of group `dev`, with no rights but those that RBAC gives her. */
  readonly alice: ApiClient;
  /** For `kubectl --kubeconfig`, as {@link admin}. */
  readonly kubeconfig: string;
  /** Full path of the executable; built when it is missing. */
  kubectl(): Promise<string>;
  /** Events of finished requests so far, with `audit`. */
  auditEvents(): readonly AuditEvent[];
  /** Ends all processes and removes all files. May be called twice. */
  stop(): Promise<void>;
}

const READY_DEADLINE_MS = 60_000;
const FOLDER_PREFIX = 'fairlead-cluster-';

/**
 * Builds what is missing, and starts etcd, kube-apiserver and what else was asked for. Everything is gone again after
 * {@link Cluster.stop}, when the signal is aborted, and when this process exits without either.
 *
 * Throws `SuiteUnavailable` where the tools are not built and can't be.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const build = { log: options.log, ...(options.signal ? { signal: options.signal } : {}) };
  const etcdFolder = await ensureGoTool(etcd, ['etcd'], build);
  const wanted = ['kube-apiserver'];
  if (options.controllers) wanted.push('kube-controller-manager');
  if (options.scheduler) wanted.push('kube-scheduler');
  const bin = await ensureGoTool(kubernetes, wanted, build);

  removeAbandoned(tmpdir());
  const folder = mkdtempSync(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  const processes: RunningProcess[] = [];
  const abandon = (): void => {
    for (const each of processes) each.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const callOff = atExit(abandon);
  const clients: ApiClient[] = [];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      for (const client of clients) client.close();
      // The API server goes before the etcd it would otherwise wait for.
      for (const each of [...processes].reverse()) await each.stop();
      callOff();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    })();
    return stopped;
  };
  options.signal?.addEventListener('abort', () => void stop(), { once: true });
  const start = (name: string, executable: string, args: readonly string[]): RunningProcess => {
    const started = startProcess(name, executable, args, join(folder, `${name}.log`), folder);
    processes.push(started);
    return started;
  };
  const waiting = { deadlineMs: READY_DEADLINE_MS, ...(options.signal ? { signal: options.signal } : {}) };

  try {
    const began = performance.now();
    const [etcdPort, peerPort, apiPort, controllerPort, schedulerPort] = await freePorts(5);
    const etcdUrl = `http://127.0.0.1:${etcdPort}`;
    const etcdProcess = start('etcd', join(etcdFolder, 'etcd'), etcdFlags(etcdUrl, `http://127.0.0.1:${peerPort}`));
    await waitUntilReady(etcdProcess, () => isHealthy(`${etcdUrl}/health`), waiting);

    const tokens = { admin: randomBytes(24).toString('hex'), alice: randomBytes(24).toString('hex') };
    writeApiServerFiles(folder, tokens);
    const url = `https://127.0.0.1:${apiPort}`;
    const flags = [...apiServerFlags(etcdUrl, apiPort!), ...(options.audit ? AUDIT_FLAGS : []), ...(options.apiServerFlags ?? [])];
    const apiServer = start('kube-apiserver', join(bin, 'kube-apiserver'), flags);
    const caFile = join(folder, 'pki', 'apiserver.crt');
    await waitUntilReady(apiServer, async () => existsSync(caFile) && readFileSync(caFile, 'utf8').includes('END CERTIFICATE'), waiting);
    const ca = readFileSync(caFile, 'utf8');
    const connect = (token: string): ApiClient => {
      const client = createClient({ url, ca, token });
      clients.push(client);
      return client;
    };
    const admin = connect(tokens.admin);
    await waitUntilReady(apiServer, async () => (await admin.request({ path: '/readyz' })).status === 200, waiting);

    const kubeconfig = join(folder, 'admin.kubeconfig');
    writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(url, ca, tokens.admin)), { mode: 0o600 });
    if (options.controllers) {
      start('kube-controller-manager', join(bin, 'kube-controller-manager'), [
        `--kubeconfig=${kubeconfig}`,
        '--leader-elect=false',
        '--bind-address=127.0.0.1',
        `--secure-port=${controllerPort}`,
        '--service-account-private-key-file=pki/sa.key',
        '--root-ca-file=pki/apiserver.crt',
        `--controllers=${options.controllers.join(',')}`,
        '--kube-api-qps=1000',
        '--kube-api-burst=1000',
      ]);
    }
    if (options.scheduler) {
      writeFileSync(join(folder, 'scheduler.json'), JSON.stringify(schedulerConfiguration(kubeconfig)));
      start('kube-scheduler', join(bin, 'kube-scheduler'), [
        '--config=scheduler.json',
        '--bind-address=127.0.0.1',
        `--secure-port=${schedulerPort}`,
      ]);
    }
    options.log(`kube-apiserver ${kubernetes.version} is ready after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return {
      version: kubernetes.version,
      url,
      ca,
      folder,
      admin,
      adminToken: tokens.admin,
      alice: connect(tokens.alice),
      kubeconfig,
      kubectl: async () => join(await ensureGoTool(kubernetes, ['kubectl'], build), 'kubectl'),
      auditEvents: () => readAuditLog(join(folder, 'audit.log')),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Removes the folders of runs that were killed: those named `<prefix><process id>-…` after a process that is no more. */
export function removeAbandoned(parent: string, prefix = FOLDER_PREFIX): void {
  for (const name of readdirSync(parent)) {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function etcdFlags(client: string, peer: string): string[] {
  return [
    '--data-dir=etcd',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiServerFlags(etcdUrl: string, port: number): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    '--cert-dir=pki',
    // The default reconciler refuses a loopback address.
    '--endpoint-reconciler-type=none',
    '--service-account-key-file=pki/sa.key',
    '--service-account-signing-key-file=pki/sa.key',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    '--token-auth-file=pki/tokens.csv',
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged=true',
  ];
}

const AUDIT_FLAGS = ['--audit-policy-file=audit-policy.json', '--audit-log-path=audit.log', '--audit-log-mode=blocking'];

function writeApiServerFiles(folder: string, tokens: { readonly admin: string; readonly alice: string }): void {
  mkdirSync(join(folder, 'pki'), { mode: 0o700 });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(join(folder, 'pki', 'sa.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  const users = [`${tokens.admin},admin,admin,"system:masters"`, `${tokens.alice},alice,alice,"dev"`];
  writeFileSync(join(folder, 'pki', 'tokens.csv'), `${users.join('\n')}\n`, { mode: 0o600 });
  const auditPolicy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules: [{ level: 'Metadata' }] };
  writeFileSync(join(folder, 'audit-policy.json'), JSON.stringify(auditPolicy));
}

function kubeconfigOf(url: string, ca: string, token: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'conformance', cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'admin', context: { cluster: 'conformance', user: 'admin' } }],
    'current-context': 'admin',
  };
}

function schedulerConfiguration(kubeconfig: string): unknown {
  return {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    // One at a time, so that decisions can be compared.
    parallelism: 1,
    leaderElection: { leaderElect: false },
    clientConnection: { kubeconfig, qps: 5000, burst: 10000 },
  };
}

async function isHealthy(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
}

function readAuditLog(file: string): AuditEvent[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  // The last line may still be being written.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as AuditEvent);
}
