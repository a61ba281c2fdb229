import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openReservationFiles } from './reservation-files.ts';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flf-files-'));
  folder = join(root, 'networks', 'net');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('files of reservations', () => {
  it('are made with their whole text, by one, for their owner only, and the folder with the first', () => {
    const files = openReservationFiles(folder);
    expect(files.list()).toEqual([]);
    expect(files.stamp()).toBe(0n);
    expect(files.create('10.0.0.2', 'a\r\neth0')).toBe(true);
    expect(files.create('10.0.0.2', 'b\r\neth0')).toBe(false);
    expect(readFileSync(join(folder, '10.0.0.2'), 'utf8')).toBe('a\r\neth0');
    expect(lstatSync(join(folder, '10.0.0.2')).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(folder, '10.0.0.2')).nlink).toBe(1);
    expect(lstatSync(folder).mode & 0o777).toBe(0o755);
    expect(readdirSync(folder)).toEqual(['10.0.0.2']);
  });

  it('are not made twice where somebody else has made one, or a folder or a link of that name', () => {
    const files = openReservationFiles(folder);
    mkdirSync(join(folder, '10.0.0.3'), { recursive: true });
    symlinkSync('/nowhere', join(folder, '10.0.0.4'));
    writeFileSync(join(folder, '10.0.0.2'), '');
    for (const name of ['10.0.0.2', '10.0.0.3', '10.0.0.4']) expect(files.create(name, 'a')).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['10.0.0.2', '10.0.0.3', '10.0.0.4']);
  });

  it('are read as far as they may be long, never through a link', () => {
    const files = openReservationFiles(folder);
    files.create('10.0.0.2', 'x'.repeat(10_000));
    writeFileSync(join(root, 'secret'), 'secret');
    symlinkSync(join(root, 'secret'), join(folder, '10.0.0.4'));
    mkdirSync(join(folder, '10.0.0.3'));
    expect(files.read('10.0.0.2')).toHaveLength(512);
    expect(files.read('10.0.0.3')).toBeUndefined();
    expect(files.read('10.0.0.4')).toBeUndefined();
    expect(files.read('10.0.0.5')).toBeUndefined();
  });

  it('are written anew, longer and shorter', () => {
    const files = openReservationFiles(folder);
    files.create('10.0.0.2', 'a');
    for (const text of ['10.0.0.2', '10.0.0.255', '10.0.0.1']) {
      files.write('last_reserved_ip.0', text);
      expect(readFileSync(join(folder, 'last_reserved_ip.0'), 'utf8')).toBe(text);
    }
  });

  it('are swept of what a killed process left half done', () => {
    mkdirSync(folder, { recursive: true });
    for (const name of ['.fairlead-99-0', '10.0.0.2', 'lock', '.other']) writeFileSync(join(folder, name), '');
    openReservationFiles(folder);
    expect(readdirSync(folder).sort()).toEqual(['.other', '10.0.0.2', 'lock']);
  });

  it('change their stamp when one comes or goes', () => {
    const files = openReservationFiles(folder);
    files.create('10.0.0.2', 'a');
    const stamp = files.stamp();
    expect(files.stamp()).toBe(stamp);
    files.remove('10.0.0.2');
    files.remove('10.0.0.2');
    expect(files.list()).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('say when the folder can not be written', () => {
    mkdirSync(folder, { recursive: true });
    const files = openReservationFiles(folder);
    chmodSync(folder, 0o500);
    expect(() => files.create('10.0.0.2', 'a')).toThrow(/EACCES/);
  });
});
