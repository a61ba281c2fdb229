import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../object/json.ts';
import { EffectError, runSteps } from '../effect.ts';
import { problemsOf } from '../network/play.fixture.ts';
import type { Operation } from '../operation.ts';
import { FilterHost, tagOf } from '../packet-filter/filter-host.fixture.ts';
import { FIREWALL } from './firewall.ts';

/* Network policies. That a pod is let through is tested with the other operations on the packet filter. */

const operation = FIREWALL as unknown as Operation;
const POD = ['10.1.0.5', 'fd00::5/64'];
const WEB: JsonObject = { 'default/web': [{ peers: ['10.1.0.6'], ports: [{ port: 80 }] }] };

const policies = (fields: JsonObject = {}): JsonObject => ({ policies: fields });
const ingress = (named: JsonObject = WEB, addresses: readonly string[] = POD, groups: JsonObject = {}): JsonObject =>
  policies({ groups, ingress: { policies: named, pods: [{ addresses, policies: Object.keys(named) }] } });

const newHost = (): FilterHost => {
  const host = new FilterHost();
  for (const key of ['iptables', 'ip6tables']) host.sysctls.set(`net/bridge/bridge-nf-call-${key}`, '0');
  return host;
};
const nameOf = (who: string): string => `inet fairlead-policies-${tagOf(who).id}`;
const table = (host: FilterHost, who = 'a'): string => host.nftables.print(nameOf(who)).replaceAll(/ comment "[^"]*"/g, '');
const rulesIn = (host: FilterHost, prefix: string): Readonly<Record<string, readonly string[]>> => host.nftables.rules(nameOf('a'), prefix);
/** Without what stands for its age. */
const settled = (host: FilterHost): string => table(host).replaceAll(/chain generation-\d+/g, '');

describe('network policies', () => {
  it('isolate pods, and let through what they allow', async () => {
    const host = newHost();
    await host.ensure(operation, ingress());
    expect(rulesIn(host, 'ingress')['ingress']).toEqual([
      'ct state established,related accept',
      'icmpv6 type { 130-137, 143 } accept',
      'ip6 daddr fe80::/10 drop',
      'ip saddr . ip daddr @self4 accept',
      'ip6 saddr . ip6 daddr @self6 accept',
      'ip daddr vmap @ingress4',
      'ip6 daddr vmap @ingress6',
      'ip daddr @ingress-pods4 drop',
      'ip6 daddr @ingress-pods6 drop',
      'return',
    ]);
    const [[pods, jumps]] = Object.entries(rulesIn(host, 'pods-')) as [[string, readonly string[]]];
    expect(jumps).toEqual(['jump policy-ingress-default/web', 'return']);
    const [[, accepts]] = Object.entries(rulesIn(host, 'policy-')) as [[string, readonly string[]]];
    expect(accepts).toEqual([expect.stringMatching(/^ip saddr @networks4-\w+ tcp dport \{ 80 \} accept$/), 'return']);
    for (const line of [
      `ingress4 10.1.0.5 : jump ${pods}`,
      'ingress-pods4 10.1.0.5',
      'self4 10.1.0.5 . 10.1.0.5',
      `ingress6 fd00::5 : jump ${pods}`,
    ])
      expect(table(host).split('\n')).toContain(line);
    expect(await host.check(operation, ingress())).toEqual([]);
  });

  it('ask where connections go to, of what pods send', async () => {
    const host = newHost();
    await host.ensure(operation, policies({ egress: { policies: WEB, pods: [{ addresses: ['10.1.0.5'], policies: ['default/web'] }] } }));
    expect(rulesIn(host, 'egress')['egress']!.slice(-3, -1)).toEqual(['ip saddr vmap @egress4', 'ip saddr @egress-pods4 drop']);
    expect(Object.values(rulesIn(host, 'policy-egress'))[0]![0]).toMatch(/^ip daddr @/);
  });

  it('have one set for each group, and one chain for all pods under the same policies', async () => {
    const host = newHost();
    const named = { a: [{ peers: ['@shop/app=web'] }], b: [{ peers: ['@shop/app=web', '10.9.0.0/16'], ports: [{ port: 1 }] }] };
    await host.ensure(operation, ingress(named, ['10.1.0.5', '10.1.0.6', '10.1.0.7'], { 'shop/app=web': ['10.1.0.6', 'fd00::6'] }));
    expect(Object.keys(rulesIn(host, 'pods-'))).toHaveLength(1);
    expect(table(host).match(/^group4-\S+ 10\.1\.0\.6$/gm)).toHaveLength(1);
    // No pod that is isolated has such an address.
    expect(table(host)).not.toContain('fd00::6');
  });

  it('are nothing where nobody is isolated', async () => {
    const host = newHost();
    await host.ensure(operation, policies());
    expect([host.scripts, host.sysctls.get('net/bridge/bridge-nf-call-iptables')]).toEqual([[], '0']);
    expect(await host.check(operation, policies())).toEqual([]);
    await host.ensure(operation, ingress());
    expect(await host.check(operation, policies())).toEqual([expect.stringContaining('though nobody is isolated')]);
    await host.ensure(operation, policies());
    expect(host.nftables.list(['tables', 'inet'])).toEqual([]);
  });

  it('make bridges show what passes through them', async () => {
    const host = newHost();
    await host.ensure(operation, ingress());
    expect([...host.sysctls.values()]).toEqual(['1', '1']);
    host.sysctls.set('net/bridge/bridge-nf-call-iptables', '0');
    expect(await host.check(operation, ingress())).toEqual([expect.stringContaining('net.bridge.bridge-nf-call-iptables is not 1')]);
    await host.ensure(operation, { ...ingress(), bridged: false });
    expect(host.sysctls.get('net/bridge/bridge-nf-call-iptables')).toBe('0');
  });

  it('say what the kernel lacks for that', async () => {
    const needed = (args: JsonObject): readonly string[] =>
      operation.requires(args).map((each) => `${each.kind} ${'name' in each ? each.name : ''}`);
    const filled = { groups: {}, egress: { policies: {}, pods: [] }, ingress: { policies: {}, pods: [{ addresses: POD, policies: [] }] } };
    expect(needed({ policies: filled, bridged: false })).toEqual(['nft-family inet']);
    expect(needed({ policies: filled, bridged: true }).slice(1)).toEqual(
      ['iptables', 'ip6tables'].map((each) => `sysctl net/bridge/bridge-nf-call-${each}`),
    );
    // As a rule is written: what the expression gives is not known.
    expect(needed({ policies: '${x}', bridged: true })).toEqual(['nft-family inet']);
    const host = new FilterHost();
    await expect(host.ensure(operation, ingress())).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('br_netfilter'),
    });
    await host.ensure(operation, { ...ingress(), bridged: false });
  });

  it.each<readonly [string, JsonObject, readonly string[]]>([
    ['nothing', {}, ['meta nfproto ipv4 accept', 'meta nfproto ipv6 accept']],
    ['nobody', { peers: [] }, []],
    ['no port', { ports: [] }, []],
    ['a group', { peers: ['@g'] }, ['ip saddr @group4 accept', 'ip6 saddr @group6 accept']],
    [
      'addresses and networks',
      { peers: ['10.1.0.6', '10.2.0.0/16', 'fd00::6'] },
      ['ip saddr @networks4 accept', 'ip6 saddr @networks6 accept'],
    ],
    ['a network but for a part', { peers: ['10.0.0.0/8'], except: ['10.1.0.0/16'] }, ['ip saddr @networks4 ip saddr != @networks4 accept']],
    [
      'all of a family but for a part',
      { peers: ['0.0.0.0/0'], except: ['10.0.0.0/8'] },
      ['meta nfproto ipv4 ip saddr != @networks4 accept'],
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
        'ip saddr @networks4 tcp dport { 80-81, 90-99 } accept',
        'ip saddr @networks4 udp dport { 53 } accept',
        'ip saddr @networks4 meta l4proto sctp accept',
      ],
    ],
  ])('allow by rules: %s', async (_, allowance, rules) => {
    const host = newHost();
    await host.ensure(operation, ingress({ p: [allowance] }, POD, { g: ['10.1.0.9'] }));
    const [made] = Object.values(rulesIn(host, 'policy-'));
    expect(made!.slice(0, -1).map((rule) => rule.replaceAll(/@(group|networks)([46])-\S+/g, '@$1$2'))).toEqual(rules);
  });
});

describe('network policies that change', () => {
  /** A host that performs for one owner, and recollects. */
  async function standing(
    args: JsonObject,
  ): Promise<{ readonly host: FilterHost; readonly change: (args: JsonObject) => Promise<readonly string[]> }> {
    const host = newHost();
    await host.ensure(operation, args);
    const change = async (next: JsonObject): Promise<readonly string[]> => {
      host.scripts.length = 0;
      const kinds: string[] = [];
      host.before = ({ kind }) => kinds.push(kind);
      await host.ensure(operation, { ...next, bridged: false });
      expect(kinds.filter((kind) => kind.startsWith('nft'))).toEqual(['nft']);
      expect(host.scripts).toHaveLength(1);
      return host.scripts[0]!.split('\n').map((line) => line.replace(nameOf('a'), 'T'));
    };
    return { host, change };
  }
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`p${i}`, [{ peers: ['@all'], ports: [{ port: i + 1 }] }]]));
  const node = (...pods: readonly string[]): JsonObject => ingress(many, pods, { all: [...pods, '10.2.0.1'] });

  it('are told to the kernel without a list, and cost what has changed', async () => {
    const { change } = await standing(node('10.1.0.5'));
    expect(await change(node('10.1.0.5', '10.1.0.6'))).toEqual([
      'delete chain T generation-1',
      'add element T self4 { 10.1.0.6 . 10.1.0.6 }',
      'add element T group4-all { 10.1.0.6 }',
      'add element T ingress-pods4 { 10.1.0.6 }',
      expect.stringMatching(/^add element T ingress4 \{ 10\.1\.0\.6 : jump pods-\w+ \}$/),
      'add chain T generation-2',
    ]);
    expect(await change(node('10.1.0.6'))).toEqual([
      'delete chain T generation-2',
      'delete element T self4 { 10.1.0.5 . 10.1.0.5 }',
      'delete element T group4-all { 10.1.0.5 }',
      'delete element T ingress-pods4 { 10.1.0.5 }',
      'delete element T ingress4 { 10.1.0.5 }',
      'add chain T generation-3',
    ]);
  });

  it('never leave a pod that is isolated before and after, whatever it is under', async () => {
    const { host, change } = await standing(ingress({ 'shop/old': [{ peers: ['10.1.0.6'] }] }, ['10.1.0.5']));
    const script = await change(ingress({ 'shop/new': [{ peers: ['10.1.0.7'] }] }, ['10.1.0.5']));
    // One transaction; and what drops is not touched in it.
    expect(script.filter((line) => line.includes('ingress-pods4'))).toEqual([]);
    expect(script.filter((line) => /element T ingress4/.test(line))).toEqual([
      'delete element T ingress4 { 10.1.0.5 }',
      expect.stringMatching(/^add element T ingress4 \{ 10\.1\.0\.5 : jump pods-\w+ \}$/),
    ]);
    expect(Object.keys(rulesIn(host, 'policy-'))).toEqual(['policy-ingress-shop/new']);
    expect(Object.keys(rulesIn(host, 'pods-'))).toHaveLength(1);
  });

  it('change what a policy allows where it stands', async () => {
    const { change } = await standing(ingress());
    const script = await change(ingress({ 'default/web': [{ ports: [{ port: 81 }] }] }));
    expect(script.filter((line) => line.includes(' element '))).toEqual([]);
    expect(script.filter((line) => / (chain|rule) /.test(line)).map((line) => line.replaceAll(/ comment.*/g, ''))).toEqual([
      'delete chain T generation-1',
      'add chain T policy-ingress-default/web',
      'flush chain T policy-ingress-default/web',
      'add rule T policy-ingress-default/web meta nfproto ipv4 tcp dport { 81 } accept',
      'add rule T policy-ingress-default/web meta nfproto ipv6 tcp dport { 81 } accept',
      'add rule T policy-ingress-default/web return',
      'add chain T generation-2',
    ]);
  });

  it('are listed after a restart, and where nothing changes', async () => {
    const host = newHost();
    await host.ensure(operation, ingress());
    const before = table(host);
    host.scripts.length = 0;
    const kinds: string[] = [];
    host.before = ({ kind }) => kinds.push(kind);
    await host.ensure(operation, { ...ingress(), bridged: false });
    host.forget();
    await host.ensure(operation, { ...ingress(), bridged: false });
    expect([kinds, host.scripts, table(host)]).toEqual([['nft-list', 'nft-list'], [], before]);
  });

  it.each<readonly [string, (name: string) => string]>([
    ['an element', (name) => `delete element ${name} ingress4 { 10.1.0.5 }`],
    ['rules', (name) => `flush chain ${name} policy-ingress-default/web`],
    ['another rule', (name) => `add rule ${name} ingress accept`],
    ['what drops', (name) => `delete element ${name} ingress-pods4 { 10.1.0.5 }`],
    ['an element too many', (name) => `add element ${name} self4 { 10.1.0.6 . 10.1.0.6 }`],
    ['a chain too many', (name) => `add chain ${name} other`],
    ['all', (name) => `delete table ${name}`],
  ])('are made again when somebody has changed %s', async (what, command) => {
    const host = newHost();
    await host.ensure(operation, ingress());
    const whole = settled(host);
    host.nftables.apply(command(nameOf('a')));
    expect(await host.check(operation, ingress())).toHaveLength(what === 'a chain too many' ? 0 : 1);
    await host.ensure(operation, ingress());
    expect(settled(host)).toBe(whole);
    expect(await host.check(operation, ingress())).toEqual([]);
  });

  it('are made from a list when somebody was there before a change', async () => {
    const host = newHost();
    await host.ensure(operation, ingress());
    host.nftables.apply(`delete table ${nameOf('a')}`);
    await host.ensure(operation, node('10.1.0.5'));
    expect(await host.check(operation, node('10.1.0.5'))).toEqual([]);
  });

  it('are whole again after a change that failed', async () => {
    const host = newHost();
    await host.ensure(operation, ingress());
    host.before = ({ kind }) => {
      if (kind === 'nft') throw new EffectError('program', 'nft ended while it performed the command', 'nft');
    };
    await expect(host.ensure(operation, node('10.1.0.5'))).rejects.toThrow('nft ended');
    const kinds: string[] = [];
    host.before = ({ kind }) => kinds.push(kind);
    await host.ensure(operation, { ...node('10.1.0.5'), bridged: false });
    expect(kinds).toEqual(['nft-list', 'nft']);
    expect(await host.check(operation, node('10.1.0.5'))).toEqual([]);
  });

  const allowance = fc.record({
    peers: fc.oneof(fc.constant('any'), fc.subarray(['10.1.0.6', '10.1.0.7', '10.2.0.0/16', 'fd00::6', 'fd01::/16', '@g', '@h'])),
    except: fc.subarray(['10.2.3.0/24', 'fd01:2::/32']),
    ports: fc.oneof(fc.constant('any'), fc.subarray([{ port: 80 }, { port: 100, endPort: 200 }, { protocol: 'udp' }])),
  });
  const direction = fc
    .record({
      policies: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.array(allowance, { maxLength: 2 })),
      pods: fc.uniqueArray(fc.constantFrom('10.1.0.5', '10.1.0.6', 'fd00::5', 'fd00::6'), { maxLength: 4 }),
      seed: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
    })
    .map(({ policies: named, pods, seed }) => ({
      policies: named,
      pods: pods.map((address, pod) => ({
        addresses: [address],
        policies: Object.keys(named).filter((_, index) => seed[(pod * 3 + index) % seed.length]),
      })),
    }));
  const addresses = fc.subarray(['10.1.0.8', '10.1.0.9', 'fd00::8']);
  const anything = fc.record({ groups: fc.record({ g: addresses, h: addresses }), ingress: direction, egress: direction });

  it('are always as if they had been made at once, whatever came before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anything, fc.constantFrom('change', 'restart', 'undo')), { minLength: 1, maxLength: 8 }),
        async (story) => {
          const host = newHost();
          for (const [fields, what] of story) {
            const args = policies(fields as unknown as JsonObject);
            if (what === 'undo') await host.undo(operation, args);
            if (what === 'restart') host.forget();
            await host.ensure(operation, args);
            expect(await host.check(operation, args)).toEqual([]);
            const fresh = newHost();
            await fresh.ensure(operation, args);
            expect(sorted(host)).toEqual(sorted(fresh));
          }
          await host.undo(operation, policies());
          expect(host.nftables.list(['tables', 'inet'])).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('are of their owners, and found and removed by their tags', async () => {
    const host = newHost();
    await host.ensure(operation, ingress(), 'a');
    await host.ensure(operation, ingress(), 'b');
    const things = await host.inventory(operation);
    expect(things.map(({ tag }) => tag)).toEqual([tagOf('a').text, tagOf('b').text]);
    await runSteps(things[0]!.remove(), host);
    await runSteps(things[0]!.remove(), host);
    expect(await host.check(operation, ingress(), 'b')).toEqual([]);
    expect((await host.inventory(operation)).map(({ tag }) => tag)).toEqual([tagOf('b').text]);
  });

  it('keep their identity', () => {
    expect(operation.identity!(policies())).toBe(operation.identity!(ingress()));
    expect(operation.identity!({ addresses: ['10.1.0.5'] })).not.toBe(operation.identity!(ingress()));
  });
});

const oneIngress = (fields: JsonObject): JsonObject => policies({ ingress: fields });

it.each<readonly [JsonObject, string]>([
  [ingress(WEB, ['pod']), 'policies.ingress.pods.0.addresses.0: "pod" is not'],
  [ingress({ p: [{ peers: ['10.1.0.0/40'] }] }), 'policies.ingress.policies.p.0.peers.0: "10.1.0.0/40" is not'],
  [ingress({ p: [{ peers: ['@g'] }] }), 'policies.ingress.policies.p.0.peers.0: there is no group "g"'],
  [ingress({ p: [{ ports: [{ port: 80, endPort: 79 }] }] }), 'policies.ingress.policies.p.0.ports.0.endPort: is less than port 80'],
  [ingress({ p: [{ ports: [{ endPort: 79 }] }] }), 'policies.ingress.policies.p.0.ports.0.endPort: stands without `port`'],
  [ingress({ 'a\nb': [] }), 'policies.ingress.policies.a\nb: "a\\nb" holds control characters'],
  [policies({ groups: { g: ['10.1.0.300'] } }), 'policies.groups.g.0: "10.1.0.300" is not'],
  [oneIngress({ pods: [{ addresses: ['10.1.0.5'], policies: ['p'] }] }), 'policies.ingress.pods.0.policies.0: there is no policy "p"'],
  [
    oneIngress({ pods: [{ addresses: ['10.1.0.5'] }, { addresses: ['10.1.0.5'] }] as unknown as Json }),
    'policies.ingress.pods.1.addresses.0: 10.1.0.5 stands in the list already',
  ],
  [{ ...ingress(), backend: 'iptables' }, 'backend: network policies need nftables'],
  [{ addresses: [], ingressPolicy: 'isolated' }, 'ingressPolicy: "isolated" needs to know the bridge'],
  [{ addresses: [], bridge: 'a b' }, 'bridge: '],
])('refuses %j', (args, problem) => {
  expect(problemsOf(operation, args)).toEqual([expect.stringContaining(problem)]);
});

/** The order of chains, and of elements, in the table means nothing. */
function sorted(host: FilterHost): readonly string[] {
  return settled(host)
    .split(/\n(?! )/)
    .toSorted();
}
