import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Effect, FailureCode } from '../../../engine/step/effect.ts';
import { findProgram } from '../child.ts';
import { createHost, type Host } from '../host.ts';
import type { HostSession } from '../performer.ts';
import { relayProgram } from './relay-program.ts';

/*
 * The same lines by the kernel's own language and by iproute2, in a namespace each: what is there afterwards must be the same, to iproute2
 * and to who asks in either way.
 */

const lacks =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'needs root on Linux'
    : ['ip', 'nsenter', 'unshare'].filter((program) => findProgram(program) === undefined).join(', ') ||
      (relayProgram() === undefined ? 'perl' : '') ||
      (spawnSync('unshare', ['--net', 'true']).status === 0 ? '' : 'may not make network namespaces');

const OURS = `fn${process.pid.toString(36)}`;
/** By netlink, by iproute2. */
const WAYS = ['n', 'i'] as const;
type Way = (typeof WAYS)[number];
const pathOf = (way: Way): string => `/run/netns/${OURS}${way}`;
/** Another one, as a container's. */
const podOf = (way: Way): string => `/run/netns/${OURS}${way}p`;

const sh = (command: string): string => execFileSync('sh', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const wordsOf = (line: string): readonly string[] => line.split(' ').map((word) => (word === "''" ? '' : word));

/** What iproute2 shows of a namespace, without what differs between two that are the same. */
function stateOf(path: string): unknown {
  const shown = ['-details address show', '-details route show table all', '-6 -details route show table all'].map((question) =>
    sh(`nsenter --net=${path} ip -json ${question}`),
  );
  return shown.map((text) => normal(JSON.parse(text === '' ? '[]' : text)));
}

const VOLATILE =
  /^(ifindex|link_index|link_netnsid|bridge_id|root_id|designated_root|designated_bridge|.*_timer|hello_.*|tcn_.*|topology_.*|stats64|min_mtu|max_mtu|num_.*_queues|gso_.*|gro_.*|tso_.*|stable_secret|operstate|flags|cache.*|promiscuity|allmulti|forward_delay|ageing_time)$/;

function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal).filter((each) => !isLinkLocal(each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !VOLATILE.test(key))
      .map(([key, each]) => [key, normal(each)]),
  );
}

/** Follows from a MAC address by chance, and comes a moment after the link. */
const isLinkLocal = (row: unknown): boolean => /fe80:|ff00:/.test(JSON.stringify(row ?? '')) && !JSON.stringify(row).includes('addr_info');

/** Some of what an address of IPv6 brings with it, as its routes, the kernel makes in the background. */
const expectTheSame = (place: (way: Way) => string): Promise<void> =>
  vi.waitFor(() => expect(stateOf(place('n'))).toEqual(stateOf(place('i'))), { timeout: 15_000, interval: 20 });

const change = (netns: string, lines: readonly string[]): Effect => ({
  kind: 'iproute',
  program: 'ip',
  netns,
  commands: lines.map((line) => ({ words: wordsOf(line) })),
});
const show = (netns: string, line: string): Effect => ({ kind: 'show', program: 'ip', netns, words: wordsOf(line) });

interface Case {
  readonly name: string;
  /** Lines before, by iproute2 in both. `POD` stands for the path of the other namespace. */
  readonly given?: readonly string[];
  readonly lines: readonly string[];
}

const MAC = '02:42:0a:00:00:01';
const PORT = `link add name one address ${MAC} type veth peer name two address 02:42:0a:00:00:02`;

const CASES: readonly Case[] = [
  { name: 'a bridge', lines: [`link add name br0 mtu 1400 address ${MAC} type bridge`] },
  { name: 'a pair', lines: [PORT] },
  { name: 'a pair with sizes', lines: [`link add name one mtu 1400 address ${MAC} type veth peer name two mtu 1300 address ${MAC}`] },
  { name: 'a pair of which one end is elsewhere', lines: [`${PORT} netns POD`] },
  {
    name: 'a port of a bridge',
    given: [`link add name br0 address ${MAC} type bridge`, PORT],
    lines: [
      'link set dev one alias fairlead:rule:0123456789abcdef master br0 up',
      'link set dev one type bridge_slave hairpin on isolated on',
    ],
  },
  {
    name: 'a port that is one no more',
    given: [`link add name br0 address ${MAC} type bridge`, PORT, 'link set dev one master br0'],
    lines: ['link set dev one nomaster'],
  },
  {
    name: 'what a link can be set to',
    given: [PORT],
    lines: [`link set dev one address 02:42:0a:00:00:09 mtu 1280 txqueuelen 77 promisc on`],
  },
  { name: 'a name', given: [PORT], lines: ['link set dev one name other', 'link set dev other up'] },
  { name: 'an alias that is taken away', given: [PORT, 'link set dev one alias ours'], lines: ["link set dev one alias ''"] },
  { name: 'a link that goes elsewhere', given: [PORT], lines: ['link set dev two netns POD name three'] },
  { name: 'a link that is deleted', given: [PORT], lines: ['link del dev one'] },
  {
    name: 'addresses',
    given: [PORT],
    lines: [
      'address add 10.99.0.2/16 broadcast + dev one',
      'address add 10.98.0.2/31 dev one',
      'address add 10.97.0.2/32 dev one',
      'address add fd99::2/64 dev one nodad',
      'address add fd98::2/64 dev one nodad noprefixroute',
      'address add 127.0.0.2/8 broadcast + dev lo',
      'address add 10.96.0.2/24 broadcast + dev one noprefixroute',
      'link set dev one up',
      'link set dev two up',
    ],
  },
  {
    name: 'an address that is taken away',
    given: [PORT, 'address add 10.99.0.2/16 dev one', 'address add fd99::2/64 dev one'],
    lines: ['address del 10.99.0.2/16 dev one', 'address del fd99::2/64 dev one'],
  },
  {
    name: 'routes',
    given: [PORT, 'link set dev one up', 'link set dev two up', 'address add 10.99.0.2/16 dev one', 'address add fd99::2/64 dev one nodad'],
    lines: [
      'route add 10.1.0.0/16 dev one',
      'route prepend 0.0.0.0/0 via 10.99.0.1 dev one',
      'route add 10.2.0.0/16 via 10.99.0.1 dev one metric 7 mtu 1300 advmss 1200 src 10.99.0.2',
      'route add 10.3.0.0/16 via 10.200.0.1 dev one onlink proto 112',
      'route add 10.4.0.0/16 dev one table 100 scope 200',
      'route add 10.5.0.0/16 dev one table 1000',
      'route add 10.6.0.1/32 dev one scope 253',
      'route replace 10.1.0.0/16 via 10.99.0.3 dev one',
      'route prepend ::/0 via fd99::1 dev one',
      'route add fd01::/48 via fd99::1 dev one metric 9 mtu 1300',
      'route prepend fd02::/48 dev one',
      'route prepend fd02::/48 via fd99::7 dev one',
    ],
  },
  {
    name: 'routes that are taken away',
    given: [
      PORT,
      'link set dev one up',
      'link set dev two up',
      'address add 10.99.0.2/16 dev one',
      'route add 10.1.0.0/16 via 10.99.0.1',
      'route add 10.2.0.0/16 dev one table 100',
    ],
    lines: ['route del 10.1.0.0/16 via 10.99.0.1 dev one', 'route del 10.2.0.0/16 dev one table 100'],
  },
];

const FAILURES: readonly {
  readonly name: string;
  readonly given?: readonly string[];
  readonly line: string;
  readonly code: FailureCode;
  readonly message: RegExp;
  /** Where the words of iproute2 don't tell what the kernel does: the code that they are taken for. */
  readonly byWords?: FailureCode;
}[] = [
  { name: 'a link that is there', given: [PORT], line: PORT, code: 'exists', message: /exists/i },
  { name: 'a link that is not there', line: 'link set dev none up', code: 'missing', message: /Cannot find device "none"/ },
  { name: 'a master that is not there', given: [PORT], line: 'link set dev one master none', code: 'missing', message: /./ },
  { name: 'a master that takes no ports', given: [PORT], line: 'link set dev one master lo', code: 'unsupported', message: /./ },
  {
    name: 'an address that is there',
    given: [PORT, 'address add 10.99.0.2/16 dev one'],
    line: 'address add 10.99.0.2/16 dev one',
    code: 'exists',
    message: /./,
  },
  { name: 'an address that is not there', given: [PORT], line: 'address del 10.99.0.2/16 dev one', code: 'missing', message: /./ },
  {
    name: 'an address of a link that is not there',
    line: 'address add 10.99.0.2/16 dev none',
    code: 'missing',
    message: /Cannot find device "none"/,
  },
  {
    name: 'a route that is there',
    given: [PORT, 'link set dev one up', 'route add 10.1.0.0/16 dev one'],
    line: 'route add 10.1.0.0/16 dev one',
    code: 'exists',
    message: /./,
  },
  { name: 'a route that is not there', given: [PORT], line: 'route del 10.1.0.0/16 dev one', code: 'missing', message: /./ },
  {
    name: 'a gateway that is not reached',
    given: [PORT, 'link set dev one up'],
    line: 'route add 10.1.0.0/16 via 10.99.0.1 dev one',
    code: 'invalid',
    message: /./,
  },
  { name: 'a link that is down', given: [PORT], line: 'route add 10.1.0.0/16 dev one', code: 'invalid', message: /./, byWords: 'other' },
  { name: 'an MTU that no link has', given: [PORT], line: 'link set dev one mtu 20', code: 'invalid', message: /./, byWords: 'other' },
];

describe.skipIf(lacks !== '')(`netlink and iproute2${lacks === '' ? '' : ` (skipped: ${lacks})`}`, () => {
  const hosts = new Map<Way, Host>();
  const sessions = new Map<Way, HostSession>();
  beforeEach(async () => {
    for (const way of WAYS) {
      sh(`ip netns add ${OURS}${way} && ip netns add ${OURS}${way}p`);
      const host = createHost({ netlink: way === 'n' });
      hosts.set(way, host);
      sessions.set(way, await host.session(pathOf(way)));
    }
  });
  afterEach(async () => {
    for (const way of WAYS) {
      sessions.get(way)?.close();
      await hosts.get(way)?.close();
      sh(`ip netns del ${OURS}${way}; ip netns del ${OURS}${way}p`);
    }
  });

  const given = (way: Way, lines: readonly string[] = []): void => {
    for (const line of lines) sh(`nsenter --net=${pathOf(way)} ip ${line.replaceAll('POD', podOf(way))}`);
  };
  const perform = (way: Way, effect: Effect): Promise<unknown> => sessions.get(way)!.perform(effect);
  const linesFor = (way: Way, lines: readonly string[]): readonly string[] => lines.map((line) => line.replaceAll('POD', podOf(way)));

  it.each(CASES)('make the same of $name', async ({ given: before, lines }) => {
    for (const way of WAYS) {
      given(way, before);
      await perform(way, change(pathOf(way), linesFor(way, lines)));
    }
    await expectTheSame(pathOf);
    await expectTheSame(podOf);
  });

  it.each(CASES)('show the same of $name', async ({ given: before = [], lines }) => {
    given('n', [...before, ...linesFor('n', lines)]);
    const other = await hosts.get('i')!.session(pathOf('n'));
    try {
      const names = (JSON.parse(sh(`nsenter --net=${pathOf('n')} ip -json link show`)) as { readonly ifname: string }[]).map(
        ({ ifname }) => ifname,
      );
      const questions = [...names, 'none'].map((name) => ` dev ${name}`);
      for (const rest of [...questions, '', ' type veth', ' type bridge', ' type dummy', ' type veth master br0']) {
        const question = show(pathOf('n'), `address show${rest}`);
        const shown = (await perform('n', question)) as readonly object[];
        const expected = (await other.perform(question)) as readonly Record<string, unknown>[];
        expect(shown).toHaveLength(expected.length);
        // What is not read is not shown; what is shown is as iproute2 shows it.
        for (const [index, row] of shown.entries()) expect(expected[index]).toMatchObject(comparable(row));
      }
      for (const root of ['0.0.0.0/0', '::/0']) {
        for (const dev of ['', ' dev one']) {
          const question = show(pathOf('n'), `route show table all${dev} root ${root}`);
          const shown = (await perform('n', question)) as readonly object[];
          // Where a link is asked for, iproute2 does not repeat it in each row.
          expect(await other.perform(question)).toMatchObject(shown.map((row) => comparable(dev === '' ? row : withoutDevice(row))));
        }
      }
    } finally {
      other.close();
    }
  });

  it.each(FAILURES)('say the same of $name', async ({ given: before, line, code, message, byWords = code }) => {
    for (const way of WAYS) {
      given(way, before);
      await expect(perform(way, change(pathOf(way), [line]))).rejects.toMatchObject({
        code: way === 'n' ? code : byWords,
        tried: `ip ${line}`,
        message: expect.stringMatching(message),
      });
    }
    await expectTheSame(pathOf);
  });

  it('goes on behind a failure that is none, and not behind another', async () => {
    const lines = change(pathOf('n'), [PORT, PORT, 'link set dev one up', 'link set dev none up', 'link set dev two up']) as Effect & {
      kind: 'iproute';
    };
    const commands = lines.commands.map((command, index) => (index === 1 ? { ...command, tolerate: ['exists' as const] } : command));
    await expect(perform('n', { ...lines, commands })).rejects.toMatchObject({ code: 'missing', tried: 'ip link set dev none up' });
    const [one, two] = ['one', 'two'].map((name) => sh(`nsenter --net=${pathOf('n')} ip -br link show dev ${name}`));
    expect([one, two].map((text) => /<.*\bUP\b.*>/.test(text ?? ''))).toEqual([true, false]);
  });

  it('uses no process in the namespace for what it knows, and one for what it does not', async () => {
    const session = sessions.get('n')!;
    await session.perform(change(pathOf('n'), [PORT, 'link set dev one up']));
    await session.perform({ kind: 'sysctl-write', netns: pathOf('n'), key: 'net/ipv4/conf/one/arp_notify', value: '1' });
    expect(session.hasEntered).toBe(false);
    await session.perform(change(pathOf('n'), ['neighbour add 10.0.0.1 lladdr 02:42:0a:00:00:03 dev one']));
    expect(session.hasEntered).toBe(true);
    expect(sh(`nsenter --net=${pathOf('n')} ip neighbour show`)).toContain('10.0.0.1');
  });
});

function withoutDevice(row: object): object {
  const { dev: _, ...rest } = row as { readonly dev?: string };
  return rest;
}

/** Flags in any order; what is absent may be anything. */
function comparable(row: object): object {
  return 'flags' in row ? { ...row, flags: expect.arrayContaining(row.flags as string[]) } : row;
}
