import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { problemsOf } from '../network/play.fixture.ts';
import type { Operation } from '../operation.ts';
import { FilterHost, tagOf } from '../packet-filter/filter-host.fixture.ts';
import { FIREWALL } from './firewall.ts';

/* Network policies. That a pod is let through is tested with the other operations on the packet filter. */

const operation = FIREWALL as unknown as Operation;
const policy = (fields: JsonObject = {}): JsonObject => ({
  policy: {
    name: 'default/web',
    direction: 'ingress',
    pods: ['10.1.0.5', 'fd00::5/64'],
    allow: [{ peers: ['10.1.0.6'], ports: [{ port: 80 }] }],
    ...fields,
  },
});
const newHost = (): FilterHost => {
  const host = new FilterHost();
  for (const key of ['iptables', 'ip6tables']) host.sysctls.set(`net/bridge/bridge-nf-call-${key}`, '0');
  return host;
};
const table = (host: FilterHost): string => host.nftables.print('inet fairlead-policies').replaceAll(/ comment "[^"]*"/g, '');
const chainsBelow = (host: FilterHost, prefix: string): readonly string[] => {
  const lines = table(host).split('\n');
  return lines.filter((line, index) =>
    (line.startsWith('  ') ? lines.slice(0, index).findLast((each) => !each.startsWith('  '))! : line).startsWith(`chain ${prefix}`),
  );
};

describe('a network policy', () => {
  it('isolates pods, and lets through what it allows', async () => {
    const host = newHost();
    await host.ensure(operation, policy());
    expect(chainsBelow(host, 'ingress-')).toEqual([
      'chain ingress-10.1.0.5',
      expect.stringMatching(/^ {2}jump policy-\w+-default_web$/),
      '  ip saddr 10.1.0.5 accept',
      '  drop',
      'chain ingress-fd00__5',
      expect.stringMatching(/^ {2}jump policy-\w+-default_web$/),
      '  ip6 saddr fd00::5 accept',
      '  drop',
    ]);
    expect(chainsBelow(host, 'policy-')).toEqual([
      expect.stringMatching(/^chain policy-/),
      expect.stringMatching(/^ {2}ip saddr @peers-\S+-0-hosts4 tcp dport \{ 80 \} accept$/),
      '  return',
    ]);
    expect(await host.check(operation, policy())).toEqual([]);
  });

  it('makes bridges show what passes through them', async () => {
    const host = newHost();
    await host.ensure(operation, policy());
    expect([...host.sysctls.values()]).toEqual(['1', '1']);
    host.sysctls.set('net/bridge/bridge-nf-call-iptables', '0');
    expect(await host.check(operation, policy())).toEqual([expect.stringContaining('net.bridge.bridge-nf-call-iptables is not 1')]);
    await host.ensure(operation, policy({ bridged: false }));
    expect(host.sysctls.get('net/bridge/bridge-nf-call-iptables')).toBe('0');
  });

  it('says what the kernel lacks for that', async () => {
    const needed = (fields: JsonObject): readonly string[] =>
      operation.requires(policy(fields)).map((each) => `${each.kind} ${'name' in each ? each.name : ''}`);
    expect(needed({ bridged: false })).toEqual(['nft-family inet']);
    expect(needed({ bridged: true }).slice(1)).toEqual(['iptables', 'ip6tables'].map((each) => `sysctl net/bridge/bridge-nf-call-${each}`));
    const host = new FilterHost();
    await expect(host.ensure(operation, policy())).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('br_netfilter'),
    });
    await host.ensure(operation, policy({ bridged: false }));
  });

  const rulesOf = async (fields: JsonObject): Promise<readonly string[]> => {
    const host = newHost();
    await host.ensure(operation, policy(fields));
    return chainsBelow(host, 'policy-')
      .slice(1, -1)
      .map((rule) => rule.trim().replaceAll(/@peers-\S+_web-/g, '@'));
  };
  it.each<readonly [string, JsonObject, readonly string[]]>([
    ['nothing', {}, ['meta nfproto ipv4 accept', 'meta nfproto ipv6 accept']],
    ['nobody', { peers: [] }, []],
    ['no port', { ports: [] }, []],
    [
      'addresses and networks',
      { peers: ['10.1.0.6', '10.2.0.0/16', 'fd00::6'] },
      ['ip saddr @0-hosts4 accept', 'ip saddr @0-networks4 accept', 'ip6 saddr @0-hosts6 accept'],
    ],
    [
      'a network but for a part',
      { peers: ['10.0.0.0/8'], except: ['10.1.0.0/16'] },
      ['ip saddr @0-networks4 ip saddr != @0-except4 accept'],
    ],
    [
      'all of a family but for a part',
      { peers: ['0.0.0.0/0'], except: ['10.0.0.0/8'] },
      ['meta nfproto ipv4 ip saddr != @0-except4 accept'],
    ],
    ['all but a family', { except: ['::/0'] }, ['meta nfproto ipv4 accept']],
    [
      'ports of several protocols, as ranges that do not overlap',
      {
        peers: ['10.1.0.6'],
        ports: [
          { port: 80 },
          { port: 90, endPort: 99 },
          { port: 81 },
          { port: 95, endPort: 97 },
          { protocol: 'UDP', port: 53 },
          { protocol: 'SCTP' },
        ],
      },
      [
        'ip saddr @0-hosts4 tcp dport { 80-81, 90-99 } accept',
        'ip saddr @0-hosts4 udp dport { 53 } accept',
        'ip saddr @0-hosts4 meta l4proto sctp accept',
      ],
    ],
  ])('allows by rules: %s', async (_, allowance, rules) => {
    expect(await rulesOf({ allow: [allowance] })).toEqual(rules);
  });

  it('asks where connections go to, of what pods send', async () => {
    const host = newHost();
    await host.ensure(operation, policy({ direction: 'egress' }));
    expect(table(host)).toContain('egress4 10.1.0.5 : goto egress-10.1.0.5');
    expect(chainsBelow(host, 'egress-10')[2]).toBe('  ip daddr 10.1.0.5 accept');
    expect(chainsBelow(host, 'policy-')[1]).toMatch(/ip daddr @/);
  });

  it('changes members of a set one by one, and does nothing where nothing changes', async () => {
    const host = newHost();
    const peers = (...list: string[]): JsonObject => policy({ allow: [{ peers: list }] });
    await host.ensure(operation, peers('10.1.0.6', '10.1.0.7', '10.1.0.8'));
    host.scripts.length = 0;
    await host.ensure(operation, peers('10.1.0.8', '10.1.0.7', '10.1.0.9'));
    const lines = host.scripts
      .join('\n')
      .split('\n')
      .filter((line) => line.includes(' element '));
    expect(lines).toEqual([
      expect.stringMatching(/^delete element .* \{ 10\.1\.0\.6 \}$/),
      expect.stringMatching(/^add element .* \{ 10\.1\.0\.9 \}$/),
    ]);
    const before = table(host);
    host.scripts.length = 0;
    await host.ensure(operation, peers('10.1.0.7', '10.1.0.8', '10.1.0.9'));
    expect(host.scripts.every((script) => /^flush chain inet fairlead-policies is-\S+$/.test(script))).toBe(true);
    expect(table(host)).toBe(before);
  });

  const allowance = fc.record({
    peers: fc.oneof(fc.constant('any'), fc.subarray(['10.1.0.6', '10.1.0.7', '10.2.0.0/16', 'fd00::6', 'fd01::/16'])),
    except: fc.subarray(['10.2.3.0/24', 'fd01:2::/32']),
    ports: fc.oneof(fc.constant('any'), fc.subarray([{ port: 80 }, { port: 100, endPort: 200 }, { protocol: 'udp' }])),
  });
  const anyPolicy = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    direction: fc.constantFrom('ingress', 'egress'),
    pods: fc.subarray(['10.1.0.5', '10.1.0.6', 'fd00::5']),
    allow: fc.array(allowance, { maxLength: 2 }),
  });

  it('is always as if it had been made at once, whatever came before and goes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), anyPolicy), { minLength: 1, maxLength: 12 }), async (story) => {
        const host = newHost();
        const present = new Map<string, JsonObject>();
        for (const [isMade, fields] of story) {
          const args = policy(fields as unknown as JsonObject);
          const key = `${fields.direction} ${fields.name}`;
          if (isMade) {
            await host.ensure(operation, args);
            present.set(key, args);
          } else {
            await host.undo(operation, args);
            present.delete(key);
          }
        }
        const fresh = newHost();
        for (const args of present.values()) await fresh.ensure(operation, args);
        for (const args of present.values()) expect(await host.check(operation, args)).toEqual([]);
        if (present.size > 0) expect(sorted(host)).toEqual(sorted(fresh));
        for (const args of present.values()) await host.undo(operation, args);
        expect(chainsBelow(host, 'policy-')).toEqual([]);
        expect(chainsBelow(host, 'ingress-')).toEqual([]);
        expect(table(host)).not.toContain('peers-');
        expect(table(host)).not.toMatch(/chain is-/);
      }),
      { numRuns: 60 },
    );
  });

  it('is found by its tag, and removed by that', async () => {
    const host = newHost();
    await host.ensure(operation, policy(), 'a');
    await host.ensure(operation, policy({ name: 'empty', pods: [], allow: [] }), 'b');
    const things = await host.inventory(operation);
    expect(things.map(({ tag }) => tag)).toEqual([tagOf('a').text, tagOf('b').text]);
  });

  it('keeps its identity when it changes', () => {
    const identity = (fields: JsonObject): string => operation.identity!(policy(fields));
    expect(identity({})).toBe(identity({ pods: [], allow: [] }));
    expect(identity({})).not.toBe(identity({ direction: 'egress' }));
    expect(identity({})).not.toBe(identity({ name: 'default/other' }));
  });

  it.each<readonly [JsonObject, string]>([
    [policy({ pods: ['pod'] }), 'policy.pods.0: "pod" is not'],
    [policy({ allow: [{ peers: ['10.1.0.0/40'] }] }), 'policy.allow.0.peers.0: "10.1.0.0/40" is not'],
    [policy({ allow: [{ ports: [{ port: 80, endPort: 79 }] }] }), 'policy.allow.0.ports.0.endPort: is less than port 80'],
    [policy({ allow: [{ ports: [{ endPort: 79 }] }] }), 'policy.allow.0.ports.0.endPort: stands without `port`'],
    [{ ...policy(), backend: 'iptables' }, 'backend: network policies need nftables'],
    [{ addresses: [], ingressPolicy: 'isolated' }, 'ingressPolicy: "isolated" needs to know the bridge'],
    [{ addresses: [], bridge: 'a b' }, 'bridge: '],
  ])('refuses %j', (args, problem) => {
    expect(problemsOf(operation, args)).toEqual([expect.stringContaining(problem)]);
  });
});

/** The order of policies in a pod's chain, and of chains in the table, means nothing. */
function sorted(host: FilterHost): readonly string[] {
  return table(host)
    .split(/\n(?! )/)
    .map((block) => block.split('\n').toSorted().join('\n'))
    .toSorted();
}
