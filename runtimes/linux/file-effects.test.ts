import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { performFileEffect } from './file-effects.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);

describe('a file', () => {
  it('is written whole, with its mode, and nothing beside it', async () => {
    await performFileEffect({ kind: 'write-file', path: path('a'), text: 'hällo', mode: 0o640 });
    await performFileEffect({ kind: 'write-file', path: path('a'), text: 'again', mode: 0o600 });
    expect(await readFile(path('a'), 'utf8')).toBe('again');
    expect(await performFileEffect({ kind: 'stat', path: path('a') })).toMatchObject({ type: 'file', size: 5, mode: 0o600 });
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('that can not be written leaves nothing behind', async () => {
    await mkdir(path('a'));
    await expect(performFileEffect({ kind: 'write-file', path: path('a'), text: '', mode: 0o600 })).rejects.toMatchObject({
      name: 'EffectError',
    });
    await expect(performFileEffect({ kind: 'write-file', path: path('x/y'), text: '', mode: 0o600 })).rejects.toMatchObject({
      code: 'missing',
      message: 'no such file or directory',
      tried: `write-file ${path('x/y')}`,
    });
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('is read up to a limit', async () => {
    await writeFile(path('a'), 'hällo');
    expect(await performFileEffect({ kind: 'read-file', path: path('a'), limit: 6 })).toBe('hällo');
    await expect(performFileEffect({ kind: 'read-file', path: path('a'), limit: 5 })).rejects.toMatchObject({ code: 'invalid' });
    expect(await performFileEffect({ kind: 'read-file', path: path('b'), limit: 5 })).toBeUndefined();
    await expect(performFileEffect({ kind: 'read-file', path: folder, limit: 5 })).rejects.toMatchObject({ code: 'invalid' });
  });

  it.each(['a', '../a', '', '/a\0b'])('is not %j', async (bad) => {
    await expect(performFileEffect({ kind: 'stat', path: bad })).rejects.toMatchObject({ code: 'invalid' });
  });
});

it('says what is at a path, and does not follow links', async () => {
  await symlink(folder, path('link'));
  await chmod(folder, 0o750);
  expect(await performFileEffect({ kind: 'stat', path: path('link') })).toMatchObject({ type: 'link' });
  expect(await performFileEffect({ kind: 'stat', path: folder })).toMatchObject({ type: 'directory', mode: 0o750 });
  expect(await performFileEffect({ kind: 'stat', path: path('none') })).toBeUndefined();
});

describe('a folder', () => {
  it('is made with those above it, and may be there', async () => {
    const effect = { kind: 'make-directory', path: path('a/b'), mode: 0o700 } as const;
    await performFileEffect(effect);
    await performFileEffect(effect);
    expect(await performFileEffect({ kind: 'stat', path: path('a/b') })).toMatchObject({ type: 'directory', mode: 0o700 });
    await writeFile(path('c'), '');
    await expect(performFileEffect({ ...effect, path: path('c') })).rejects.toMatchObject({ code: 'exists' });
  });

  it('is removed when it is empty, or with what is in it when that is said', async () => {
    await mkdir(path('a/b'), { recursive: true });
    await expect(performFileEffect({ kind: 'remove-path', path: path('a') })).rejects.toMatchObject({ code: 'exists' });
    await performFileEffect({ kind: 'remove-path', path: path('a/b') });
    await mkdir(path('a/b'));
    await performFileEffect({ kind: 'remove-path', path: path('a'), recursive: true });
    await performFileEffect({ kind: 'remove-path', path: path('a') });
    expect(await readdir(folder)).toEqual([]);
  });

  it('is not entered by a link that is removed', async () => {
    await mkdir(path('a'));
    await writeFile(path('a/x'), '');
    await symlink(path('a'), path('link'));
    await performFileEffect({ kind: 'remove-path', path: path('link'), recursive: true });
    expect(await readdir(path('a'))).toEqual(['x']);
  });
});
