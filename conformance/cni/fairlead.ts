import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { SuiteUnavailable } from '../suite.ts';
import type { NetworkNode, NodeProcess } from './node.ts';
import type { Daemon, InstalledPlugins, InstallOptions, PluginKind } from './plugin-set.ts';

const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const RULES = join(ROOT, 'rules/network');

/** The rule of the library that does what an official plugin does is called after it. */
export function ruleOf(kind: PluginKind): string {
  return `fairlead-${kind}`;
}

/** Bundles of network rules in the library, and the names of their rules. */
export function networkLibrary(): { readonly folders: readonly string[]; readonly rules: ReadonlySet<string> } {
  if (!existsSync(RULES)) throw new SuiteUnavailable('there are no network rules (rules/network)');
  const folders = readdirSync(RULES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(RULES, entry.name, 'bundle.yaml')))
    .map(({ name }) => join(RULES, name));
  const rules = new Set<string>();
  for (const folder of folders) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
      for (const document of parseAllDocuments(readFileSync(join(folder, file), 'utf8'))) {
        const { kind, metadata } = (document.toJS() ?? {}) as { readonly kind?: string; readonly metadata?: { readonly name?: string } };
        if (kind === 'NetworkRule' && metadata?.name !== undefined) rules.add(metadata.name);
      }
    }
  }
  return { folders, rules };
}

const SOCKET = '/run/fairlead/cni.sock';
const STATE_FOLDER = '/var/lib/fairlead/cni';
const READY_DEADLINE_MS = 60_000;

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
  let running: NodeProcess | undefined;
  const daemon: Daemon = {
    get process() {
      if (running === undefined) throw new Error('the daemon was not started');
      return running;
    },
    stateFolder: options.stateFolder ?? STATE_FOLDER,
    async stop() {
      await running?.stop();
    },
    async start(environment = {}) {
      running = await node.start('fairlead', command, [...first, 'cni', 'serve', ...folders, ...where, '--log', 'text'], {
        environment: { ...(process.env as Record<string, string>), ...environment },
        readyText: 'serving networks on',
        deadlineMs: READY_DEADLINE_MS,
      });
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
