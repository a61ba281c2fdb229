import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Json, JsonObject } from '../../engine/object/json.ts';
import { objectsOf, ownText, ownValue, setOwn } from '../../engine/object/json.ts';
import type { NetworkRule } from '../../engine/rules/network/program.ts';
import { CNI_VERSIONS, type CniVersion } from '../../engine/rules/network/protocol/result.ts';
import { askDaemon } from '../cni/ask-daemon.ts';
import { ExecutableError, type ExecutableForm } from '../cni/executable/forms.ts';
import { type InstallOptions, install, installedNetworks, type UninstallOptions, uninstall } from '../cni/install/install.ts';
import { checkNetworkList, networkList } from '../cni/install/network-list.ts';
import type { Purged } from '../cni/install/purge.ts';
import { readTextFile } from '../host/text-files.ts';
import { type CommandRun, EXIT, type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';
import { loadBundles } from './load-bundle.ts';
import { paintFor, renderDiagnostics } from './report.ts';

/** `fairlead cni install`: executables of the rules, then the network. */
export const runCniInstall: CommandRun = async (args, context) => {
  const bundle = await loadBundles(args.arguments, context);
  if (bundle.diagnostics.length > 0) context.err.write(renderDiagnostics(bundle.diagnostics, paintFor(args, context, context.err)));
  if (bundle.program === undefined) return EXIT.findings;
  const { rules } = bundle.program.network;
  if (rules.length === 0) throw new UsageError('there are no network rules');
  const document = documentOf(args, context, rules);
  if (document !== undefined) {
    const { problems, notes } = checkNetworkList(document, rules);
    for (const note of notes) context.err.write(`note: ${note}\n`);
    for (const problem of problems) context.err.write(`fairlead: ${problem}\n`);
    if (problems.length > 0) return EXIT.findings;
  }
  const options = installOptions(args, context, rules, document);
  if (document !== undefined) for (const note of missingPlugins(document, options)) context.err.write(`note: ${note}\n`);
  const { form, passed, written } = await installed(options);
  for (const { form: other, why } of passed) context.err.write(`note: not in ${other}: ${why}\n`);
  for (const file of written) context.out.write(`${file}\n`);
  if (written.length === 0) context.out.write('everything is in place already\n');
  else if (written.some((file) => options.types.some((type) => file.endsWith(`/${type}`)))) {
    context.out.write(`executables in ${form}, which ask ${options.executable.socketPath}\n`);
  }
  return EXIT.ok;
};

/** Plugins of a chain that are neither ours nor there. They may come later, as by a package. */
function missingPlugins(document: JsonObject, { hostRoot, binFolder, types }: InstallOptions): readonly string[] {
  return objectsOf(ownValue(document, 'plugins')).flatMap((plugin, index) => {
    const type = ownText(plugin, 'type');
    const isThere = types.includes(type) || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(type) || existsSync(join(hostRoot, binFolder, type));
    return isThere ? [] : [`plugins[${index}]: there is no plugin ${type} in ${binFolder}`];
  });
}

/** `fairlead cni uninstall`. */
export const runCniUninstall: CommandRun = async (args, context) => {
  const options = {
    hostRoot: resolve(context.cwd, args.text('host-root')!),
    binFolder: args.text('bin-dir')!,
    configFolder: args.text('conf-dir')!,
  };
  if (args.on('detach') && !args.on('purge')) throw new UsageError('--detach is for --purge');
  const attached = await attachedBy(resolve(context.cwd, args.text('socket')!));
  if (args.on('purge') && attached !== undefined)
    throw new UsageError('the daemon runs, and would make again what is removed', 'end it first: by systemctl, or delete the DaemonSet');
  const purged = args.on('purge') ? await purgedBy(args, context, options) : undefined;
  if (purged !== undefined && purged.attachments.length > 0) {
    const [first] = purged.attachments;
    context.err.write(
      `fairlead: ${countOf(purged.attachments)} there, the first of container ${first!.containerId} to network ${first!.network}; nothing was removed\n` +
        'hint: remove the pods of this node first, or let --detach take their networks away\n',
    );
    return EXIT.findings;
  }
  const removed = [...(purged?.removed ?? []), ...uninstall(options)];
  for (const each of removed) context.out.write(`${each}\n`);
  for (const each of purged?.left ?? []) context.err.write(`left: ${each}\n`);
  if (removed.length === 0) context.out.write('nothing is installed\n');
  else if (attached !== undefined && attached.length > 0) {
    context.err.write(
      `note: ${countOf(attached)} there still, which no runtime can detach now: install again before their pods are removed, or let --purge --detach take their networks away\n`,
    );
  }
  return purged === undefined || purged.left.length === 0 ? EXIT.ok : EXIT.findings;
};

const countOf = ({ length }: readonly unknown[]): string => (length === 1 ? '1 attachment is' : `${length} attachments are`);

/** What the daemon has attached; undefined where none answers. */
async function attachedBy(socketPath: string): Promise<readonly unknown[] | undefined> {
  try {
    return (await askDaemon(socketPath, 'status')).attachments;
  } catch {
    return undefined;
  }
}

/** Removes what the daemon made, before the configurations go that say which networks there were. */
async function purgedBy(args: ParsedArguments, context: CommandContext, options: UninstallOptions): Promise<Purged> {
  // Brings all that a daemon is made of, which to install needs nothing of.
  const { purge } = await import('../cni/install/purge.ts');
  return purge({
    socketPath: resolve(context.cwd, args.text('socket')!),
    stateFolder: resolve(context.cwd, args.text('state')!),
    pools: installedNetworks(options),
    detach: args.on('detach'),
  });
}

async function installed(options: InstallOptions): ReturnType<typeof install> {
  try {
    return await install(options);
  } catch (error) {
    if (error instanceof ExecutableError) throw new UsageError(error.message);
    throw error;
  }
}

function installOptions(
  args: ParsedArguments,
  context: CommandContext,
  rules: readonly NetworkRule[],
  document: JsonObject | undefined,
): InstallOptions {
  const hostRoot = resolve(context.cwd, args.text('host-root')!);
  // On the host itself a path may be relative to where the user stands; from a container it can't.
  const hostPath = (option: string): string => {
    const path = args.text(option)!;
    if (hostRoot === '/') return resolve(context.cwd, path);
    if (!path.startsWith('/')) throw new UsageError(`--${option} must be absolute with --host-root, not ${JSON.stringify(path)}`);
    return path;
  };
  const form = args.text('executable') as ExecutableForm | undefined;
  const file = args.text('conf-name') ?? `10-${String(document?.['name'])}.conflist`;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*\.conflist$/.test(file)) {
    throw new UsageError(`--conf-name must be the name of a file that ends with .conflist, not ${JSON.stringify(file)}`);
  }
  return {
    hostRoot,
    binFolder: hostPath('bin-dir'),
    types: rules.map(({ name }) => name),
    executable: { socketPath: hostPath('socket'), spoolPath: join(hostPath('state'), 'spool') },
    ...(form === undefined ? {} : { form }),
    force: args.on('force'),
    ...(document === undefined ? {} : { network: { folder: hostPath('conf-dir'), file, document } }),
  };
}

/** The network configuration to install: a file's, one that is made of options, or none. */
function documentOf(args: ParsedArguments, context: CommandContext, rules: readonly NetworkRule[]): JsonObject | undefined {
  const [name, path] = [args.text('network'), args.text('conflist')];
  if (path !== undefined) {
    for (const option of ['network', 'rule', 'cni-version']) {
      if (args.text(option) !== undefined) throw new UsageError(`--conflist says everything: leave out --${option}`);
    }
    if (args.all('config').length > 0) throw new UsageError('--conflist says everything: leave out --config');
    return readConflist(path, context);
  }
  if (name === undefined) {
    for (const option of ['rule', 'cni-version', 'conf-name']) {
      if (args.text(option) !== undefined) throw new UsageError(`--${option} is for a network`, 'give it a name with --network');
    }
    if (args.all('config').length > 0) throw new UsageError('--config is for a network', 'give it a name with --network');
    return undefined;
  }
  const version = args.text('cni-version');
  if (version !== undefined && !isVersion(version)) {
    throw new UsageError(`--cni-version must be one of ${CNI_VERSIONS.join(', ')}, not ${JSON.stringify(version)}`);
  }
  return networkList({
    name,
    rule: ruleOf(args, rules),
    config: configOf(args.all('config')),
    ...(version === undefined ? {} : { cniVersion: version }),
  });
}

const isVersion = (version: string): version is CniVersion => CNI_VERSIONS.some((known) => known === version);

function readConflist(path: string, context: CommandContext): JsonObject {
  const { text } = readTextFile(resolve(context.cwd, path), path);
  let document: Json;
  try {
    document = JSON.parse(text) as Json;
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new UsageError(`${path} is no network configuration`);
  const { plugins, ...rest } = document as JsonObject;
  if (plugins !== undefined) return document as JsonObject;
  // The file of one plugin, which runtimes take as a list of one.
  const { name = '', cniVersion } = rest;
  return { ...(cniVersion === undefined ? {} : { cniVersion }), name, plugins: [rest] };
}

function ruleOf(args: ParsedArguments, rules: readonly NetworkRule[]): NetworkRule {
  const names = rules.map(({ name }) => name);
  const wanted = args.text('rule');
  if (wanted === undefined) {
    if (rules.length > 1) throw new UsageError(`there are several rules: ${names.join(', ')}`, 'choose one with --rule');
    return rules[0]!;
  }
  const rule = rules.find(({ name }) => name === wanted);
  if (rule === undefined) throw new UsageError(`there is no network rule ${JSON.stringify(wanted)}: ${names.join(', ')}`);
  return rule;
}

/** Fields that a runtime or a plugin's own entry has, not the rule's configuration. */
const RESERVED = new Set(['type', 'name', 'cniVersion', 'capabilities', 'prevResult', 'runtimeConfig']);

function configOf(pairs: readonly string[]): JsonObject {
  const config: { [key: string]: Json } = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const key = pair.slice(0, Math.max(equals, 0));
    if (key === '') throw new UsageError(`--config must be <key>=<value>, not ${JSON.stringify(pair)}`);
    if (RESERVED.has(key))
      throw new UsageError(`--config can't set ${key}`, 'write the whole network configuration and give it with --conflist');
    if (Object.hasOwn(config, key)) throw new UsageError(`--config ${key} is given twice`);
    setOwn(config, key, jsonOrText(pair.slice(equals + 1)));
  }
  return config;
}

/** JSON where it is, such as `1500`, `true` and `[...]`; else the text, which nobody likes to quote: `10.22.0.0/16`. */
function jsonOrText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
