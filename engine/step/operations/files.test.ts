import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../object/json.ts';
import { type Effect, EffectError, type EffectHandler, runSteps } from '../effect.ts';
import { argumentsOf, problemsOf } from '../network/play.fixture.ts';
import type { Operation, StepContext } from '../operation.ts';
import { ownerTag } from '../owner-tag.ts';
import { DIRECTORY } from './directory.ts';
import { FILE } from './file.ts';
import { REMOVE } from './remove.ts';

type Node =
  | { readonly type: 'file'; readonly text: string; readonly mode: number }
  | { readonly type: 'directory' | 'link'; readonly mode: number };

/** A disk of paper, and what `remember` keeps. */
class Disk implements EffectHandler {
  readonly nodes = new Map<string, Node>();
  memory: Json | undefined;
  readonly story: string[] = [];

  async perform(effect: Effect): Promise<unknown> {
    switch (effect.kind) {
      case 'remember':
        this.memory = effect.value;
        return undefined;
      case 'stat': {
        const node = this.nodes.get(effect.path);
        return node && { type: node.type, size: 0, mode: node.mode, identity: effect.path };
      }
      case 'read-file': {
        const node = this.nodes.get(effect.path);
        return node?.type === 'file' ? node.text : undefined;
      }
      case 'write-file':
        this.story.push(`write ${effect.path}`);
        this.nodes.set(effect.path, { type: 'file', text: effect.text, mode: effect.mode });
        return undefined;
      case 'make-directory':
        this.story.push(`make ${effect.path}`);
        this.nodes.set(effect.path, { type: 'directory', mode: effect.mode });
        return undefined;
      case 'remove-path': {
        const inside = [...this.nodes.keys()].filter((path) => path.startsWith(`${effect.path}/`));
        if (inside.length > 0 && effect.recursive !== true) throw new EffectError('exists', 'Directory not empty', `rmdir ${effect.path}`);
        for (const path of [...inside, effect.path]) this.nodes.delete(path);
        return undefined;
      }
      default:
        throw new Error(`not here: ${effect.kind}`);
    }
  }

  run(operation: unknown, verb: 'ensure' | 'check' | 'undo', raw: JsonObject): Promise<unknown> {
    const it = operation as Operation;
    const context: StepContext = {
      owner: ownerTag('test'),
      netns: undefined,
      netnsGone: false,
      ...(this.memory !== undefined && { memory: this.memory }),
    };
    return runSteps((it[verb] as (a: JsonObject, c: StepContext) => never)(argumentsOf(it, raw), context), this);
  }
}

describe('directory', () => {
  it('is made, and goes', async () => {
    const disk = new Disk();
    expect(await disk.run(DIRECTORY, 'check', { path: '/d' })).toEqual(['there is no directory /d']);
    expect(await disk.run(DIRECTORY, 'ensure', { path: '/d', mode: '0700' })).toEqual({ path: '/d' });
    expect(disk.nodes.get('/d')).toEqual({ type: 'directory', mode: 0o700 });
    await disk.run(DIRECTORY, 'ensure', { path: '/d', mode: '0700' });
    expect(disk.story).toEqual(['make /d']);
    expect(await disk.run(DIRECTORY, 'check', { path: '/d' })).toEqual([]);
    await disk.run(DIRECTORY, 'undo', { path: '/d' });
    await disk.run(DIRECTORY, 'undo', { path: '/d' });
    expect(disk.nodes.size).toBe(0);
  });

  it('stays where it was there before', async () => {
    const disk = new Disk();
    disk.nodes.set('/d', { type: 'directory', mode: 0o755 });
    await disk.run(DIRECTORY, 'ensure', { path: '/d' });
    await disk.run(DIRECTORY, 'undo', { path: '/d' });
    expect(disk.nodes.has('/d')).toBe(true);
  });

  it.each([
    [false, ['/d', '/d/file']],
    [true, []],
  ])('goes with what others put in only if it is told to: %s', async (withContent, left) => {
    const disk = new Disk();
    await disk.run(DIRECTORY, 'ensure', { path: '/d', withContent });
    disk.nodes.set('/d/file', { type: 'file', text: '', mode: 0o644 });
    await disk.run(DIRECTORY, 'undo', { path: '/d', withContent });
    expect([...disk.nodes.keys()]).toEqual(left);
  });

  it('leaves a link alone', async () => {
    const disk = new Disk();
    disk.nodes.set('/d', { type: 'link', mode: 0o777 });
    await expect(disk.run(DIRECTORY, 'ensure', { path: '/d' })).rejects.toMatchObject({ code: 'exists' });
    await disk.run(DIRECTORY, 'undo', { path: '/d' });
    expect(disk.nodes.has('/d')).toBe(true);
  });
});

describe('file', () => {
  const args = { path: '/f', content: 'text\n' };

  it('is written once, checked, and goes', async () => {
    const disk = new Disk();
    await disk.run(FILE, 'ensure', args);
    await disk.run(FILE, 'ensure', args);
    expect(disk.story).toEqual(['write /f']);
    expect(await disk.run(FILE, 'check', args)).toEqual([]);
    expect(await disk.run(FILE, 'check', { ...args, content: 'other', mode: '0600' })).toEqual([
      '/f has another text',
      '/f has the mode 644 instead of 0600',
    ]);
    await disk.run(FILE, 'undo', args);
    await disk.run(FILE, 'undo', args);
    expect(disk.nodes.size).toBe(0);
    expect(await disk.run(FILE, 'check', args)).toEqual(['there is no file /f']);
  });

  it('leaves alone what was there with another text, or the same', async () => {
    const disk = new Disk();
    disk.nodes.set('/f', { type: 'file', text: 'theirs', mode: 0o600 });
    await expect(disk.run(FILE, 'ensure', args)).rejects.toThrow('/f is there with another text');
    await disk.run(FILE, 'undo', args);
    disk.nodes.set('/f', { type: 'file', text: 'text\n', mode: 0o644 });
    await disk.run(FILE, 'ensure', args);
    await disk.run(FILE, 'undo', args);
    expect(disk.nodes.get('/f')).toMatchObject({ text: 'text\n' });
  });

  it('gives back what it replaced, and keeps that over an interruption', async () => {
    const disk = new Disk();
    const before: Node = { type: 'file', text: 'theirs', mode: 0o600 };
    disk.nodes.set('/f', before);
    await disk.run(FILE, 'ensure', { ...args, replace: true });
    await disk.run(FILE, 'ensure', { ...args, replace: true });
    expect(disk.nodes.get('/f')).toMatchObject({ text: 'text\n', mode: 0o644 });
    await disk.run(FILE, 'undo', { ...args, replace: true });
    expect(disk.nodes.get('/f')).toEqual(before);
  });
});

describe('remove', () => {
  it('removes, and is not undone', async () => {
    const disk = new Disk();
    disk.nodes.set('/d', { type: 'directory', mode: 0o755 });
    disk.nodes.set('/d/f', { type: 'file', text: '', mode: 0o644 });
    await expect(disk.run(REMOVE, 'ensure', { path: '/d' })).rejects.toMatchObject({ code: 'exists' });
    expect(await disk.run(REMOVE, 'check', { path: '/d' })).toEqual(['/d is there again']);
    await disk.run(REMOVE, 'ensure', { path: '/d', withContent: true });
    await disk.run(REMOVE, 'undo', { path: '/d', withContent: true });
    expect(disk.nodes.size).toBe(0);
    expect(await disk.run(REMOVE, 'check', { path: '/d' })).toEqual([]);
  });
});

describe('paths', () => {
  it.each([
    ['relative/path', 'is not absolute'],
    ['/a/../etc', 'leads through "." or ".."'],
    ['/a/./b', 'leads through "." or ".."'],
    ['/a//b', 'has an empty part'],
    ['/a/', 'has an empty part'],
    ['/a\u0000b', 'holds control characters'],
    ['/a\nb', 'holds control characters'],
  ])('refuses %j', (path, problem) => {
    for (const operation of [DIRECTORY, REMOVE])
      expect(problemsOf(operation as unknown as Operation, { path })).toEqual([expect.stringContaining(problem)]);
    expect(problemsOf(FILE as unknown as Operation, { path, content: '' })).toEqual([expect.stringContaining(problem)]);
  });

  it('wants permission bits as text', () => {
    expect(() => problemsOf(DIRECTORY as unknown as Operation, { path: '/d', mode: 493 })).toThrow('mode');
    expect(() => problemsOf(DIRECTORY as unknown as Operation, { path: '/d', mode: '0o755' })).toThrow('mode');
  });
});
