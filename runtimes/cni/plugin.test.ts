import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { attachmentOwner } from '../../engine/rules/network/attachment.ts';
import type { NetworkRequest, NetworkRule, PluginRequest } from '../../engine/rules/network/program.ts';
import { CniError } from '../../engine/rules/network/protocol/fault.ts';
import { EffectError } from '../../engine/step/effect.ts';
import { BindError } from '../../engine/step/plan.ts';
import { createMetrics } from '../host/metrics.ts';
import { createAddressAllocator } from './addresses/allocator.ts';
import { FakePerformer, type FakeRule, fakeHost, fakeRule } from './fake-performer.fixture.ts';
import { networkEffects } from './network-effects.ts';
import { createPlugin, type PluginOptions } from './plugin.ts';
import { factsWithoutCluster } from './verbs/network-facts-source.ts';
import type { Answer } from './wire.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'flf-plugin-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const allocator = (request: NetworkRequest) =>
  ({
    operation: 'addresses',
    arguments: {
      network: request.network,
      containerId: request.containerId,
      ifName: request.ifName,
      ranges: [[{ subnet: '10.1.0.0/29' }]],
      requested: [],
      dataDir,
    },
  }) as const;

interface Call {
  readonly command: string;
  readonly id?: string;
  readonly ifName?: string;
  readonly netns?: string;
  readonly version?: string;
  readonly config?: JsonObject;
  readonly type?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

function setUp(fields: FakeRule & { readonly rules?: readonly NetworkRule[] } = {}, options: Partial<PluginOptions> = {}) {
  const rule = fakeRule({ addresses: allocator, ...fields });
  const addresses = createAddressAllocator({ log: () => {} });
  const plugins: string[] = [];
  const answers = new Map<string, () => unknown>();
  const requests: PluginRequest[] = [];
  const delegate = async (request: PluginRequest) => {
    const { type, command } = request;
    requests.push(request);
    plugins.push(`${type} ${command}`);
    return answers.get(`${type} ${command}`)?.() as undefined;
  };
  const shown: { rows: Readonly<Record<string, readonly JsonObject[]>> } = { rows: {} };
  const host = fakeHost((words) => shown.rows[words.join(' ')] ?? []);
  const performer = new FakePerformer(networkEffects(addresses, delegate));
  const log: string[] = [];
  const plugin = createPlugin({
    program: { rules: fields.rules ?? [rule] },
    performer,
    host,
    addresses,
    delegate,
    facts: factsWithoutCluster('node-1'),
    log: (line) => log.push(line),
    netns: { of: (path) => (path.startsWith('/gone') ? undefined : path), own: () => '/host' },
    ...options,
  });
  const invoke = (call: Call, signal?: AbortSignal): Promise<Answer> => {
    const {
      command,
      id = 'c1',
      ifName = 'eth0',
      netns = '/ns/1',
      version = '1.1.0',
      config = {},
      type = 'my-cni',
      environment = {},
    } = call;
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
  return { plugin, performer, host, invoke, reserved, plugins, requests, answers, log, shown };
}

const faultOf = (answer: Answer): string => {
  expect(answer.exitCode).toBe(1);
  const { code, msg, details } = JSON.parse(answer.stdout) as { code: number; msg: string; details?: string };
  return `${code}: ${msg}${details === undefined ? '' : ` (${details})`}`;
};
/** Holds the first call of a verb until it is opened. */
function holdFirst(performer: FakePerformer, verb: string) {
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

const SILENT: Answer = { exitCode: 0, stdout: '', stderr: '' };

describe('ADD', () => {
  it('performs the plan and prints the result in the version of the configuration', async () => {
    const { invoke, performer, reserved } = setUp();
    const answer = await invoke({ command: 'ADD', version: '0.4.0' });
    expect(answer).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(answer.stdout)).toEqual({
      cniVersion: '0.4.0',
      interfaces: [{ name: 'host0' }, { name: 'eth0', sandbox: '/ns/1' }],
      ips: [{ version: '4', address: '10.1.0.2/29', gateway: '10.1.0.1', interface: 1 }],
      routes: [{ dst: '0.0.0.0/0' }],
      dns: {},
    });
    expect(performer.story).toEqual(['ensure ipam', 'ensure bridge', 'ensure veth']);
    expect(reserved()).toEqual(['10.1.0.2']);
  });

  it('gives the pod its annotations before it answers, unless the attachment fails, and gives them up with it', async () => {
    const story: unknown[] = [];
    const podAnnotator = {
      annotate: async (...words: unknown[]) => void story.push(words.slice(1)),
      forget: () => void story.push('forget'),
      resume: () => {},
      close: () => {},
    };
    const { invoke } = setUp({ podAnnotations: (_steps, { ips }) => ({ a: ips[0]!.address }) }, { podAnnotator });
    const environment = { CNI_ARGS: 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_UID=u1' };
    await invoke({ command: 'ADD', environment });
    expect(story).toEqual([[{ namespace: 'shop', name: 'web', uid: 'u1' }, { a: '10.1.0.2/29' }]]);
    await invoke({ command: 'DEL', environment });
    expect(story.splice(0).slice(1)).toEqual(['forget']);
    // Nobody says of which pod it is.
    await invoke({ command: 'ADD', id: 'c2' });
    expect(story).toEqual([]);
    const failing = setUp(
      {
        podAnnotations: () => {
          throw new BindError('no such field', 'podAnnotations', ['spec', 'podAnnotations'], undefined);
        },
      },
      { podAnnotator },
    );
    expect(faultOf(await failing.invoke({ command: 'ADD', environment }))).toMatch(/no such field/);
    expect(failing.performer.story.slice(-1)).toEqual(['undo ipam']);
    expect(story).toEqual(['forget']);
  });

  it('twice is an error, as the specification says, and leaves the first alone', async () => {
    const { invoke, reserved } = setUp();
    await invoke({ command: 'ADD' });
    expect(faultOf(await invoke({ command: 'ADD' }))).toBe(
      '103: container c1 is attached to network net by eth0 already (since 1970-01-01T00:00:00.000Z)',
    );
    expect(reserved()).toEqual(['10.1.0.2']);
  });

  it('works after an ADD that nobody was told of', async () => {
    const answered = new Set<string>();
    const { invoke, performer, reserved } = setUp({}, { answered });
    await invoke({ command: 'ADD' });
    answered.clear();
    expect((await invoke({ command: 'ADD' })).exitCode).toBe(0);
    expect(performer.story.slice(3)).toEqual(['undo veth', 'undo bridge', 'undo ipam', 'ensure ipam', 'ensure bridge', 'ensure veth']);
    expect(reserved()).toHaveLength(1);
  });

  it('tells the step that failed, what it was about, and leaves nothing', async () => {
    const { invoke, performer, reserved } = setUp();
    performer.failures.set('ensure veth', 'veth eth0: RTNETLINK answers: File exists');
    expect(faultOf(await invoke({ command: 'ADD' }))).toBe(
      '100: veth eth0: RTNETLINK answers: File exists (step veth (line 11 of the rule))',
    );
    expect(reserved()).toEqual([]);
  });

  it('refuses the namespace of the host before anything is done to it', async () => {
    const { invoke, performer } = setUp();
    const message = "8: plugin's netns and netns from CNI_NETNS should not be the same";
    expect(faultOf(await invoke({ command: 'ADD', netns: '/host' }))).toBe(message);
    expect(performer.story).toEqual([]);
    const override = { CNI_NETNS_OVERRIDE: 'true' };
    expect((await invoke({ command: 'ADD', netns: '/host', environment: override })).exitCode).toBe(0);
    expect(faultOf(await invoke({ command: 'DEL', netns: '/host' }))).toBe(message);
    expect(performer.kept.size).toBe(0);
  });

  it('is undone when its result can not be told', async () => {
    const { invoke, reserved, performer } = setUp({ addresses: undefined as never });
    expect(faultOf(await invoke({ command: 'ADD', version: '0.2.0' }))).toBe('999: cannot convert: no valid IP addresses');
    expect(performer.kept.size).toBe(0);
    expect(reserved()).toEqual([]);
  });

  it('says that no address is left, and how many there were', async () => {
    const { invoke } = setUp();
    for (const id of ['a', 'b', 'c', 'd', 'e']) await invoke({ command: 'ADD', id });
    expect(faultOf(await invoke({ command: 'ADD', id: 'f' }))).toBe(
      '100: failed to allocate for range 0: no IP addresses available in range set: 10.1.0.1-10.1.0.6 (all 5 are taken) ' +
        '(step ipam (line 7 of the rule); tried: allocate addresses)',
    );
  });

  it('says what another plugin said, unchanged', async () => {
    const addresses = () => ({ operation: 'delegate', arguments: { type: 'dhcp', config: {} } }) as const;
    const { invoke, answers } = setUp({ addresses });
    answers.set('dhcp ADD', () => {
      throw new CniError({ code: 11, msg: 'no lease', details: 'timed out' }, 'ADD of plugin dhcp');
    });
    expect(faultOf(await invoke({ command: 'ADD' }))).toBe('11: no lease (timed out)');
  });

  it('of a plugin that is no rule', async () => {
    const { invoke } = setUp();
    expect(faultOf(await invoke({ command: 'ADD', type: 'other' }))).toBe(
      '106: there is no NetworkRule named other (the bundle has my-cni)',
    );
  });

  it('passes on why a rule refuses', async () => {
    const { invoke } = setUp({ attach: () => ({ kind: 'fault', fault: { code: 7, msg: 'subnet is missing' } }) });
    expect(faultOf(await invoke({ command: 'ADD' }))).toBe('7: subnet is missing');
  });

  it('ends when its time is up', async () => {
    const { invoke, performer } = setUp();
    let open = (): void => {};
    performer.gate = () => new Promise<void>((resolve) => (open = resolve));
    const first = invoke({ command: 'ADD' });
    const controller = new AbortController();
    const second = invoke({ command: 'ADD' }, controller.signal);
    controller.abort();
    expect(faultOf(await second)).toMatch(/^11: the time was up \(waited in vain for .*, which an ADD has\)$/);
    open();
    expect((await first).exitCode).toBe(0);
  });
});

describe('DEL', () => {
  it('undoes what ADD did, and succeeds again', async () => {
    const { invoke, performer, reserved } = setUp();
    await invoke({ command: 'ADD' });
    performer.story.length = 0;
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
    expect(performer.story).toEqual(['undo veth', 'undo bridge', 'undo ipam']);
    expect(reserved()).toEqual([]);
    expect(await invoke({ command: 'DEL', netns: '' })).toEqual(SILENT);
    expect(await invoke({ command: 'DEL', netns: '/gone' })).toEqual(SILENT);
    expect((await invoke({ command: 'ADD' })).exitCode).toBe(0);
  });

  it('removes without a record what carries the tag, and releases addresses', async () => {
    const { invoke, performer, reserved, plugin } = setUp();
    await invoke({ command: 'ADD' });
    performer.kept.clear();
    const { id } = attachmentOwner('my-cni', { network: 'net', containerId: 'c1', ifName: 'eth0' });
    performer.strays.set(id, 'link veth1').set('other', 'link veth2');
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
    expect([...performer.strays.keys()]).toEqual(['other']);
    expect(reserved()).toEqual([]);
    await plugin.close();
  });

  it('undoes what a rule made that is no more', async () => {
    const { invoke, plugin, performer, reserved } = setUp();
    await invoke({ command: 'ADD' });
    plugin.setProgram({ rules: [] });
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
    expect(performer.kept.size).toBe(0);
    expect(reserved()).toEqual([]);
  });

  it('succeeds where the rule refuses the configuration by now', async () => {
    const { invoke } = setUp({ attach: () => ({ kind: 'fault', fault: { code: 7, msg: 'no' } }) });
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
  });

  it('says what is left', async () => {
    const { invoke, performer } = setUp();
    await invoke({ command: 'ADD' });
    performer.failures.set('undo bridge', 'bridge cni0: Device or resource busy');
    expect(faultOf(await invoke({ command: 'DEL' }))).toBe(
      '105: bridge cni0: Device or resource busy (step bridge (line 10 of the rule); while it was undone; left: link of bridge)',
    );
    performer.failures.clear();
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
  });

  it('is forwarded to the plugin that gave addresses, also without a record', async () => {
    const addresses = () => ({ operation: 'delegate', arguments: { type: 'dhcp', config: {} } }) as const;
    const { invoke, plugins } = setUp({ addresses });
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
    expect(plugins).toEqual(['dhcp DEL']);
  });

  it('waits for the ADD of the same attachment, and not for others', async () => {
    const { invoke, performer } = setUp();
    const hold = holdFirst(performer, 'perform');
    const adding = invoke({ command: 'ADD' });
    await hold.isReached;
    const deleting = invoke({ command: 'DEL' });
    expect(await invoke({ command: 'DEL', id: 'c2' })).toEqual(SILENT);
    expect(performer.story).toEqual([]);
    hold.open();
    await Promise.all([adding, deleting]);
    expect(performer.story).toEqual(['ensure ipam', 'ensure bridge', 'ensure veth', 'undo veth', 'undo bridge', 'undo ipam']);
  });
});

describe('CHECK', () => {
  const prevResult = {
    cniVersion: '1.1.0',
    interfaces: [
      { name: 'veth', mac: 'aa:bb:cc:dd:ee:01' },
      { name: 'other' },
      { name: 'eth0', sandbox: '/ns/1', mac: 'AA:bb:cc:dd:ee:02' },
    ],
    ips: [
      { address: '10.1.0.2/29', interface: 2 },
      { address: 'fd00::2/64', interface: 2 },
      { address: '9.9.9.9/32', interface: 1 },
    ],
    routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: 'fd01::/64', gw: 'fd00::1' }, { dst: '10.9.0.1/32' }],
  };
  const KERNEL: Readonly<Record<string, readonly JsonObject[]>> = {
    'address show': [
      {
        ifname: 'eth0',
        address: 'aa:bb:cc:dd:ee:02',
        addr_info: [
          { local: '10.1.0.2', prefixlen: 29 },
          { local: 'fd00::2', prefixlen: 64 },
        ],
      },
    ],
    'address show dev veth': [{ ifname: 'veth', address: 'aa:bb:cc:dd:ee:01' }],
    'route show table all root 0.0.0.0/0': [{ dst: 'default', gateway: '10.1.0.1', table: '100' }, { dst: '10.9.0.1' }],
    'route show table all root ::/0': [{ dst: 'fd01::/64', nexthops: [{ gateway: 'fd00::9' }, { gateway: 'fd00::1' }] }],
  };

  it('finds all as it was', async () => {
    const { invoke, shown } = setUp();
    await invoke({ command: 'ADD' });
    shown.rows = KERNEL;
    expect(await invoke({ command: 'CHECK', config: { prevResult } })).toEqual(SILENT);
  });

  const without = (key: string): Readonly<Record<string, readonly JsonObject[]>> => ({ ...KERNEL, [key]: [] });
  it.each([
    ['address show', 'interface eth0 is gone'],
    ['address show dev veth', 'interface veth is gone'],
    ['route show table all root 0.0.0.0/0', 'the route to 0.0.0.0/0 by 10.1.0.1 is gone (the route to 10.9.0.1/32 is gone)'],
    ['route show table all root ::/0', 'the route to fd01::/64 by fd00::1 is gone'],
  ])('without what %s showed', async (key, message) => {
    const { invoke, shown } = setUp();
    await invoke({ command: 'ADD' });
    shown.rows = without(key);
    expect(faultOf(await invoke({ command: 'CHECK', config: { prevResult } }))).toBe(`104: ${message}`);
  });

  it('sees another MAC address, and an address that is gone', async () => {
    const { invoke, shown } = setUp();
    await invoke({ command: 'ADD' });
    shown.rows = {
      ...KERNEL,
      'address show': [{ ifname: 'eth0', address: '02:00:00:00:00:01', addr_info: [{ local: 'fd00::2', prefixlen: 64 }] }],
    };
    expect(faultOf(await invoke({ command: 'CHECK', config: { prevResult } }))).toBe(
      '104: interface eth0 has the MAC address 02:00:00:00:00:01, not AA:bb:cc:dd:ee:02 (interface eth0 has not the address 10.1.0.2/29)',
    );
  });

  it('leaves a bridge the MAC address that it takes from its ports', async () => {
    const { invoke, shown } = setUp();
    await invoke({ command: 'ADD' });
    const link = { ifname: 'veth', address: '02:00:00:00:00:01' };
    shown.rows = { ...KERNEL, 'address show dev veth': [{ ...link, linkinfo: { info_kind: 'bridge' } }] };
    expect(await invoke({ command: 'CHECK', config: { prevResult } })).toEqual(SILENT);
    shown.rows = { ...KERNEL, 'address show dev veth': [{ ...link, linkinfo: { info_kind: 'veth' } }] };
    expect(faultOf(await invoke({ command: 'CHECK', config: { prevResult } }))).toMatch(/^104: interface veth has the MAC address/);
  });

  it('tells what steps say, before anything else', async () => {
    const { invoke, performer } = setUp();
    await invoke({ command: 'ADD' });
    const { step } = [...performer.kept.values()][0]!.steps[1]!;
    performer.problems = [{ step, message: 'the bridge is down' }];
    expect(faultOf(await invoke({ command: 'CHECK', config: { prevResult } }))).toBe('104: step bridge: the bridge is down');
  });

  it('needs a record, and a result', async () => {
    const { invoke } = setUp();
    expect(faultOf(await invoke({ command: 'CHECK', config: { prevResult } }))).toBe(
      '104: there is no record of interface eth0 of container c1 in network net',
    );
    await invoke({ command: 'ADD' });
    expect(faultOf(await invoke({ command: 'CHECK' }))).toBe('7: Required prevResult missing');
  });
});

describe('GC', () => {
  const valid = (...ids: readonly string[]): JsonObject => ({
    'cni.dev/valid-attachments': ids.map((containerID) => ({ containerID, ifname: 'eth0' })),
  });

  it('removes what is not valid: records, addresses, and what carries a tag', async () => {
    const { invoke, performer, reserved } = setUp();
    for (const id of ['a', 'b', 'c']) await invoke({ command: 'ADD', id });
    // An address of which nobody has a record, such as host-local left it.
    const other = createAddressAllocator({ log: () => {} });
    await other.allocate({
      network: 'net',
      containerId: 'old',
      ifName: 'eth0',
      ranges: [[{ subnet: '10.1.0.0/29' }]],
      requested: [],
      dataDir,
    });
    performer.strays.set('x', 'link veth9');
    expect(await invoke({ command: 'GC', config: valid('b') })).toEqual(SILENT);
    expect(reserved()).toEqual(['10.1.0.3']);
    expect(performer.kept.size).toBe(1);
    expect(performer.strays.size).toBe(0);
  });

  it.each([[{}], [{ 'cni.dev/attachments': null }]])('takes %j for no valid attachments at all', async (config) => {
    const { invoke, reserved } = setUp();
    await invoke({ command: 'ADD' });
    expect(await invoke({ command: 'GC', config })).toEqual(SILENT);
    expect(reserved()).toEqual([]);
  });

  it('knows the old spelling', async () => {
    const { invoke, reserved } = setUp();
    await invoke({ command: 'ADD' });
    await invoke({ command: 'GC', config: { 'cni.dev/attachments': [{ containerID: 'c1', ifname: 'eth0' }] } });
    expect(reserved()).toEqual(['10.1.0.2']);
  });

  it('refuses a list that it can not read, instead of removing everything', async () => {
    const { invoke, reserved } = setUp();
    await invoke({ command: 'ADD' });
    expect(faultOf(await invoke({ command: 'GC', config: { 'cni.dev/valid-attachments': [{ containerID: 'c1' }] } }))).toBe(
      '7: cni.dev/valid-attachments[0] has no containerID or no ifname',
    );
    expect(reserved()).toEqual(['10.1.0.2']);
  });

  it('leaves other networks and other rules alone', async () => {
    const { invoke, performer } = setUp({ rules: [fakeRule(), fakeRule({ name: 'second' })] });
    await invoke({ command: 'ADD', config: { name: 'elsewhere' } });
    await invoke({ command: 'ADD', type: 'second' });
    await invoke({ command: 'GC' });
    expect(performer.kept.size).toBe(2);
  });

  it('goes on after a failure and reports it', async () => {
    const { invoke, performer } = setUp();
    await invoke({ command: 'ADD', id: 'a' });
    await invoke({ command: 'ADD', id: 'b' });
    performer.strays.set('x', 'link veth9');
    performer.failures.set('undo bridge', 'bridge cni0: busy');
    expect(faultOf(await invoke({ command: 'GC' }))).toMatch(
      /^105: not all garbage of network net could be removed: bridge cni0: busy \(step bridge/,
    );
    expect(performer.strays.size).toBe(0);
  });

  it('keeps others out of the network, and waits for them', async () => {
    const { invoke, performer } = setUp({ steps: [] });
    const hold = holdFirst(performer, 'perform');
    const adding = invoke({ command: 'ADD', id: 'a' });
    await hold.isReached;
    const collecting = invoke({ command: 'GC' });
    const second = invoke({ command: 'ADD', id: 'b' });
    expect((await invoke({ command: 'ADD', config: { name: 'elsewhere' } })).exitCode).toBe(0);
    hold.open();
    await Promise.all([adding, collecting, second]);
    expect(performer.story).toEqual(['ensure ipam', 'ensure ipam', 'undo ipam', 'ensure ipam']);
  });

  it('is forwarded, and a plugin that does not know it is left in peace', async () => {
    const addresses = () => ({ operation: 'delegate', arguments: { type: 'dhcp', config: {} } }) as const;
    const { invoke, plugins, answers } = setUp({ addresses });
    answers.set('dhcp GC', () => {
      throw new CniError({ code: 4, msg: 'unknown CNI_COMMAND: GC' }, 'GC');
    });
    expect(await invoke({ command: 'GC' })).toEqual(SILENT);
    expect(plugins).toEqual(['dhcp GC']);
    answers.set('dhcp GC', () => {
      throw new EffectError('program', 'failed to find plugin "dhcp" in path [/opt/cni/bin]', 'GC');
    });
    expect(faultOf(await invoke({ command: 'GC' }))).toMatch(/dhcp: failed to find plugin/);
  });
});

describe('networks of other plugins', () => {
  const list = (name: string, fields: JsonObject = {}): JsonObject => ({
    name,
    cniVersion: '1.1.0',
    plugins: [{ type: 'main', capabilities: { mac: true } }, { type: 'meta' }],
    ...fields,
  });
  /** A rule that leaves its attachments to a network. */
  const leaving = (config: (request: NetworkRequest) => JsonObject): FakeRule => ({
    steps: [],
    delegates: true,
    addresses: (request) => ({
      operation: 'delegate',
      arguments: {
        config: config(request),
        capabilities: { mac: 'x' },
        merge: { deviceID: 'y' },
        containerId: request.containerId,
        ifName: request.ifName,
        args: {},
        path: [],
      },
    }),
  });
  const valid = (...ids: readonly string[]): JsonObject => ({
    'cni.dev/valid-attachments': ids.map((containerID) => ({ containerID, ifname: 'eth0' })),
  });
  const onlyNodes = (requests: readonly PluginRequest[]) => requests.filter(({ command }) => command === 'GC' || command === 'STATUS');

  it('collect garbage, each told what is left of its own', async () => {
    const { invoke, requests } = setUp(leaving(({ containerId }) => list(containerId === 'a' ? 'one' : 'two')));
    for (const id of ['a', 'b', 'c']) await invoke({ command: 'ADD', id });
    expect(await invoke({ command: 'GC', config: valid('a', 'b') })).toEqual(SILENT);
    const told = (...ids: readonly string[]) => {
      const attachments = ids.map((containerID) => ({ containerID, ifname: 'eth0' }));
      return { 'cni.dev/valid-attachments': attachments, 'cni.dev/attachments': attachments };
    };
    const main = { type: 'main', capabilities: { mac: true }, cniVersion: '1.1.0' };
    const request = { command: 'GC', containerId: '', netns: '', ifName: '', args: {}, path: ['/opt/cni/bin'] };
    // That of the configuration is `two`, as no container is meant.
    expect(onlyNodes(requests)).toEqual([
      { ...request, type: 'main', config: { ...main, name: 'two', ...told('b') } },
      { ...request, type: 'meta', config: { type: 'meta', cniVersion: '1.1.0', name: 'two', ...told('b') } },
      { ...request, type: 'main', config: { ...main, name: 'one', ...told('a') } },
      { ...request, type: 'meta', config: { type: 'meta', cniVersion: '1.1.0', name: 'one', ...told('a') } },
    ]);
  });

  it('are told of attachments that other networks have of them, and of those that the runtime knows by their name', async () => {
    const { invoke, requests } = setUp(leaving(() => list('net')));
    await invoke({ command: 'ADD', id: 'a', config: { name: 'elsewhere' } });
    await invoke({ command: 'GC', config: valid('lost') });
    expect(onlyNodes(requests)[0]!.config['cni.dev/valid-attachments']).toEqual([
      { containerID: 'a', ifname: 'eth0' },
      { containerID: 'lost', ifname: 'eth0' },
    ]);
  });

  it.each([
    ['of an older version', { cniVersion: '1.0.0' }, []],
    ['of no version', { cniVersion: '' }, []],
    ['of a newer version', { cniVersion: '2.0.0' }, ['main', 'meta']],
    ['that want no GC', { disableGC: true }, []],
  ])('%s', async (_which, fields, expected) => {
    const { invoke, requests } = setUp(leaving(() => list('one', fields)));
    expect(await invoke({ command: 'GC' })).toEqual(SILENT);
    expect(onlyNodes(requests).map(({ type }) => type)).toEqual(expected);
  });

  it('tell what they could not collect, after all were asked', async () => {
    const { invoke, answers, plugins } = setUp(leaving(() => list('one')));
    answers.set('main GC', () => {
      throw new CniError({ code: 100, msg: 'no' }, 'GC');
    });
    expect(faultOf(await invoke({ command: 'GC' }))).toBe('105: not all garbage of network net could be removed: main: no');
    expect(plugins).toEqual(['main GC', 'meta GC']);
  });

  it('say whether they are ready', async () => {
    const { invoke, answers, requests } = setUp(leaving(() => list('one')));
    const status = { command: 'STATUS', id: '', netns: '', ifName: '' };
    expect(await invoke(status)).toEqual(SILENT);
    expect(requests.map(({ type, config }) => [type, config['name'], config['runtimeConfig'], config['deviceID']])).toEqual([
      ['main', 'one', undefined, undefined],
      ['meta', 'one', undefined, undefined],
    ]);
    answers.set('meta STATUS', () => {
      throw new CniError({ code: 51, msg: 'no peers' }, 'STATUS');
    });
    expect(faultOf(await invoke(status))).toBe('51: no peers');
    answers.set('main STATUS', () => {
      throw new EffectError('missing', 'failed to find plugin "main"', 'STATUS');
    });
    expect(faultOf(await invoke(status))).toMatch(/^50: failed to find plugin "main"/);
  });

  it('are not ready where they are not to be found', async () => {
    const { invoke } = setUp({
      steps: [],
      delegates: true,
      addresses: () => ({ operation: 'delegate', arguments: { network: 'pods', folder: dataDir, args: {}, path: [] } }),
    });
    const status = { command: 'STATUS', id: '', netns: '', ifName: '' };
    expect(faultOf(await invoke(status))).toBe(`50: there is no network pods in ${dataDir}`);
    writeFileSync(join(dataDir, '10-pods.conflist'), JSON.stringify(list('pods')));
    expect(await invoke(status)).toEqual(SILENT);
  });

  it('may have the name of the network that they are a part of', async () => {
    const outer = fakeRule({ name: 'outer', ...leaving(() => ({ name: 'net', cniVersion: '1.1.0', type: 'my-cni' })) });
    const inner = fakeRule({ addresses: allocator });
    const { invoke, answers, performer } = setUp({ rules: [outer, inner] });
    // As the executable of the other rule does it.
    answers.set('my-cni GC', () => invoke({ command: 'GC', config: valid() }));
    await invoke({ command: 'ADD', type: 'outer' });
    await invoke({ command: 'ADD' });
    expect(await invoke({ command: 'GC', type: 'outer', config: valid() })).toEqual(SILENT);
    expect(performer.kept.size).toBe(0);
  });
});

describe('STATUS', () => {
  const status = { command: 'STATUS', id: '', netns: '', ifName: '' };

  it('is well', async () => {
    expect(await setUp().invoke(status)).toEqual(SILENT);
  });

  it('takes no address', async () => {
    const { invoke, reserved } = setUp();
    await invoke(status);
    expect(reserved()).toEqual([]);
  });

  it('says what the host lacks', async () => {
    const { invoke, host } = setUp();
    host.lacks.push('there is no program nft');
    expect(faultOf(await invoke(status))).toBe('50: the host lacks what rule my-cni needs (there is no program nft)');
  });

  it('says that no address is left', async () => {
    const { invoke } = setUp();
    for (const id of ['a', 'b', 'c', 'd', 'e']) await invoke({ command: 'ADD', id });
    expect(faultOf(await invoke(status))).toBe('50: no IP addresses available in range set: 10.1.0.1-10.1.0.6 (all 5 are taken)');
    await invoke({ command: 'DEL', id: 'c' });
    expect(await invoke(status)).toEqual(SILENT);
  });

  it('says that ranges or a plugin can not be used', async () => {
    const wrong = setUp({
      addresses: (request) => ({ ...allocator(request), arguments: { ...allocator(request).arguments, ranges: [[]] } }),
    });
    expect(faultOf(await wrong.invoke(status))).toBe('50: invalid range set 0: empty range set');
    const { invoke, answers } = setUp({ addresses: () => ({ operation: 'delegate', arguments: { type: 'dhcp', config: {} } }) });
    answers.set('dhcp STATUS', () => {
      throw new EffectError('program', 'failed to find plugin "dhcp"', 'STATUS');
    });
    expect(faultOf(await invoke(status))).toBe('50: failed to find plugin "dhcp" (STATUS)');
  });

  it('says what the rule says', async () => {
    const { invoke } = setUp({ status: () => ({ code: 51, msg: 'the uplink is down' }) });
    expect(faultOf(await invoke(status))).toBe('51: the uplink is down');
  });

  it('finds out what the rule needs of the cluster, and says when it can not', async () => {
    let isKnown = false;
    const needs = { objects: [{ apiVersion: 'v1', kind: 'Node', name: 'node-1' }], queries: [] };
    const learned: unknown[] = [];
    const facts = {
      ...factsWithoutCluster(),
      learn: async (asked: unknown) => {
        if (learned.push(asked) > 1) throw new Error('connection refused');
        isKnown = true;
      },
    };
    const { invoke } = setUp({ status: () => (isKnown ? undefined : { kind: 'needs', needs }) }, { facts });
    expect(await invoke(status)).toEqual(SILENT);
    expect(learned).toEqual([needs]);
    isKnown = false;
    expect(faultOf(await invoke(status))).toBe('50: what the rule needs of the cluster is not known yet (connection refused)');
  });

  it('says what the plugin says that gives addresses', async () => {
    const addresses = () => ({ operation: 'delegate', arguments: { type: 'dhcp', config: {} } }) as const;
    const { invoke, answers } = setUp({ addresses });
    expect(await invoke(status)).toEqual(SILENT);
    answers.set('dhcp STATUS', () => {
      throw new CniError({ code: 50, msg: 'no daemon' }, 'STATUS');
    });
    expect(faultOf(await invoke(status))).toBe('50: no daemon');
  });

  it('of a plugin that is no rule', async () => {
    expect(faultOf(await setUp().invoke({ ...status, type: 'other' }))).toMatch(/^50: there is no NetworkRule named other/);
  });

  it('is not held against the rule that it has no container to look at', async () => {
    const { invoke } = setUp({ attach: () => ({ kind: 'fault', fault: { code: 7, msg: 'no prevResult' } }) });
    expect(await invoke(status)).toEqual(SILENT);
  });
});

describe('what every plugin answers', () => {
  it('is VERSION, about, and what is wrong with an invocation', async () => {
    const { invoke, plugin } = setUp({}, { version: '1.2.3' });
    expect((await invoke({ command: 'VERSION' })).stdout).toContain('"supportedVersions":["0.1.0"');
    expect(await plugin.invoke({ environment: new Map([['TYPE', 'my-cni']]), stdin: '' })).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: expect.stringContaining('CNI plugin my-cni of Fairlead 1.2.3'),
    });
    expect(faultOf(await invoke({ command: 'ADD', ifName: '' }))).toBe('4: required env variables [CNI_IFNAME] missing');
  });

  it('is counted', async () => {
    const metrics = createMetrics();
    const { invoke } = setUp({}, { metrics });
    await invoke({ command: 'ADD' });
    await invoke({ command: 'ADD' });
    expect(metrics.text()).toContain('fairlead_cni_invocations_total{command="ADD",rule="my-cni",code="0"} 1');
    expect(metrics.text()).toContain('fairlead_cni_invocations_total{command="ADD",rule="my-cni",code="103"} 1');
  });
});
