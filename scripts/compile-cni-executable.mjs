// Compiles the executable of CNI plugins, where there is a C compiler and an architecture it knows:
//
//   node scripts/compile-cni-executable.mjs <file> [x64|arm64]
//
// It takes no library, so any compiler will do, and the result runs on any Linux of the architecture, which is this machine's unless another
// is named: that takes a compiler for it, with the headers of a C library.
import { execFileSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const source = join(dirname(fileURLToPath(import.meta.url)), '../runtimes/cni/executable/fairlead-cni.c');
const FLAGS = [
  ...['-Os', '-s', '-static', '-nostdlib', '-ffreestanding'],
  // What would call functions of a library, or carry tables that nobody reads.
  ...[
    '-fno-builtin',
    '-fno-tree-loop-distribute-patterns',
    '-fno-stack-protector',
    '-fno-asynchronous-unwind-tables',
    '-fno-pie',
    '-no-pie',
  ],
  ...['-Wl,--build-id=none', '-Wall', '-Wextra'],
];

/** Architectures that it knows, by Node's names, with the compilers that other architectures have for them. */
const CROSS_COMPILERS = { x64: ['x86_64-linux-gnu-gcc'], arm64: ['aarch64-linux-gnu-gcc'] };
export const ARCHITECTURES = Object.keys(CROSS_COMPILERS);

/** Writes the program; false where it can't be compiled here, which is no failure: perl or Node do the same. */
export function compileCniExecutable(file, architecture = process.arch) {
  if (process.platform !== 'linux') return false;
  const compilers = architecture === process.arch ? [process.env.CC, 'cc', 'gcc', 'clang'] : (CROSS_COMPILERS[architecture] ?? []);
  for (const compiler of compilers) {
    if (!compiler) continue;
    try {
      execFileSync(compiler, [...FLAGS, source, '-o', file], { stdio: 'ignore', timeout: 60_000 });
      return true;
    } catch {
      // The next one, or none.
    }
  }
  return false;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  process.exitCode = compileCniExecutable(resolve(process.argv[2] ?? 'fairlead-cni'), process.argv[3]) ? 0 : 1;
}
