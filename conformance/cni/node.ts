import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atExit } from '../at-exit.ts';
import { removeAbandoned } from '../cluster/cluster.ts';
import { SuiteUnavailable } from '../suite.ts';
import { findOnPath } from '../tools/go-tool.ts';
import { type CommandOptions, expectCommand, type Finished, runCommand } from './command.ts';

/** A program that runs in a node until it ends or is ended. */
export interface NodeProcess {
  /** Of the program itself, as this process sees it. */
  readonly pid: number;
  readonly logFile: string;
  /** Undefined while it runs; null where a signal ended it. */
  readonly exitCode: number | null | undefined;
  /** Settles when it has ended. */
  readonly ended: Promise<void>;
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  /** SIGTERM, and SIGKILL after five seconds. Settles when it is gone. */
  stop(): Promise<void>;
  log(): string;
}

/**
 * A machine of its own as far as networks are concerned: its network, mounts and processes are namespaces of their own, with fresh
 * `/run`, `/var/lib` and `/sys`, and the file system of this machine beside. Whatever is done in it is gone with it, and it goes with
 * this process, however that ends: the kernel kills its first process, and with it all others, their mounts and their namespaces.
 */
export interface NetworkNode {
  readonly name: string;
  /** Of its first process, as this process sees it: `/proc/<pid>/ns/net` is its network. */
  readonly pid: number;
  /** A folder that this process and the node both see under this path; removed by {@link stop}. */
  readonly folder: string;
  run(command: string, args: readonly string[], options?: NodeCommandOptions): Promise<Finished>;
  /** As {@link run}; throws where the program does not end with 0. */
  expect(command: string, args: readonly string[], options?: NodeCommandOptions): Promise<string>;
  start(name: string, command: string, args: readonly string[], options?: StartOptions): Promise<NodeProcess>;
  /** Makes a network namespace of this name, as a container's; answers its path, which only the node sees. */
  addPod(name: string): Promise<string>;
  /** Makes many. */
  addPods(names: readonly string[]): Promise<void>;
  /** Removes it; the links in it go with it, a moment later. */
  removePod(name: string): Promise<void>;
  /** Ends everything in it. May be called twice. */
  stop(): Promise<void>;
}

export interface NodeCommandOptions extends CommandOptions {
  /** Runs in the network of this pod instead of the node's. */
  readonly pod?: string;
}

export interface StartOptions {
  readonly pod?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Waits until this text is in its output. */
  readonly readyText?: string;
  readonly deadlineMs?: number;
}

/** `sh` stays as the first process because it collects the children of whoever died, as an init must. */
const SETUP = `set -e
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/cgroup /run/lock
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs sysfs /sys
mount --rbind /run/cgroup /sys/fs/cgroup
umount -l /run/cgroup
rmdir /run/cgroup
mount -t tmpfs tmpfs /var/lib
# A namespace begins with the values of the machine's own, whatever they are at that moment.
echo 0 > /proc/sys/net/ipv4/ip_forward
ip link set lo up
echo ready
while :; do sleep 3600; done
`;

const FOLDER_PREFIX = 'fairlead-node-';
const PROGRAMS = ['unshare', 'nsenter', 'setpriv', 'ip', 'bridge', 'tc', 'nft', 'iptables', 'mount'];

/** Path of a pod's network namespace, in its node. */
export function podPath(pod: string): string {
  return `/run/netns/${pod}`;
}

/** Throws {@link SuiteUnavailable} where no namespaces can be made or a program is missing. */
export function needNamespaces(programs: readonly string[] = []): void {
  needPrograms(programs);
  // Root of a container may not be allowed to.
  const { status, stderr } = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true'], { encoding: 'utf8', cwd: '/' });
  if (status !== 0) throw new SuiteUnavailable(`network namespaces can't be made here: ${stderr.trim()}`);
}

function needPrograms(programs: readonly string[]): void {
  if (process.platform !== 'linux') throw new SuiteUnavailable('needs Linux');
  if (process.getuid?.() !== 0) throw new SuiteUnavailable('needs root, to make network namespaces');
  const missing = [...PROGRAMS, ...programs].filter((program) => findOnPath(program) === undefined);
  if (missing.length > 0) throw new SuiteUnavailable(`not installed: ${missing.join(', ')}`);
}

/** Starts a node. Throws {@link SuiteUnavailable} where the system does not let us. */
export async function startNode(name: string, options: { readonly signal?: AbortSignal } = {}): Promise<NetworkNode> {
  needPrograms([]);
  options.signal?.throwIfAborted();
  removeAbandoned(tmpdir(), FOLDER_PREFIX);
  const folder = mkdtempSync(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-${name}-`));
  const holder = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', '--'],
      ...['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'],
      ...['sh', '-c', SETUP],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' },
  );
  const abandon = (): void => {
    holder.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const callOff = atExit(abandon);
  const gone = new Promise<void>((resolve) => holder.once('close', () => resolve()));
  const entered = new Set<ChildProcess>();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      holder.kill('SIGKILL');
      for (const each of entered) each.kill('SIGKILL');
      await gone;
      callOff();
      options.signal?.removeEventListener('abort', onAbort);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    })();
    return stopped;
  };
  const onAbort = (): void => void stop();
  options.signal?.addEventListener('abort', onAbort);
  try {
    await readUntil(holder, 'ready');
    const pid = firstChild(holder.pid!);
    if (pid === undefined) throw new Error('the first process of the node is not there');
    return makeNode(name, pid, folder, entered, stop);
  } catch (error) {
    await stop();
    throw new SuiteUnavailable(`network namespaces can't be made here: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** `running`: those who wait for programs that were started, as long as they do. */
function makeNode(name: string, pid: number, folder: string, running: Set<ChildProcess>, stop: () => Promise<void>): NetworkNode {
  // Whoever waits for a program and is killed takes it along.
  const enter = (command: string, args: readonly string[], pod: string | undefined): string[] => [
    ...['-t', String(pid), '--net', '--mount', '--pid', '--'],
    ...['setpriv', '--pdeathsig', 'KILL', '--'],
    ...(pod === undefined ? [] : ['nsenter', `--net=${podPath(pod)}`, '--']),
    command,
    ...args,
  ];
  const run: NetworkNode['run'] = (command, args, { pod, ...options } = {}) =>
    runCommand('nsenter', enter(command, args, pod), { cwd: '/', ...options });
  const expect: NetworkNode['expect'] = (command, args, { pod, ...options } = {}) =>
    expectCommand('nsenter', enter(command, args, pod), { cwd: '/', ...options });
  const addPods: NetworkNode['addPods'] = async (names) => {
    const script =
      'for pod; do ip netns add "$pod" && nsenter --net="/run/netns/$pod" sh -c "ip link set lo up; echo 0 > /proc/sys/net/ipv4/ip_forward" || exit 1; done';
    await expect('sh', ['-c', script, 'sh', ...names]);
  };
  let started = 0;
  return {
    name,
    pid,
    folder,
    run,
    expect,
    async start(label, command, args, options = {}) {
      const logFile = join(folder, `${label}-${++started}.log`);
      const log = openSync(logFile, 'a');
      const entered = spawn('nsenter', enter(command, args, options.pod), {
        stdio: ['ignore', log, log],
        cwd: '/',
        ...(options.environment ? { env: options.environment } : {}),
      });
      closeSync(log);
      running.add(entered);
      entered.once('close', () => running.delete(entered));
      return follow(label, entered, logFile, options);
    },
    async addPod(pod) {
      await addPods([pod]);
      return podPath(pod);
    },
    addPods,
    removePod: async (pod) => void (await expect('ip', ['netns', 'del', pod])),
    stop,
  };
}

async function follow(label: string, entered: ChildProcess, logFile: string, options: StartOptions): Promise<NodeProcess> {
  let exitCode: number | null | undefined;
  const ended = new Promise<void>((resolve) => {
    entered.once('exit', (code) => {
      exitCode = code;
      resolve();
    });
    entered.once('error', () => {
      exitCode ??= null;
      resolve();
    });
  });
  const log = (): string => readFileSync(logFile, 'utf8');
  const deadline = Date.now() + (options.deadlineMs ?? 20_000);
  const isReady = (): boolean => options.readyText === undefined || log().includes(options.readyText);
  let pid: number | undefined;
  for (;;) {
    pid ??= entered.pid === undefined ? undefined : firstChild(entered.pid);
    if (pid !== undefined && isReady()) break;
    if (exitCode !== undefined) throw new Error(`${label} ended with ${exitCode}:\n${log().slice(-4000)}`);
    if (Date.now() > deadline) {
      entered.kill('SIGKILL');
      throw new Error(`${label} was not ready in time:\n${log().slice(-4000)}`);
    }
    await delay(10);
  }
  const started: NodeProcess = {
    pid,
    logFile,
    get exitCode() {
      return exitCode;
    },
    ended,
    signal(name) {
      if (exitCode !== undefined) return;
      process.kill(pid, name);
      // nsenter stops itself when what it waits for is stopped.
      if (name === 'SIGCONT') entered.kill(name);
    },
    async stop() {
      if (exitCode !== undefined) return;
      started.signal('SIGTERM');
      const forced = setTimeout(() => entered.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(forced);
    },
    log,
  };
  return started;
}

/** Process id of a process' first child; undefined where it has none (yet). */
function firstChild(pid: number): number | undefined {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return child === undefined || child === '' ? undefined : Number(child);
  } catch {
    return undefined;
  }
}

function readUntil(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes(text)) resolve();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('error', reject);
    child.once('close', () => reject(new Error(output.trim() || 'unshare ended')));
  });
}
