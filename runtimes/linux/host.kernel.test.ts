import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import type { Effect, FailureCode, IprouteProgram, Netns } from '../../engine/step/effect.ts';
import { until } from '../host/until.fixture.ts';
import { findProgram } from './child.ts';
import { createHost, type Host } from './host.ts';

/*
 * The real kernel: in namespaces of this test's own, and with links of the host's namespace that have names of its own.
 */

const lacks =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'needs root on Linux'
    : ['ip', 'tc', 'bridge', 'nft', 'nsenter', 'unshare', 'pgrep'].filter((program) => findProgram(program) === undefined).join(', ') ||
      (spawnSync('unshare', ['--net', 'true']).status === 0 ? '' : 'may not make network namespaces');

/** Begins the names of all that is made outside of this test's own namespace; another run has others. */
const OURS = `fl${process.pid.toString(36)}-`;
const NETNS = `${OURS}test`;
const PATH = `/run/netns/${NETNS}`;

const sh = (command: string): string => execFileSync('sh', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const words = (line: string): readonly string[] => line.split(' ');

const change = (netns: Netns, ...lines: readonly string[]): Effect => ({
  kind: 'iproute',
  program: 'ip',
  netns,
  commands: lines.map((line) => ({ words: words(line) })),
});
const show = (netns: Netns, line: string, program: IprouteProgram = 'ip'): Effect => ({ kind: 'show', program, netns, words: words(line) });

/** Links of the host whose names begin with ours. */
const left = (): string => sh(`ip -br link show | grep -E '^${OURS}' || true`);
/** Of a process, by its number. Throws where there is none. */
function processOf(pid: string): { readonly parent: string | undefined; readonly isDead: boolean } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { parent, isDead: 'ZX'.includes(state) };
}
const isAlive = (pid: string): boolean => {
  try {
    return !processOf(pid).isDead;
  } catch {
    return false;
  }
};
const pidOf = (child: string): string => child.split(' ')[0]!;
/** Kills children; this process has no turn until they are dead. */
function killAtOnce(killed: readonly string[]): void {
  for (const child of killed) process.kill(Number(pidOf(child)), 'SIGKILL');
  while (killed.some((child) => isAlive(pidOf(child))));
}

/** Children that this test's hosts started, by a folder of their path: other tests of this process have children too. */
const children = (): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const { parent, isDead } = processOf(pid);
        if (parent !== String(process.pid) || isDead) return [];
        if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`/${OURS}`)) return [];
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`];
      } catch {
        return [];
      }
    })
    .filter((line) => /ip |tc |bridge |nft |nsenter|perl|^\d+ sh /.test(line));

/** Those that are asked lines of iproute2. */
const askable = (): readonly string[] => children().filter((child) => child.includes('-batch -'));

/** With a relay for netlink, and as on a host that has none. */
const WAYS = [
  { netlink: true, by: 'by netlink' },
  { netlink: false, by: 'by iproute2' },
];

describe.skipIf(lacks !== '').each(WAYS)(`the kernel of this host, $by${lacks === '' ? '' : ` (skipped: ${lacks})`}`, ({ netlink }) => {
  let host: Host;
  const path = process.env['PATH'];
  beforeAll(() => {
    process.env['PATH'] = `${path}:/${OURS}`;
  });
  beforeEach(() => {
    sh(`ip netns add ${NETNS}`);
    host = createHost({ netlink, allowedPrograms: ['cat', 'sh'], allowedHosts: ['127.0.0.1'] });
  });
  afterEach(async () => {
    await host.close();
    sh(`ip netns del ${NETNS}`);
    expect(left()).toBe('');
  });
  afterAll(() => {
    process.env['PATH'] = path;
    sh(`ip netns del ${NETNS} 2>/dev/null || true`);
  });

  const codeOf = (effect: Effect): Promise<FailureCode | 'done'> =>
    host.perform(effect).then(
      () => 'done',
      (error: { readonly code: FailureCode }) => error.code,
    );
  const rows = async (effect: Effect): Promise<readonly JsonObject[]> => (await host.perform(effect)) as readonly JsonObject[];

  it('makes a pair of links into a namespace, sets it up there in one entry, and takes it back', async () => {
    const session = await host.session(PATH);
    expect(session.netnsGone).toBe(false);
    await session.perform(change(undefined, `link add ${OURS}a type veth peer name eth0 netns ${PATH}`, `link set dev ${OURS}a up`));
    await session.perform({ kind: 'sysctl-write', netns: PATH, key: 'net/ipv4/conf/eth0/arp_notify', value: '1' });
    await session.perform(change(PATH, 'link set dev eth0 up', 'address add 10.99.7.2/24 dev eth0', 'route add default via 10.99.7.1'));
    const [link] = (await session.perform(show(PATH, 'address show dev eth0'))) as readonly { readonly addr_info: readonly JsonObject[] }[];
    expect(link?.addr_info).toContainEqual(expect.objectContaining({ local: '10.99.7.2', prefixlen: 24 }));
    expect(await session.perform({ kind: 'sysctl-read', netns: PATH, key: 'net/ipv4/conf/eth0/arp_notify' })).toBe('1');
    expect(await session.perform({ kind: 'sysctl-read', netns: PATH, key: 'net/ipv4/conf/none/arp_notify' })).toBeUndefined();
    expect(await session.perform(show(PATH, 'qdisc show dev eth0', 'tc'))).toHaveLength(1);
    const inside = { kind: 'run', program: 'cat', arguments: ['/proc/self/net/dev'], netns: PATH } as const;
    expect(await session.perform(inside)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('eth0:') });
    await session.perform(change(undefined, `link del dev ${OURS}a`));
    expect(await session.perform(show(PATH, 'link show dev eth0'))).toEqual([]);
    session.close();
  });

  it('applies scripts of nft all or none, in a namespace and lists them', async () => {
    const nft = (script: string): Effect => ({ kind: 'nft', netns: PATH, script });
    const list: Effect = { kind: 'nft-list', netns: PATH, words: ['table', 'inet', 'fla'] };
    expect(await rows(list)).toEqual([]);
    expect(await codeOf(nft('add table inet fla\nadd chain inet fla a\nadd rule inet fla a jump b'))).toBe('missing');
    expect(await rows(list)).toEqual([]);
    await host.perform(nft('table inet fla {\n chain a {\n counter comment "x"\n }\n}\nadd set inet fla s { type ipv4_addr; }'));
    await host.perform(nft('add element inet fla s { 10.0.0.1,\n 10.0.0.2 }'));
    const kinds = (await rows(list)).map((row) => Object.keys(row)[0]);
    expect(kinds).toEqual(['table', 'set', 'chain', 'rule']);
    expect(await rows(list)).toContainEqual({ rule: expect.objectContaining({ handle: expect.any(Number), comment: 'x' }) });
  });

  it('applies large scripts all or none, of which it says what failed first', async () => {
    const table = `${OURS}-large`;
    const elements = Array.from({ length: 2000 }, (_, index) => `add element inet ${table} s { 10.1.${index >> 8}.${index & 255} }`);
    const large = (...before: readonly string[]): Effect => ({
      kind: 'nft',
      netns: undefined,
      script: [...before, ...elements].join('\n'),
    });
    const list: Effect = { kind: 'nft-list', netns: undefined, words: ['table', 'inet', table] };
    try {
      expect(await codeOf(large())).toBe('missing');
      await host.perform({ ...large(), tolerate: ['missing'] } as Effect);
      const make = [`add table inet ${table}`, `add set inet ${table} s { type ipv4_addr; }`];
      expect(await codeOf(large(...make, `add rule inet ${table} none accept`))).toBe('missing');
      expect(await rows(list)).toEqual([]);
      await host.perform(large(...make));
      const [set] = (await rows(list)).flatMap((row) => row['set'] ?? []) as readonly JsonObject[];
      expect(set?.['elem']).toHaveLength(2000);
      expect(await codeOf(large('add table inet x;', 'include "/etc/passwd"'))).toBe('invalid');
    } finally {
      await host.perform({ kind: 'nft', netns: undefined, script: `delete table inet ${table}`, tolerate: ['missing'] });
    }
  });

  it.each<[FailureCode, string, Effect]>([
    ['missing', 'a link that is not there', change(PATH, 'link set dev none up')],
    ['missing', 'an address that is not there', change(PATH, 'address del 10.0.0.1/8 dev lo')],
    ['missing', 'a route that is not there', change(PATH, 'route del 10.0.0.0/8')],
    ['exists', 'a link that is there', change(PATH, 'link add lo type bridge')],
    ['exists', 'an address that is there', change(PATH, 'address add 10.0.0.1/8 dev lo', 'address add 10.0.0.1/8 dev lo')],
    ['unsupported', 'a type that nobody knows', change(PATH, 'link add x type nosuchtype')],
    ['invalid', 'an address that is none', change(PATH, 'address add 300.0.0.1/8 dev lo')],
    ['invalid', 'a gateway that is not reached', change(PATH, 'link set dev lo up', 'route add 10.0.0.0/8 via 1.2.3.4')],
    ['namespace', 'a namespace that is not there', change(`/run/netns/${OURS}none`, 'link set dev lo up')],
    ['namespace', 'a namespace of another kind', change('/proc/self/ns/mnt', 'link set dev lo up')],
    ['namespace', 'a file that is no namespace', change('/etc/hostname', 'link set dev lo up')],
    ['namespace', 'the namespace of the host', change('/proc/self/ns/net', 'link set dev lo up')],
    ['invalid', 'a path of two lines', change('/run/netns/a\nb', 'link set dev lo up')],
    ['invalid', 'a key of the host', { kind: 'sysctl-write', netns: PATH, key: 'vm/swappiness', value: '1' }],
    ['invalid', 'a value that the kernel does not take', { kind: 'sysctl-write', netns: PATH, key: 'net/ipv4/ip_forward', value: 'x' }],
    ['missing', 'a key that is not there', { kind: 'sysctl-write', netns: PATH, key: 'net/ipv4/none', value: '1' }],
    ['missing', 'a key of the host that is not there', { kind: 'sysctl-write', netns: undefined, key: 'net/ipv4/none', value: '1' }],
    ['program', 'a program that is not allowed', { kind: 'run', program: 'id', arguments: [] }],
    ['invalid', 'a host that is not allowed', { kind: 'http', method: 'GET', url: 'http://example.com/', headers: {} }],
    ['unsupported', 'an effect of nobody', { kind: 'custom', name: 'none', request: {} }],
  ])('calls it %s: %s', async (code, _, effect) => expect(await codeOf(effect)).toBe(code));

  it('ends a program, and what that started, when its time is up', async () => {
    const impatient = createHost({ allowedPrograms: ['sh'], programDeadline: 20 });
    const run = { kind: 'run', program: 'sh', arguments: ['-c', 'sleep 60 & wait'] } as const;
    await expect(impatient.perform(run)).rejects.toMatchObject({ code: 'timeout' });
    await impatient.close();
  });

  it('says that a namespace is gone', async () => {
    const session = await host.session(`/run/netns/${OURS}none`);
    expect(session.netnsGone).toBe(true);
    session.close();
  });

  it('is asked by a new child when the old one was killed', async () => {
    expect(await rows(show(undefined, 'link show dev lo'))).toHaveLength(1);
    killAtOnce(askable());
    const answers = await Promise.all(Array.from({ length: 20 }, () => rows(show(undefined, 'link show dev lo'))));
    expect(answers.every(({ length }) => length === 1)).toBe(true);
  });

  it('is entered again when all that was in a namespace was killed', async () => {
    const session = await host.session(PATH);
    const read = { kind: 'sysctl-read', netns: PATH, key: 'net/ipv4/ip_forward' } as const;
    for (const value of ['1', '0', '1']) {
      await session.perform({ kind: 'sysctl-write', netns: PATH, key: read.key, value });
      expect(await session.perform(show(PATH, 'link show dev lo'))).toHaveLength(1);
      killAtOnce(children());
      expect(await session.perform(read)).toBe(value);
      await session.perform(change(PATH, 'link set dev lo up'));
    }
    session.close();
  });

  it('is changed by a new child when the old one, and the next, were killed before', async () => {
    for (let round = 0; round < 5; round++) {
      await rows(show(undefined, 'link show dev lo'));
      if (!netlink) await until(() => askable().length >= 2);
      // They are dead before this process can notice; one that dies over a command may have done it.
      killAtOnce(askable());
      await host.perform(change(undefined, `link add ${OURS}a type veth peer name ${OURS}b`));
      await host.perform(change(undefined, `link del dev ${OURS}a`));
    }
  });

  it('is not misjudged when somebody else makes a link anew', async () => {
    await host.perform(change(undefined, `link add ${OURS}a type veth peer name ${OURS}b`));
    await rows(show(undefined, `link show dev ${OURS}a`));
    await rows(show(undefined, `qdisc show dev ${OURS}a`, 'tc'));
    sh(`ip link del ${OURS}a; ip link add ${OURS}a type veth peer name ${OURS}b`);
    expect(await rows(show(undefined, `link show dev ${OURS}a`))).toMatchObject([{ ifname: `${OURS}a` }]);
    sh(`ip link del ${OURS}a; ip link add ${OURS}a type veth peer name ${OURS}b`);
    await host.perform(change(undefined, `link set dev ${OURS}a up`));
    sh(`ip link del ${OURS}a; ip link add ${OURS}a up type veth peer name ${OURS}b`);
    expect(await rows(show(undefined, `qdisc show dev ${OURS}a`, 'tc'))).toHaveLength(1);
    await host.perform(change(undefined, `link del dev ${OURS}a`));
  });

  it('answers each question as if it were the first', async () => {
    const session = await host.session(PATH);
    await session.perform(change(PATH, 'link set dev lo up', 'link add dev br0 type bridge', 'link add dev v0 type veth peer name v1'));
    await session.perform(change(PATH, 'link set dev v0 master br0', 'link set dev v0 up', 'address add 10.99.9.1/24 dev br0'));
    const questions: readonly Effect[] = [
      show(PATH, 'link show dev br0'),
      show(PATH, 'link show'),
      show(PATH, 'address show'),
      show(PATH, 'address show dev v0'),
      show(PATH, 'route show table all root 0.0.0.0/0'),
      show(PATH, 'qdisc show dev v0', 'tc'),
      show(PATH, 'qdisc show', 'tc'),
      show(PATH, 'qdisc show dev lo', 'tc'),
      show(PATH, 'fdb show dev v0', 'bridge'),
      show(PATH, 'fdb show', 'bridge'),
      show(PATH, 'link show', 'bridge'),
    ];
    const alone: unknown[] = [];
    for (const question of questions) alone.push(await host.perform(question));
    for (const [first] of questions.entries()) {
      const order = questions.map((_, at) => (first + at * 7) % questions.length);
      for (const at of order) expect(await session.perform(questions[at]!), JSON.stringify(questions[at])).toEqual(alone[at]);
    }
    session.close();
  });

  it('shows a deleted link no more, and takes one of its name at once', async () => {
    for (let round = 0; round < 5; round++) {
      await host.perform(
        change(
          undefined,
          `link add ${OURS}a type veth peer name ${OURS}b`,
          `address add 10.99.8.1/24 dev ${OURS}a`,
          `link set dev ${OURS}a up`,
        ),
      );
      await host.perform(change(undefined, `link del dev ${OURS}a`));
      expect(await rows(show(undefined, `link show dev ${OURS}a`))).toEqual([]);
      const addressed = await rows(show(undefined, 'address show to 10.99.8.1'));
      expect(addressed.filter(({ ifname }) => ifname === `${OURS}a`)).toEqual([]);
      expect(existsSync(`/proc/sys/net/ipv4/conf/${OURS}a`)).toBe(false);
    }
    expect(await codeOf(change(undefined, `link del dev ${OURS}a`))).toBe('missing');
  });

  it('bears two hundred sessions at once', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `${OURS}${index}`);
    await Promise.all(
      names.map(async (name, index) => {
        const session = await host.session(PATH);
        try {
          await session.perform(
            change(undefined, `link add dev ${name} type veth peer name e${index} netns ${PATH}`, `link set dev ${name} up`),
          );
          await session.perform(change(PATH, `link set dev e${index} up`, `address add 10.98.${index}.2/24 dev e${index}`));
          await session.perform({ kind: 'sysctl-write', netns: PATH, key: `net/ipv4/conf/e${index}/arp_notify`, value: '1' });
          expect(await session.perform(show(PATH, `address show dev e${index}`))).toHaveLength(1);
        } finally {
          session.close();
        }
      }),
    );
    expect(await rows(show(PATH, 'link show type veth'))).toHaveLength(200);
    await Promise.all(names.map((name) => host.perform(change(undefined, `link del dev ${name}`))));
    expect(await rows(show(PATH, 'link show type veth'))).toEqual([]);
  }, 60_000);

  it('performs effects of no order at once, and throws the first failure when all have ended', async () => {
    const all: Effect = {
      kind: 'all',
      effects: [change(PATH, 'link set dev none up'), { kind: 'pause', milliseconds: 5 }, change(PATH, 'link set dev lo up')],
    };
    await expect(host.perform(all)).rejects.toMatchObject({ code: 'missing' });
    expect(await rows(show(PATH, 'link show dev lo'))).toMatchObject([{ flags: expect.arrayContaining(['UP']) }]);
  });

  it.each([
    ['by one way', 'link set dev lo up'],
    ['by two', 'neighbour add 10.99.7.9 lladdr 02:42:0a:00:00:03 dev fla'],
  ])('performs effects in order %s, though one of them fails', async (_, line) => {
    const session = await host.session(PATH);
    await session.perform(change(PATH, 'link add name fla type veth peer name flb', 'link set dev fla up'));
    const effects: Effect[] = [
      { kind: 'sysctl-write', netns: PATH, key: 'net/ipv4/conf/none/arp_notify', value: '1', tolerate: ['missing'] },
      { kind: 'sysctl-write', netns: PATH, key: 'net/ipv4/conf/none/arp_notify', value: '1' },
      change(PATH, line),
      change(PATH, 'link set dev fla name flc'),
      { kind: 'sysctl-write', netns: PATH, key: 'net/ipv4/conf/flc/arp_notify', value: '1' },
    ];
    await expect(session.perform({ kind: 'all', effects, order: 'in-order' })).rejects.toMatchObject({
      code: 'missing',
      tried: 'sysctl -w net.ipv4.conf.none.arp_notify=1',
    });
    expect(await session.perform({ kind: 'sysctl-read', netns: PATH, key: 'net/ipv4/conf/flc/arp_notify' })).toBe('1');
    session.close();
  });

  describe('effects behind one that they need', () => {
    const pair = (name: string): Effect =>
      change(undefined, `link add name ${name} type veth peer name eth0 netns ${PATH}`, `link set dev ${name} up`);
    const others = (name: string): readonly Effect[] => [
      { kind: 'sysctl-write', netns: undefined, key: `net/ipv4/conf/${name}/arp_notify`, value: '1' },
      { kind: 'sysctl-write', netns: PATH, key: 'net/ipv4/conf/none/arp_notify', value: '1', tolerate: ['missing'] },
      { kind: 'sysctl-write', netns: PATH, key: 'net/ipv4/conf/eth0/arp_notify', value: '1' },
      change(PATH, 'address add 10.99.7.2/24 dev eth0', 'link set dev eth0 up'),
    ];
    const value = (netns: Netns, name: string): Promise<unknown> =>
      host.perform({ kind: 'sysctl-read', netns, key: `net/ipv4/conf/${name}/arp_notify` });
    const name = `${OURS}v`;

    it('are performed when it is done', async () => {
      const session = await host.session(PATH);
      await session.perform({ kind: 'all', order: 'after-first', effects: [pair(name), ...others(name)] });
      session.close();
      expect(await rows(show(PATH, 'address show dev eth0'))).toMatchObject([
        { flags: expect.arrayContaining(['UP']), addr_info: expect.arrayContaining([expect.objectContaining({ local: '10.99.7.2' })]) },
      ]);
      expect([await value(undefined, name), await value(PATH, 'eth0')]).toEqual(['1', '1']);
      await host.perform(change(undefined, `link del dev ${name}`));
    });

    it('are not performed when it fails, though what they name is there', async () => {
      sh(`ip link add name ${name} type veth peer name eth0 netns ${NETNS}`);
      const session = await host.session(PATH);
      const effects = [pair(`${OURS}w`), ...others(name)];
      await expect(session.perform({ kind: 'all', order: 'after-first', effects })).rejects.toMatchObject({ code: 'exists' });
      expect(await rows(show(PATH, 'address show dev eth0'))).toMatchObject([{ addr_info: [] }]);
      expect([await value(undefined, name), await value(PATH, 'eth0')]).toEqual(['0', '0']);
      // The next is not kept from anything by it.
      await session.perform({ kind: 'all', order: 'in-order', effects: others(name) });
      session.close();
      expect([await value(undefined, name), await value(PATH, 'eth0')]).toEqual(['1', '1']);
      await host.perform(change(undefined, `link del dev ${name}`));
    });
  });

  it('is not asked for what is given up', async () => {
    await expect(host.perform({ kind: 'pause', milliseconds: 60_000 }, AbortSignal.timeout(5))).rejects.toMatchObject({ code: 'timeout' });
    await expect(host.perform(show(undefined, 'link show'), AbortSignal.abort())).rejects.toMatchObject({ code: 'timeout' });
  });

  it('calls a host that is allowed', async () => {
    const server = createServer((_, response) => response.writeHead(201, { 'Content-Type': 'application/json' }).end('{"a":1}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(await host.perform({ kind: 'http', method: 'GET', url, headers: {} })).toEqual({ status: 201, body: { a: 1 } });
    server.close();
  });

  it('has what can be made in it, and says what would help where not', async () => {
    const missing = await host.missing([
      { kind: 'link-type', name: 'veth' },
      { kind: 'link-type', name: 'nosuchtype' },
      { kind: 'qdisc', name: 'nosuchqdisc' },
      { kind: 'nft-family', name: 'inet' },
      { kind: 'nft-family', name: 'nosuchfamily' },
      { kind: 'program', name: 'nft' },
      { kind: 'program', name: 'no-such-program' },
      { kind: 'sysctl', name: 'net/ipv4/ip_forward' },
      { kind: 'sysctl', name: 'net/bridge/no-such-key' },
      {
        kind: 'any-of',
        requirements: [
          { kind: 'program', name: 'no-such-program' },
          { kind: 'program', name: 'ip' },
        ],
      },
    ]);
    expect(missing.map(({ message }) => message)).toEqual([
      'the kernel has no links of type nosuchtype (CONFIG_NOSUCHTYPE, module nosuchtype)',
      'the kernel has no queueing discipline nosuchqdisc (CONFIG_NET_SCH_NOSUCHQDISC, module sch_nosuchqdisc)',
      'nft does not know tables of the family nosuchfamily: a newer package nftables may',
      'the program no-such-program is not installed (package no-such-program)',
      'the kernel has no parameter net.bridge.no-such-key (CONFIG_BRIDGE_NETFILTER, module br_netfilter)',
    ]);
    const filtering = await host.missing([{ kind: 'link-type', name: 'bridge', option: 'vlan_filtering' }]);
    const isPossible = await codeOf(change(PATH, 'link add dev br0 type bridge vlan_filtering 1'));
    expect(filtering.map(({ message }) => message)).toEqual(
      isPossible === 'done' ? [] : ['the kernel has no vlan_filtering of links of type bridge (CONFIG_BRIDGE_VLAN_FILTERING)'],
    );
    host.probeAnew();
    expect(await host.missing([{ kind: 'link-type', name: 'veth' }])).toEqual([]);
  });

  it('keeps no child when the host is closed', async () => {
    const before = new Set(children());
    const ours = (): readonly string[] => children().filter((child) => !before.has(child));
    const another = createHost();
    const session = await another.session(PATH);
    await session.perform(show(PATH, 'link show'));
    await another.perform(show(undefined, 'link show'));
    expect(ours().length).toBeGreaterThanOrEqual(2);
    session.close();
    await another.close();
    await until(() => ours().length === 0);
  });

  it('keeps no child of a process that was killed', async () => {
    const running = join(tmpdir(), `${OURS}running`);
    const script = `
      import { createHost } from ${JSON.stringify(fileURLToPath(new URL('./host.ts', import.meta.url)))};
      const host = createHost({ allowedPrograms: ['sh'] });
      const session = await host.session(${JSON.stringify(PATH)});
      await session.perform({ kind: 'show', program: 'ip', netns: ${JSON.stringify(PATH)}, words: ['link', 'show'] });
      await host.perform({ kind: 'nft-list', netns: undefined, words: ['tables'] });
      void host.perform({ kind: 'run', program: 'sh', arguments: ['-c', 'echo running > "$0"; exec sleep 61', ${JSON.stringify(running)}] });
    `;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    try {
      await until(() => existsSync(running));
      const below = sh(`pgrep -P ${child.pid}`).trim().split('\n');
      expect(below.length).toBeGreaterThanOrEqual(4);
      child.kill('SIGKILL');
      await until(() => !below.some(isAlive));
    } finally {
      child.kill('SIGKILL');
      rmSync(running, { force: true });
    }
  });
});
