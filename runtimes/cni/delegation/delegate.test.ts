import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PluginRequest } from '../../../engine/rules/network/program.ts';
import { CniError } from '../../../engine/rules/network/protocol/fault.ts';
import { EffectError } from '../../../engine/step/effect.ts';
import { manualClock, systemClock } from '../../host/clock.ts';
import { writeProgram } from '../../host/program-file.fixture.ts';
import { type ProgramEnd, ProgramError, type ProgramInput, runGroup } from '../../linux/program-group.ts';
import { createDelegate } from './delegate.ts';
import { findPlugin } from './find-plugin.ts';

const REQUEST: PluginRequest = {
  type: 'host-local',
  command: 'ADD',
  config: { name: 'net', cniVersion: '0.4.0', ipam: { type: 'host-local' } },
  containerId: 'c1',
  netns: '/run/netns/a',
  ifName: 'eth0',
  args: { IgnoreUnknown: '1', K8S_POD_NAME: 'web-0' },
  path: ['/opt/cni/bin', '/usr/lib/cni'],
};
const run = (fields: Partial<ProgramEnd>): ProgramEnd => ({ exitCode: 0, ending: 'exit status 0', stdout: '', stderr: '', ...fields });

/** A delegate whose programs are answered by a function. */
function delegating(answer: (input: ProgramInput) => ProgramEnd | Promise<ProgramEnd>, clock = manualClock()) {
  const inputs: ProgramInput[] = [];
  const log: string[] = [];
  const delegate = createDelegate({
    clock,
    log: (line, fields) => log.push(`${line}: ${fields?.['text']}`),
    environment: { PATH: '/bin' },
    find: (type, folders) => ({ ok: true, path: `${folders[0]}/${type}` }),
    run: async (input) => {
      inputs.push(input);
      return answer(input);
    },
  });
  return { delegate, inputs, log, clock };
}

/** What a call failed with: fault or failure, in one line. */
async function failureOf(act: Promise<unknown>): Promise<string> {
  try {
    await act;
  } catch (error) {
    if (error instanceof CniError) return `fault ${error.fault.code}: ${error.message}`;
    if (error instanceof EffectError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'none';
}

describe('another plugin', () => {
  it('is called as libcni calls it, and its result brought to the newest form', async () => {
    const result = { cniVersion: '0.4.0', ips: [{ version: '4', address: '10.1.0.2/16', gateway: '10.1.0.1' }], dns: {} };
    const { delegate, inputs } = delegating(() => run({ stdout: JSON.stringify(result) }));
    expect(await delegate(REQUEST)).toEqual({
      interfaces: [],
      ips: [{ address: '10.1.0.2/16', gateway: '10.1.0.1' }],
      routes: [],
      dns: {},
    });
    expect(inputs).toHaveLength(1);
    expect(inputs[0]).toMatchObject({
      path: '/opt/cni/bin/host-local',
      stdin: JSON.stringify(REQUEST.config),
      environment: {
        PATH: '/bin',
        CNI_COMMAND: 'ADD',
        CNI_FAIRLEAD_WITHIN: '1',
        CNI_CONTAINERID: 'c1',
        CNI_NETNS: '/run/netns/a',
        CNI_IFNAME: 'eth0',
        CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=web-0',
        CNI_PATH: '/opt/cni/bin:/usr/lib/cni',
      },
    });
  });

  it('answers nothing but to ADD', async () => {
    const { delegate, log } = delegating(() => run({ stdout: 'anything', stderr: 'a word' }));
    expect(await delegate({ ...REQUEST, command: 'DEL' })).toBeUndefined();
    expect(log).toEqual(['a plugin wrote to its standard error: a word']);
  });

  it.each<[string, Partial<ProgramEnd>, string]>([
    ['its words', { stdout: '{"code":11,"msg":"no lease","details":"timeout"}' }, 'fault 11: no lease; timeout'],
    ['its words, whatever stands beside', { stdout: '{"cniVersion":"1.1.0","code":7,"msg":"no","x":1}' }, 'fault 7: no'],
    ['no words', {}, 'fault 999: netplugin failed with no error message: exit status 1'],
    ['words on standard error', { stderr: 'panic: x\n' }, 'fault 999: netplugin failed: "panic: x\\n": exit status 1'],
    [
      'a signal',
      { exitCode: undefined as never, ending: 'signal: killed' },
      'fault 999: netplugin failed with no error message: signal: killed',
    ],
    ['no JSON', { stdout: 'oops' }, 'fault 999: netplugin failed but error parsing its diagnostic message "oops": exit status 1'],
  ])('fails with %s', async (_, fields, expected) => {
    const { delegate } = delegating(() => run({ exitCode: 1, ending: 'exit status 1', ...fields }));
    expect(await failureOf(delegate(REQUEST))).toBe(expected);
  });

  it.each([
    ['', /^program: the result of plugin host-local can't be read: .*JSON/],
    ['[]', /^program: the result of plugin host-local can't be read: it is not an object$/],
    ['{"cniVersion":"9.9.9"}', /^program: the result of plugin host-local can't be read: unsupported CNI result version "9\.9\.9"$/],
    ['{"ips":[{"address":"x"}]}', /^program: the result of plugin host-local can't be read: ips\[0\]\.address is "x"/],
  ])('answers %j, which is no result', async (stdout, expected) => {
    const { delegate } = delegating(() => run({ stdout }));
    expect(await failureOf(delegate(REQUEST))).toMatch(expected);
  });

  it.each([
    ['{}', { interfaces: [], ips: [], routes: [], dns: {} }],
    ['null', { interfaces: [], ips: [], routes: [], dns: {} }],
  ])('answers %s in the version of the configuration', async (stdout, expected) => {
    const { delegate } = delegating(() => run({ stdout }));
    expect(await delegate(REQUEST)).toEqual(expected);
  });

  it('is tried again while somebody writes it', async () => {
    let busy = 2;
    const { delegate, inputs, clock } = delegating(() => {
      if (busy-- > 0) throw new ProgramError('ETXTBSY', 'spawn ETXTBSY');
      return run({ stdout: '{}' });
    });
    const answer = delegate(REQUEST);
    for (let second = 1; second <= 2; second++) {
      await turns();
      expect(inputs).toHaveLength(second);
      clock.advance(1000);
    }
    expect(await answer).toBeDefined();
  });

  it('is given up when it is always being written', async () => {
    const { delegate, inputs, clock } = delegating(() => {
      throw new ProgramError('ETXTBSY', 'spawn ETXTBSY');
    });
    const answer = failureOf(delegate(REQUEST));
    for (let second = 0; second < 6; second++) {
      await turns();
      clock.advance(1000);
    }
    expect(await answer).toBe('busy: spawn ETXTBSY');
    expect(inputs).toHaveLength(6);
  });

  it('has a deadline', async () => {
    const { delegate, clock } = delegating(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new ProgramError('TIMEOUT', 'it did not end in time')))),
    );
    const answer = failureOf(delegate(REQUEST));
    await turns();
    clock.advance(100_000);
    expect(await answer).toBe('timeout: it did not end in time');
  });
});

/** Lets what is waiting go on. */
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('plugins in folders', () => {
  const exists = (path: string): boolean => path === '/b/bridge' || path === '/c/bridge';
  it.each([
    ['bridge', ['/a', '/b', '/c'], '/b/bridge'],
    ['', ['/a'], 'no plugin name provided'],
    ['../bridge', ['/a'], 'invalid plugin name: ../bridge'],
    ['a/b', ['/a'], 'invalid plugin name: a/b'],
    ['..', ['/a'], 'invalid plugin name: ..'],
    ['a\0', ['/a'], 'invalid plugin name: a\0'],
    ['bridge', [], 'no paths provided'],
    ['ptp', ['/a', '/b'], 'failed to find plugin "ptp" in path [/a /b]'],
  ])('%j in %j', (type, folders, expected) => {
    const found = findPlugin(type, folders, exists);
    expect(found.ok ? found.path : found.message).toBe(expected);
  });
});

describe('programs', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'flf-program-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const script = (text: string): string => writeProgram(join(folder, 'program'), `#!/bin/sh\n${text}\n`);
  const input = (path: string, signal = new AbortController().signal): ProgramInput => ({
    path,
    environment: { PATH: '/usr/bin:/bin', CNI_COMMAND: 'ADD' },
    stdin: 'hello',
    signal,
    maxOutput: 1000,
    maxErrors: 10,
  });
  const codeOf = async (act: Promise<unknown>): Promise<string> => {
    try {
      await act;
      return 'none';
    } catch (error) {
      return (error as ProgramError).code;
    }
  };

  it('get their input and their environment, and nothing else', async () => {
    const path = script('cat; echo " $CNI_COMMAND $HOME $#"; echo 0123456789abcdef >&2; exit 3');
    expect(await runGroup(input(path))).toEqual({
      exitCode: 3,
      ending: 'exit status 3',
      stdout: 'hello ADD  0\n',
      stderr: '0123456789',
    });
  });

  it('may end without reading', async () => {
    const path = script('exit 0');
    expect(await runGroup({ ...input(path), stdin: 'x'.repeat(1_000_000) })).toMatchObject({ exitCode: 0 });
  });

  it('may end by a signal', async () => {
    expect(await runGroup(input(script('kill -KILL $$')))).toMatchObject({ exitCode: undefined, ending: 'signal: SIGKILL' });
  });

  it('are ended when they print too much', async () => {
    expect(await codeOf(runGroup(input(script('while :; do echo 0123456789; done'))))).toBe('TOO_LONG');
  });

  it('are ended with all that they started when the time is up', async () => {
    const controller = new AbortController();
    const running = codeOf(runGroup(input(script(`echo $$ > ${join(folder, 'pid')}; sleep 1000 & sleep 1000`), controller.signal)));
    // Once it has written, its child is about to start; a group is ended as a whole.
    while (!existsSync(join(folder, 'pid'))) await turns();
    controller.abort();
    expect(await running).toBe('TIMEOUT');
    expect(await codeOf(runGroup(input(script('exit 0'), controller.signal)))).toBe('TIMEOUT');
  });

  it('may not be there, or be no programs', async () => {
    mkdirSync(join(folder, 'sub'));
    expect(await codeOf(runGroup(input(join(folder, 'nothing'))))).toBe('ENOENT');
    expect(await codeOf(runGroup(input(join(folder, 'sub'))))).toBe('EACCES');
  });

  it('are called by a delegate', async () => {
    script('cat >/dev/null; echo "{\\"ips\\":[{\\"address\\":\\"10.0.0.2/24\\"}]}"');
    const delegate = createDelegate({ clock: systemClock, log: () => {} });
    expect(await delegate({ ...REQUEST, type: 'program', path: [folder] })).toMatchObject({ ips: [{ address: '10.0.0.2/24' }] });
    expect(await failureOf(delegate({ ...REQUEST, type: 'other', path: [folder] }))).toMatch(/^missing: failed to find plugin "other"/);
  });
});
