// Builds dist/: the command line (and the demo, when there is one) as CommonJS chunks with V8's code cache beside them.
//
//   node scripts/build.mjs          build
//   node scripts/build.mjs --watch  build, and again on every change
//
// A short command is mostly start-up, so that is what this is about: only the chunks that a command needs are read, nothing is parsed
// or compiled that was compiled before, and large tables and libraries wait until something asks for them.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, context, transform } from 'esbuild';
import { ARCHITECTURES, compileCniExecutable } from './compile-cni-executable.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const target = 'node20.19';

/** Packages that a command may never need: they are chunks of their own, loaded when something of theirs is touched. */
const LAZY_PACKAGES = ['re2js'];
/** The same for modules of ours that are only called when something runs: whoever imports them gets functions that load them first. */
const LAZY_MODULES = [
  'engine/cel/check/cost-estimate.ts',
  'engine/cel/run/codegen/generate.ts',
  'engine/rules/admission/kyverno/language.ts',
  'engine/rules/admission/kyverno/lower.ts',
  'engine/rules/reconcile/compile.ts',
  'engine/text/json.ts',
].filter((file) => existsSync(join(root, file)));
const lazyName = (file) => `lazy-${file.replaceAll('/', '-').replace(/\.ts$/, '')}`;

/** Loaded from node_modules where they are: they read files beside themselves or start threads. */
const EXTERNAL_PACKAGES = ['cue-wasm', 'pino', '@kubernetes/client-node'];
/** Runs that fill the code cache, the shortest command first: each adds the chunks that those before it did not load. */
const WARM_UP_RUNS = [
  ['check', 'scripts/warm-up/rule.yaml', 'rules/admission'],
  ['check', 'rules/reconcile'],
  ['dry-run', '-r', 'scripts/warm-up/rule.yaml', 'scripts/warm-up/pod.yaml'],
  ['explain', '-r', 'scripts/warm-up/rule.yaml', 'scripts/warm-up/pod.yaml'],
  ['cni', 'install', 'rules/network/bridge', '--network', 'pods', '--bin-dir', './bin', '--conf-dir', './net.d', '--state', './state'],
];

const entries = { fairlead: 'runtimes/cli/bin.ts', demo: 'demo/main.ts' };
for (const [name, file] of Object.entries(entries)) if (!existsSync(join(root, file))) delete entries[name];

/** A table as JSON, its many definitions apart as one text with an index: a command that needs ten of them parses ten. */
function writeTable(name, { definitions = {}, ...rest }) {
  const index = {};
  let text = '';
  for (const [key, value] of Object.entries(definitions)) {
    const json = JSON.stringify(value).replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    index[key] = [text.length, text.length + json.length];
    text += json;
  }
  writeFileSync(join(dist, 'chunks', name), JSON.stringify({ rest, index }));
  writeFileSync(join(dist, 'chunks', `${name}.definitions`), text);
}

/** JSON stays JSON: V8 parses it faster than JavaScript, and the code cache does not have to carry it. */
const jsonTables = {
  name: 'json-tables',
  setup(building) {
    building.onLoad({ filter: /schemas[\\/].*\.json$/ }, ({ path }) => {
      const name = relative(root, path).replaceAll(/[\\/]/g, '-');
      writeTable(name, JSON.parse(readFileSync(path, 'utf8')));
      return { contents: `export default fairleadReadJson(${JSON.stringify(name)});`, loader: 'js' };
    });
  },
};

const lazyModules = {
  name: 'lazy-modules',
  setup(building) {
    building.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, importer, kind }) => {
      if (kind !== 'import-statement') return undefined;
      const file = relative(root, resolve(dirname(importer), path)).replaceAll('\\', '/');
      return LAZY_MODULES.includes(file) ? { path: `./${lazyName(file)}.js`, external: true } : undefined;
    });
  },
};

/** @type {import('esbuild').BuildOptions} */
const options = {
  absWorkingDir: root,
  entryPoints: [
    ...Object.entries(entries).map(([out, file]) => ({ in: file, out })),
    ...LAZY_MODULES.map((file) => ({ in: file, out: lazyName(file) })),
  ],
  outdir: join(dist, 'chunks'),
  bundle: true,
  splitting: true,
  platform: 'node',
  target,
  format: 'esm',
  write: false,
  metafile: true,
  treeShaking: true,
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  chunkNames: '[name]-[hash]',
  mainFields: ['module', 'main'],
  define: { FAIRLEAD_VERSION: JSON.stringify(version), 'import.meta.url': '__filename' },
  external: [...EXTERNAL_PACKAGES, ...LAZY_PACKAGES],
  plugins: [jsonTables, lazyModules, { name: 'finish', setup: (building) => building.onEnd(finish) }],
};

/** The same modules as CommonJS, which is what node:vm takes a code cache for. Dynamic imports become calls of `require`. */
async function toCommonJs(text) {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target,
    supported: { 'dynamic-import': false },
    minifySyntax: true,
    minifyWhitespace: process.env.FAIRLEAD_READABLE === undefined,
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

/**
 * `check` once more, as one file: what an editor runs on every save should not pay for being split. What it imports dynamically stays
 * in the chunks; those get plain data and functions from it, so that it does no harm that they have their own copies of some modules.
 */
async function bundleCheck(chunks) {
  const inline = {
    name: 'inline-check',
    setup(building) {
      building.onLoad({ filter: /runtimes[\\/]cli[\\/](main|commands)\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        const contents = text.replace(/await import\('(\.\/(?:check|arguments)\.ts)'\)/g, (_, file) => `inline_${basename(file, '.ts')}`);
        const names = ['check', 'arguments'].filter((name) => contents.includes(`inline_${name}`));
        return {
          contents: `${names.map((name) => `import * as inline_${name} from './${name}.ts';`).join('\n')}\n${contents}`,
          loader: 'ts',
        };
      });
      building.onResolve({ filter: /^\.\.?\// }, ({ path, importer, kind }) => {
        if (kind !== 'dynamic-import') return undefined;
        const file = relative(root, resolve(dirname(importer), path)).replaceAll('\\', '/');
        return { path: `./${chunks.get(file)}`, external: true };
      });
    },
  };
  const { outputFiles } = await build({
    ...options,
    entryPoints: [{ in: entries.fairlead, out: 'check' }],
    splitting: false,
    metafile: false,
    plugins: [jsonTables, lazyModules, inline],
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
  for (const [output, { exports: names }] of Object.entries(result.metafile.outputs)) {
    const file = basename(output);
    if (file.startsWith('lazy-')) lazy[`./${file}`] = names;
  }
  const chunkOf = new Map(Object.entries(result.metafile.outputs).map(([output, { entryPoint }]) => [entryPoint, basename(output)]));
  writeFileSync(join(dist, 'chunks', 'fairlead-check.js'), await toCommonJs(await bundleCheck(chunkOf)));
  writeFileSync(join(dist, 'package.json'), '{"type":"commonjs"}\n');
  for (const name of Object.keys(entries)) {
    writeFileSync(join(dist, `${name}.js`), launcher(name, lazy));
    chmodSync(join(dist, `${name}.js`), 0o755);
  }
  buildCniExecutables();
  for (const run of WARM_UP_RUNS) warmUp(run);
}

/** What `fairlead cni install` installs: the executable in all its forms, the compiled one for what this machine can compile. */
function buildCniExecutables() {
  const folder = join(dist, 'cni');
  mkdirSync(folder, { recursive: true });
  for (const name of ['fairlead-cni.pl', 'fairlead-cni.cjs']) copyFileSync(join(root, 'runtimes/cni/executable', name), join(folder, name));
  for (const architecture of ARCHITECTURES) {
    const compiled = join(folder, `fairlead-cni-${architecture}`);
    if (!compileCniExecutable(compiled, architecture)) continue;
    writeFileSync(`${compiled}.sha256`, `${createHash('sha256').update(readFileSync(compiled)).digest('hex')}\n`);
  }
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
  const isOurs = id.startsWith('./');
  if (!Object.hasOwn(lazy, id)) return isOurs ? load(id.slice(2)) : require(id);
  const facade = { __esModule: true };
  const name = isOurs ? id.slice(2) : 'package-' + id + '.js';
  for (const key of lazy[id]) Object.defineProperty(facade, key, { enumerable: true, get: () => load(name)[key] });
  return facade;
}

function readJson(name) {
  const { rest, index } = JSON.parse(readFileSync(folder + name, 'utf8'));
  const text = readFileSync(folder + name + '.definitions', 'latin1');
  const parsed = new Map();
  const get = (key) => {
    if (!Object.hasOwn(index, key)) return undefined;
    let value = parsed.get(key);
    if (value === undefined) parsed.set(key, (value = JSON.parse(text.slice(index[key][0], index[key][1]))));
    return value;
  };
  const definitions = new Proxy(index, {
    get: (_, key) => get(key),
    getOwnPropertyDescriptor: (_, key) =>
      Object.hasOwn(index, key) ? { value: get(key), enumerable: true, configurable: true, writable: true } : undefined,
  });
  return { ...rest, definitions };
}

load(${name === 'fairlead' ? "process.argv[2] === 'check' ? 'fairlead-check.js' : 'fairlead.js'" : `'${name}.js'`});
if (process.env.FAIRLEAD_WRITE_CODE_CACHE) {
  process.on('exit', () => {
    for (const [file, script] of scripts) if (!existsSync(file)) writeFileSync(file, script.createCachedData());
  });
}
`;
}

/**
 * Runs a command once and keeps the code that V8 compiled for it. Without the cache all works, only later. What begins with `./` is a folder of
 * nobody that is there for this run.
 */
function warmUp(args) {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-build-'));
  const words = args.map((word) => (word.startsWith('./') ? join(folder, word) : word));
  try {
    execFileSync(process.execPath, [join(dist, 'fairlead.js'), ...words], {
      cwd: root,
      env: { ...process.env, FAIRLEAD_WRITE_CODE_CACHE: '1' },
      stdio: 'ignore',
    });
  } catch {
    // A run that ends with findings has written its cache all the same.
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, 'chunks'), { recursive: true });
if (process.argv.includes('--watch')) {
  const watching = await context(options);
  await watching.watch();
} else await build(options);
