import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { SuiteUnavailable } from '../suite.ts';
import { withFileLock } from './file-lock.ts';

/** Programs that are built together from one Go module of `conformance/`. */
export interface GoTool {
  readonly name: string;
  /** With {@link name} the key of the cache folder: another version is built anew beside it. */
  readonly version: string;
  /** Folder with the `go.mod` that pins everything. */
  readonly module: string;
  /** Import path (or `.`) by name of the executable. */
  readonly packages: Readonly<Record<string, string>>;
  readonly ldflags?: string;
  /** Build tags. */
  readonly tags?: readonly string[];
}

export interface BuildOptions {
  /** Told before a build, which may take minutes. */
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

const UNREACHABLE = /dial tcp|no such host|i\/o timeout|connection refused|network is unreachable|module lookup disabled/;

const BUILD_DEADLINE_MS = 40 * 60_000;

/** Where built tools are kept from run to run: `${XDG_CACHE_HOME:-~/.cache}/fairlead-conformance`. */
export function toolCache(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fairlead-conformance');
}

/** Folder of a tool's executables, whether built or not. */
export function toolFolder(tool: GoTool): string {
  return join(toolCache(), `${tool.name}-${tool.version}`);
}

/** True when every named executable is in the cache. */
export function isBuilt(tool: GoTool, binaries: readonly string[] = Object.keys(tool.packages)): boolean {
  return binaries.every((binary) => existsSync(join(toolFolder(tool), binary)));
}

/**
 * Builds what is missing of a tool and answers the folder with its executables. A build goes to another name and is renamed when it
 * is complete, and one process builds at a time, so that two runs at once never see half an executable nor do the work twice.
 *
 * Throws {@link SuiteUnavailable} when something must be built and there is no Go, or `FAIRLEAD_BUILD_TOOLS=no` forbids it; an
 * Error with the compiler's output when the build fails.
 */
export async function ensureGoTool(tool: GoTool, binaries: readonly string[], options: BuildOptions): Promise<string> {
  const folder = toolFolder(tool);
  if (isBuilt(tool, binaries)) return folder;
  if (process.env['FAIRLEAD_BUILD_TOOLS'] === 'no') {
    throw new SuiteUnavailable(`${tool.name} ${tool.version} is not built, and FAIRLEAD_BUILD_TOOLS=no forbids to build it`);
  }
  const go = findOnPath('go');
  if (go === undefined) throw new SuiteUnavailable(`${tool.name} ${tool.version} is not built, and there is no Go on PATH to build it`);
  mkdirSync(folder, { recursive: true });
  await withFileLock(join(folder, '.lock'), { deadlineMs: BUILD_DEADLINE_MS, ...options }, async () => {
    for (const binary of binaries) {
      if (existsSync(join(folder, binary))) continue;
      options.log(`building ${binary} (${tool.name} ${tool.version})`);
      const started = performance.now();
      await build(go, tool, binary, folder, options.signal);
      options.log(`built ${binary} in ${Math.round((performance.now() - started) / 1000)} s`);
    }
  });
  return folder;
}

async function build(go: string, tool: GoTool, binary: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const unfinished = join(folder, `.${binary}.${process.pid}`);
  const tags = tool.tags === undefined ? [] : ['-tags', tool.tags.join(' ')];
  const ldflags = `-s -w ${tool.ldflags ?? ''}`.trim();
  const flags = ['build', '-trimpath', ...tags, '-ldflags', ldflags, '-o', unfinished, tool.packages[binary]!];
  try {
    await run(go, flags, tool.module, signal);
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, join(folder, binary));
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function run(command: string, args: readonly string[], cwd: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: BUILD_DEADLINE_MS,
      ...(signal ? { signal } : {}),
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' },
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-8000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve();
      const message = `${command} ${args.join(' ')} ended with ${code}:\n${output}`;
      // Modules come over the network; without it there is nothing to compare with, and nothing is wrong here.
      reject(UNREACHABLE.test(output) ? new SuiteUnavailable(`modules can't be fetched: ${message}`) : new Error(message));
    });
  });
}

/** Full path of an executable on PATH. */
export function findOnPath(command: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, command);
    if (folder !== '' && existsSync(file) && statSync(file).isFile()) return file;
  }
  return undefined;
}

/** A version for a program whose source is in the project: 12 hexadecimal digits that change with any file of its folder. */
export function contentVersion(folder: string): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }).sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1))) {
    if (!entry.isFile()) continue;
    hash
      .update(pathOf(entry).slice(folder.length))
      .update('\0')
      .update(readFileSync(pathOf(entry)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}

function pathOf(entry: { readonly parentPath: string; readonly name: string }): string {
  return join(entry.parentPath, entry.name);
}
