import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callExecutable } from '../executable/forms.fixture.ts';
import { type InstallOptions, install, uninstall } from './install.ts';

describe('an installation', () => {
  let folder: string;
  let options: InstallOptions;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-install-'));
    options = {
      hostRoot: '/',
      binFolder: join(folder, 'bin'),
      types: ['bridge-net', 'other-net'],
      executable: { socketPath: join(folder, 'cni.sock'), spoolPath: join(folder, 'spool') },
      form: 'node',
      network: { folder: join(folder, 'net.d'), file: '10-pods.conflist', document: { name: 'pods', plugins: [{ type: 'bridge-net' }] } },
    };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const bin = (name: string) => join(folder, 'bin', name);
  const conflist = () => join(folder, 'net.d/10-pods.conflist');
  const names = () => readdirSync(folder, { recursive: true }).sort();

  it('has executables of all rules, a spool, and the configuration', async () => {
    const { form, passed, written } = await install(options);
    expect({ form, passed, written }).toEqual({ form: 'node', passed: [], written: [bin('bridge-net'), bin('other-net'), conflist()] });
    expect(names()).toEqual(['bin', 'bin/bridge-net', 'bin/other-net', 'net.d', 'net.d/10-pods.conflist', 'spool']);
    expect(JSON.parse(readFileSync(conflist(), 'utf8'))).toEqual({
      name: 'pods',
      plugins: [{ type: 'bridge-net' }],
      'fairlead.dev/installed-by': 'fairlead cni install',
    });
    expect(statSync(bin('bridge-net')).mode & 0o777).toBe(0o755);
    expect(statSync(join(folder, 'spool')).mode & 0o777).toBe(0o700);
    const { stdout } = await callExecutable(bin('bridge-net'), { env: { CNI_COMMAND: 'VERSION' } });
    expect(JSON.parse(stdout).cniVersion).toBe('1.1.0');
  });

  it('writes nothing the second time', async () => {
    await install(options);
    expect((await install(options)).written).toEqual([]);
  });

  it('replaces its own executables, with other values or of another version', async () => {
    await install(options);
    writeFileSync(bin('other-net'), `${readFileSync(bin('other-net'), 'utf8')}// older\n`);
    const moved = { ...options, executable: { ...options.executable, socketPath: join(folder, 'new.sock') } };
    expect((await install(moved)).written).toEqual([bin('bridge-net'), bin('other-net')]);
    const { stdout } = await callExecutable(bin('other-net'), { env: { CNI_COMMAND: 'ADD' }, stdin: '{}' });
    expect(JSON.parse(stdout).details).toBe(`${join(folder, 'new.sock')}: there is no such socket`);
  });

  it('mends what somebody made unusable', async () => {
    await install(options);
    chmodSync(bin('bridge-net'), 0o644);
    expect((await install(options)).written).toEqual([bin('bridge-net')]);
  });

  it.each([
    ['an executable', () => bin('other-net')],
    ['a link', () => bin('other-net')],
    ['a configuration', conflist],
  ])('leaves %s alone that is not its own, and writes nothing at all', async (what, path) => {
    mkdirSync(join(path(), '..'), { recursive: true });
    if (what === 'a link') symlinkSync('/bin/true', path());
    else writeFileSync(path(), '{"name": "of somebody"}');
    const before = names();
    await expect(install(options)).rejects.toThrow('--force replaces it');
    expect(names()).toEqual(before);
    expect((await install({ ...options, force: true })).written).toContain(path());
  });

  it('says what is wrong where no form works', async () => {
    mkdirSync(join(folder, 'root'));
    await expect(install({ ...options, hostRoot: join(folder, 'root') })).rejects.toThrow(
      'no executable works there: node: the host has no node',
    );
  });

  it('says what is in the way of its folder', async () => {
    writeFileSync(join(folder, 'bin'), '');
    await expect(install(options)).rejects.toThrow(join(folder, 'bin'));
  });

  it('takes away what an installation left that was killed', async () => {
    mkdirSync(join(folder, 'bin'));
    writeFileSync(bin('.fairlead-install-1'), 'half');
    await install(options);
    expect(existsSync(bin('.fairlead-install-1'))).toBe(false);
  });

  it('is removed without what is not its own', async () => {
    await install(options);
    writeFileSync(bin('bridge'), 'of somebody');
    writeFileSync(join(folder, 'net.d/20-other.conflist'), '{"name": "other"}');
    writeFileSync(join(folder, 'net.d/30-broken.conflist'), '{');
    const removed = uninstall({ hostRoot: '/', binFolder: join(folder, 'bin'), configFolder: join(folder, 'net.d') });
    expect(removed).toEqual([conflist(), bin('bridge-net'), bin('other-net')]);
    expect(names()).toEqual(['bin', 'bin/bridge', 'net.d', 'net.d/20-other.conflist', 'net.d/30-broken.conflist', 'spool']);
  });

  it('is removed where there is nothing', () => {
    expect(uninstall({ hostRoot: '/', binFolder: join(folder, 'bin'), configFolder: join(folder, 'net.d') })).toEqual([]);
  });
});
