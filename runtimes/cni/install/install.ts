import { execFile } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { JsonObject } from '../../../engine/object/json.ts';
import { isJsonObject, type Json, ownText, ownValue } from '../../../engine/object/json.ts';
import { readNetworkList } from '../../../engine/rules/network/protocol/network-config.ts';
import { VERSION_ANSWER } from '../../../engine/rules/network/protocol/version.ts';
import { errorMessage } from '../../host/error-message.ts';
import { FileError } from '../../host/text-files.ts';
import type { Pool } from '../addresses/allocator.ts';
import {
  EXECUTABLE_FORMS,
  type ExecutableForm,
  type ExecutableOptions,
  fillExecutable,
  isExecutableOfOurs,
  readExecutable,
} from '../executable/forms.ts';

/*
 * Puts executables and a network configuration where a runtime looks for them. Each file appears as a whole, by a rename, and the
 * configuration last: a runtime that looks in between sees what was there before, or plugins that nobody asks for yet. A plugin that is being
 * executed goes on with the file that it was started from.
 */

export interface InstallOptions {
  /** Where the host's files are: `/`, or where a container has them mounted. All paths are the host's. */
  readonly hostRoot: string;
  readonly binFolder: string;
  /** Names of the executables: the rules. */
  readonly types: readonly string[];
  readonly executable: ExecutableOptions;
  /** Default: the fastest that works on this host. */
  readonly form?: ExecutableForm;
  /** Replace files of those names that are not ours. */
  readonly force?: boolean;
  readonly network?: {
    readonly folder: string;
    /** Name of the file, with `.conflist`. */
    readonly file: string;
    readonly document: JsonObject;
  };
}

export interface Installed {
  readonly form: ExecutableForm;
  /** Forms that were tried before, and why they don't work here. */
  readonly passed: readonly { readonly form: ExecutableForm; readonly why: string }[];
  /** Paths of what was written; what was as it should be already is not among them. */
  readonly written: readonly string[];
}

/** Stands in network configurations that we wrote; runtimes leave unknown fields alone. */
const INSTALLED_BY = 'fairlead.dev/installed-by';
const INSTALLER = 'fairlead cni install';

/** Names of what is being written; no runtime takes files of such names for configurations. */
const TEMPORARY = '.fairlead-install-';
/** Bytes of a file that is looked at to see whose it is. */
const MAX_LOOK = 1024 * 1024;
/** Milliseconds for the first run of an executable. */
const TRY_TIMEOUT = 10_000;

/** Installs, or makes what is installed the same again. Throws {@link FileError} where it can't; nothing is written when something is in the way. */
export async function install(options: InstallOptions): Promise<Installed> {
  const { hostRoot, types, network, force = false } = options;
  const bin = join(hostRoot, options.binFolder);
  const targets = types.map((type) => join(bin, type));
  if (!force) for (const target of targets) refuseForeign(target);
  const conflist = network === undefined ? undefined : join(hostRoot, network.folder, network.file);
  if (conflist !== undefined && !force && !isConfigurationOfOurs(conflist)) {
    throw new FileError(conflist, 'is there, and was not made by fairlead cni install: --force replaces it');
  }
  makeFolder(bin);
  removeLeftovers(bin);
  const { form, bytes, passed } = await choose(options, bin);
  // The executable keeps DELs there also when the daemon never ran.
  makeFolder(join(hostRoot, options.executable.spoolPath), 0o700);
  const written = targets.filter((target) => writeWhole(target, bytes, 0o755));
  if (conflist !== undefined) {
    makeFolder(join(hostRoot, network!.folder));
    removeLeftovers(join(hostRoot, network!.folder));
    const text = `${JSON.stringify({ ...network!.document, [INSTALLED_BY]: INSTALLER }, undefined, 2)}\n`;
    if (writeWhole(conflist, Buffer.from(text), 0o644)) written.push(conflist);
  }
  return { form, passed, written };
}

export interface UninstallOptions {
  readonly hostRoot: string;
  readonly binFolder: string;
  readonly configFolder: string;
}

/** Removes what {@link install} wrote, configurations first, whichever rules they were for. Answers the paths. */
export function uninstall({ hostRoot, binFolder, configFolder }: UninstallOptions): readonly string[] {
  const configurations = filesOf(join(hostRoot, configFolder)).filter((file) => file.endsWith('.conflist') && isConfigurationOfOurs(file));
  const executables = filesOf(join(hostRoot, binFolder)).filter((file) => isOurs(file));
  const removed = [...configurations, ...executables];
  for (const file of removed) rmSync(file, { force: true });
  for (const folder of [binFolder, configFolder]) removeLeftovers(join(hostRoot, folder));
  return removed;
}

/** Networks of which {@link install} wrote the configuration, with the folders that it names for reservations. */
export function installedNetworks({ hostRoot, configFolder }: Pick<UninstallOptions, 'hostRoot' | 'configFolder'>): readonly Pool[] {
  return filesOf(join(hostRoot, configFolder))
    .filter((file) => file.endsWith('.conflist') && isConfigurationOfOurs(file))
    .flatMap((file): readonly Pool[] => {
      const read = readNetworkList(JSON.parse(readFileSync(file, 'utf8')) as Json);
      if (!read.ok) return [];
      const { name: network, plugins } = read.list;
      const folders = plugins.map((plugin) => ownText(plugin, 'dataDir') || ownText(ownValue(plugin, 'ipam'), 'dataDir'));
      return [...new Set(folders)].map((dataDir) => ({ network, ...(dataDir === '' ? {} : { dataDir }) }));
    });
}

/** The fastest form that answers VERSION here, or the one that is asked for. */
async function choose(options: InstallOptions, bin: string): Promise<{ form: ExecutableForm; bytes: Buffer; passed: Installed['passed'] }> {
  const passed: { form: ExecutableForm; why: string }[] = [];
  for (const form of options.form === undefined ? EXECUTABLE_FORMS : [options.form]) {
    const made = make(form, options);
    const why = Buffer.isBuffer(made) ? await tryOut(made, options, bin) : made;
    if (Buffer.isBuffer(made) && why === undefined) return { form, bytes: made, passed };
    passed.push({ form, why: String(why) });
  }
  throw new FileError(bin, `no executable works there: ${passed.map(({ form, why }) => `${form}: ${why}`).join('; ')}`);
}

function make(form: ExecutableForm, options: InstallOptions): Buffer | string {
  const template = readExecutable(form);
  if (template === undefined) {
    return form === 'c' ? `this package has none for ${process.arch}: it was built without a C compiler` : 'this package has none';
  }
  const interpreter = interpreterOn(options.hostRoot, form);
  if (form !== 'c' && interpreter === undefined) return `the host has no ${form}`;
  return fillExecutable(template, options.executable, interpreter);
}

const PLACES = ['/usr/bin', '/usr/local/bin', '/bin', '/opt/node/bin'];

/** Path on the host of what runs a form; undefined where it has none, or where none is needed. */
function interpreterOn(hostRoot: string, form: ExecutableForm): string | undefined {
  if (form === 'c') return undefined;
  if (form === 'node' && hostRoot === '/') return process.execPath;
  return PLACES.map((place) => `${place}/${form}`).find((path) => existsSync(join(hostRoot, path)));
}

/** Runs it as a runtime would; answers why it does not work, or undefined. */
async function tryOut(bytes: Buffer, { hostRoot, binFolder }: InstallOptions, bin: string): Promise<string | undefined> {
  const name = `${TEMPORARY}${process.pid}`;
  try {
    writeFileSync(join(bin, name), bytes, { mode: 0o755 });
    chmodSync(join(bin, name), 0o755);
    const onHost = join(binFolder, name);
    const [program, args] = hostRoot === '/' ? [onHost, []] : ['chroot', [hostRoot, onHost]];
    const env = { CNI_COMMAND: 'VERSION', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
    const { stdout } = await promisify(execFile)(program, args, { env, timeout: TRY_TIMEOUT, maxBuffer: 64 * 1024 });
    return stdout === VERSION_ANSWER ? undefined : `it answered ${JSON.stringify(stdout.slice(0, 200))}`;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? error.message) : String(error);
  } finally {
    rmSync(join(bin, name), { force: true });
  }
}

function refuseForeign(target: string): void {
  const stats = lstatSync(target, { throwIfNoEntry: false });
  if (stats === undefined || isOurs(target)) return;
  throw new FileError(target, 'is there, and is not ours: --force replaces it');
}

function isOurs(file: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size <= MAX_LOOK && isExecutableOfOurs(readFileSync(file));
}

/** True where there is no such file, too. */
function isConfigurationOfOurs(file: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return true;
  if (!stats.isFile() || stats.size > MAX_LOOK) return false;
  try {
    const document = JSON.parse(readFileSync(file, 'utf8')) as Json;
    return isJsonObject(document) && ownValue(document, INSTALLED_BY) === INSTALLER;
  } catch {
    return false;
  }
}

/** Replaces a file at once, on disk before it is seen. False where it was the same already. */
function writeWhole(file: string, bytes: Buffer, mode: number): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() && (stats.mode & 0o777) === mode && stats.size === bytes.length && readFileSync(file).equals(bytes)) return false;
  const temporary = join(file, '..', `${TEMPORARY}${process.pid}`);
  try {
    const opened = openSync(temporary, 'w', mode);
    try {
      writeFileSync(opened, bytes);
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    // The file mode that is asked for, whatever the umask.
    chmodSync(temporary, mode);
    renameSync(temporary, file);
    return true;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new FileError(file, `can't be written: ${errorMessage(error)}`);
  }
}

function makeFolder(folder: string, mode = 0o755): void {
  try {
    mkdirSync(folder, { recursive: true, mode });
  } catch (error) {
    throw new FileError(folder, `can't be made: ${errorMessage(error)}`);
  }
}

/** What an installation that was killed has left. */
function removeLeftovers(folder: string): void {
  for (const file of filesOf(folder)) if (file.startsWith(join(folder, TEMPORARY))) rmSync(file, { force: true });
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
