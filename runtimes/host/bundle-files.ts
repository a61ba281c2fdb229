import { basename, dirname, join, parse, resolve } from 'node:path';
import type { CueBackend } from '../../engine/text/cue.ts';
import type { Diagnostic, Source } from '../../engine/text/diagnostic.ts';
import type { Document } from '../../engine/text/document.ts';
import { readText, type TextFormat } from '../../engine/text/read.ts';
import { decodeText, displayName, FileError, fileDiagnostic, isBundleDocument, listFiles, readTextFile, statPath } from './text-files.ts';

/** The documents of one bundle as they stand on disk. */
export interface BundleFiles {
  /**
   * The bundle's name where its documents give none: that of its folder or file, without the path that leads there and without
   * extension. What it makes in a cluster bears this name, and is still its own after it was moved.
   */
  readonly name: string;
  /** Absolute; undefined for standard input. */
  readonly path: string | undefined;
  /** Absolute paths of the files that were read, for watching. */
  readonly files: readonly string[];
  readonly documents: readonly Document[];
  /** Syntax errors and files that can't be read. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface ReadBundleOptions {
  /** Names in diagnostics are relative to this. Default: the working directory. */
  readonly cwd?: string;
  readonly stdin?: () => Promise<Buffer>;
  readonly cue?: () => Promise<CueBackend | undefined>;
  /** Definitions that CUE sources may use without importing them. */
  readonly cueDefinitions?: () => string;
}

/** Folders of a bundle that hold something other than rules. */
const NOT_RULES = new Set(['tests', 'testdata', 'node_modules']);

/**
 * Reads one bundle: a folder with its `tests/` left out, a single file, or `-` for standard input. Throws {@link FileError} when
 * the path itself can't be read; what is wrong with single files and with their text is in the diagnostics.
 */
export async function readBundle(path: string, options: ReadBundleOptions = {}): Promise<BundleFiles> {
  const { cwd = process.cwd() } = options;
  if (path === '-') {
    const source = decodeText((await options.stdin?.()) ?? Buffer.alloc(0), '<stdin>');
    return { name: '<stdin>', path: undefined, files: [], ...(await readDocuments([source], options)) };
  }
  const absolute = resolve(cwd, path);
  const isFolder = statPath(absolute, path).isDirectory();
  const files = isFolder ? listFiles(absolute, { enter: isRuleFolder }) : [absolute];
  const name = isFolder ? basename(absolute) : parse(absolute).name;
  return { name, path: absolute, files, ...(await readFiles(files, cwd, options)) };
}

function isRuleFolder(name: string, path: string): boolean {
  if (name.startsWith('.') || NOT_RULES.has(name)) return false;
  return !holdsBundle(path);
}

function holdsBundle(folder: string): boolean {
  return listFiles(folder, { enter: () => false, accept: isBundleDocument }).length > 0;
}

/**
 * The bundles that a path stands for: a folder with `bundle.yaml` is one; a folder without is searched for such folders, and the files
 * outside of them are one bundle together; a file or `-` is one.
 */
export function findBundles(path: string, cwd: string = process.cwd()): string[] {
  if (path === '-') return ['-'];
  const absolute = resolve(cwd, path);
  if (!statPath(absolute, path).isDirectory() || holdsBundle(absolute)) return [path];
  const roots = listFiles(absolute, { enter: (name) => !name.startsWith('.') && !NOT_RULES.has(name), accept: isBundleDocument }).map(
    dirname,
  );
  const outer = roots.filter((root) => !roots.some((other) => other !== root && root.startsWith(join(other, '/'))));
  const hasLooseFiles = listFiles(absolute, { enter: isRuleFolder }).length > 0;
  if (outer.length === 0 && !hasLooseFiles) throw new FileError(path, 'holds no YAML, JSON or CUE files');
  return [...(hasLooseFiles ? [path] : []), ...new Set(outer.map((root) => displayName(root, cwd)))];
}

interface ReadDocuments {
  readonly documents: readonly Document[];
  readonly diagnostics: readonly Diagnostic[];
}

async function readFiles(files: readonly string[], cwd: string, options: ReadBundleOptions): Promise<ReadDocuments> {
  const sources: Source[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const file of files) {
    try {
      sources.push(readTextFile(file, displayName(file, cwd)));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      diagnostics.push(fileDiagnostic(error));
    }
  }
  const read = await readDocuments(sources, options);
  return { documents: read.documents, diagnostics: [...diagnostics, ...read.diagnostics] };
}

/** Documents of several sources, each read in its format. */
export async function readDocuments(
  sources: readonly Source[],
  options: Pick<ReadBundleOptions, 'cue' | 'cueDefinitions'> & { readonly format?: TextFormat } = {},
): Promise<ReadDocuments> {
  const documents: Document[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const source of sources) {
    const parsed = await readText(source, options);
    documents.push(...parsed.documents);
    diagnostics.push(...parsed.diagnostics);
  }
  return { documents, diagnostics };
}

/** Reads the documents of files given by path. Throws {@link FileError} at the first that can't be read. */
export async function readDocumentFiles(files: readonly string[], options: ReadBundleOptions = {}): Promise<ReadDocuments> {
  const { cwd = process.cwd() } = options;
  return readDocuments(
    files.map((file) => readTextFile(resolve(cwd, file), displayName(resolve(cwd, file), cwd))),
    options,
  );
}
