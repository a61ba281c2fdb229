// Builds dist/: the command line as one file with V8's code cache beside it, and the demo when there is one.
//
//   node scripts/build.mjs          build
//   node scripts/build.mjs --watch  build, and again on every change
//
// dist/ is CommonJS (dist/package.json says so): Node 20 starts it some milliseconds sooner than modules, and it is the form that
// node:vm takes a code cache for. Everything that a command does not need is in a function that is not called.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, context } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** @type {import('esbuild').BuildOptions} */
const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  minifySyntax: true,
  minifyWhitespace: true,
  // Names stay: a stack trace from a user should be readable.
  keepNames: false,
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  define: { FAIRLEAD_VERSION: JSON.stringify(version) },
  // Loaded from node_modules where they are: they read files beside themselves or start threads.
  external: ['cue-wasm', 'pino'],
  // js-yaml's ES modules can be shaken: its writer is not needed by the commands that only read.
  mainFields: ['module', 'main'],
  banner: { js: '"use strict";' },
};

const entries = [
  { in: 'runtimes/cli/bin.ts', out: 'fairlead' },
  { in: 'demo/main.ts', out: 'demo' },
].filter(({ in: file }) => existsSync(join(root, file)));

/** What stands at dist/<name>.js: runs <name>.bundle.cjs through the code cache made for this Node, or without it. */
function launcher(name) {
  return `#!/usr/bin/env node
'use strict';
const { readFileSync } = require('node:fs');
const { constants, Script } = require('node:vm');
const file = __dirname + '/${name}.bundle.cjs';
let cachedData;
try {
  cachedData = readFileSync(__dirname + '/${name}.' + process.version + '-' + process.arch + '.cache');
} catch {}
const script = new Script('(function (exports, require, module, __filename, __dirname) {' + readFileSync(file, 'latin1') + '\\n})', {
  filename: file,
  cachedData,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
script.runInThisContext()(exports, require, module, file, __dirname);
if (process.env.FAIRLEAD_WRITE_CODE_CACHE) {
  process.on('exit', () => require('node:fs').writeFileSync(process.env.FAIRLEAD_WRITE_CODE_CACHE, script.createCachedData()));
}
`;
}

/** Runs a command once and keeps the code that V8 compiled for it. Without the cache all works, a little slower. */
function warmUp(name, args) {
  const cache = join(dist, `${name}.${process.version}-${process.arch}.cache`);
  rmSync(cache, { force: true });
  try {
    execFileSync(process.execPath, [join(dist, `${name}.js`), ...args], {
      env: { ...process.env, FAIRLEAD_WRITE_CODE_CACHE: cache },
      stdio: 'ignore',
    });
  } catch {
    // A run that ends with findings writes its cache all the same.
  }
}

function finish() {
  writeFileSync(join(dist, 'package.json'), '{"type":"commonjs"}\n');
  for (const { out } of entries) {
    writeFileSync(join(dist, `${out}.js`), launcher(out));
    chmodSync(join(dist, `${out}.js`), 0o755);
  }
  warmUp('fairlead', ['check', join(root, 'scripts/warm-up.yaml')]);
}

/** @type {import('esbuild').BuildOptions} */
const options = {
  ...shared,
  entryPoints: entries,
  outdir: dist,
  outExtension: { '.js': '.bundle.cjs' },
  plugins: [{ name: 'finish', setup: (building) => building.onEnd((result) => (result.errors.length === 0 ? finish() : undefined)) }],
};

mkdirSync(dist, { recursive: true });
if (process.argv.includes('--watch')) {
  const watching = await context(options);
  await watching.watch();
} else await build(options);
