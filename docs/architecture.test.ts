import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/**
 * The floors of docs/architecture.md, lowest first. A file may import from its own room and from rooms on lower floors;
 * rooms that share a floor don't know each other, unless a floor says that they do.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['engine/text'],
  ['engine/cel'],
  ['engine/object'],
  ['engine/step'],
  ['engine/rules'],
  ['engine/bundle'],
  ['runtimes/host'],
  ['runtimes/kubernetes', 'runtimes/linux'],
  [
    'runtimes/admission',
    'runtimes/controller',
    'runtimes/scheduler',
    'runtimes/metrics',
    'runtimes/device',
    'runtimes/cni',
    'runtimes/csi',
  ],
  ['runtimes/cli'],
  ['docs', 'scripts'],
  ['playground', 'conformance', 'demo'],
];
/** Data, not rooms. The engine takes in tables as JSON modules, which are as pure as a constant; only the bundle knows which. */
const DATA = ['schemas', 'rules'];

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.[mc]?tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function importsOf(text: string): string[] {
  const pattern =
    /(?:^|[;\n])\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|import\s*\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s+['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

const roomOf = (file: string): string | undefined => FLOORS.flat().find((room) => file === room || file.startsWith(`${room}/`));
const floorOf = (room: string): number => FLOORS.findIndex((rooms) => rooms.includes(room));

/** Why `file` may not import `target`, or undefined when it may. */
function objection(file: string, target: string): string | undefined {
  const isTest = /\.(test|fixture)\.ts$/.test(file);
  if (!target.startsWith('.')) {
    if (file.startsWith('engine/') && !isTest && target.startsWith('node:')) return 'engine/ is pure: it imports nothing of Node';
    return undefined;
  }
  const imported = relative(root, resolve(root, dirname(file), target));
  if (DATA.some((folder) => imported.startsWith(`${folder}/`))) {
    if (!file.startsWith('engine/') || isTest) return undefined;
    return file.startsWith('engine/bundle/') && imported.endsWith('.json')
      ? undefined
      : 'below the bundle, the engine gets its data as arguments';
  }
  const from = roomOf(file);
  const to = roomOf(imported);
  if (from === undefined || to === undefined || from === to) return undefined;
  // A test of a room may go in by the engine's front door.
  if (isTest && from.startsWith('engine/') && to === 'engine/bundle') return undefined;
  return floorOf(to) < floorOf(from) ? undefined : `${from} stands on a floor below ${to}, or beside it`;
}

describe('the floors of the house', () => {
  const files = ['engine', 'runtimes', 'conformance', 'demo', 'docs'].flatMap(sources);

  it('finds the sources', () => {
    expect(files.length).toBeGreaterThan(10);
  });

  it('lets imports only go down, and nothing of Node into the engine', () => {
    const wrong = files.flatMap((file) =>
      importsOf(readFileSync(join(root, file), 'utf8')).flatMap((target) => {
        const why = objection(file, target);
        return why === undefined ? [] : [`${file} imports ${target}: ${why}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it.each(['engine/object', 'runtimes/kubernetes/embedded', 'runtimes/controller', 'runtimes/cni'])(
    'has the folders of %s on its page',
    (room) => {
      const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
      const folders = readdirSync(join(root, room), { withFileTypes: true }).filter((entry) => entry.isDirectory());
      expect(folders.map(({ name }) => `${name}/`).filter((name) => !page.includes(name))).toEqual([]);
    },
  );

  it.each([
    ['engine/cel/ast.ts', '../object/template.ts'],
    ['engine/text/yaml.ts', 'node:fs'],
    ['runtimes/admission/server.ts', '../cni/daemon.ts'],
    ['runtimes/host/log.ts', '../admission/server.ts'],
    ['engine/object/schema.ts', '../../schemas/kubernetes/v1.37.json'],
    ['engine/bundle/compile.ts', '../../schemas/generate.ts'],
  ])('objects to %s importing %s', (file, target) => {
    expect(objection(file, target)).toBeTypeOf('string');
  });
});
