import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { errorMessage } from '../host/error-message.ts';
import { describeFolderFailure } from '../host/folder-lock.ts';
import { FileError } from '../host/text-files.ts';

/** A socket in the file system that a server listens at. */
export interface ListeningSocket {
  /** Whether it is where it was made, so that it can be found. */
  isThere(): boolean;
  /** Removes it, unless another one has taken its place. */
  remove(): void;
}

/**
 * Binds beside the path and renames into place, so that the socket is never seen with other permissions, and a left one is replaced at once.
 * Its folder is made where it is missing; both are for their owner only. Throws {@link FileError} where somebody else listens there, or the path
 * can't be had.
 */
export async function listenAt(server: Server, path: string): Promise<ListeningSocket> {
  // The kernel's limit for the path of a socket is 107 bytes, and it cuts off what is longer.
  const temporary = `${path}.${process.pid}`;
  if (Buffer.byteLength(temporary) > 107)
    throw new FileError(path, `is too long for a socket by ${Buffer.byteLength(temporary) - 107} bytes`);
  if (await answers(path)) throw new FileError(path, 'another daemon listens there: end that one, or choose another socket');
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new FileError(dirname(path), describeFolderFailure(error));
  }
  try {
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there !== undefined && !there.isSocket()) throw new FileError(path, 'is there, and is no socket');
    rmSync(temporary, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: temporary, backlog: 1024 }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    chmodSync(temporary, 0o600);
    renameSync(temporary, path);
    const inode = inodeOf(path);
    const isThere = (): boolean => inodeOf(path) === inode;
    return {
      isThere,
      remove: () => {
        if (isThere()) rmSync(path, { force: true });
      },
    };
  } catch (error) {
    server.close();
    if (error instanceof FileError) throw error;
    throw new FileError(path, errorMessage(error));
  }
}

function inodeOf(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
}

/** Whether somebody accepts connections at a path. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // A socket whose queue is full belongs to somebody, too.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EAGAIN'));
  });
}
