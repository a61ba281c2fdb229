import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { SuiteUnavailable } from '../suite.ts';
import type { NetworkNode, NodeProcess } from './node.ts';
import { type Daemon, type InstalledPlugins, type InstallOptions, PLUGIN_KINDS, type PluginKind } from './plugin-set.ts';

const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const RULES = join(ROOT, 'rules/network');

/** The rule of the library that does what an official plugin does is called after it. */
export function ruleOf(kind: PluginKind): string {
  return `fairlead-${kind}`;
}

/** Bundles of the library with rules that do what official plugins do, and by the name of each of those rules the folder of its bundle. */
export function networkLibrary(): { readonly folders: readonly string[]; readonly rules: ReadonlyMap<string, string> } {
  if (!existsSync(RULES)) throw new SuiteUnavailable('there are no network rules (rules/network)');
  const wanted = new Set(PLUGIN_KINDS.map(ruleOf));
  const folders: string[] = [];
  const rules = new Map<string, string>();
  for (const { name } of readdirSync(RULES, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const folder = join(RULES, name);
    // Others read objects of a cluster, which a node alone has not.
    const known = rulesIn(folder).filter((rule) => wanted.has(rule));
    for (const rule of known) rules.set(rule, folder);
    if (known.length > 0) folders.push(folder);
  }
  return { folders, rules };
}

function rulesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
    .flatMap((document) => {
      const { kind, metadata } = (document.toJS() ?? {}) as { readonly kind?: string; readonly metadata?: { readonly name?: string } };
      return kind === 'NetworkRule' && metadata?.name !== undefined ? [metadata.name] : [];
    });
}

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
