import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileBundle } from '../../../engine/bundle/compile.ts';
import { imaginedAdd } from '../../../engine/rules/network/imagined-request.ts';
import { parseYaml } from '../../../engine/text/yaml.ts';
import { fixedBundle } from '../../host/bundle-watch.ts';
import { createHost, type Host, type HostOptions } from '../../linux/host.ts';
import { startNetworkDaemon } from '../daemon.ts';
import { invoke } from '../invoke.ts';
import { requestInvocation } from '../request-invocation.ts';
import { formatInvocation, type Invocation } from '../wire.ts';
import { type PurgeOptions, purge } from './purge.ts';

/** Neither root nor Linux is needed: an attachment is an address and a file, and so is what the node has. */
const RULE = (folder: string): string => `
apiVersion: fairlead.dev/v1alpha1
kind: NetworkRule
metadata: { name: net }
spec:
  ipam:
    ranges: [[{ subnet: 10.9.0.0/29 }]]
    dataDir: ${folder}/networks
  node:
    steps:
    - file: { path: '${folder}/node', content: of the node }
  steps:
  - file: { path: '${folder}/\${request.containerId}', content: x }
`;

/** This machine without its links and its packet filter; every network namespace is there. */
function hostOfFiles(options: HostOptions): Host {
  const host = createHost(options);
  const perform: Host['perform'] = async (effect, signal) => {
    if (effect.kind === 'show' || effect.kind === 'nft-list') return [];
    if (effect.kind === 'iptables-save') return '';
    return host.perform(effect, signal);
  };
  return {
    perform,
    missing: host.missing.bind(host),
    probeAnew: host.probeAnew.bind(host),
    close: host.close.bind(host),
    session: () => host.session(undefined),
  };
}

describe('purge', () => {
  let folder: string;
  let options: PurgeOptions;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'flm-purge-'));
    mkdirSync(join(folder, 'made'));
    options = {
      socketPath: join(folder, 'run/fairlead/cni.sock'),
      stateFolder: join(folder, 'lib/fairlead/cni'),
      pools: [{ network: 'pods', dataDir: join(folder, 'made/networks') }],
      detach: false,
      bootId: 'boot',
      makeHost: hostOfFiles,
    };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const invocation = (command: 'ADD' | 'DEL', containerId: string): Invocation => {
    const request = imaginedAdd({ cniVersion: '1.1.0', name: 'pods', type: 'net' });
    return requestInvocation('net', { ...request, command, containerId, netns: join(folder, 'no-netns') });
  };
  const start = () => {
    const { documents, diagnostics } = parseYaml({ name: 'rules.yaml', text: RULE(join(folder, 'made')) });
    const bundle = fixedBundle(compileBundle(documents, { name: 'test', diagnostics }));
    const { socketPath, stateFolder } = options;
    return startNetworkDaemon({ bundle, socketPath, stateFolder, bootId: 'boot', makeHost: hostOfFiles });
  };
  const attach = async (...containers: readonly string[]): Promise<void> => {
    const daemon = await start();
    for (const container of containers) {
      const { exitCode, stdout } = await invoke(options.socketPath, invocation('ADD', container), 10_000);
      expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
    }
    await daemon.close();
  };
  const keep = (container: string): void =>
    writeFileSync(join(options.stateFolder, 'spool/1795716465353000000-7'), formatInvocation(invocation('DEL', container)));
  /** Folders that were not ours to make. */
  const EMPTY = ['lib', 'made', 'run'];
  const names = () => readdirSync(folder, { recursive: true }).sort();

  it('leaves nothing when nobody is attached', async () => {
    await attach('c1');
    expect(existsSync(join(folder, 'made/node'))).toBe(true);
    keep('c1');
    const { attachments, removed, left } = await purge(options);
    expect({ attachments, left }).toEqual({ attachments: [], left: [] });
    expect(removed).toEqual([join(folder, 'made/networks/pods'), options.stateFolder]);
    expect(names()).toEqual(EMPTY);
  });

  it('leaves everything where containers are attached, and says which', async () => {
    await attach('c1', 'c2');
    keep('c2');
    expect(await purge(options)).toEqual({ attachments: [{ network: 'pods', containerId: 'c1', ifName: 'eth0' }], removed: [], left: [] });
    expect(readdirSync(join(folder, 'made')).sort()).toEqual(['c1', 'networks', 'node']);
    // A daemon goes on with it.
    const daemon = await start();
    expect((await invoke(options.socketPath, invocation('DEL', 'c1'), 10_000)).exitCode).toBe(0);
    await daemon.close();
    expect((await purge(options)).left).toEqual([]);
    expect(names()).toEqual(EMPTY);
  });

  it('detaches where that is asked for', async () => {
    await attach('c1', 'c2');
    // Of a container that no record knows.
    writeFileSync(join(folder, 'made/networks/pods/10.9.0.6'), 'lost\r\neth0');
    expect(await purge({ ...options, detach: true })).toMatchObject({ attachments: [], left: [] });
    expect(names()).toEqual(EMPTY);
  });

  it('keeps the journal where something is left, and what others have in the folders', async () => {
    await attach('c1');
    writeFileSync(join(folder, 'made/networks/pods/10.9.0.6'), 'lost\r\neth0');
    keep('c1');
    expect((await purge(options)).left).toEqual([`${folder}/made/networks/pods: 1 addresses are reserved there, the first for "10.9.0.6"`]);
    expect(existsSync(join(options.stateFolder, 'journal'))).toBe(true);
    rmSync(join(folder, 'made/networks/pods/10.9.0.6'));
    writeFileSync(join(options.stateFolder, 'note'), 'of somebody else');
    expect((await purge(options)).left).toEqual([]);
    expect(readdirSync(options.stateFolder)).toEqual(['note']);
  });

  it('does nothing on a host that has nothing', async () => {
    expect(await purge(options)).toEqual({ attachments: [], removed: [options.stateFolder], left: [] });
    expect(names()).toEqual(['lib', 'made']);
  });

  it('refuses while a daemon runs', async () => {
    // A process that is not this one, and runs.
    mkdirSync(join(options.stateFolder, 'journal'), { recursive: true });
    writeFileSync(join(options.stateFolder, 'journal/lock'), '1\n');
    await expect(purge(options)).rejects.toThrow('process 1 works with it');
  });
});
