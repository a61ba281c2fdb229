import { describe, expect, it } from 'vitest';
import { runSteps } from '../effect.ts';
import type { Operation } from '../operation.ts';
import { FIREWALL } from '../operations/firewall.ts';
import { MASQUERADE } from '../operations/masquerade.ts';
import { PORT_MAP } from '../operations/port-map.ts';
import { FilterHost } from './filter-host.fixture.ts';
import { iptablesFoundations, nftFoundations } from './foundations.ts';

const to = ['10.1.0.5/16', 'fd00::5/64'];
const USES = (backend: string): readonly (readonly [Operation, Parameters<FilterHost['ensure']>[1]])[] => [
  [MASQUERADE as unknown as Operation, { from: to, except: ['10.1.0.0/16'], backend }],
  [PORT_MAP as unknown as Operation, { ports: [{ hostPort: 8080, containerPort: 80 }], to, backend }],
  [FIREWALL as unknown as Operation, { addresses: to, backend, ingressPolicy: 'isolated', bridge: 'cni0' }],
];
const stateOf = (host: FilterHost): string =>
  [
    host.nftables.print('inet fairlead'),
    ...([4, 6] as const).flatMap((family) => ['nat', 'filter'].map((table) => host.iptables[family].save(table))),
  ].join('\n');

/** A host on which everything was used, and nobody is left. */
async function usedHost(backend: string): Promise<FilterHost> {
  const host = new FilterHost();
  for (const key of ['iptables', 'ip6tables']) host.sysctls.set(`net/bridge/bridge-nf-call-${key}`, '1');
  for (const [operation, args] of USES(backend)) await host.ensure(operation, args);
  for (const [operation, args] of USES(backend)) await host.undo(operation, args);
  return host;
}

describe('what attachments stand on in the packet filter', () => {
  it.each([
    ['nftables', nftFoundations, ['table inet fairlead of nftables']],
    [
      'iptables',
      iptablesFoundations,
      [
        'chains FAIRLEAD-PORTS, FAIRLEAD-PORTS-MASQ-13 of iptables',
        'chains FAIRLEAD-FORWARD, FAIRLEAD-ISOLATION, FAIRLEAD-ISOLATED of iptables',
        'chains FAIRLEAD-PORTS, FAIRLEAD-PORTS-MASQ-13 of ip6tables',
        'chains FAIRLEAD-FORWARD, FAIRLEAD-ISOLATION, FAIRLEAD-ISOLATED of ip6tables',
      ],
    ],
  ] as const)('is removed from %s, so that it is as before', async (backend, find, what) => {
    const host = await usedHost(backend);
    expect(stateOf(host)).not.toBe(stateOf(new FilterHost()));
    const found = await runSteps(find(), host);
    expect(found.map((each) => [each.what, each.reason])).toEqual(what.map((each) => [each, undefined]));
    for (const each of found) await runSteps(each.remove(), host);
    expect(stateOf(host)).toBe(stateOf(new FilterHost()));
    expect(await runSteps(find(), host)).toEqual([]);
    // It may be done again.
    for (const each of found) await runSteps(each.remove(), host);
  });

  it('is not there on a host that was never used', async () => {
    expect(await runSteps(nftFoundations(), new FilterHost())).toEqual([]);
    const host = new FilterHost();
    host.lacks.add('iptables');
    expect(await runSteps(iptablesFoundations(), host)).toEqual([]);
  });

  it('stays in nftables with rules of the administrator, and says so', async () => {
    const host = await usedHost('nftables');
    host.nftables.apply('add rule inet fairlead CNI-ADMIN drop');
    expect((await runSteps(nftFoundations(), host)).map(({ reason }) => reason)).toEqual([
      'the administrator has rules in its chain CNI-ADMIN',
    ]);
  });

  it("leaves an administrator's chain of iptables that holds rules", async () => {
    const host = await usedHost('iptables');
    host.iptables[4].restore('*filter\n-A CNI-ADMIN -s 192.0.2.1 -j DROP\nCOMMIT\n');
    for (const each of await runSteps(iptablesFoundations(), host)) await runSteps(each.remove(), host);
    expect(host.iptables[4].save('filter')).toContain('-A CNI-ADMIN -s 192.0.2.1 -j DROP');
    expect(host.iptables[4].save('filter')).not.toContain('FAIRLEAD');
    expect(host.iptables[6].save('filter')).not.toContain('CNI-ADMIN');
  });
});
