// Builds dist/: the command line (and the demo, when there is one) as CommonJS chunks with V8's code cache beside them.
//
//   node scripts/build.mjs          build
//   node scripts/build.mjs --watch  build, and again on every change
//
// A short command is mostly start-up, so that is what this is about: only the chunks that a command needs are read, nothing is parsed
// or compiled that was compiled before, and large tables and libraries wait until something asks for them.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, context, transform } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const target = 'node20.19';

/** Packages that a command may never need: they are chunks of their own, loaded when something of theirs is touched. */
const LAZY_PACKAGES = ['re2js'];
/** Loaded from node_modules where they are: they read files beside themselves or start threads. */
const EXTERNAL_PACKAGES = ['cue-wasm', 'pino'];
/** Runs that fill the code cache, the shortest command first: each adds the chunks that those before it did not load. */
const WARM_UP_RUNS = [
  ['check', 'scripts/warm-up/rule.yaml'],
  ['dry-run', '-r', 'scripts/warm-up/rule.yaml', 'scripts/warm-up/pod.yaml'],
  ['explain', '-r', 'scripts/warm-up/rule.yaml', 'scripts/warm-up/pod.yaml'],
];

const entries = { fairlead: 'runtimes/cli/bin.ts', demo: 'demo/main.ts' };
for (const [name, file] of Object.entries(entries)) if (!existsSync(join(root, file))) delete entries[name];

/** JSON stays JSON: V8 parses it faster than JavaScript, and the code cache does not have to carry it. */
const jsonTables = {
  name: 'json-tables',
  setup(building) {
    building.onLoad({ filter: /schemas[\\/].*\.json$/ }, ({ path }) => {
      const name = relative(root, path).replaceAll(/[\\/]/g, '-');
      copyFileSync(path, join(dist, 'chunks', name));
      return { contents: `export default fairleadReadJson(${JSON.stringify(name)});`, loader: 'js' };
    });
  },
};

/** @type {import('esbuild').BuildOptions} */
const options = {
  absWorkingDir: root,
  entryPoints: Object.entries(entries).map(([out, file]) => ({ in: file, out })),
  outdir: join(dist, 'chunks'),
  bundle: true,
  splitting: true,
  platform: 'node',
  target,
  format: 'esm',
  write: false,
  treeShaking: true,
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  chunkNames: '[name]-[hash]',
  mainFields: ['module', 'main'],
  define: { FAIRLEAD_VERSION: JSON.stringify(version), 'import.meta.url': '__filename' },
  external: [...EXTERNAL_PACKAGES, ...LAZY_PACKAGES],
  plugins: [jsonTables, { name: 'finish', setup: (building) => building.onEnd(finish) }],
};

/** The same modules as CommonJS, which is what node:vm takes a code cache for. Dynamic imports become calls of `require`. */
async function toCommonJs(text) {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target,
    supported: { 'dynamic-import': false },
    minifySyntax: true,
    minifyWhitespace: true,
    minifyIdentifiers: process.env.FAIRLEAD_READABLE === undefined,
    charset: 'ascii',
    legalComments: 'none',
  });
  return `(function(exports,require,module,__filename,fairleadReadJson){${code}\n})`;
}

async function bundlePackage(name) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents: `export * from ${JSON.stringify(name)};`, resolveDir: root },
    bundle: true,
    platform: 'node',
    target,
    format: 'esm',
    write: false,
    mainFields: ['module', 'main'],
    charset: 'ascii',
    legalComments: 'none',
  });
  return outputFiles[0].text;
}

async function finish(result) {
  if (result.errors.length > 0) return;
  for (const { path, text } of result.outputFiles) writeFileSync(path, await toCommonJs(text));
  const lazy = {};
  for (const name of LAZY_PACKAGES) {
    writeFileSync(join(dist, 'chunks', `package-${name}.js`), await toCommonJs(await bundlePackage(name)));
    lazy[name] = Object.keys(await import(name));
  }
  writeFileSync(join(dist, 'package.json'), '{"type":"commonjs"}\n');
  for (const name of Object.keys(entries)) {
    writeFileSync(join(dist, `${name}.js`), launcher(name, lazy));
    chmodSync(join(dist, `${name}.js`), 0o755);
  }
  for (const run of WARM_UP_RUNS) warmUp(run);
}

/** What stands at dist/<name>.js: loads chunks through the code cache made for this Node, or without it. */
function launcher(name, lazy) {
  return `#!/usr/bin/env node
'use strict';
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { constants, Script } = require('node:vm');
const folder = __dirname + '/chunks/';
const suffix = '.' + process.version + '-' + process.arch + '.cache';
const lazy = ${JSON.stringify(lazy)};
const modules = new Map();
const scripts = [];

function load(name) {
  let module = modules.get(name);
  if (module !== undefined) return module.exports;
  module = { exports: {} };
  modules.set(name, module);
  const filename = folder + name;
  let cachedData;
  try {
    cachedData = readFileSync(filename + suffix);
  } catch {}
  const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData, importModuleDynamically });
  if (process.env.FAIRLEAD_WRITE_CODE_CACHE) scripts.push([filename + suffix, script]);
  script.runInThisContext()(module.exports, requireAny, module, filename, readJson);
  return module.exports;
}

function requireAny(id) {
  if (id.startsWith('./')) return load(id.slice(2));
  if (!Object.hasOwn(lazy, id)) return require(id);
  const facade = { __esModule: true };
  for (const key of lazy[id]) Object.defineProperty(facade, key, { enumerable: true, get: () => load('package-' + id + '.js')[key] });
  return facade;
}

function readJson(name) {
  return JSON.parse(readFileSync(folder + name, 'utf8'));
}

load('${name}.js');
if (process.env.FAIRLEAD_WRITE_CODE_CACHE) {
  process.on('exit', () => {
    for (const [file, script] of scripts) if (!existsSync(file)) writeFileSync(file, script.createCachedData());
  });
}
`;
}

/** Runs a command once and keeps the code that V8 compiled for it. Without the cache all works, only later. */
function warmUp(args) {
  try {
    execFileSync(process.execPath, [join(dist, 'fairlead.js'), ...args], {
      cwd: root,
      env: { ...process.env, FAIRLEAD_WRITE_CODE_CACHE: '1' },
      stdio: 'ignore',
    });
  } catch {
    // A run that ends with findings has written its cache all the same.
  }
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, 'chunks'), { recursive: true });
if (process.argv.includes('--watch')) {
  const watching = await context(options);
  await watching.watch();
} else await build(options);
