import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findNetwork } from './find-network.ts';

describe('a network that is known by its name', () => {
  let folder: string;
  const put = (file: string, content: unknown): void =>
    writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'flf-networks-'));
    put('20-b.conflist', { name: 'b', plugins: [{ type: 'x' }] });
    put('30-b.conf', { name: 'b', type: 'later' });
    put('10-a.txt', { name: 'a' });
    put('05-broken.conf', '{');
    put('06-list.json', []);
    put('07-unnamed.conf', { type: 'x' });
    mkdirSync(join(folder, '08-folder.conf'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each<[string, unknown]>([
    ['b', { name: 'b', plugins: [{ type: 'x' }] }],
    ['a', undefined],
  ])('%j', async (name, expected) => expect(await findNetwork(folder, name)).toEqual(expected));

  it('may be a file, or the first of a folder', async () => {
    expect(await findNetwork('/nowhere', join(folder, '30-b.conf'))).toEqual({ name: 'b', type: 'later' });
    expect(await findNetwork('/nowhere', folder)).toEqual({ name: 'b', plugins: [{ type: 'x' }] });
    expect(await findNetwork('/nowhere', join(folder, 'nothing'))).toBeUndefined();
    expect(await findNetwork('/nowhere', 'b')).toBeUndefined();
  });
});
