import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeImage } from '../node/image.ts';
import { SuiteUnavailable } from '../suite.ts';
import { findOnPath } from '../tools/go-tool.ts';

const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));
/** Where docs/networks.md copies the package to. */
const PACKAGE = '/opt/fairlead';
/** What docs/networks.md installs into its image. */
const PACKAGES = ['iproute2', 'nftables', 'iptables', 'conntrack'];
/** Links that are no package's: one tree of files below `/usr`, and which of its programs `iptables` is. */
const LINKS = ['/bin', '/sbin', '/lib', '/lib64', '/etc/alternatives', '/usr/sbin/iptables', '/usr/sbin/ip6tables', '/etc/ld.so.cache'];
const MAX_LIST = 64 * 1024 * 1024;

/**
 * Archive of the image that docs/networks.md describes, made without a registry: of the files that Debian's packages have put on this machine,
 * its Node and this checkout. `program` is that of `buildFairlead`. Answers the path; throws {@link SuiteUnavailable} on other systems.
 */
export function makeProgramImage(name: string, folder: string, program: string): string {
  if (findOnPath('dpkg-query') === undefined) throw new SuiteUnavailable('the image is made of packages of Debian, which are not here');
  const layer = join(folder, 'layer.tar');
  const list = join(folder, 'layer.list');
  const programs = [...LINKS, ...filesOf(withDependencies([...essentialPackages(), ...PACKAGES, 'libstdc++6']))];
  writeFileSync(list, `${[...new Set(programs)].join('\n')}\n`);
  const tar = (...args: readonly string[]): void =>
    void execFileSync('tar', ['--file', layer, '--absolute-names', '--ignore-failed-read', '--warning=none', ...args], { stdio: 'pipe' });
  // What this machine has beside the packages, such as settings of programs, is not in the image.
  tar(
    '--create',
    '--no-recursion',
    '--exclude=/usr/share/doc/*',
    '--exclude=/usr/share/man/*',
    '--exclude=/usr/share/locale/*',
    '-T',
    list,
  );
  tar('--append', '--dereference', '--transform', 's,^.*,/usr/local/bin/node,', process.execPath);
  const own = new Set(['package.json', 'dist', 'rules', ...dependencies()].map((path) => join(ROOT, path)));
  if (!program.startsWith(join(ROOT, 'dist/'))) own.add(program);
  tar('--append', '--dereference', '--hard-dereference', '--transform', `s,^${ROOT},${PACKAGE},`, ...own);
  const mount = join(folder, 'mounted');
  for (const each of ['rules', 'host', 'proc', 'sys', 'dev', 'tmp', 'run']) mkdirSync(join(mount, each), { recursive: true });
  tar('--append', '--transform', `s,^${mount},,`, mount);
  const archive = join(folder, 'program-image.tar');
  const entrypoint = ['/usr/local/bin/node', join(PACKAGE, relative(ROOT, program))];
  writeFileSync(archive, makeImage({ name, layer: readFileSync(layer), entrypoint }));
  for (const each of [layer, list, mount]) rmSync(each, { recursive: true });
  return archive;
}

function query(...args: readonly string[]): readonly string[] {
  return execFileSync('dpkg-query', args, { encoding: 'utf8', maxBuffer: MAX_LIST }).split('\n');
}

function essentialPackages(): readonly string[] {
  return query('--show', '--showformat', '${Essential} ${Package}\n').flatMap((line) => (line.startsWith('yes ') ? [line.slice(4)] : []));
}

/** With all that they depend on; of alternatives those that are installed. */
function withDependencies(packages: readonly string[]): readonly string[] {
  const needed = new Map<string, readonly string[]>();
  const provided = new Map<string, string>();
  for (const line of query('--show', '--showformat', '${Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n')) {
    const [name, depends = '', provides = ''] = line.split('\t');
    if (name === undefined || name === '') continue;
    needed.set(name, namesIn(depends));
    for (const other of namesIn(provides)) provided.set(other, name);
  }
  const found = new Set<string>();
  const waiting = [...packages];
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    const name = needed.has(each) ? each : provided.get(each);
    if (name === undefined || found.has(name)) continue;
    found.add(name);
    waiting.push(...(needed.get(name) ?? []));
  }
  return [...found];
}

/** `libc6 (>= 2.36), a | b:any`: libc6, a, b. */
function namesIn(relation: string): readonly string[] {
  return relation.split(/[,|]/).flatMap((each) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(each)?.[1] ?? []);
}

function filesOf(packages: readonly string[]): readonly string[] {
  return query('--listfiles', ...packages).filter((line) => line.startsWith('/') && line !== '/.');
}

/** Folders of the packages that run with this one, relative to the checkout. */
function dependencies(): readonly string[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>;
  };
  const installed = Object.entries(lock.packages).filter(([, { dev, devOptional }]) => !dev && !devOptional);
  // A folder brings those that are nested in it.
  return installed.map(([path]) => path).filter((path) => path.lastIndexOf('node_modules/') === 0 && existsSync(join(ROOT, path)));
}
