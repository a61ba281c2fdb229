/** For tests of verbs: a plugin whose performer only notes what it is to do, with an allocator of its own, and calls of it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import type { NetworkRule, PluginRequest } from '../../engine/rules/network/program.ts';
import { createAddressAllocator } from './addresses/allocator.ts';
import { FakePerformer, type FakeRule, fakeHost, fakeRule } from './fake-performer.fixture.ts';
import { networkEffects } from './network-effects.ts';
import { createPlugin, type PluginOptions } from './plugin.ts';
import { factsWithoutCluster } from './verbs/network-facts-source.ts';
import type { Answer } from './wire.ts';

type Addresses = NonNullable<FakeRule['addresses']>;

/** The first step of a rule that takes its addresses from the allocator, which keeps them in a folder. */
export const allocatedIn =
  (dataDir: string, ranges: readonly JsonObject[][] = [[{ subnet: '10.1.0.0/29' }]]): Addresses =>
  ({ network, containerId, ifName }) => ({
    operation: 'addresses',
    arguments: { network, containerId, ifName, ranges, requested: [], dataDir },
  });

/** The first step of a rule that takes its addresses from another plugin. */
export const dhcp: Addresses = () => ({ operation: 'delegate', arguments: { type: 'dhcp', config: {} } });

export interface PluginCall {
  readonly command: string;
  readonly id?: string;
  readonly ifName?: string;
  readonly netns?: string;
  readonly version?: string;
  readonly config?: JsonObject;
  readonly type?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** As runtimes ask: of no container. */
export const STATUS: PluginCall = { command: 'STATUS', id: '', netns: '', ifName: '' };

/** What a verb answers that was done and has nothing to tell. */
export const SILENT: Answer = { exitCode: 0, stdout: '', stderr: '' };

/** The part of a GC's configuration that names what is to stay. */
export const validAttachments = (...ids: readonly string[]): JsonObject => ({
  'cni.dev/valid-attachments': ids.map((containerID) => ({ containerID, ifname: 'eth0' })),
});

/** A folder until the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flf-plugin-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Rules, or one of these fields. It has addresses of the allocator where nothing else is said. */
export function setUp(fields: FakeRule & { readonly rules?: readonly NetworkRule[] } = {}, options: Partial<PluginOptions> = {}) {
  const dataDir = temporaryFolder();
  const rule = fakeRule({ addresses: allocatedIn(dataDir), ...fields });
  const addresses = createAddressAllocator({ log: () => {} });
  /** What other plugins were called for, and what they say to it. */
  const plugins: string[] = [];
  const requests: PluginRequest[] = [];
  const answers = new Map<string, () => unknown>();
  const delegate = async (request: PluginRequest) => {
    const call = `${request.type} ${request.command}`;
    requests.push(request);
    plugins.push(call);
    return answers.get(call)?.() as undefined;
  };
  const shown: { rows: Readonly<Record<string, readonly JsonObject[]>> } = { rows: {} };
  const host = fakeHost((words) => shown.rows[words.join(' ')] ?? []);
  const performer = new FakePerformer(networkEffects(addresses, delegate));
  const plugin = createPlugin({
    program: { rules: fields.rules ?? [rule] },
    performer,
    host,
    addresses,
    delegate,
    facts: factsWithoutCluster('node-1'),
    log: () => {},
    netns: { of: (path) => (path.startsWith('/gone') ? undefined : path), own: () => '/host' },
    ...options,
  });
  const invoke = (call: PluginCall, signal?: AbortSignal): Promise<Answer> => {
    const { command, id = 'c1', ifName = 'eth0', netns = '/ns/1', version = '1.1.0', type = 'my-cni', config, environment } = call;
    const variables = { CNI_COMMAND: command, CNI_CONTAINERID: id, CNI_NETNS: netns, CNI_IFNAME: ifName, CNI_PATH: '/opt/cni/bin' };
    const stdin = JSON.stringify({ name: 'net', cniVersion: version, type, ...config });
    return plugin.invoke({ environment: new Map(Object.entries({ TYPE: type, ...variables, ...environment })), stdin }, signal);
  };
  const reserved = (): string[] => {
    try {
      return readdirSync(join(dataDir, 'net')).filter((name) => /^\d+\./.test(name));
    } catch {
      return [];
    }
  };
  return { plugin, performer, host, invoke, dataDir, reserved, plugins, requests, answers, shown };
}

/** The fault of an answer in one line: `<code>: <msg> (<details>)`. */
export function faultOf(answer: Answer): string {
  expect(answer.exitCode).toBe(1);
  const { code, msg, details } = JSON.parse(answer.stdout) as { code: number; msg: string; details?: string };
  return `${code}: ${msg}${details === undefined ? '' : ` (${details})`}`;
}

/** Holds the first call of a verb until it is opened. */
export function holdFirst(performer: FakePerformer, verb: string) {
  let open = (): void => {};
  let reach = (): void => {};
  const isReached = new Promise<void>((resolve) => (reach = resolve));
  performer.gate = (called) => {
    if (called !== verb) return Promise.resolve();
    performer.gate = () => Promise.resolve();
    reach();
    return new Promise<void>((resolve) => (open = resolve));
  };
  return { isReached, open: () => open() };
}
