import type { FileFacts, Steps } from '../effect.ts';

/** What is at a path; undefined where there is nothing. Does not follow links. */
export function* stat(path: string): Steps<FileFacts | undefined> {
  return (yield { kind: 'stat', path }) as FileFacts | undefined;
}

/** Text of a file of at most `limit` bytes; undefined where there is none. */
export function* readFile(path: string, limit: number): Steps<string | undefined> {
  return (yield { kind: 'read-file', path, limit }) as string | undefined;
}

/** Replaces a file at once, or makes it; on disk before it goes on. `mode`: permission bits. */
export function* writeFile(path: string, text: string, mode: number): Steps<void> {
  yield { kind: 'write-file', path, text, mode };
}

export function* makeDirectory(path: string, mode: number): Steps<void> {
  yield { kind: 'make-directory', path, mode };
}

/** Removes a file, a link or an empty directory, with `recursive` a full one; nothing happens where there is none. */
export function* removePath(path: string, options: { readonly recursive?: boolean } = {}): Steps<void> {
  yield { kind: 'remove-path', path, ...options };
}
