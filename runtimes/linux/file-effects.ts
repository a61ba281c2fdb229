import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Effect, EffectError, type FileFacts } from '../../engine/step/effect.ts';
import { classifyErrno } from './failure.ts';

export type FileEffect = Extract<Effect, { kind: 'stat' | 'read-file' | 'write-file' | 'make-directory' | 'remove-path' }>;

/** Bytes of a file that is written or read. */
const MAX_FILE = 64 * 1024 * 1024;

/** Performs an effect on the host's files. Throws {@link EffectError}. */
export async function performFileEffect(effect: FileEffect): Promise<unknown> {
  const { kind, path } = effect;
  const tried = `${kind} ${path}`;
  if (!path.startsWith('/') || path.includes('\0'))
    throw new EffectError('invalid', `${JSON.stringify(path)} is not an absolute path`, tried);
  try {
    switch (kind) {
      case 'stat':
        return await factsOf(path);
      case 'read-file':
        return await read(path, Math.min(effect.limit, MAX_FILE), tried);
      case 'write-file':
        return await replace(path, effect.text, effect.mode, tried);
      case 'make-directory':
        return await makeDirectory(path, effect.mode, tried);
      case 'remove-path':
        return await remove(path, effect.recursive === true);
    }
  } catch (error) {
    if (error instanceof EffectError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new EffectError(classifyErrno(code), message.replace(/^[A-Z]+: ([^,]*).*$/s, '$1'), tried);
  }
}

async function factsOf(path: string): Promise<FileFacts | undefined> {
  const stats = await lstat(path, { bigint: true }).catch(unlessMissing);
  if (stats === undefined) return undefined;
  const type = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'link'
        : stats.isBlockDevice()
          ? 'block'
          : stats.isCharacterDevice()
            ? 'character'
            : 'other';
  return { type, size: Number(stats.size), mode: Number(stats.mode & 0o7777n), identity: `${stats.dev}:${stats.ino}` };
}

async function read(path: string, limit: number, tried: string): Promise<string | undefined> {
  // A pipe without a writer would be waited for.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(unlessMissing);
  if (file === undefined) return undefined;
  try {
    if (!(await file.stat()).isFile()) throw new EffectError('invalid', 'it is not a file', tried);
    // Files of /proc and /sys don't know their size.
    const buffer = Buffer.allocUnsafe(limit + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) return buffer.toString('utf8', 0, length);
      length += bytesRead;
    }
    throw new EffectError('invalid', `it has more than ${limit} bytes`, tried);
  } finally {
    await file.close();
  }
}

/** Under another name first, so that nobody ever reads half of it, and whoever has the old one open keeps it. */
async function replace(path: string, text: string, mode: number, tried: string): Promise<void> {
  const bytes = Buffer.from(text);
  if (bytes.length > MAX_FILE)
    throw new EffectError('invalid', `${bytes.length} bytes are more than the ${MAX_FILE} that are written`, tried);
  const temporary = unfinished(path);
  // What a killed process left is written over.
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(bytes);
    await file.chmod(mode);
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => {});
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * The other name. Always the same for a path, so that whoever writes or removes the path takes away what a killed process left; steps that
 * write one path don't do it at the same time.
 */
const unfinished = (path: string): string => `${path}.fairlead-new`;

async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    await folder.sync();
  } catch (error) {
    // Not every file system can do it for folders.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await folder?.close();
  }
}

/** With the folders above it. One that is there stays as it is. */
async function makeDirectory(path: string, mode: number, tried: string): Promise<void> {
  const stats = await lstat(path).catch(unlessMissing);
  if (stats?.isDirectory()) return;
  if (stats !== undefined) throw new EffectError('exists', 'something that is not a folder is there', tried);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await mkdir(path, { mode }).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST' || !(await lstat(path)).isDirectory()) throw error;
  });
  await syncFolder(dirname(path));
}

async function remove(path: string, isRecursive: boolean): Promise<void> {
  await unlink(unfinished(path)).catch(unlessMissing);
  const stats = await lstat(path).catch(unlessMissing);
  if (stats === undefined) return;
  if (!stats.isDirectory()) await unlink(path).catch(unlessMissing);
  else if (isRecursive) await rm(path, { recursive: true, force: true });
  else await rmdir(path).catch(unlessMissing);
  await syncFolder(dirname(path)).catch(unlessMissing);
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
