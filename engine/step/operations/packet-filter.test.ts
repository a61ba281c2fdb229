import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { EffectError, runSteps } from '../effect.ts';
import { problemsOf } from '../network/play.fixture.ts';
import type { Operation } from '../operation.ts';
import { FilterHost, tagOf } from '../packet-filter/filter-host.fixture.ts';
import { FIREWALL } from './firewall.ts';
import { MASQUERADE } from './masquerade.ts';
import { PORT_MAP } from './port-map.ts';

/* What all operations on the packet filter promise, with both backends; what is made in particular is below. */

const A = { masquerade: ['10.1.0.5/16', 'fd00::5/64'], addresses: ['10.1.0.5/16', 'fd00::5/64'] };
const backends = ['nftables', 'iptables'] as const;

const masquerading = (backend: string, from: readonly string[] = A.masquerade): JsonObject => ({
  from,
  except: ['10.1.0.0/16', 'fd00::/64'],
  backend,
});
const ports = (backend: string, to: readonly string[] = A.addresses, hostPort = 8080): JsonObject => ({
  ports: [
    { hostPort, containerPort: 80 },
    { hostPort: hostPort + 1, containerPort: 53, protocol: 'UDP', hostIP: '192.0.2.7' },
  ],
  to,
  backend,
});
const through = (backend: string, addresses: readonly string[] = A.addresses): JsonObject => ({
  addresses,
  backend,
  ingressPolicy: 'isolated',
  bridge: 'cni0',
});

const operations: readonly (readonly [string, Operation, (backend: string, addresses?: readonly string[]) => JsonObject])[] = [
  ['masquerade', MASQUERADE as unknown as Operation, masquerading],
  ['portMap', PORT_MAP as unknown as Operation, ports],
  ['firewall', FIREWALL as unknown as Operation, through],
];

const newHost = (): FilterHost => {
  const host = new FilterHost();
  for (const key of ['iptables', 'ip6tables']) host.sysctls.set(`net/bridge/bridge-nf-call-${key}`, '1');
  return host;
};
const stateOf = (host: FilterHost): string =>
  [
    host.nftables.print('inet fairlead'),
    host.nftables.print('inet fairlead-policies'),
    ...([4, 6] as const).flatMap((family) => ['nat', 'filter'].map((table) => host.iptables[family].save(table))),
  ].join('\n');

describe.each(operations)('%s', (_, operation, args) => {
  describe.each(backends)('with %s', (backend) => {
    /** What stays when owners are gone: what all stand on. */
    const emptied = async (): Promise<string> => {
      const host = newHost();
      await host.ensure(operation, args(backend));
      await host.undo(operation, args(backend));
      return stateOf(host);
    };

    it('is the same when it is done twice, and checks', async () => {
      const host = newHost();
      await host.ensure(operation, args(backend));
      const once = stateOf(host);
      expect(once).toContain(tagOf('a').text);
      await host.ensure(operation, args(backend));
      expect(stateOf(host)).toBe(once);
      expect(await host.check(operation, args(backend))).toEqual([]);
    });

    it('leaves nothing of its own, twice, and where it was never begun', async () => {
      const host = newHost();
      await host.undo(operation, args(backend));
      expect(await host.check(operation, args(backend))).not.toEqual([]);
      await host.ensure(operation, args(backend));
      await host.undo(operation, args(backend));
      const left = stateOf(host);
      expect(left).not.toContain(tagOf('a').text);
      await host.undo(operation, args(backend));
      expect(stateOf(host)).toBe(left);
      expect(await host.check(operation, args(backend))).not.toEqual([]);
    });

    it('takes over what was left of an address, and its late undo changes nothing', async () => {
      const host = newHost();
      await host.ensure(operation, args(backend), 'a');
      await host.ensure(operation, args(backend), 'b');
      const before = stateOf(host);
      expect(await host.check(operation, args(backend), 'b')).toEqual([]);
      await host.undo(operation, args(backend), 'a');
      expect(await host.check(operation, args(backend), 'b')).toEqual([]);
      if (backend === 'nftables') expect(stateOf(host)).toBe(before);
      await host.undo(operation, args(backend), 'b');
      expect(stateOf(host)).toBe(await emptied());
    });

    it('finds what is its own, and removes it by that', async () => {
      const host = newHost();
      await host.ensure(operation, args(backend), 'a');
      const things = await host.inventory(operation);
      expect(new Set(things.map(({ tag }) => tag))).toEqual(new Set([tagOf('a').text]));
      for (const thing of things) await runSteps(thing.remove(), host);
      for (const thing of things) await runSteps(thing.remove(), host);
      expect(await host.inventory(operation)).toEqual([]);
      expect(stateOf(host)).not.toContain(tagOf('a').text);
    });

    it('finds its own where the other backend is not there', async () => {
      const host = newHost();
      host.lacks.add(backend === 'nftables' ? 'iptables' : 'nft');
      await host.ensure(operation, args('auto'), 'a');
      for (const thing of await host.inventory(operation)) await runSteps(thing.remove(), host);
      expect(await host.inventory(operation)).toEqual([]);
      expect(stateOf(host)).not.toContain(tagOf('a').text);
    });

    it('fails to look where nftables is there, and ended', async () => {
      const host = newHost();
      let asked = 0;
      host.before = ({ kind }) => {
        if (kind === 'nft-list' && asked++ === 0) throw new EffectError('program', 'nft ended', 'nft list');
      };
      await expect(host.inventory(operation)).rejects.toThrow('nft ended');
    });

    it('makes again what somebody has taken away', async () => {
      const host = newHost();
      await host.ensure(operation, args(backend));
      const whole = stateOf(host);
      if (backend === 'nftables') {
        for (const chain of host.nftables.list(['chains', 'inet'])) {
          const name = String((chain['chain'] as JsonObject)['name']);
          if (name.includes(tagOf('a').id)) host.nftables.apply(`flush chain inet fairlead ${name}`);
        }
      } else {
        for (const family of [4, 6] as const) {
          for (const table of ['nat', 'filter']) {
            const own = host.iptables[family]
              .save(table)
              .split('\n')
              .filter((line) => /^:FL-/.test(line));
            host.iptables[family].restore(
              `*${table}\n${own.map((line) => `-F ${line.slice(1).split(' ')[0]}`).join('\n')}\nCOMMIT\n`.replace('\n\n', '\n'),
            );
          }
        }
      }
      expect(await host.check(operation, args(backend))).not.toEqual([]);
      await host.ensure(operation, args(backend));
      expect(stateOf(host)).toBe(whole);
    });
  });

  it('takes iptables where nftables is not there, and remembers it', async () => {
    const host = newHost();
    host.lacks.add('nft');
    await host.ensure(operation, args('auto'));
    expect(host.memory.get('a')).toEqual({ backend: 'iptables' });
    host.lacks.delete('nft');
    expect(await host.check(operation, args('auto'))).toEqual([]);
    await host.undo(operation, args('auto'));
    expect(stateOf(host)).not.toContain(tagOf('a').text);
  });

  it('does not take the other backend for a failure in between', async () => {
    const host = newHost();
    let failures = 1;
    host.before = (effect) => {
      if (effect.kind === 'nft' && failures-- > 0) throw new EffectError('program', 'nft ended while it performed the command', 'nft');
    };
    await expect(host.ensure(operation, args('auto'))).rejects.toThrow('nft ended');
    expect(host.memory.size).toBe(0);
  });

  it('needs one backend, or the one that is asked for', () => {
    const needed = (backend: string) => operation.requires(args(backend)).filter(({ kind }) => kind !== 'sysctl');
    const nftables = { kind: 'nft-family', name: 'inet' };
    const iptables = { kind: 'program', name: 'iptables' };
    expect(needed('auto')).toEqual([{ kind: 'any-of', requirements: [nftables, iptables] }]);
    expect(needed('nftables')).toEqual([nftables]);
    expect(needed('iptables')).toEqual([iptables]);
  });
});

describe('masquerade', () => {
  it('makes a chain for each address, and a rule for a network', async () => {
    const host = newHost();
    await host.ensure(MASQUERADE as unknown as Operation, {
      from: ['10.1.0.5/16', '10.9.0.0/16'],
      except: ['10.0.0.0/8', 'fd00::/8'],
      interface: 'eth0',
    });
    const rules = ['oifname != "eth0" return', 'ip daddr 10.0.0.0/8 return', 'masquerade'];
    const { id } = tagOf('a');
    const [address, network] = [`masquerade-${id}-488ff9db`, `masquerade-${id}-dd542521`];
    expect(host.nftables.rules('inet fairlead', 'masquerade-')).toEqual({ [address]: rules, [network]: rules });
    expect(host.nftables.rules('inet fairlead', 'masquerading-networks')).toEqual({
      'masquerading-networks': [`ip saddr 10.9.0.0/16 jump ${network}`],
    });
    expect(host.nftables.print('inet fairlead')).toContain(`masquerade4 10.1.0.5 : goto ${address} comment "${tagOf('a').text}"`);
  });

  it('is one change of nftables once everything is there that all stand on', async () => {
    const host = newHost();
    await host.ensure(MASQUERADE as unknown as Operation, masquerading('auto'), 'a');
    const before = host.scripts.length;
    const effects: string[] = [];
    host.before = ({ kind }) => effects.push(kind);
    await host.ensure(MASQUERADE as unknown as Operation, masquerading('auto', ['10.1.0.6/16']), 'b');
    expect(effects).toEqual(['nft']);
    expect(host.scripts.length).toBe(before + 1);
  });

  it.each([
    [{ from: ['10.1.0.5/16', 'pod'] }, 'from.1: "pod" is not'],
    [{ from: ['::ffff:10.1.0.5'] }, 'from.0: "::ffff:10.1.0.5" is not'],
    [{ from: [], except: ['10.0.0.0/33'] }, 'except.0: "10.0.0.0/33" is not'],
    [{ from: [], interface: 'eth"0' }, 'interface: '],
  ])('refuses %j', (args, problem) => {
    expect(problemsOf(MASQUERADE as unknown as Operation, args)).toEqual([expect.stringContaining(problem)]);
  });
});

describe('portMap', () => {
  const operation = PORT_MAP as unknown as Operation;

  it.each(backends)('fails for a port that another pod has, names it, and changes nothing: %s', async (backend) => {
    const host = newHost();
    await host.ensure(operation, ports(backend), 'a');
    const before = stateOf(host);
    const other = host.ensure(operation, ports(backend, ['10.1.0.6/16']), 'b');
    await expect(other).rejects.toMatchObject({ code: 'exists', message: `port 8080/tcp is taken by ${tagOf('a').text}` });
    expect(stateOf(host)).toBe(before);
    expect(await host.check(operation, ports(backend), 'a')).toEqual([]);
  });

  it.each([
    ['both families', {}, ['host-ports4 tcp . 80', 'host-ports6 tcp . 80']],
    ['an address of the host', { hostIP: '192.0.2.7' }, ['host-address-ports4 192.0.2.7 . tcp . 80']],
    ['all of IPv4', { hostIP: '0.0.0.0' }, ['host-ports4 tcp . 80']],
    ['all of IPv6', { hostIP: '::' }, ['host-ports6 tcp . 80']],
    ['an address of IPv6', { hostIP: '2001:DB8:0::7' }, ['host-address-ports6 2001:db8::7 . tcp . 80']],
    ['no address', { hostIP: '' }, ['host-ports4 tcp . 80', 'host-ports6 tcp . 80']],
    ['SCTP', { protocol: 'SCTP' }, ['host-ports4 sctp . 80', 'host-ports6 sctp . 80']],
  ])('has an entry for %s', async (_, port, entries) => {
    const host = newHost();
    await host.ensure(operation, { ports: [{ hostPort: 80, containerPort: 8080, ...port }], to: A.addresses });
    const found = host.nftables
      .print('inet fairlead')
      .split('\n')
      .filter((line) => line.startsWith('host-'))
      .map((line) => line.split(' : ')[0]);
    expect(found).toEqual(entries);
  });

  it.each([
    [
      'the pod’s network and localhost by default',
      {},
      ['ip saddr 127.0.0.0/8 meta mark set meta mark or 0x2000', 'ip saddr 10.1.0.0/16 meta mark set meta mark or 0x2000'],
    ],
    [
      'another mark',
      { markBit: 4 },
      ['ip saddr 127.0.0.0/8 meta mark set meta mark or 0x10', 'ip saddr 10.1.0.0/16 meta mark set meta mark or 0x10'],
    ],
    ['everybody', { masqueradeAll: true }, ['meta mark set meta mark or 0x2000']],
    ['nobody, and localhost not at all', { snat: false }, ['ip saddr 127.0.0.0/8 return']],
    [
      'under conditions',
      { masqueradeAll: true, conditionsV4: ['ip', 'saddr', '!=', '192.0.2.9'] },
      ['ip saddr != 192.0.2.9 meta mark set meta mark or 0x2000'],
    ],
  ])('gives the host’s address to %s', async (_, options, marking) => {
    const host = newHost();
    await host.ensure(operation, { ports: [{ hostPort: 80, containerPort: 8080 }], to: ['10.1.0.5/16'], ...options });
    const rules = Object.values(host.nftables.rules('inet fairlead', 'port-map-'))[0]!;
    expect(rules.slice(0, -1)).toEqual(marking);
    expect(rules.at(-1)).toMatch(/meta l4proto tcp dnat ip to 10\.1\.0\.5:8080$/);
  });

  it('lets localhost leave by the link to the pod, and forgets flows of UDP', async () => {
    const host = newHost();
    host.sysctls.set('net/ipv4/conf/cni0/route_localnet', '0');
    await host.ensure(operation, ports('auto'));
    expect(host.sysctls.get('net/ipv4/conf/cni0/route_localnet')).toBe('1');
    expect(host.runs).toEqual(['conntrack -D -f ipv4 -p udp --orig-port-dst 8081']);
  });

  it('does without the program that forgets flows', async () => {
    const host = newHost();
    host.lacks.add('conntrack');
    await host.ensure(operation, ports('auto'));
    expect(await host.check(operation, ports('auto'))).toEqual([]);
  });

  it('does nothing where the pod has no address of the family', async () => {
    const host = newHost();
    await host.ensure(operation, { ports: [{ hostPort: 80, containerPort: 80, hostIP: '::' }], to: ['10.1.0.5'] });
    expect(stateOf(host)).not.toContain(tagOf('a').text);
  });

  it.each([
    [{ ports: [{ hostPort: 80, containerPort: 80, hostIP: 'host' }], to: [] }, 'ports.0.hostIP: "host" is not an address'],
    [{ ports: [], to: ['pod'] }, 'to.0: "pod" is not'],
    [{ ports: [], to: [], conditionsV4: ['-s', '10.0.0.0/8'] }, 'conditionsV4: these are words of iptables'],
    [{ ports: [], to: [], conditionsV6: ['ip6', 'saddr', '::1'], backend: 'iptables' }, 'conditionsV6: these are words of nftables'],
  ])('refuses %j', (args, problem) => {
    expect(problemsOf(operation, args)).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    { hostPort: 0, containerPort: 80 },
    { hostPort: 80, containerPort: 65536 },
    { hostPort: 80, containerPort: 80, protocol: 'icmp' },
  ])('refuses the port %j', (port) => {
    expect(() => problemsOf(operation, { ports: [port], to: [] })).toThrow();
  });

  it('refuses conditions that would begin another command', () => {
    for (const word of ['accept\nflush ruleset', 'accept; flush ruleset', '"', '#', '\\']) {
      expect(() => problemsOf(operation, { ports: [], to: [], conditionsV4: [word] })).toThrow();
    }
  });
});
