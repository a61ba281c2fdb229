import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { atExit } from '../at-exit.ts';

const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/**
 * File that Node runs as `fairlead`: what `npm run build` made, or where a source is newer than that, a bundle of the sources for as long
 * as this process runs.
 */
export async function buildFairlead(): Promise<string> {
  const built = join(ROOT, 'dist/fairlead.js');
  if (existsSync(built) && statSync(built).mtimeMs >= newestSource()) return built;
  return bundleProgram('runtimes/cli/bin.ts');
}

/** Bundles a program of this checkout, by its path in it, into a file that is there as long as this process runs. */
export async function bundleProgram(entry: string): Promise<string> {
  // Below the checkout, where it finds its packages and the executables that it installs.
  const folder = join(ROOT, 'node_modules/.cache', `fairlead-${process.pid}`);
  const outfile = join(folder, `${basename(entry, '.ts')}.mjs`);
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
  await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    packages: 'external',
    define: { FAIRLEAD_VERSION: JSON.stringify(version) },
    logLevel: 'error',
  });
  atExit(() => rmSync(folder, { recursive: true, force: true }));
  return outfile;
}

function newestSource(): number {
  const files = ['engine', 'runtimes'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}
