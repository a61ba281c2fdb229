import { join } from 'node:path';
import { networkLibrary, ruleOf } from './network-library.ts';
import type { NetworkNode, NodeProcess } from './node.ts';
import { official } from './official-plugins.ts';
import type { Daemon, InstalledPlugins, InstallOptions, PluginSet } from './plugin-set.ts';
import { buildFairlead } from './program.ts';

const SOCKET = '/run/fairlead/cni.sock';
const STATE_FOLDER = '/var/lib/fairlead/cni';
const READY_DEADLINE_MS = 60_000;
/** What docs/networks.md starts the daemon with. */
const ADVISED = { NODE_OPTIONS: '--v8-pool-size=1' };

/** Installs our executables in a node and starts the daemon behind them; `program` is that of {@link buildFairlead}. */
export async function installFairlead(node: NetworkNode, program: string, options: InstallOptions): Promise<InstalledPlugins> {
  const { folders, rules } = options.rules === undefined ? networkLibrary() : { folders: options.rules, rules: undefined };
  const command = process.execPath;
  const first = [program];
  const bin = join(node.folder, 'bin');
  const where = ['--socket', SOCKET, '--state', options.stateFolder ?? STATE_FOLDER];
  const form = options.executable === undefined ? [] : ['--executable', options.executable];
  await node.expect(command, [...first, 'cni', 'install', ...folders, '--bin-dir', bin, ...where, ...form], {
    deadlineMs: READY_DEADLINE_MS,
  });
  const rehearsal = options.rehearses === true ? [] : ['--no-rehearsal'];
  let running: NodeProcess | undefined;
  const daemon: Daemon = {
    get process() {
      if (running === undefined) throw new Error('the daemon was not started');
      return running;
    },
    socketPath: SOCKET,
    stateFolder: options.stateFolder ?? STATE_FOLDER,
    async stop() {
      await running?.stop();
    },
    async start(environment = {}) {
      running = await node.start(
        'fairlead',
        command,
        [...first, 'cni', 'serve', ...folders, ...where, '--log', 'text', ...rehearsal, ...(options.serve ?? [])],
        {
          environment: { ...(process.env as Record<string, string>), ...ADVISED, ...environment },
          // It listens before it has recovered, and says in STATUS that it is not ready.
          readyText: options.rehearses === true ? 'rehearsed attachments=' : 'recovered undone=',
          deadlineMs: READY_DEADLINE_MS,
        },
      );
    },
  };
  await daemon.start();
  return {
    path: [bin],
    type: ruleOf,
    has: (kind) => rules?.has(ruleOf(kind)) ?? true,
    daemon,
  };
}

/** Ours, built once for all nodes on which they are installed. */
export function fairleadPlugins(): PluginSet {
  let program: Promise<string> | undefined;
  return {
    name: 'fairlead',
    async install(node, options) {
      const others = await official.install(node, options);
      program ??= buildFairlead();
      const own = await installFairlead(node, await program, options);
      return { ...own, path: [...own.path, ...others.path] };
    },
  };
}
