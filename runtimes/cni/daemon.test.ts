import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CompiledBundle } from '../../engine/bundle/bundle.ts';
import { compileBundle } from '../../engine/bundle/compile.ts';
import type { JsonObject } from '../../engine/object/json.ts';
import { imaginedAdd } from '../../engine/rules/network/imagined-request.ts';
import type { NetworkRequest } from '../../engine/rules/network/program.ts';
import { EffectError } from '../../engine/step/effect.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import { type ActiveBundle, fixedBundle } from '../host/bundle-watch.ts';
import { manualClock } from '../host/clock.ts';
import { createMetrics, type Metrics } from '../host/metrics.ts';
import { until } from '../host/until.fixture.ts';
import type { Host } from '../linux/host.ts';
import { askDaemon } from './ask-daemon.ts';
import { type NetworkDaemon, type NetworkDaemonOptions, startNetworkDaemon } from './daemon.ts';
import { hostWithNamespaces } from './host-with-namespaces.fixture.ts';
import { invoke } from './invoke.ts';
import { requestInvocation } from './request-invocation.ts';
import { type Answer, formatInvocation, type Invocation } from './wire.ts';

/** A rule that needs neither root nor Linux: an attachment is an address and a file. */
const RULE = (name: string, folder: string): string => `
apiVersion: fairlead.dev/v1alpha1
kind: NetworkRule
metadata: { name: ${name} }
spec:
  config:
    note: string | default=plain
  ipam:
    ranges: [[{ subnet: 10.9.0.0/29 }]]
    dataDir: ${folder}/networks
  steps:
  - file:
      path: ${folder}/\${request.containerId}
      content: "\${config.note} \${ipam.addresses[0]}"
`;

describe('the daemon', () => {
  let folder: string;
  let socketPath: string;
  let daemons: NetworkDaemon[];
  let lines: string[];
  let metrics: Metrics;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-daemon-'));
    socketPath = join(folder, 'run/cni.sock');
    daemons = [];
    lines = [];
    mkdirSync(join(folder, 'made'));
  });
  afterEach(async () => {
    await Promise.all(daemons.map((daemon) => daemon.close({ grace: 0 })));
    rmSync(folder, { recursive: true, force: true });
  });

  const compiled = (...names: readonly string[]): CompiledBundle => {
    const text = names.map((name) => RULE(name, join(folder, 'made'))).join('---\n');
    const { documents, diagnostics } = parseYaml({ name: 'rules.yaml', text });
    const bundle = compileBundle(documents, { name: 'test', diagnostics });
    expect(bundle.diagnostics).toEqual([]);
    return bundle;
  };
  const start = async (options: Partial<NetworkDaemonOptions> = {}): Promise<NetworkDaemon> => {
    metrics = createMetrics();
    const daemon = await startNetworkDaemon({
      bundle: fixedBundle(compiled('net')),
      socketPath,
      stateFolder: join(folder, 'state'),
      nodeName: 'n1',
      version: '1.2.3',
      bootId: 'boot',
      makeHost: hostWithNamespaces,
      metrics,
      log: (_, message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`),
      ...options,
    });
    daemons.push(daemon);
    return daemon;
  };
  const invocation = (command: NetworkRequest['command'], containerId: string, config: JsonObject = {}, type = 'net'): Invocation => {
    const request = imaginedAdd({ cniVersion: '1.1.0', name: 'pods', type, ...config });
    return requestInvocation(type, { ...request, command, containerId, netns: join(folder, 'no-netns') });
  };
  const call = (...args: Parameters<typeof invocation>): Promise<Answer> => invoke(socketPath, invocation(...args), 10_000);
  const made = () => readdirSync(join(folder, 'made')).filter((name) => name !== 'networks');
  const keep = (name: string, kept: Invocation): void => {
    mkdirSync(join(folder, 'state/spool'), { recursive: true });
    writeFileSync(join(folder, 'state/spool', name), formatInvocation(kept));
  };
  const SPOOLED = '1795716465353000000-7';

  it('attaches and detaches', async () => {
    await start();
    const { exitCode, stdout } = await call('ADD', 'c1', { note: 'hello' });
    expect({ exitCode, ips: JSON.parse(stdout).ips }).toEqual({ exitCode: 0, ips: [{ address: '10.9.0.2/29', gateway: '10.9.0.1' }] });
    expect(readFileSync(join(folder, 'made/c1'), 'utf8')).toBe('hello 10.9.0.2/29');
    expect(await call('STATUS', '')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(await call('DEL', 'c1')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(made()).toEqual([]);
  });

  it('names the invocation in its log, and nothing of the configuration', async () => {
    await start();
    await call('ADD', 'c1', { note: 'a-secret' });
    const line = lines.find((each) => each.startsWith('invocation '))!;
    expect(JSON.parse(line.slice('invocation '.length))).toMatchObject({
      verb: 'ADD',
      rule: 'net',
      container: 'c1',
      interface: 'eth0',
      exitCode: 0,
    });
    expect(lines.join('\n')).not.toContain('a-secret');
  });

  it('goes on where the one before it ended', async () => {
    const first = await start();
    await call('ADD', 'c1');
    await first.close();
    expect(made()).toEqual(['c1']);
    await expect(call('ADD', 'c2')).rejects.toThrow('there is no such socket');
    await start();
    expect((await askDaemon(socketPath, 'status')).attachments).toMatchObject([{ containerId: 'c1', addresses: ['10.9.0.2/29'] }]);
    expect((await call('DEL', 'c1')).exitCode).toBe(0);
    expect(made()).toEqual([]);
  });

  it('says at its start, and when it is asked, what it may not do', async () => {
    await start({ privileges: () => ['CAP_NET_ADMIN'] });
    const said = 'this process may not change networks, it lacks CAP_NET_ADMIN: run it as root, or privileged';
    await until(() => lines.includes(`networks cannot be made ${JSON.stringify({ missing: said })}`));
    expect((await askDaemon(socketPath, 'status')).missing).toContain(said);
  });

  it('refuses to start beside another', async () => {
    await start();
    await expect(start({ stateFolder: join(folder, 'other') })).rejects.toThrow('another daemon listens there');
    expect((await call('ADD', 'c1')).exitCode).toBe(0);
    // A process that is not this one, and runs.
    mkdirSync(join(folder, 'held/journal'), { recursive: true });
    writeFileSync(join(folder, 'held/journal/lock'), `${process.ppid}\n`);
    const elsewhere = { socketPath: join(folder, 'run/other.sock'), stateFolder: join(folder, 'held') };
    await expect(start(elsewhere)).rejects.toThrow(`process ${process.ppid} works with it`);
    expect(existsSync(elsewhere.socketPath)).toBe(false);
  });

  describe('with DELs that were kept while there was none', () => {
    it('does them when it starts', async () => {
      const first = await start();
      await call('ADD', 'c1');
      await first.close();
      keep(SPOOLED, invocation('DEL', 'c1'));
      await start();
      await until(() => made().length === 0 && !existsSync(join(folder, 'state/spool', SPOOLED)));
    });

    it('does them before an ADD of the same interface', async () => {
      await start();
      await call('ADD', 'c1', { note: 'old' });
      keep(SPOOLED, invocation('DEL', 'c1'));
      const { exitCode } = await call('ADD', 'c1', { note: 'new' });
      expect(exitCode).toBe(0);
      expect(readFileSync(join(folder, 'made/c1'), 'utf8')).toMatch(/^new /);
      expect(readdirSync(join(folder, 'state/spool'))).toEqual([]);
    });
  });

  describe('that undoes what the last one left half done', () => {
    it('lets what comes meanwhile wait, and says so to STATUS', async () => {
      const first = await start();
      await call('ADD', 'c1');
      await first.close();
      // Another boot: the namespaces of before are gone, and what was made for them is undone.
      let release = (): void => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const second = await start({ bootId: 'another', makeHost: (options) => hostWithNamespaces(options, held) });
      expect(second.notReady()).toBe('undoing what the last daemon left half done');
      const status = await call('STATUS', '');
      expect({ exitCode: status.exitCode, code: JSON.parse(status.stdout).code }).toEqual({ exitCode: 1, code: 50 });
      const adding = call('ADD', 'c2');
      release();
      expect((await adding).exitCode).toBe(0);
      expect(made()).toEqual(['c2']);
      expect(second.notReady()).toBeUndefined();
    });
  });

  it('attaches nobody when its state was removed, and detaches all the same', async () => {
    const daemon = await start();
    await call('ADD', 'c1');
    rmSync(join(folder, 'state'), { recursive: true });
    const reason = `${join(folder, 'state')} was removed: start the daemon again`;
    expect(daemon.notReady()).toBe(reason);
    expect(JSON.parse((await call('ADD', 'c2')).stdout)).toMatchObject({ code: 11, msg: `the daemon is not ready: ${reason}` });
    expect(JSON.parse((await call('STATUS', '')).stdout)).toMatchObject({ code: 50 });
    expect((await askDaemon(socketPath, 'status')).notReady).toBe(reason);
    expect((await call('DEL', 'c1')).exitCode).toBe(0);
    expect(made()).toEqual([]);
  });

  it('is not ready when its socket was removed', async () => {
    const daemon = await start();
    await daemon.recovered;
    rmSync(socketPath);
    expect(daemon.notReady()).toBe(`${socketPath} was removed: start the daemon again`);
  });

  it('undoes what the node has for a rule that is gone, when nobody is attached and somebody asks', async () => {
    const file = join(folder, 'made/node');
    const node = `  node:\n    steps:\n    - file: { path: '${file}', content: of the node }\n`;
    const { documents, diagnostics } = parseYaml({ name: 'rules.yaml', text: `${RULE('net', join(folder, 'made'))}${node}` });
    let active = fixedBundle(compileBundle(documents, { name: 'test', diagnostics })).current();
    const daemon = await start({ bundle: { current: () => active } });
    await call('ADD', 'c1');
    expect(existsSync(file)).toBe(true);
    active = fixedBundle(compiled('other')).current();
    daemon.reload();
    expect(await askDaemon(socketPath, 'gc')).toMatchObject({ removed: [] });
    expect(existsSync(file)).toBe(true);
    await call('DEL', 'c1');
    expect(await askDaemon(socketPath, 'gc')).toMatchObject({ removed: ['what rule net made on the node for network pods'] });
    expect(existsSync(file)).toBe(false);
  });

  it('undoes what the node has for a network that nobody uses, and makes it anew when it is used', async () => {
    const file = join(folder, 'made/node');
    const node = `  node:\n    steps:\n    - file: { path: '${file}', content: of the node }\n`;
    const { documents, diagnostics } = parseYaml({ name: 'rules.yaml', text: `${RULE('net', join(folder, 'made'))}${node}` });
    await start({ bundle: fixedBundle(compileBundle(documents, { name: 'test', diagnostics })) });
    await call('STATUS', '');
    expect(existsSync(file)).toBe(true);
    expect(await askDaemon(socketPath, 'gc')).toMatchObject({ removed: [] });
    expect(await askDaemon(socketPath, 'gc all')).toMatchObject({ removed: ['what rule net made on the node for network pods'] });
    expect(existsSync(file)).toBe(false);
    expect((await call('ADD', 'c1')).exitCode).toBe(0);
    expect(existsSync(file)).toBe(true);
    expect(await askDaemon(socketPath, 'gc all')).toMatchObject({ removed: [] });
  });

  it('takes over rules that changed', async () => {
    let active: ActiveBundle | undefined = fixedBundle(compiled('net')).current();
    const daemon = await start({ bundle: { current: () => active } });
    expect(JSON.parse((await call('ADD', 'c1', {}, 'other')).stdout)).toMatchObject({ code: 106 });
    active = fixedBundle(compiled('net', 'other')).current();
    daemon.reload();
    expect((await call('ADD', 'c1', {}, 'other')).exitCode).toBe(0);
  });

  it('tells of itself', async () => {
    await start({ bundle: { ...fixedBundle(compiled('net')), failure: () => '1 error' } });
    await call('ADD', 'c1');
    expect(await askDaemon(socketPath, 'status')).toEqual({
      version: '1.2.3',
      node: 'n1',
      bundle: { name: 'test', version: '', generation: 1, failure: '1 error' },
      rules: [{ name: 'net', missing: [], faults: [] }],
      missing: expect.any(Array),
      networks: [{ name: 'pods', rules: ['net'], attachments: 1, addresses: [{ ranges: '10.9.0.1-10.9.0.6', total: '5', free: '4' }] }],
      attachments: [
        {
          network: 'pods',
          rule: 'net',
          containerId: 'c1',
          ifName: 'eth0',
          netns: join(folder, 'no-netns'),
          addresses: ['10.9.0.2/29'],
          since: expect.any(Number),
          state: 'performed',
        },
      ],
      spooled: 0,
    });
    expect(await askDaemon(socketPath, 'gc')).toEqual({ removed: [], left: [], forgotten: [] });
    expect(made()).toEqual(['c1']);
    const text = metrics.text();
    expect(text).toContain('fairlead_cni_records{state="performed"} 1\n');
    expect(text).toContain('fairlead_cni_invocations_running 0\n');
  });

  it('does not take what is being attached for garbage', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isWriting = false;
    await start({
      makeHost(options) {
        const host = hostWithNamespaces(options);
        const session: Host['session'] = async (netns) => {
          const inner = await host.session(netns);
          return {
            netnsGone: false,
            close: () => inner.close(),
            async perform(effect, signal) {
              isWriting ||= effect.kind === 'write-file';
              if (effect.kind === 'write-file') await held;
              return inner.perform(effect, signal);
            },
          };
        };
        return { ...host, session };
      },
    });
    const adding = call('ADD', 'c1');
    await until(() => isWriting);
    const collecting = askDaemon(socketPath, 'gc');
    expect((await askDaemon(socketPath, 'status')).attachments).toMatchObject([{ state: 'performing' }]);
    release();
    expect((await adding).exitCode).toBe(0);
    await collecting;
    expect(await askDaemon(socketPath, 'gc')).toEqual({ removed: [], left: [], forgotten: [] });
    expect(made()).toEqual(['c1']);
  });

  it('tries again what could not be undone, says why it could not, and forgets it when told to', async () => {
    const clock = manualClock();
    await start({
      clock,
      makeHost(options) {
        const host = hostWithNamespaces(options);
        const session: Host['session'] = async (netns) => {
          const inner = await host.session(netns);
          const perform: Host['perform'] = async (effect, signal) => {
            if (effect.kind === 'remove-path') throw new EffectError('busy', 'no', 'rm');
            return inner.perform(effect, signal);
          };
          return { netnsGone: false, perform, close: () => inner.close() };
        };
        return { ...host, session };
      },
    });
    await call('ADD', 'c1');
    await call('ADD', 'c2');
    expect(JSON.parse((await call('DEL', 'c1')).stdout)).toMatchObject({ code: 105 });
    expect(JSON.parse((await call('DEL', 'c2')).stdout)).toMatchObject({ code: 105 });
    const left = async () => (await askDaemon(socketPath, 'status')).attachments.map(({ state, reason }) => [state, reason]);
    expect(await left()).toEqual([
      ['undoing', undefined],
      ['undoing', undefined],
    ]);
    // One after the other, and not before half a minute. While an attempt is under way its deadlines must not pass.
    const resting = clock.pending();
    await until(() => {
      if (clock.pending() <= resting) clock.advance(10_000);
      return lines.filter((line) => line.startsWith('still not removed')).length >= 2;
    });
    expect(clock.elapsed()).toBeGreaterThanOrEqual(30_000);
    const reason = expect.stringContaining('could not be undone: rm: no');
    expect(await left()).toEqual([
      ['undoing', reason],
      ['undoing', reason],
    ]);
    expect(await askDaemon(socketPath, 'gc')).toMatchObject({ left: [reason, reason], forgotten: [] });
    expect(await askDaemon(socketPath, 'gc forget')).toMatchObject({ left: [], forgotten: [reason, reason] });
    expect(await left()).toEqual([]);
  });

  it('does not know every question', async () => {
    await start();
    const answer = await invoke(socketPath, { environment: new Map([['FAIRLEAD_QUESTION', 'why']]), stdin: '' }, 10_000);
    expect(answer).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('says that it is ending', async () => {
    const daemon = await start();
    await daemon.recovered;
    expect(daemon.notReady()).toBeUndefined();
    await daemon.close();
    expect(daemon.notReady()).toBe('shutting down');
  });
});
