import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, openSync, readdirSync, readSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';
import type { Diagnostic, Source } from '../../engine/text/diagnostic.ts';
import { DEFAULT_LIMITS } from '../../engine/text/limits.ts';
import { formatOf } from '../../engine/text/read.ts';
import { errorMessage } from './error-message.ts';

/** Files beyond this are not read; bytes. */
const MAX_FILE_BYTES = DEFAULT_LIMITS.maxLength;
const MAX_FILES = 100_000;
const MAX_FOLDER_DEPTH = 32;

/** A path that can't be read as what it should be. `message` is complete and needs no stack. */
export class FileError extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.name = 'FileError';
    this.path = path;
  }
}

/** How people call a path: relative to where they stand, unless that would climb out of it. */
export function displayName(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near === '' ? '.' : near.startsWith(`..${sep}..`) || near === '..' ? path : near;
}

/** File or folder at a path. Throws {@link FileError} when there is none or it may not be looked at. */
export function statPath(path: string, name: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new FileError(name, reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ENOENT':
      return 'no such file or folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'is a folder';
    case 'ELOOP':
      return 'too many symbolic links';
    default:
      return errorMessage(error);
  }
}

/** Reads a file as UTF-8. Throws {@link FileError}. */
export function readTextFile(path: string, name: string): Source {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const stats = fstatSync(file);
    if (stats.isDirectory()) throw new FileError(name, 'is a folder');
    if (stats.size > MAX_FILE_BYTES) throw new FileError(name, `has ${stats.size} bytes, at most ${MAX_FILE_BYTES} are read`);
    return { name, text: decode(readAll(file, stats.size, name), name) };
  } catch (error) {
    throw error instanceof FileError ? error : new FileError(name, reasonOf(error));
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Reads to the end: pipes and `/proc` files don't know their size. */
function readAll(file: number, size: number, name: string): Buffer {
  let buffer = Buffer.allocUnsafe(Math.max(size + 1, 4096));
  let length = 0;
  for (;;) {
    const count = readSync(file, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
    if (length > MAX_FILE_BYTES) throw new FileError(name, `has more than ${MAX_FILE_BYTES} bytes`);
    if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
  }
}

function decode(bytes: Buffer, name: string): string {
  if (!isUtf8(bytes)) {
    const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    throw new FileError(name, isUtf16 ? 'is UTF-16, UTF-8 is expected' : 'is not UTF-8 text');
  }
  return bytes.toString('utf8');
}

/** Decodes what was read elsewhere (standard input). Throws {@link FileError}. */
export function decodeText(bytes: Buffer, name: string): Source {
  return { name, text: decode(bytes, name) };
}

/** What a folder is walked for. */
export interface WalkOptions {
  /** Whether to go into a folder, by its name. Hidden ones are passed over unless this says otherwise. */
  readonly enter?: (name: string, path: string) => boolean;
  /** Which files count. Default: YAML, JSON and CUE by their extension. */
  readonly accept?: (name: string) => boolean;
}

export const isDocumentFile = (name: string): boolean => formatOf(name) !== undefined;

/**
 * Files below a folder, in an order that does not depend on the file system (by code unit, files of a folder before
 * its subfolders). Symbolic links are followed, as mounted ConfigMaps need it; hidden entries are passed over.
 */
export function listFiles(folder: string, options: WalkOptions = {}): string[] {
  const { accept = isDocumentFile, enter = (name) => !name.startsWith('.') && name !== 'node_modules' } = options;
  const files: string[] = [];
  const above = new Set<string>();
  const walk = (path: string, depth: number): void => {
    const real = realPathOf(path);
    // A link to a folder that it lies in: its files are listed already.
    if (above.has(real)) return;
    above.add(real);
    walkInto(path, depth);
    above.delete(real);
  };
  const walkInto = (path: string, depth: number): void => {
    if (depth > MAX_FOLDER_DEPTH) throw new FileError(path, `lies more than ${MAX_FOLDER_DEPTH} folders deep`);
    const folders: string[] = [];
    let names: string[];
    try {
      names = readdirSync(path).sort();
    } catch (error) {
      throw new FileError(path, reasonOf(error));
    }
    for (const name of names) {
      const entry = join(path, name);
      const stats = statSync(entry, { throwIfNoEntry: false });
      if (stats?.isDirectory()) {
        if (enter(name, entry)) folders.push(entry);
      } else if (stats?.isFile() && !name.startsWith('.') && accept(name)) {
        if (files.length >= MAX_FILES) throw new FileError(folder, `holds more than ${MAX_FILES} files`);
        files.push(entry);
      }
    }
    for (const inner of folders) walk(inner, depth + 1);
  };
  walk(resolve(folder), 0);
  return files;
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new FileError(path, reasonOf(error));
  }
}

/** A {@link FileError} as a diagnostic, for where reading goes on with the other files. */
export function fileDiagnostic(error: FileError): Diagnostic {
  return { code: 'file-unreadable', severity: 'error', message: error.message };
}

/** Whether a path has the base name of a bundle's own document. */
export function isBundleDocument(path: string): boolean {
  return /^bundle\.(ya?ml|json|cue)$/.test(basename(path));
}
